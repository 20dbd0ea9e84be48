"""Hardware PWM through the kernel's sysfs files, for a lamp that never flickers. Standard library only.

Needs the overlay ``dtoverlay=pwm,pin=18,func=2`` (Pi 1 to 4; on a Pi 5 ``dtoverlay=pwm``) and write access for the
group gpio. The chip is found by its device, since its number moved between kernels (pwmchip2, then 0, on a Pi 5).
Files and units: Linux Documentation/driver-api/pwm.rst, "Using PWMs with the sysfs interface".
"""

import time
from pathlib import Path

from somnisphere_hardware.dither import FixedPeriodGrid, SigmaDelta

SYSFS_PWM = Path("/sys/class/pwm")

CHANNELS: tuple[tuple[str, dict[int, int]], ...] = (
    # end of the device's name, {header pin (GPIO number): channel}
    ("20c000.pwm", {12: 0, 18: 0, 13: 1, 19: 1}),  # BCM2835 (0x2020c000), BCM2836/7 (0x3f...), BCM2711 (0xfe...)
    ("1f00098000.pwm", {12: 0, 13: 1, 18: 2, 19: 3}),  # RP1 of a Pi 5; 1f0009c000.pwm is its fan: never touch it
)

TICK_NS = 20
FLOOR_NS = 100


def find_channel(gpio_pin: int, root: Path = SYSFS_PWM) -> tuple[Path, int]:
    """The pwmchip folder and channel number behind a header pin. OSError, with the mend, when there is none."""
    for chip in sorted(root.glob("pwmchip*")):
        device = (chip / "device").resolve().name
        for ending, channels in CHANNELS:
            if device.endswith(ending) and gpio_pin in channels:
                return chip, channels[gpio_pin]
    raise OSError(
        f"no hardware PWM for GPIO {gpio_pin} below {root}; add dtoverlay=pwm,pin=18,func=2 to "
        "/boot/firmware/config.txt and restart (pins 12, 13, 18 and 19 can do it)"
    )


class SysfsPwmOutput:
    """A PWM pin whose pulses the chip itself makes.

    1250 Hz is the lowest frequency at which IEEE 1789-2015 calls full modulation low risk (0.08 % per hertz). The files
    take nanoseconds, the chip counts ticks: 20 ns on a Pi 5 (RP1, 50 MHz), 10 ns before with the overlay's 100 MHz; the
    drivers round. Pulses below ``FLOOR_NS`` are off: a bare LED follows no shorter ones, a MOSFET not even these.
    """

    def __init__(
        self, gpio_pin: int = 18, frequency_hz: float = 1250.0, root: Path = SYSFS_PWM, patience_s: float = 1.0
    ) -> None:
        """Take the pin, dark. ``patience_s``: how long udev may take to hand over the new files."""
        chip, channel = find_channel(gpio_pin, root)
        self._chip = chip
        self._channel = channel
        self._files = chip / f"pwm{channel}"
        self._period_ns = round(1e9 / frequency_hz)
        self._grid = FixedPeriodGrid(self._period_ns, TICK_NS, FLOOR_NS)
        self._dither = SigmaDelta(self._grid)
        self._duty_ns = 0
        if not self._files.is_dir():
            (chip / "export").write_text(f"{channel}\n")
        self._set_up(time.monotonic() + patience_s)

    def _set_up(self, deadline_s: float) -> None:
        while True:
            try:
                if (self._files / "period").read_text().strip() != "0":  # the kernel refuses a period below the duty
                    (self._files / "duty_cycle").write_text("0\n")
                (self._files / "period").write_text(f"{self._period_ns}\n")
                (self._files / "enable").write_text("1\n")
                return
            except (FileNotFoundError, PermissionError):
                if time.monotonic() >= deadline_s:
                    raise
                time.sleep(0.02)

    @property
    def smallest_duty(self) -> float:
        return self._grid.smallest_duty

    def write(self, duty: float, *, moving: bool = False) -> None:
        """Set the share of time the light is on, 0..1. OSError when the kernel takes the pin away."""
        duty_ns = self._dither.choose(duty, moving=moving).on
        if duty_ns != self._duty_ns:
            (self._files / "duty_cycle").write_text(f"{duty_ns}\n")
            self._duty_ns = duty_ns

    def close(self) -> None:
        """Dark, and the pin given back. Never raises: it runs on the way out."""
        try:
            (self._files / "duty_cycle").write_text("0\n")
            (self._files / "enable").write_text("0\n")
            (self._chip / "unexport").write_text(f"{self._channel}\n")
        except OSError:
            pass  # the files are gone, and the light with them
