"""Sample times counted against a fitted rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somnisphere_hardware.rate import SampleClock


def run(
    nominal_hz: float, poll_s: float, clock_error: float, polls: int, seed: int = 0
) -> tuple[SampleClock, list[float], list[float]]:
    """Polls a chip whose clock is off: (the clock, errors of block starts in s, errors of block rates, relative)."""
    random = np.random.default_rng(seed)
    true_hz = nominal_hz * (1.0 + clock_error)
    phase_s = random.random() / true_hz
    clock = SampleClock(nominal_hz)
    taken, end_s = 0, None
    start_errors, rate_errors = [], []
    for k in range(1, polls):
        at_s = k * poll_s + random.exponential(0.002)
        count = int((at_s + random.exponential(0.0005) - phase_s) * true_hz) + 1 - taken
        placed = clock.place(at_s, count)
        assert not placed.gap
        assert end_s is None or placed.start_s == pytest.approx(end_s, abs=1e-9), "blocks join without a seam"
        end_s = placed.start_s + count / placed.rate_hz
        start_errors.append(placed.start_s - (phase_s + taken / true_hz))
        rate_errors.append(placed.rate_hz / true_hz - 1.0)
        taken += count
    return clock, start_errors, rate_errors


@pytest.mark.parametrize("clock_error", [-0.05, -0.013, 0.0, 0.0004, 0.02, 0.05])
@pytest.mark.parametrize(("nominal_hz", "poll_s"), [(25.0, 1.0), (50.0, 0.5), (100.0, 0.25)])
def test_converges_on_a_clock_that_is_off(nominal_hz: float, poll_s: float, clock_error: float) -> None:
    clock, starts, rates = run(nominal_hz, poll_s, clock_error, int(300 / poll_s))
    period_s = 1.0 / nominal_hz
    late = slice(int(60 / poll_s), None)
    assert clock.rate_hz == pytest.approx(nominal_hz * (1 + clock_error), rel=3e-4)
    assert np.abs(starts).max() < 2.5 * period_s, "even the first blocks"
    assert np.abs(starts[late]).max() < 0.6 * period_s
    assert np.abs(np.diff(starts[late])).max() < 0.003
    assert np.abs(rates[late]).max() < 0.004


def test_a_gap_keeps_the_rate_and_never_goes_back_in_time() -> None:
    clock, _, _ = run(50.0, 0.5, 0.04, 200)
    clock.restart()
    placed = clock.place(110.0, 10)
    assert placed.gap
    assert placed.rate_hz == pytest.approx(52.0, rel=1e-3)
    assert placed.start_s == pytest.approx(110.0 - 9.5 / 52.0, abs=0.002)
    clock.restart()
    again = clock.place(110.01, 10)
    assert again.start_s >= placed.start_s + 10 / placed.rate_hz - 1e-9


def test_missing_samples_are_a_gap() -> None:
    clock = SampleClock(50.0)
    for k in range(1, 100):
        clock.place(0.5 * k, 25)
    assert clock.place(50.0, 15).gap
    assert not clock.place(50.5, 25).gap


def test_a_stale_time_stamp_bends_nothing() -> None:
    """The process was paused between taking the time and reading the chip: more samples than the time allows."""
    clock = SampleClock(50.0)
    for k in range(1, 100):
        before = clock.place(0.5 * k, 25)
    late = clock.place(50.0, 30)
    assert not late.gap
    assert late.start_s == pytest.approx(before.start_s + 0.5, abs=0.001)
    assert 1 / late.rate_hz == pytest.approx(0.02, rel=0.03)
    after = clock.place(50.5, 20)
    assert not after.gap
    assert after.start_s == pytest.approx(before.start_s + 0.5 + 30 * 0.02, abs=0.01)


def test_samples_from_nowhere_are_a_gap() -> None:
    clock = SampleClock(50.0)
    for k in range(1, 100):
        clock.place(0.5 * k, 25)
    assert clock.place(49.6, 30).gap


def test_old_samples_of_a_full_fifo_follow_on() -> None:
    clock = SampleClock(50.0)
    first = clock.place(0.5, 25)
    full = clock.extrapolate(32)
    assert not full.gap
    assert full.start_s == pytest.approx(first.start_s + 0.5)
    clock.restart()
    assert clock.place(3.0, 25).gap


def test_a_clock_for_a_new_chip_starts_with_a_gap() -> None:
    assert SampleClock(12.5, not_before_s=10.0).place(30.0, 12).gap
    assert not SampleClock(12.5).place(30.0, 12).gap


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 2.0), st.integers(1, 120), st.booleans()), min_size=2, max_size=40),
    st.sampled_from([12.5, 25.0, 50.0, 100.0]),
)
def test_time_never_runs_backwards_whatever_comes(steps: list[tuple[float, int, bool]], nominal_hz: float) -> None:
    clock = SampleClock(nominal_hz)
    at_s, end_s = 100.0, -np.inf
    for wait_s, count, lost in steps:
        at_s += wait_s
        if lost:
            clock.restart()
        placed = clock.place(at_s, count)
        assert placed.start_s >= end_s - 1e-9
        assert 0.7 * nominal_hz < placed.rate_hz < 1.4 * nominal_hz
        end_s = placed.start_s + count / placed.rate_hz
