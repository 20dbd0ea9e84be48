"""The lamp on gpiozero's mock pins, as lgpio gets it, and where there is no lamp at all."""

import sys
import types
from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_hardware.fade import luminance
from somnisphere_hardware.lamp import RETRY_S, GpioOutput, Lamp, NullOutput, open_lamp

PIN = 18


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    previous = Device.pin_factory
    factory = MockFactory(pin_class=MockPWMPin)
    Device.pin_factory = factory
    yield factory
    factory.reset()
    Device.pin_factory = previous


class Recorder:
    """An output that remembers what it was given, and can be made to fail."""

    smallest_duty = 0.0

    def __init__(self) -> None:
        self.duties: list[float] = []
        self.moving = False
        self.broken = False
        self.closed = False

    def write(self, duty: float, *, moving: bool = False) -> None:
        if self.broken:
            raise OSError("wire off")
        self.duties.append(duty)
        self.moving = moving

    def close(self) -> None:
        self.closed = True


def run(lamp: Lamp, at_s: float) -> float:
    """Step whenever the lamp asks until it rests; the time it did."""
    due_s: float | None = at_s
    while due_s is not None:
        at_s = due_s
        due_s = lamp.step(at_s)
    return at_s


# ---- fading -------------------------------------------------------------------------------------------------------


def test_a_lamp_at_rest_writes_nothing() -> None:
    output = Recorder()
    lamp = Lamp(output)
    assert lamp.step(0.0) is None
    lamp.dim(0.0, 10.0, 1.0)
    run(lamp, 1.0)
    assert output.duties == []


def test_a_jump_is_one_write() -> None:
    output = Recorder()
    lamp = Lamp(output)
    lamp.dim(50.0, 0.0, 5.0)
    assert lamp.is_fading
    assert lamp.step(5.0) is None
    assert output.duties == [luminance(50.0)]
    assert (lamp.lightness_pct, lamp.target_pct, lamp.is_fading) == (50.0, 50.0, False)
    lamp.dim(50.0, 0.0, 6.0)
    lamp.step(6.0)
    assert len(output.duties) == 1


def test_an_hour_ends_on_the_second_and_on_the_level() -> None:
    output = Recorder()
    lamp = Lamp(output)
    lamp.dim(60.0, 0.0, 0.0)
    lamp.step(0.0)
    lamp.dim(0.0, 3600.0, 10.0)
    assert run(lamp, 10.0) == 3610.0
    assert output.duties[-1] == 0.0
    assert output.duties == sorted(output.duties, reverse=True)
    assert len(output.duties) == len(set(output.duties))


@given(
    st.lists(
        st.tuples(st.floats(0.0, 100.0), st.just(0.0) | st.floats(0.01, 20.0), st.floats(0.0, 25.0)),
        min_size=1,
        max_size=6,
    )
)
def test_a_new_wish_midway_starts_where_the_light_is(wishes: list[tuple[float, float, float]]) -> None:
    output = Recorder()
    lamp = Lamp(output)
    at_s = 0.0
    for lightness_pct, over_s, wait_s in wishes:
        lamp.step(at_s)
        before_pct = lamp.lightness_pct
        lamp.dim(lightness_pct, over_s, at_s)
        assert lamp.lightness_pct == before_pct
        if over_s > 0.0:
            lamp.step(at_s)
            assert lamp.lightness_pct == pytest.approx(before_pct)
        at_s += wait_s
    lamp.step(at_s + 20.0)
    assert lamp.lightness_pct == wishes[-1][0]
    assert not lamp.is_fading


def test_a_late_step_goes_straight_to_where_the_light_should_be() -> None:
    output = Recorder()
    lamp = Lamp(output)
    lamp.dim(100.0, 10.0, 0.0)
    lamp.step(5.0)
    assert output.duties == [pytest.approx(luminance(50.0))]


def test_an_output_that_fails_is_said_and_tried_again() -> None:
    output = Recorder()
    lamp = Lamp(output)
    output.broken = True
    lamp.dim(40.0, 0.0, 0.0)
    assert lamp.step(0.0) == RETRY_S
    assert "wire off" in lamp.problem
    output.broken = False
    assert lamp.step(RETRY_S) is None
    assert lamp.problem == ""
    assert output.duties == [luminance(40.0)]


def test_closing_leaves_it_dark() -> None:
    output = Recorder()
    lamp = Lamp(output)
    lamp.dim(40.0, 60.0, 0.0)
    lamp.step(30.0)
    lamp.close()
    assert output.closed
    assert (lamp.lightness_pct, lamp.is_fading) == (0.0, False)


# ---- a GPIO pin ---------------------------------------------------------------------------------------------------


def test_closing_gives_the_pin_back_dark(pins: MockFactory) -> None:
    lamp, _ = open_lamp(PIN)
    lamp.dim(100.0, 0.0, 0.0)
    lamp.step(0.0)
    pin = pins.pin(PIN)
    assert pin.state == 1.0
    lamp.close()
    assert pin.state == 0.0
    again, problem = open_lamp(PIN)
    assert problem == ""
    again.close()
    again.close()


@given(st.floats(0.0, 0.0004999))
def test_below_the_smallest_duty_is_off(duty: float) -> None:
    factory = MockFactory(pin_class=MockPWMPin)
    previous, Device.pin_factory = Device.pin_factory, factory
    try:
        output = GpioOutput(PIN)
        output.write(0.02)
        assert factory.pin(PIN).state == pytest.approx(0.02, rel=1e-3)
        output.write(duty, moving=True)
        off = factory.pin(PIN).state
        output.close()
    finally:
        factory.reset()
        Device.pin_factory = previous
    assert off == 0.0


