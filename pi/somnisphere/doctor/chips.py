"""The I2C bus and the chips on it."""

from collections.abc import Iterator

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere_hardware import detect
from somnisphere_hardware.bus import Bus, BusError


def check_chips(config: Config) -> Iterator[Finding]:
    try:
        bus = Bus.open(config.sensor.bus)
    except BusError as problem:
        yield Finding("I2C bus", False, f"/dev/i2c-{config.sensor.bus} cannot be opened", problem.hint)
        return
    try:
        found = detect.scan(bus)
    finally:
        bus.close()
    for chip in found:
        yield Finding("chip", chip.usable, f"0x{chip.address:02x}: {chip.problem or chip.chip}")
    for part in ("pulse", "motion"):
        if not any(chip.part == part for chip in found):
            yield Finding(
                "chip",
                False,
                f"no {part} sensor answers on I2C bus {config.sensor.bus}",
                "check 3.3 V, ground, SDA (GPIO 2) and SCL (GPIO 3); hardware/README.md shows the wiring",
            )
