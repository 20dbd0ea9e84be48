"""What a hand means, from edges and their times; and the button on gpiozero's mock pin."""

import itertools
import sys
from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_hardware.button import (
    DEBOUNCE_S,
    DOUBLE_S,
    HOLD_S,
    STUCK_S,
    Button,
    PressDecoder,
    PressWord,
    open_button,
)

PIN = 17
Edge = tuple[bool, float]


def decode(edges: list[Edge], until_s: float = 1e9) -> list[PressWord]:
    """Every press of a train of edges, with no tick between them."""
    decoder = PressDecoder()
    presses = [press for pressed, at_s in edges for press in decoder.edge(pressed, at_s)]
    return presses + decoder.tick(until_s)


@pytest.mark.parametrize(
    ("edges", "presses"),
    [
        ([], []),
        ([(True, 1.0), (False, 1.1)], ["tap"]),
        ([(True, 1.0), (False, 1.1), (True, 1.3), (False, 1.4)], ["double"]),
        ([(True, 1.0), (False, 1.1), (True, 1.6), (False, 1.7)], ["tap", "tap"]),
        ([(True, 1.0), (False, 2.5)], ["hold"]),
        ([(True, 1.0), (False, 1.9)], ["tap"]),  # long, but no hold yet
        ([(True, 1.0), (False, 1.1), (True, 1.3), (False, 3.0)], ["double"]),  # a double held down is one double
        ([(True, 1.0), (False, 1.1), (True, 1.3), (False, 1.4), (True, 1.5), (False, 1.6)], ["double", "tap"]),
        ([(True, 1.0), (False, 2.5), (True, 2.7), (False, 2.8)], ["hold", "tap"]),
        ([(True, 1.0), (False, 100.0)], ["hold"]),  # stuck: one hold, however long
        ([(True, 1.0), (False, 1.01)], []),  # a crackle
        ([(True, 1.0), (False, 1.5), (True, 1.51), (False, 1.9)], ["tap"]),  # a crackle while held
        ([(True, 1.0), (True, 1.05), (False, 1.1), (False, 1.2)], ["tap"]),  # the line read again
    ],
)
def test_presses(edges: list[Edge], presses: list[str]) -> None:
    assert decode(edges) == presses


def test_a_bouncing_contact_is_one_tap() -> None:
    bounce = [(index % 2 == 0, 1.0 + index * 0.003) for index in range(9)]
    release = [(index % 2 == 1, 1.3 + index * 0.003) for index in range(9)]
    assert decode(bounce + release) == ["tap"]


def test_a_hold_is_said_while_the_button_is_down() -> None:
    decoder = PressDecoder()
    decoder.edge(True, 1.0)
    assert decoder.tick(1.0 + HOLD_S) == []
    assert decoder.tick(1.0 + DEBOUNCE_S + HOLD_S) == ["hold"]
    assert decoder.tick(20.0) == []


def test_a_double_is_said_at_the_second_press() -> None:
    decoder = PressDecoder()
    for pressed, at_s in [(True, 1.0), (False, 1.1), (True, 1.3)]:
        assert decoder.edge(pressed, at_s) == []
    assert decoder.tick(1.3 + DEBOUNCE_S) == ["double"]


def test_it_says_when_to_be_called() -> None:
    decoder = PressDecoder()
    assert decoder.due_s is None
    decoder.edge(True, 1.0)
    assert decoder.due_s == pytest.approx(1.0 + DEBOUNCE_S)
    decoder.tick(1.0 + DEBOUNCE_S)
    assert decoder.due_s == pytest.approx(1.0 + DEBOUNCE_S + HOLD_S)
    decoder.edge(False, 1.2)
    decoder.tick(1.2 + DEBOUNCE_S)
    assert decoder.due_s == pytest.approx(1.2 + DEBOUNCE_S + DOUBLE_S)
    assert decoder.tick(5.0) == ["tap"]
    assert decoder.due_s is None


def test_a_stuck_button_is_a_fault_until_it_is_let_go() -> None:
    decoder = PressDecoder()
    decoder.edge(True, 0.0)
    assert decoder.tick(STUCK_S) == ["hold"]
    assert decoder.problem == ""
    assert decoder.tick(STUCK_S + DEBOUNCE_S) == []
    assert "stuck" in decoder.problem
    assert decoder.due_s is None
    assert decoder.tick(1e6) == []
    decoder.edge(False, 1e6)
    decoder.tick(1e6 + 1.0)
    assert decoder.problem == ""
    assert decoder.edge(True, 2e6) + decoder.edge(False, 2e6 + 0.1) + decoder.tick(3e6) == ["tap"]


def test_a_clock_that_steps_back_does_no_harm() -> None:
    assert decode([(True, 10.0), (False, 9.0), (True, 9.5), (False, 10.2)]) == ["tap"]


# ---- random trains ------------------------------------------------------------------------------------------------

