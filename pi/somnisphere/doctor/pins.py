"""Lamp and button on their pins."""

from collections.abc import Iterator

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.lamp_whites import lamp_whites
from somnisphere_hardware.button import open_button
from somnisphere_hardware.lamp import open_lamp


def check_pins(config: Config) -> Iterator[Finding]:
    taken = "is a daemon running that has it (systemctl stop somnisphere), and is this the right pin?"
    lamp, problem = open_lamp(config.lamp.pin, config.lamp.hardware_pwm, lamp_whites(config.lamp))
    lamp.close()
    yield _pin("lamp", config.lamp.pin, problem, taken)
    button, problem = open_button(config.button.pin, lambda _: None)
    stuck = button is not None and button.is_pressed
    if button is not None:
        button.close()
    if stuck:
        problem, taken = "the button is down", "let go of it; if nobody holds it, its wire touches ground"
    yield _pin("button", config.button.pin, problem, taken)


def _pin(part: str, pin: int | None, problem: str, mend: str) -> Finding:
    if pin is None:
        return Finding(part, True, f"none ({part}.pin is not set)")
    return Finding(part, not problem, problem or f"on GPIO {pin}", mend if problem else "")
