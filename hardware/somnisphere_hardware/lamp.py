"""The bedside lamp: one PWM pin, dimmed evenly to the eye. The only file that asks gpiozero for an output."""

import importlib
import logging
import warnings
from typing import Protocol

from gpiozero import PWMLED
from gpiozero.exc import BadPinFactory, GPIOZeroError, PinFactoryFallback
from gpiozero.pins import Pin

from somnisphere_hardware.fade import Fade, luminance
from somnisphere_hardware.pwm import SysfsPwmOutput

log = logging.getLogger(__name__)

RETRY_S = 5.0
"""How long a lamp that refused a value is left alone."""


class LightOutput(Protocol):
    """Whatever turns a share of full light, 0..1, into light. ``write`` may raise OSError; ``close`` leaves it dark."""

    def write(self, duty: float) -> None: ...

    def close(self) -> None: ...


class NullOutput:
    """A box without a lamp."""

    def write(self, duty: float) -> None:
        pass

    def close(self) -> None:
        pass


class GpioOutput:
    """A light on a GPIO pin, by gpiozero's PWMLED.

    lgpio makes the pulses in a thread (software), in whole microseconds, so duty is rounded to those and an equal value
    is never written again: each write may glitch. On-times below ``floor_us`` are mostly jitter, and are off instead
    (lgpio never sleeps less than 10 us: ``lgMinTxDelay``). At 500 Hz that is 0.5 % duty, L* 4.5.
    """

    def __init__(self, pin: int, frequency_hz: float = 500.0, floor_us: float = 10.0) -> None:
        self._period_us = 1e6 / frequency_hz
        self._floor_us = floor_us
        self._frequency_hz = frequency_hz
        self._on_us = 0
        self._led = PWMLED(pin, frequency=round(frequency_hz), initial_value=0)

    def write(self, duty: float) -> None:
        on_us = round(duty * self._period_us)
        if on_us < self._floor_us:
            on_us = 0
        if on_us == self._on_us:
            return
        share = min(1.0, on_us / self._period_us)
        try:
            if not _write_finely(self._led.pin, self._frequency_hz, share):
                self._led.value = share
        except GPIOZeroError as error:
            raise OSError(str(error)) from error
        self._on_us = on_us

    def close(self) -> None:
        if not self._led.closed:
            self._led.off()
            self._led.close()


def _write_finely(pin: Pin, frequency_hz: float, share: float) -> bool:
    """Hand lgpio the exact duty; False when the pin is not one of lgpio's.

    gpiozero 2.0.1 cuts the duty to whole per cent on its way to lgpio (gpiozero issue 1209), which would make steps of
    9 L* in the dark, and lgpio itself needs no such thing. This reaches past gpiozero, so it gives way when it must.
    """
    if type(pin).__module__ != "gpiozero.pins.lgpio":
        return False
    handle = getattr(pin.factory, "_handle", None)
    number = getattr(pin, "_number", None)
    if handle is None or number is None:
        return False
    lgpio = importlib.import_module("lgpio")  # there, since gpiozero made this pin with it
    try:
        lgpio.tx_pwm(handle, number, frequency_hz, share * 100.0)
    except lgpio.error as error:
        raise OSError(str(error)) from error
    return True


class Lamp:
    """A light that goes where it is told, evenly, from where it is. It owns no thread: call ``step`` when it asks."""

    def __init__(self, output: LightOutput) -> None:
        self._output = output
        self._fade = Fade(0.0, 0.0, 0.0, 0.0)
        self._lightness_pct = 0.0
        self._duty = 0.0
        self.problem = ""
        """A sentence for a person while the output refuses, else ""."""

    @property
    def lightness_pct(self) -> float:
        """CIE L* at the last ``step`` or ``dim``."""
        return self._lightness_pct

    @property
    def target_pct(self) -> float:
        return self._fade.to_pct

    @property
    def is_fading(self) -> bool:
        return self._lightness_pct != self._fade.to_pct

    def dim(self, lightness_pct: float, over_s: float, at_s: float) -> None:
        """Go to a lightness (CIE L*, 0..100) over up to an hour, from where the light is at ``at_s``.

        The next ``step`` writes it. Beyond 0..100 and 0..3600 s the nearest possible is meant.
        """
        self._lightness_pct = self._fade.at(at_s)
        self._fade = Fade.between(self._lightness_pct, lightness_pct, at_s, over_s)

    def step(self, at_s: float) -> float | None:
        """Write the light of this moment if it changed; return when to be called again, None when at rest."""
        self._lightness_pct = self._fade.at(at_s)
        duty = luminance(self._lightness_pct)
        if duty != self._duty:
            try:
                self._output.write(duty)
            except OSError as error:
                if not self.problem:
                    log.warning("the lamp does not answer: %s", error)
                self.problem = f"The lamp does not answer ({error.strerror or error}); check its wiring and restart."
                return at_s + RETRY_S
            self._duty = duty
            self.problem = ""
        return self._fade.next_step_s(at_s)

    def close(self) -> None:
        """Off, and the pin given back."""
        self._fade = Fade(0.0, 0.0, 0.0, 0.0)
        self._lightness_pct = self._duty = 0.0
        self._output.close()


def open_lamp(pin: int | None, frequency_hz: float = 500.0, hardware_pwm: bool = False) -> tuple[Lamp, str]:
    """A lamp on GPIO ``pin`` (None: no lamp), and a sentence for a person when it could not be had, else "".

    A computer without GPIO, or a pin that is taken, gets a lamp that lights nothing: the night goes on.
    """
    if pin is None:
        return Lamp(NullOutput()), ""
    try:
        if hardware_pwm:
            return Lamp(SysfsPwmOutput(pin, frequency_hz)), ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PinFactoryFallback)  # said better below
            return Lamp(GpioOutput(pin, frequency_hz)), ""
    except BadPinFactory:
        return Lamp(NullOutput()), f"There is no lamp: {NO_GPIO}"
    except Exception as error:  # a pin factory raises whatever its library does (lgpio.error is a bare Exception)
        return Lamp(NullOutput()), f"The lamp on GPIO {pin} cannot be used: {error}."


NO_GPIO = "this computer has no GPIO that gpiozero can use (on a Raspberry Pi: sudo apt install python3-lgpio)."