GAPS_MS = st.lists(st.one_of(st.integers(1, 60), st.integers(1, 2000), st.integers(1, 40_000)), min_size=0, max_size=40)


def train(gaps_ms: list[int]) -> list[Edge]:
    """Edges alternating press and release, after each of the gaps."""
    return [(index % 2 == 0, at_ms / 1000.0) for index, at_ms in enumerate(itertools.accumulate(gaps_ms))]


@given(GAPS_MS, st.lists(st.integers(0, 100_000), max_size=60))
def test_presses_do_not_depend_on_when_the_clock_ticks(gaps_ms: list[int], ticks_ms: list[int]) -> None:
    edges = train(gaps_ms)
    decoder = PressDecoder()
    ticks_s = sorted(tick_ms / 1000.0 for tick_ms in ticks_ms)
    presses: list[PressWord] = []
    for pressed, at_s in edges:
        while ticks_s and ticks_s[0] <= at_s:
            presses += decoder.tick(ticks_s.pop(0))
        presses += decoder.edge(pressed, at_s)
    assert presses + decoder.tick(1e9) == decode(edges)


@given(GAPS_MS)
def test_no_more_presses_than_times_the_button_went_down(gaps_ms: list[int]) -> None:
    edges = train(gaps_ms)
    presses = decode(edges)
    downs = sum(pressed for pressed, _ in edges)
    assert len(presses) + presses.count("double") <= downs


@given(GAPS_MS)
def test_slow_clean_presses_are_each_told_apart(gaps_ms: list[int]) -> None:
    """Presses far enough apart never merge: a hold for each long one, a tap for each short one."""
    edges: list[Edge] = []
    expected: list[str] = []
    at_s = 0.0
    for gap_ms in gaps_ms:
        held_s = DEBOUNCE_S + gap_ms / 1000.0
        edges += [(True, at_s), (False, at_s + held_s)]
        expected.append("hold" if held_s > HOLD_S else "tap")
        at_s += held_s + DOUBLE_S + 2 * DEBOUNCE_S
        if abs(held_s - HOLD_S) < 1e-6:
            return  # at the edge of a hold, rounding decides
    assert decode(edges) == expected


@given(st.lists(st.integers(1, 19), min_size=2, max_size=60).filter(lambda gaps: len(gaps) % 2 == 0))
def test_noise_shorter_than_the_debounce_is_silence(gaps_ms: list[int]) -> None:
    edges = train(gaps_ms)
    assert not edges[-1][0]
    assert decode(edges) == []


@given(GAPS_MS)
def test_at_rest_nothing_is_due_but_a_fault(gaps_ms: list[int]) -> None:
    decoder = PressDecoder()
    for pressed, at_s in train(gaps_ms):
        decoder.edge(pressed, at_s)
    decoder.tick(1e9)
    assert decoder.due_s is None
    assert bool(decoder.problem) == (len(gaps_ms) % 2 == 1)  # left down for good


# ---- the pin ------------------------------------------------------------------------------------------------------


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    previous = Device.pin_factory
    factory = MockFactory()
    Device.pin_factory = factory
    yield factory
    factory.reset()
    Device.pin_factory = previous


def test_edges_are_handed_over_with_their_level(pins: MockFactory) -> None:
    edges: list[bool] = []
    button = Button(PIN, edges.append)
    pin = pins.pin(PIN)
    assert (pin.pull, pin.bounce) == ("up", None)
    assert not button.is_pressed
    pin.drive_low()
    assert button.is_pressed
    pin.drive_high()
    assert edges == [True, False]
    button.close()
    pin.drive_low()
    assert edges == [True, False]
    button.close()


def test_a_press_on_the_pin_becomes_a_tap(pins: MockFactory) -> None:
    decoder = PressDecoder()
    now_s = [5.0]
    button, problem = open_button(PIN, lambda pressed: presses.extend(decoder.edge(pressed, now_s[0])))
    presses: list[str] = []
    assert button is not None
    assert problem == ""
    pins.pin(PIN).drive_low()
    now_s[0] = 5.1
    pins.pin(PIN).drive_high()
    presses += decoder.tick(6.0)
    assert presses == ["tap"]
    button.close()


def test_a_pin_that_is_taken_is_a_sentence(pins: MockFactory) -> None:
    first, _ = open_button(PIN, lambda _: None)
    second, problem = open_button(PIN, lambda _: None)
    assert first is not None
    assert second is None
    assert f"GPIO {PIN} cannot be used" in problem
    assert pins.pin(PIN).state is True
    first.close()


def test_no_gpio_and_no_pin_are_no_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    for library in ("lgpio", "RPi", "pigpio"):
        monkeypatch.setitem(sys.modules, library, None)
    button, problem = open_button(PIN, lambda _: None)
    assert button is None
    assert "apt install python3-lgpio" in problem
    assert open_button(None, lambda _: None) == (None, "")
