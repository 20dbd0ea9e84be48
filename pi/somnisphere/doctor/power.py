"""The supply and the heat of a Raspberry Pi, as its firmware tells them; nothing on other machines.

Bits: Raspberry Pi documentation, "vcgencmd get_throttled". ``rpi_volt``: Linux, Documentation/hwmon/raspberrypi-hwmon.
"""

from collections.abc import Iterator

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World

LOW_NOW, CAPPED_NOW, THROTTLED_NOW, HOT_NOW = 1 << 0, 1 << 1, 1 << 2, 1 << 3
LOW_ONCE = 1 << 16
SUPPLY = "use the supply made for this Pi, with its own cable; a phone charger is too weak"


def check_power(_config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    said = world.text("sys/devices/platform/soc/soc:firmware/get_throttled")
    bits = int(said, 16) if said and all(sign in "0123456789abcdefx" for sign in said) else None
    low = bits is not None and bool(bits & LOW_NOW)
    alarm = any(
        world.text(f"sys/class/hwmon/{chip.name}/in0_lcrit_alarm") == "1"
        for chip in world.at("sys/class/hwmon").glob("hwmon*")
        if world.text(f"sys/class/hwmon/{chip.name}/name") == "rpi_volt"
    )
    if low or alarm:
        yield Finding("power", False, "the supply's voltage is too low now", SUPPLY)
    elif bits is not None and bits & LOW_ONCE:
        yield Finding("power", False, "the supply's voltage was too low since the box was started", SUPPLY)
    elif bits is not None and bits & (CAPPED_NOW | THROTTLED_NOW | HOT_NOW):
        mend = "give it air: a case with openings, not behind the radiator"
        yield Finding("power", False, "the processor is slowed down now, for it is too hot", mend)
    elif bits is not None:
        yield Finding("power", True, "the supply is strong enough")
