"""The bedside lamp: one PWM pin, dimmed evenly to the eye. The only file that asks gpiozero for an output."""

import importlib
import logging
import warnings

from gpiozero import PWMLED
from gpiozero.exc import BadPinFactory, GPIOZeroError, PinFactoryFallback
from gpiozero.pins import Pin

from somnisphere_hardware.colour import LightOutput, TwoChannelOutput, Whites
from somnisphere_hardware.dither import FreePeriodGrid, Pulse, SigmaDelta
from somnisphere_hardware.fade import Fade, luminance
from somnisphere_hardware.pwm import SysfsPwmOutput

log = logging.getLogger(__name__)

RETRY_S = 5.0
"""How long a lamp that refused a value is left alone."""


class NullOutput:
    """A box without a lamp."""

    smallest_duty = 0.0

    def write(self, duty: float, *, moving: bool = False) -> None:
        pass

    def close(self) -> None:
        pass


class GpioOutput:
    """A light on a GPIO pin, by gpiozero's PWMLED.

    lgpio makes the pulses in a thread (software) and takes pulse and gap in whole microseconds; a new pair comes into
    force where a period begins, so no write glitches (lg's lgPthTx.c). ``FreePeriodGrid`` says which pairs: 500 Hz, and
    down to 100 Hz in the dark.
    """

    def __init__(self, pin: int, grid: FreePeriodGrid = FreePeriodGrid()) -> None:  # noqa: B008
        self._grid = grid
        self._dither = SigmaDelta(grid)
        self._pulse = Pulse(0, grid.dark_period_us)
        self._led = PWMLED(pin, frequency=round(1e6 / grid.period_us), initial_value=0)
        _write_finely(self._led.pin, self._pulse)  # dark, and lgpio's thread need not wake 500 times a second for it

    @property
    def smallest_duty(self) -> float:
        return self._grid.smallest_duty

    def write(self, duty: float, *, moving: bool = False) -> None:
        pulse = self._dither.choose(duty, moving=moving)
        if pulse == self._pulse or pulse.on == self._pulse.on == 0:
            return
        try:
            if not _write_finely(self._led.pin, pulse):
                if pulse.on and pulse.period != self._pulse.period:
                    self._led.frequency = 1e6 / pulse.period  # the share of time stays meanwhile
                self._led.value = pulse.duty
        except GPIOZeroError as error:
            raise OSError(str(error)) from error
        self._pulse = pulse

    def close(self) -> None:
        if not self._led.closed:
            self._led.off()
            self._led.close()


def _write_finely(pin: Pin, pulse: Pulse) -> bool:
    """Hand lgpio the very microseconds; False when the pin is not one of lgpio's.

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
        lgpio.tx_pulse(handle, number, pulse.on, pulse.period - pulse.on)
    except lgpio.error as error:
        raise OSError(str(error)) from error
    return True


class Lamp:
    """A light that goes where it is told, evenly, from where it is. It owns no thread: call ``step`` when it asks."""

    def __init__(self, output: LightOutput) -> None:
        self._output = output
        self._fade = Fade(0.0, 0.0, 0.0, 0.0)
        self._held: tuple[Fade, float] | None = None
        self._lightness_pct = self._duty = 0.0
        self._written_moving = False
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

    @property
    def is_frozen(self) -> bool:
        """Held by ``freeze``, with a way left to go by ``land``."""
        return self._held is not None

    def dim(self, lightness_pct: float, over_s: float, at_s: float) -> None:
        """Go to a lightness (CIE L*, 0..100) over up to an hour, from where the light is at ``at_s``.

        The next ``step`` writes it. Beyond 0..100 and 0..3600 s the nearest possible is meant.
        """
        self._held = None
        self._lightness_pct = self._fade.at(at_s)
        self._fade = Fade.between(self._lightness_pct, lightness_pct, at_s, over_s)

    def freeze(self, at_s: float) -> bool:
        """A touch: stay where the light is now. True if it was on its way, and ``land`` would take it on.

        The next ``step`` writes it. A ``dim`` afterwards means something new and forgets the way that was left.
        """
        if at_s >= self._fade.end_s:
            return False
        self._held = (self._fade, at_s)
        self._fade = self._fade.held(at_s)
        self._lightness_pct = self._fade.to_pct
        return True

    def land(self, at_s: float) -> bool:
        """Go on where ``freeze`` stopped, over the time that was left, at least 30 s. False if nothing was held."""
        if self._held is None:
            return False
        fade, held_s = self._held
        self._held = None
        self._fade = fade.landing(held_s, at_s)
        return True

    def step(self, at_s: float) -> float | None:
        """Write the light of this moment if it changed; return when to be called again, None when at rest."""
        self._lightness_pct = self._fade.at(at_s)
        duty, moving = luminance(self._lightness_pct), at_s < self._fade.end_s
        stopped = self._written_moving and not moving  # a dithered duty gives way to the nearest
        if duty != self._duty or stopped:
            try:
                self._output.write(duty, moving=moving)
            except OSError as error:
                if not self.problem:
                    log.warning("the lamp does not answer: %s", error)
                self.problem = f"The lamp does not answer ({error.strerror or error}); check its wiring and restart."
                return at_s + RETRY_S
            self._duty, self._written_moving = duty, moving
            self.problem = ""
        return self._fade.next_step_s(at_s)

    def close(self) -> None:
        """Off, and the pin given back."""
        self._fade = Fade(0.0, 0.0, 0.0, 0.0)
        self._held = None
        self._lightness_pct = self._duty = 0.0
        self._written_moving = False
        self._output.close()


def open_lamp(pin: int | None, hardware_pwm: bool = False, whites: Whites | None = None) -> tuple[Lamp, str]:
    """A lamp on GPIO ``pin`` (None: no lamp), and a sentence for a person when it could not be had, else "".

    With ``whites``, ``pin`` is the warm LED and ``whites.cold_pin`` the cold one; a cold one that cannot be had leaves
    a lamp of the warm one alone. A computer without GPIO, or a pin that is taken, gets a lamp that lights nothing: the
    night goes on.
    """
    if pin is None:
        return Lamp(NullOutput()), ""
    warm, problem = _open_output(pin, hardware_pwm)
    if warm is None:
        return Lamp(NullOutput()), problem
    if whites is None:
        return Lamp(warm), ""
    cold, problem = _open_output(whites.cold_pin, hardware_pwm)
    if cold is None:
        return Lamp(warm), problem
    return Lamp(TwoChannelOutput(warm, cold, whites)), ""


def _open_output(pin: int, hardware_pwm: bool) -> tuple[LightOutput | None, str]:
    try:
        if hardware_pwm:
            return SysfsPwmOutput(pin), ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PinFactoryFallback)  # said better below
            return GpioOutput(pin), ""
    except BadPinFactory:
        return None, f"There is no lamp: {NO_GPIO}"
    except Exception as error:  # a pin factory raises whatever its library does (lgpio.error is a bare Exception)
        return None, f"The lamp on GPIO {pin} cannot be used: {error}."


NO_GPIO = "this computer has no GPIO that gpiozero can use (on a Raspberry Pi: sudo apt install python3-lgpio)."
