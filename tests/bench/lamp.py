"""Prints what a 20-minute landing looks like on a pin, and what it costs.

    python tests/bench/lamp.py

One white on a mock pin with lgpio's microseconds, two whites, and the kernel's PWM on files in a folder; stepped as the
daemon does, when the lamp asks, in simulated time. CPU time is of this machine and of Python only: lgpio's own thread
and a real LED were not measured.
"""

import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from somnisphere_hardware.colour import Whites
from somnisphere_hardware.fade import lightness
from somnisphere_hardware.lamp import Lamp, open_lamp
from somnisphere_hardware.pwm import SysfsPwmOutput
from somnisphere_hardware.simulated.pins import simulated_pins

FADE_S = 1200.0
FROM_PCT = 60.0


def measure(name: str, lamp: Lamp, duty: Callable[[], float]) -> None:
    """Fades down and prints a line."""
    lamp.dim(FROM_PCT, 0.0, 0.0)
    lamp.step(0.0)
    lamp.dim(0.0, FADE_S, 0.0)
    duties, cpu_s = [duty()], 0.0
    due_s: float | None = 0.0
    while due_s is not None:
        began_s = time.process_time()
        due_s = lamp.step(due_s)
        cpu_s += time.process_time() - began_s
        duties.append(duty())
    levels_pct = [lightness(each) for each in duties]
    lit_pct = max(abs(a - b) for a, b in pairwise(levels_pct) if b > 0.0)
    smallest_duty = min(each for each in duties if each > 0.0)
    print(
        f"{name:<26} {lit_pct:8.3f} {lightness(smallest_duty):8.2f} {100.0 * smallest_duty:9.4f}"
        f" {(len(duties) - 1) / FADE_S:9.1f} {1000.0 * cpu_s / (FADE_S / 60.0):9.1f}"
    )
    lamp.close()


def kernel_pwm(root: Path) -> tuple[Lamp, Callable[[], float]]:
    """The kernel's PWM as files."""
    device, chip = root / "devices" / "fe20c000.pwm", root / "class" / "pwmchip0"
    device.mkdir(parents=True)
    files = chip / "pwm0"
    files.mkdir(parents=True)
    (chip / "device").symlink_to(device)
    for name in ("period", "duty_cycle", "enable"):
        (files / name).write_text("0")
    output = SysfsPwmOutput(18, root=root / "class")
    period_ns = int((files / "period").read_text())
    return Lamp(output), lambda: int((files / "duty_cycle").read_text()) / period_ns


def main() -> None:
    print(f"L* {FROM_PCT:g} to 0 in {FADE_S / 60:g} minutes. The last step, into the dark, is the smallest light.\n")
    print("                            largest  smallest  smallest     steps    CPU ms")
    print("                            step L*       L*    duty %      a s   a minute")
    with simulated_pins() as pins:
        measure("lgpio, one white", open_lamp(18)[0], lambda: pins.duty(18))
    with simulated_pins() as pins:
        lamp = open_lamp(18, whites=Whites(13))[0]
        measure("lgpio, two whites", lamp, lambda: pins.duty(18) + pins.duty(13))
    with tempfile.TemporaryDirectory() as folder:
        measure("kernel's PWM, one white", *kernel_pwm(Path(folder)))


if __name__ == "__main__":
    main()
