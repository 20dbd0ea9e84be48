"""The supply and the heat of a Raspberry Pi, as the daemon sees them, too; nothing on machines that say nothing."""

from collections.abc import Iterator

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere.events import Tick
from somnisphere.machine_signs import MachineSigns

PART = "power"
SUPPLY = "use the supply made for this Pi, with its own cable; a phone charger is too weak"


def check_power(_config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    machine = MachineSigns(world.root)
    now = machine.seen(Tick(0.0, world.wall_s()), 0)
    assert now is not None
    weak_before = machine.weak_since_start()
    if now.under_voltage:
        yield Finding(PART, False, "the supply's voltage is too low now", SUPPLY)
    elif weak_before:
        yield Finding(PART, False, "the supply's voltage was too low since the box was started", SUPPLY)
    elif now.capped or now.throttled or now.soft_limit:
        mend = "give it air: a case with openings, not behind the radiator"
        yield Finding(PART, False, "the processor is slowed down now, for it is too hot", mend)
    elif weak_before is not None or now.under_voltage is not None:
        yield Finding(PART, True, "the supply is strong enough")
