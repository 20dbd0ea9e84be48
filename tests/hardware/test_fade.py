"""The fade as the eye and the clock see it."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_hardware.fade import (
    FASTEST_STEPS_HZ,
    LONGEST_FADE_S,
    SLOWEST_STEPS_HZ,
    STEP_PCT,
    Fade,
    lightness,
    luminance,
)

PCT = st.floats(0.0, 100.0)
SECONDS = st.floats(0.0, LONGEST_FADE_S)


@pytest.mark.parametrize(
    ("lightness_pct", "duty_pct"),
    [(0.0, 0.0), (1.0, 0.1107), (5.0, 0.5535), (10.0, 1.126), (50.0, 18.42), (100.0, 100.0)],
)
def test_the_curve_is_the_one_of_the_cie(lightness_pct: float, duty_pct: float) -> None:
    assert luminance(lightness_pct) * 100.0 == pytest.approx(duty_pct, abs=0.005)


@given(PCT)
def test_lightness_undoes_luminance(lightness_pct: float) -> None:
    assert lightness(luminance(lightness_pct)) == pytest.approx(lightness_pct, abs=1e-3)


@given(PCT, PCT)
def test_more_lightness_is_more_light(one_pct: float, other_pct: float) -> None:
    low_pct, high_pct = sorted((one_pct, other_pct))
    assert luminance(low_pct) <= luminance(high_pct)


def test_the_two_halves_of_the_curve_meet() -> None:
    assert luminance(math.nextafter(8.0, 9.0)) == pytest.approx(luminance(8.0), rel=1e-4)


def walk(fade: Fade) -> list[tuple[float, float]]:
    """Every step of a fade, taken when it asks: (time, lightness)."""
    at_s: float | None = fade.start_s
    steps = []
    while at_s is not None:
        steps.append((at_s, fade.at(at_s)))
        at_s = fade.next_step_s(at_s)
    return steps


@given(from_pct=PCT, to_pct=PCT, start_s=st.floats(0.0, 1e6), over_s=st.just(0.0) | st.floats(0.001, 30.0))
def test_a_fade_is_monotone_even_and_exact(from_pct: float, to_pct: float, start_s: float, over_s: float) -> None:
    fade = Fade.between(from_pct, to_pct, start_s, over_s)
    steps = walk(fade)
    levels_pct = [level_pct for _, level_pct in steps]
    assert levels_pct == sorted(levels_pct, reverse=to_pct < from_pct)
    assert levels_pct[-1] == to_pct
    assert steps[-1][0] == fade.end_s
    sizes_pct = [abs(b - a) for a, b in pairwise(levels_pct)]
    if len(sizes_pct) > 1:  # the last step takes the rest
        assert max(sizes_pct[:-1]) - min(sizes_pct[:-1]) < 1e-4
        assert sizes_pct[-1] <= sizes_pct[0] + 1e-4
    if sizes_pct and abs(to_pct - from_pct) / over_s <= STEP_PCT * FASTEST_STEPS_HZ:
        assert max(sizes_pct) <= STEP_PCT + 1e-4


@given(from_pct=PCT, to_pct=PCT, over_s=st.floats(1.0, LONGEST_FADE_S))
def test_steps_come_20_to_50_times_a_second(from_pct: float, to_pct: float, over_s: float) -> None:
    due_s = Fade.between(from_pct, to_pct, 0.0, over_s).next_step_s(0.0)
    assert due_s is not None
    assert 1.0 / FASTEST_STEPS_HZ - 1e-9 <= due_s <= 1.0 / SLOWEST_STEPS_HZ + 1e-9


@given(from_pct=PCT, to_pct=PCT, over_s=SECONDS, at_s=st.floats(-10.0, 2 * LONGEST_FADE_S))
def test_a_fade_stays_between_its_ends(from_pct: float, to_pct: float, over_s: float, at_s: float) -> None:
    assert min(from_pct, to_pct) <= Fade.between(from_pct, to_pct, 0.0, over_s).at(at_s) <= max(from_pct, to_pct)


def test_what_cannot_be_is_held_to_what_can() -> None:
    fade = Fade.between(50.0, 140.0, 0.0, 7200.0)
    assert (fade.to_pct, fade.over_s) == (100.0, LONGEST_FADE_S)
    fade = Fade.between(50.0, -3.0, 0.0, -1.0)
    assert (fade.to_pct, fade.over_s) == (0.0, 0.0)


@pytest.mark.parametrize(("to_pct", "over_s"), [(math.nan, 1.0), (50.0, math.nan), (math.inf, 1.0)])
def test_no_number_is_an_error_and_never_full_light(to_pct: float, over_s: float) -> None:
    with pytest.raises(ValueError, match="needs numbers"):
        Fade.between(0.0, to_pct, 0.0, over_s)
