"""Which bus the chips are on: looked for on all of them. Pure."""

from collections.abc import Sequence

from somnisphere.config import complaint
from somnisphere.setup.deeds import Dialogue, Say, ScanBuses, SeenBus, ask, do
from somnisphere.setup.draft import Draft
from somnisphere.setup.questions import Offer, Question

PARTS = ("pulse", "motion")


def ask_sensor(draft: Draft) -> Dialogue[None]:
    yield Say("\nThe sensor. Looking at the I2C buses ...")
    configured: int = draft.get("sensor.bus")
    buses = yield from do(ScanBuses(configured))
    for bus in buses:
        for line in _lines(bus, bus.number == configured):
            yield Say(line)
    question = Question(
        key="sensor.bus",
        text="Which bus is the sensor on?",
        default=str(best_bus(buses, configured)),
        offers=tuple(Offer(str(bus.number), f"bus {bus.number}") for bus in buses if _worth(bus)),
        complaint=bus_complaint,
    )
    draft.put("sensor.bus", int((yield from ask(question))))


def bus_complaint(answer: str) -> str:
    return complaint("sensor.bus", int(answer) if answer.isdecimal() else answer)


def best_bus(buses: Sequence[SeenBus], configured: int) -> int:
    """Where most of what is needed answers; the configured one where no other has more."""
    return max(buses, key=lambda bus: (_worth(bus), bus.number == configured, -bus.number)).number


def _worth(bus: SeenBus) -> int:
    """The pulse first: movement alone tells no stages."""
    usable = {chip.part for chip in bus.chips if chip.usable}
    return 2 * ("pulse" in usable) + ("motion" in usable)


def _lines(bus: SeenBus, configured: bool) -> list[str]:
    """Another bus that has nothing to say is passed over: a screen's cable is a bus, too."""
    if not configured and not any(chip.usable for chip in bus.chips):
        return []
    if bus.problem:
        return [f"  bus {bus.number}: {bus.problem}"]
    lines = [f"  bus {bus.number}: {chip.words}" for chip in bus.chips]
    missing = [part for part in PARTS if not any(chip.part == part for chip in bus.chips)]
    return lines + [f"  bus {bus.number}: no {part} sensor answers" for part in missing if configured]
