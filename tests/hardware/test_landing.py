"""The lamp that lands: a long fade on a mock pin as the daemon steps it, held by a touch, taken up again."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from somnisphere_hardware.colour import Whites
from somnisphere_hardware.dither import FreePeriodGrid
from somnisphere_hardware.fade import FASTEST_STEPS_HZ, SHORTEST_LANDING_S, STEP_PCT, Fade, lightness, luminance
from somnisphere_hardware.lamp import GpioOutput, Lamp, open_lamp
from somnisphere_hardware.simulated.pins import SimulatedPins, simulated_pins

PIN, COLD = 18, 13
SMALLEST_PCT = lightness(FreePeriodGrid().smallest_duty)
ROUNDING_PCT = 0.05
"""What whole microseconds and dithering add, in L*."""
WINDOW = 20
"""Steps of a second, the mean of which dithering is judged by."""


@pytest.fixture
def pins() -> Iterator[SimulatedPins]:
    with simulated_pins() as made:
        yield made


def walk(lamp: Lamp, at_s: float, until_s: float = math.inf) -> Iterator[float]:
    """Step as the daemon's loop does, when the lamp asks; the time of every step."""
    due_s: float | None = at_s
    while due_s is not None and due_s <= until_s:
        at_s = due_s
        due_s = lamp.step(at_s)
        yield at_s


def lit(lamp: Lamp, lightness_pct: float) -> Lamp:
    lamp.dim(lightness_pct, 0.0, 0.0)
    lamp.step(0.0)
    return lamp


def test_twenty_minutes_down_on_a_pin_are_monotone_even_and_end_unseen(pins: SimulatedPins) -> None:
    lamp = lit(open_lamp(PIN)[0], 60.0)
    lamp.dim(0.0, 1200.0, 0.0)
    steps = [(at_s, pins.duty(PIN)) for at_s in walk(lamp, 0.0)]
    assert len(steps) == pytest.approx(1200 * 20, abs=2)  # 20 steps a second: the fade is slow
    duties = [duty for _, duty in steps]
    means = [sum(duties[i : i + WINDOW]) / WINDOW for i in range(0, len(duties) - WINDOW + 1, WINDOW)]
    assert all(b < a for a, b in pairwise(means) if a > 0.0)
    off_by_pct = [abs(lightness(duty) - (60.0 - at_s / 20.0)) for at_s, duty in steps if duty > 0.0]
    assert max(off_by_pct) < 0.02  # even in L*, step by step
    levels_pct = [lightness(duty) for duty in duties]
    assert max(a - b for a, b in pairwise(levels_pct)) == pytest.approx(SMALLEST_PCT, abs=0.003)
    assert max(a - b for a, b in pairwise(levels_pct) if b > 0.0) < 0.03  # all steps but the last
    assert max(b - a for a, b in pairwise(levels_pct)) < 0.02  # dithering's own, upwards
    smallest_duty = min(duty for duty in duties if duty > 0.0)
    print(f"smallest duty {smallest_duty:.4%}, L* {lightness(smallest_duty):.2f}")
    assert smallest_duty == pytest.approx(0.0005, rel=0.002)
    assert duties[-1] == 0.0
    first_dark = duties.index(0.0)
    assert set(duties[first_dark:]) == {0.0}  # dark once, dark for good: nothing flashes
    lamp.close()


def test_twenty_minutes_up_are_the_same_the_other_way(pins: SimulatedPins) -> None:
    lamp = open_lamp(PIN)[0]
    lamp.dim(60.0, 1200.0, 0.0)
    levels_pct = [lightness(pins.duty(PIN)) for _ in walk(lamp, 0.0)]
    assert max(b - a for a, b in pairwise(levels_pct)) == pytest.approx(SMALLEST_PCT, abs=0.003)
    assert levels_pct[-1] == pytest.approx(60.0, abs=0.01)
    lamp.close()


# ---- a touch ------------------------------------------------------------------------------------------------------


@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0), st.floats(0.1, 3600.0), st.floats(0.0, 1.0), st.floats(0.0, 5e3))
def test_a_held_fade_lands_over_what_was_left_of_it(
    from_pct: float, to_pct: float, over_s: float, share: float, pause_s: float
) -> None:
    fade = Fade.between(from_pct, to_pct, 0.0, over_s)
    held_s = share * over_s
    assert fade.held(held_s).at(held_s + 1e6) == fade.at(held_s)
    landing = fade.landing(held_s, held_s + pause_s)
    assert landing.at(held_s + pause_s) == fade.at(held_s)
    assert landing.to_pct == to_pct
    assert landing.over_s == pytest.approx(max(SHORTEST_LANDING_S, over_s - held_s))


def test_a_touch_stops_the_light_within_one_tick_and_it_lands_later(pins: SimulatedPins) -> None:
    lamp = lit(open_lamp(PIN)[0], 60.0)
    lamp.dim(0.0, 1200.0, 0.0)
    for _ in walk(lamp, 0.0, 600.0):
        pass
    before_pct = lightness(pins.duty(PIN))
    assert lamp.freeze(600.02)
    assert lamp.is_frozen
    assert lamp.step(600.02) is None  # at rest: the daemon need not come back
    held = pins.duty(PIN)
    assert lightness(held) == pytest.approx(before_pct, abs=60.0 / 1200.0 / 20.0 + 0.02)  # one tick's way
    assert lamp.lightness_pct == pytest.approx(29.999, abs=0.01)
    assert lamp.step(4000.0) is None
    assert pins.duty(PIN) == held
    assert lamp.land(4000.0)
    steps = [(at_s, lightness(pins.duty(PIN))) for at_s in walk(lamp, 4000.0)]
    assert steps[0][1] == pytest.approx(lightness(held), abs=0.02)
    assert steps[-1][0] == pytest.approx(4599.98)
    assert steps[-1][1] == 0.0
    assert max(a - b for (_, a), (_, b) in pairwise(steps)) < STEP_PCT
    assert not lamp.is_frozen
    lamp.close()


