"""Which pulses stand for a duty, and that dithering between them follows the mean and is never seen."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_hardware.dither import (
    STILL_MODULATION,
    FixedPeriodGrid,
    FreePeriodGrid,
    Pulse,
    PulseGrid,
    SigmaDelta,
)
from somnisphere_hardware.fade import lightness, luminance

FREE = FreePeriodGrid()
FIXED = FixedPeriodGrid(period_ns=800_000, tick_ns=20, shortest_ns=100)
COARSE = FixedPeriodGrid(period_ns=1000, tick_ns=1, shortest_ns=1)
"""A thousand steps: neighbours within 0.4 % of one another from a quarter of full light up."""


@given(st.floats(0.0, 1.0))
@pytest.mark.parametrize("grid", [FREE, FIXED, COARSE])
def test_the_neighbours_hold_the_wanted_duty_between_them(grid: PulseGrid, duty: float) -> None:
    below, above = grid.around(duty)
    if duty < grid.smallest_duty:
        assert (below.on, above.on) == (0, 0)
    else:
        assert below.duty <= duty * (1.0 + 1e-9)
        assert above.duty >= duty * (1.0 - 1e-9)


@given(st.floats(0.0005, 1.0))
def test_free_periods_are_fine_whole_microseconds_and_no_slower_than_100_hertz(duty: float) -> None:
    below, above = FREE.around(duty)
    for pulse in (below, above):
        gap_us = pulse.period - pulse.on
        assert isinstance(pulse.on, int)
        assert isinstance(pulse.period, int)
        assert pulse.period <= 10_000
        assert pulse.on >= 5
        assert gap_us == 0 or gap_us >= 10
        assert pulse.on >= 10 or pulse.period > 8_000  # short pulses only when the period can grow no more
        assert abs(lightness(pulse.duty) - lightness(duty)) < 0.05
    assert above.duty - below.duty <= 0.0011 * duty


def test_the_smallest_duty_is_half_a_step_of_lightness() -> None:
    assert FREE.smallest_duty == 0.0005
    assert lightness(FREE.smallest_duty) == pytest.approx(0.4517, abs=1e-4)
    assert lightness(FIXED.smallest_duty) == pytest.approx(0.1129, abs=1e-4)
    assert FREE.around(0.0005) == (Pulse(5, 10_000), Pulse(5, 10_000))
    assert FREE.around(0.000499)[1].on == 0


@given(st.floats(0.0, 1.0), st.integers(2, 400), st.sampled_from([FREE, FIXED, COARSE]))
def test_dithering_keeps_the_mean_within_one_step(duty: float, steps: int, grid: PulseGrid) -> None:
    """What is owed never exceeds one step of the grid, so a mean over n steps is off by 1/n of it at most."""
    below, above = grid.around(duty)
    dither = SigmaDelta(grid)
    chosen = [dither.choose(duty, moving=True) for _ in range(steps)]
    apart = above.duty - below.duty
    assert {pulse.duty for pulse in chosen} <= {below.duty, above.duty}
    if below.duty <= duty <= above.duty:
        if apart <= STILL_MODULATION * (above.duty + below.duty):
            assert abs(sum(pulse.duty for pulse in chosen) / steps - duty) <= apart / steps + 1e-12
        else:
            assert len(set(chosen)) == 1


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=50), st.sampled_from([FREE, FIXED, COARSE]))
def test_no_alternation_of_dithering_could_be_seen(duties: list[float], grid: PulseGrid) -> None:
    """At a constant duty the light is steady or modulated too little to be seen; never dark and lit by turns."""
    dither = SigmaDelta(grid)
    for duty in duties:
        levels = {dither.choose(duty, moving=True).duty for _ in range(30)}
        assert len(levels) <= 2
        assert (max(levels) - min(levels)) <= STILL_MODULATION * (max(levels) + min(levels))
        assert len({level > 0.0 for level in levels}) == 1


def test_dithering_does_alternate_where_it_may_and_rests_at_the_nearest() -> None:
    dither = SigmaDelta(COARSE)
    duty = 0.50025
    moving = [dither.choose(duty, moving=True).on for _ in range(400)]
    assert moving.count(501) == 100
    assert moving.count(500) == 300
    assert {dither.choose(duty, moving=False).on for _ in range(10)} == {500}
    assert dither.choose(0.01049, moving=True).on == 10  # neighbours 10 % apart: one of them, and no flicker
    assert dither.choose(0.01051, moving=True).on == 11


def test_a_slow_slide_is_even_on_average_though_the_grid_is_coarse() -> None:
    """L* 90 to 80 in 20 s at 50 steps a second on a thousand steps: the mean over 0.2 s never goes up."""
    dither = SigmaDelta(COARSE)
    duties = [luminance(90.0 - step / 100.0) for step in range(1000)]
    chosen = [dither.choose(duty, moving=True).duty for duty in duties]
    means = [sum(chosen[i : i + 10]) / 10 for i in range(0, 1000, 10)]
    wanted = [sum(duties[i : i + 10]) / 10 for i in range(0, 1000, 10)]
    assert all(b <= a for a, b in pairwise(means))
    assert max(abs(a - b) for a, b in zip(means, wanted, strict=True)) <= 0.0001 + 1e-9
