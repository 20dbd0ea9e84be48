"""Lamp and button on their pins; and, where no pin can be had at all, what of the pins' library is wrong."""

import importlib
import os
from collections.abc import Iterator

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.service import daemon_runs
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere.lamp_whites import lamp_whites
from somnisphere_hardware.button import open_button
from somnisphere_hardware.lamp import NO_GPIO, open_lamp
from somnisphere_hardware.pwm import find_channel

_TAKEN = "another program has it or it is not the right pin: end that program, or correct the configuration"


def check_pins(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    yield _lamp(config, world)
    yield _button(config, world)


def _lamp(config: Config, world: World) -> Finding:
    lamp = config.lamp
    if lamp.home_light:
        return Finding("lamp", True, f"{lamp.home_light} of Home Assistant")
    if lamp.pin is None:
        return Finding("lamp", True, "none (lamp.pin is not set)")
    if lamp.hardware_pwm:
        return _hardware_pwm([pin for pin in (lamp.pin, lamp.cold_pin) if pin is not None], world)
    if daemon_runs(world):
        return _with_the_daemon("lamp", lamp.pin)
    opened, problem = open_lamp(lamp.pin, False, lamp_whites(lamp))
    opened.close()
    return _pin("lamp", lamp.pin, problem)


def _hardware_pwm(pins: list[int], world: World) -> Finding:
    """Only looked at: taking the channel would darken the daemon's lamp."""
    for pin in pins:
        try:
            chip, channel = find_channel(pin, world.at("sys/class/pwm"))
        except OSError as problem:
            verdict, _, mend = str(problem).partition("; ")
            return Finding("lamp", False, verdict, mend)
        if not os.access(chip / "export", os.W_OK):
            mend = "the udev rule of the installation gives it to the group gpio; is this user in it?"
            return Finding("lamp", False, f"{chip}/export cannot be written by this user", mend)
    return Finding("lamp", True, f"on GPIO {pins[0]}, {chip.name} channel {channel}")


def _button(config: Config, world: World) -> Finding:
    pin = config.button.pin
    if pin is None:
        return Finding("button", True, "none (button.pin is not set)")
    if daemon_runs(world):
        return _with_the_daemon("button", pin)
    button, problem = open_button(pin, lambda _: None)
    stuck = button is not None and button.is_pressed
    if button is not None:
        button.close()
    if stuck:
        mend = "let go of it; if nobody holds it, its wire touches ground"
        return Finding("button", False, "the button is down", mend)
    return _pin("button", pin, problem)


def _with_the_daemon(part: str, pin: int) -> Finding:
    return Finding(part, True, f"the daemon has GPIO {pin}")


def _pin(part: str, pin: int, problem: str) -> Finding:
    if not problem:
        return Finding(part, True, f"on GPIO {pin}")
    return Finding(part, False, problem, pin_library() if NO_GPIO in problem else _TAKEN)


def pin_library() -> str:
    """The mend where gpiozero finds no pins."""
    try:
        lgpio = importlib.import_module("lgpio")
    except ImportError:
        return "on a Raspberry Pi: sudo apt install python3-lgpio, in an environment made with --system-site-packages"
    except OSError as problem:  # it makes a pipe in $LG_WD, else in the working folder, when it is loaded
        folder = os.environ.get("LG_WD") or os.getcwd()
        return f"lgpio cannot make its pipe in {folder} ({problem.strerror or problem}): set LG_WD to a folder of yours"
    if not hasattr(lgpio, "gpiochip_open"):
        return (
            f"the lgpio at {lgpio.__file__} is empty (pip's version 0.0.0.2): pip uninstall lgpio, then "
            "sudo apt install python3-lgpio"
        )
    return "is /dev/gpiochip0 there, and is this user in the group gpio (sudo usermod -aG gpio $USER, log in again)?"