def test_a_touch_near_the_end_leaves_half_a_minute() -> None:
    with simulated_pins() as pins:
        lamp = lit(open_lamp(PIN)[0], 40.0)
        lamp.dim(0.0, 100.0, 0.0)
        lamp.step(99.0)
        lamp.freeze(99.0)
        lamp.step(99.0)
        assert pins.duty(PIN) == 0.0  # L* 0.4 is less than the pin can do
        lamp.land(200.0)
        assert [*walk(lamp, 200.0)][-1] == 230.0
        lamp.close()


def test_touches_that_mean_nothing() -> None:
    with simulated_pins():
        lamp = lit(open_lamp(PIN)[0], 40.0)
        assert not lamp.freeze(1.0)  # it rests already
        assert not lamp.land(2.0)
        lamp.dim(0.0, 100.0, 10.0)
        assert lamp.freeze(20.0)
        assert not lamp.freeze(30.0)  # held already; the first touch counts
        assert lamp.lightness_pct == pytest.approx(36.0)
        lamp.dim(10.0, 50.0, 40.0)  # something new is wanted
        assert not lamp.is_frozen
        assert not lamp.land(50.0)
        assert lamp.target_pct == 10.0
        lamp.close()


# ---- anything a night may bring -----------------------------------------------------------------------------------

SECOND_WHITE_PCT = 5.0
WISHES = st.lists(
    st.one_of(
        st.tuples(st.just("dim"), st.floats(0.0, 100.0), st.just(4.0) | st.floats(4.0, 60.0), st.floats(0.0, 8.0)),
        st.tuples(st.sampled_from(["freeze", "land"]), st.just(0.0), st.just(0.0), st.floats(0.0, 8.0)),
    ),
    min_size=1,
    max_size=6,
)


def may_step_pct(a_pct: float, b_pct: float) -> float:
    """The largest tick: half an L*, with the rounding of both its ends; into the dark or out of it the faintest light,
    too. Of two whites the second comes and goes while the first is still faint."""
    edge_pct = SMALLEST_PCT if min(a_pct, b_pct) < SECOND_WHITE_PCT else 0.0
    return STEP_PCT + edge_pct + 2 * ROUNDING_PCT


def live(lamp: Lamp, duty: Callable[[], float], wishes: list[tuple[str, float, float, float]]) -> float:
    """Steps at 50 Hz through all wishes and holds the light to its promises; the lightness that was asked for last."""
    tick_s = 1.0 / FASTEST_STEPS_HZ
    at_s, level_pct = 0.0, lightness(duty())
    for word, to_pct, over_s, wait_s in wishes:
        if word == "dim":
            lamp.dim(to_pct, over_s, at_s)
        elif word == "freeze":
            lamp.freeze(at_s)
        else:
            lamp.land(at_s)
        highest_pct = max(lamp.lightness_pct, lamp.target_pct)
        until_s = at_s + wait_s
        while at_s < until_s:
            lamp.step(at_s)
            now_pct = lightness(duty())
            assert now_pct <= highest_pct + ROUNDING_PCT
            assert abs(now_pct - level_pct) <= may_step_pct(now_pct, level_pct)
            level_pct = now_pct
            at_s += tick_s
    target_pct = lamp.target_pct
    for _ in range(int(61.0 / tick_s)):
        lamp.step(at_s)
        now_pct = lightness(duty())
        assert abs(now_pct - level_pct) <= may_step_pct(now_pct, level_pct)
        level_pct = now_pct
        at_s += tick_s
    assert lamp.lightness_pct == target_pct
    assert not lamp.is_fading
    return target_pct


@settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(wishes=WISHES, ends_dark=st.booleans(), two=st.booleans())
def test_whatever_is_wished_the_light_never_jumps_and_ends_where_it_should(
    wishes: list[tuple[str, float, float, float]], ends_dark: bool, two: bool
) -> None:
    if ends_dark:
        wishes = [*wishes, ("dim", 0.0, 4.0, 0.0)]
    with simulated_pins() as pins:  # made anew for every example
        lamp, problem = open_lamp(PIN, whites=Whites(COLD) if two else None)
        assert problem == ""

        def duty() -> float:
            return pins.duty(PIN) + (pins.duty(COLD) if two else 0.0)

        target_pct = live(lamp, duty, wishes)
        if target_pct < SMALLEST_PCT - 1e-9:
            assert duty() == 0.0  # off is exactly off
        else:
            assert lightness(duty()) == pytest.approx(target_pct, abs=ROUNDING_PCT)
        lamp.close()
        assert duty() == 0.0


def test_at_rest_nothing_is_written_and_nobody_is_called(pins: SimulatedPins, monkeypatch: pytest.MonkeyPatch) -> None:
    lamp = lit(open_lamp(PIN)[0], 33.3)
    assert pins.duty(PIN) == pytest.approx(luminance(33.3), rel=4e-4)
    writes: list[float] = []
    monkeypatch.setattr(GpioOutput, "write", lambda _self, duty, **_: writes.append(duty))
    for at_s in (1.0, 100.0, 1e5):
        assert lamp.step(at_s) is None
    assert writes == []
    lamp.close()
