"""The bus, the chips on it and what they say: their ids always, a few seconds of samples where no daemon has them."""

from collections.abc import Iterator

from somnisphere.config import Config
from somnisphere.doctor.bus import Seen, judged, look, missing, not_opened
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.listening import check_signal
from somnisphere.doctor.service import daemon_runs
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere_hardware import mpu6050
from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.detect import ADDRESSES, Found

OTHER_NAMES = frozenset(mpu6050.NAMES.values()) - {"MPU-6050"}
"""Chips that boards sold as MPU-6050 carry."""


def check_chips(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    number = config.sensor.bus
    try:
        bus = Bus.open(number)
    except BusError as problem:
        yield not_opened(number, problem, world)
        return
    try:
        seen = look(bus)
    finally:
        bus.close()
    yield from judged(number, seen, world)
    if seen.stuck is not None or seen.is_held:
        return  # nothing can be said of the chips before
    yield from _chips(seen, number)
    usable = {chip.part for chip in seen.found if chip.usable}
    if daemon_runs(world):
        yield Finding(
            "signal", True, "the daemon listens to the chips (somnisphere watch --broker shows what it hears)"
        )
    elif usable:
        yield from check_signal(config, usable, world)


def _chips(seen: Seen, number: int) -> Iterator[Finding]:
    for chip in seen.found:
        yield Finding(f"{chip.part} chip", chip.usable, f"0x{chip.address:02x}: {chip.problem or _named(chip)}")
    for address, error in seen.refused:
        part = "pulse chip" if address in ADDRESSES["pulse"] else "motion chip"
        yield Finding(part, False, f"0x{address:02x} cannot be read", error.hint)
    if not seen.refused:
        yield from missing(seen.found, number)
    motion = [chip for chip in seen.found if chip.part == "motion" and chip.usable]
    if len(motion) > 1:
        others = ", ".join(f"0x{chip.address:02x}" for chip in motion[1:])
        yield Finding("motion chip", True, f"0x{motion[0].address:02x} is used; {others} rests")


def _named(chip: Found) -> str:
    return f"{chip.chip}, sold as MPU-6050, too: it will do" if chip.chip in OTHER_NAMES else chip.chip