def test_in_the_dark_the_pulses_come_seldom_and_never_below_100_hertz(pins: MockFactory) -> None:
    output = GpioOutput(PIN)
    pin = pins.pin(PIN)
    assert pin.frequency == 500
    seen = {}
    for lightness_pct in (40.0, 4.0, 2.0, 0.9, 0.46):
        output.write(luminance(lightness_pct))
        seen[lightness_pct] = (round(pin.frequency), round(1e6 * pin.state / pin.frequency))
    assert seen[40.0][0] in range(498, 502)
    assert seen[4.0] == (443, 10)
    assert seen[2.0] == (221, 10)
    assert seen[0.9] == (111, 9)
    assert seen[0.46] == (102, 5)
    output.close()


def test_a_pin_that_is_taken_is_a_sentence_and_the_night_goes_on(pins: MockFactory) -> None:
    first, _ = open_lamp(PIN)
    second, problem = open_lamp(PIN)
    assert f"GPIO {PIN} cannot be used" in problem
    second.dim(50.0, 0.0, 0.0)
    assert second.step(0.0) is None
    assert second.lightness_pct == 50.0
    assert pins.pin(PIN).state == 0.0
    first.close()
    second.close()


def test_a_computer_without_gpio_gets_a_lamp_that_lights_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setitem(sys.modules, "lgpio", None)
    monkeypatch.setitem(sys.modules, "RPi", None)
    monkeypatch.setitem(sys.modules, "pigpio", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
    lamp, problem = open_lamp(PIN)
    assert "GPIO" in problem
    lamp.dim(50.0, 0.0, 0.0)
    assert lamp.step(0.0) is None
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY")
    _, problem = open_lamp(PIN)
    assert "apt install python3-lgpio" in problem


def test_no_pin_is_no_lamp_and_no_problem() -> None:
    lamp, problem = open_lamp(None)
    assert problem == ""
    lamp.dim(50.0, 0.0, 0.0)
    assert lamp.step(0.0) is None
    lamp.close()


# ---- lgpio, as gpiozero drives it ---------------------------------------------------------------------------------


class LgpioError(Exception):
    pass


@pytest.fixture
def lgpio_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, int, int]]]:
    """gpiozero's own lgpio factory over a stand-in for the library: the (pin, us on, us off) it is told."""
    calls: list[tuple[int, int, int]] = []

    def tx_pulse(_handle: int, pin: int, on_us: int, off_us: int) -> None:
        if off_us == 0:
            raise LgpioError("GPIO busy")
        calls.append((pin, on_us, off_us))

    library = types.ModuleType("lgpio")
    for name in ("SET_PULL_UP", "SET_PULL_DOWN", "SET_PULL_NONE", "RISING_EDGE", "FALLING_EDGE", "BOTH_EDGES"):
        setattr(library, name, 0)
    for name in ("gpiochip_close", "gpio_claim_input", "gpio_claim_output", "gpio_write", "gpio_free"):
        setattr(library, name, lambda *_: 0)
    library.gpiochip_open = lambda _: 7  # type: ignore[attr-defined]
    library.gpio_get_mode = lambda *_: 2  # type: ignore[attr-defined]
    library.gpio_read = lambda *_: 0  # type: ignore[attr-defined]
    library.tx_pulse = tx_pulse  # type: ignore[attr-defined]
    library.tx_pwm = lambda *_: 0  # type: ignore[attr-defined]
    library.error = LgpioError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lgpio", library)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    from gpiozero.pins.local import LocalPiFactory

    monkeypatch.setattr(LocalPiFactory, "_get_revision", lambda _: 0xA02082)  # a Pi 3B
    from gpiozero.pins.lgpio import LGPIOFactory

    factory = LGPIOFactory()
    monkeypatch.setattr(Device, "pin_factory", factory)
    yield calls
    factory.close()
    sys.modules.pop("gpiozero.pins.lgpio", None)


def test_lgpio_is_told_the_very_microseconds_not_whole_per_cent(lgpio_calls: list[tuple[int, int, int]]) -> None:
    lamp, problem = open_lamp(PIN)
    assert problem == ""
    assert lgpio_calls == [(PIN, 0, 20_000)]  # dark, looked after 50 times a second only
    lgpio_calls.clear()
    for lightness_pct in (10.0, 5.0, 1.0, 0.3):  # 1.13 %, 0.55 %, 0.11 %: whole per cent would be 1 and nothing
        lamp.dim(lightness_pct, 0.0, 0.0)
        lamp.step(0.0)
    assert lgpio_calls == [(PIN, 23, 2020), (PIN, 11, 1976), (PIN, 10, 9023), (PIN, 0, 20_000)]
    assert all(type(us) is int for call in lgpio_calls for us in call)
    lamp.close()


def test_an_error_of_lgpio_is_a_problem_not_a_crash(lgpio_calls: list[tuple[int, int, int]]) -> None:
    lamp, _ = open_lamp(PIN)
    lamp.dim(100.0, 0.0, 0.0)
    assert lamp.step(0.0) == RETRY_S
    assert "GPIO busy" in lamp.problem
    lamp.dim(0.0, 0.0, 1.0)
    assert lamp.step(1.0) is None
    lamp.close()
    assert lgpio_calls[-1][0] == PIN


def test_a_null_output_takes_anything() -> None:
    output = NullOutput()
    output.write(1.0)
    output.close()
    assert vars(output) == {}
