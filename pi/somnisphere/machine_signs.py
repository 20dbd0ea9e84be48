"""What the machine itself says of its power, heat and speed: files of Linux, without a tool.

- ``/sys/devices/platform/soc/soc:firmware/get_throttled``: bits, hexadecimal: 0 under-voltage, 1 frequency capped,
  2 throttled, 3 soft temperature limit; 16 and up: the same, since the start (raspberrypi/linux
  pull request 2397; https://www.raspberrypi.com/documentation/computers/os.html#get_throttled).
- ``/sys/class/hwmon/*/in0_lcrit_alarm`` of ``rpi_volt``: 1 after an under-voltage, where the former is not there.
- ``/sys/class/thermal/thermal_zone0/temp``: thousandths of a degree.

A machine that has none of them says nothing, and is judged by whether the loop comes late.
"""

from pathlib import Path

from somnisphere.events import Tick
from somnisphere.strain import LATE_S, VERY_LATE_S, Signs

EVERY_S = 30.0


class MachineSigns:
    """``root``: "/" on a real machine."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._firmware = root / "sys/devices/platform/soc/soc:firmware/get_throttled"
        self._hwmon = root / "sys/class/hwmon"
        self._temperature = root / "sys/class/thermal/thermal_zone0/temp"
        self._due_s = float("-inf")
        self._late = self._very_late = self._dropped = 0

    def seen(self, tick: Tick, dropped: int) -> Signs | None:
        """To be called with each tick; ``dropped``: blocks since the daemon's start. None: not yet due."""
        self._late += tick.late_s >= LATE_S
        self._very_late += tick.late_s >= VERY_LATE_S
        if tick.at_s < self._due_s:
            return None
        self._due_s = tick.at_s + EVERY_S
        bits = _number(self._firmware, 16)
        low_voltage = self._alarm() if bits is None else bool(bits & 1)
        heat = _number(self._temperature, 10)
        signs = Signs(
            under_voltage=low_voltage,
            capped=None if bits is None else bool(bits & 2),
            throttled=None if bits is None else bool(bits & 4),
            soft_limit=None if bits is None else bool(bits & 8),
            temperature_c=None if heat is None else heat / 1000.0,
            late=self._late,
            very_late=self._very_late,
            dropped=dropped - self._dropped,
        )
        self._late = self._very_late = 0
        self._dropped = dropped
        return signs

    def weak_since_start(self) -> bool | None:
        """Whether the voltage was ever too low since the machine was started."""
        bits = _number(self._firmware, 16)
        return None if bits is None else bool(bits & 1 << 16)

    def _alarm(self) -> bool | None:
        for chip in self._hwmon.glob("*/name"):
            try:
                if chip.read_text().strip() == "rpi_volt":
                    return bool(_number(chip.with_name("in0_lcrit_alarm"), 10))
            except OSError:
                continue
        return None


def _number(file: Path, base: int) -> int | None:
    try:
        return int(file.read_text(), base)
    except (OSError, ValueError):
        return None
