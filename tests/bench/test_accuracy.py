"""The judge itself: on beats whose errors are put in by hand."""

import numpy as np
import pytest
from tests.bench.accuracy import (
    Figures,
    Floats,
    at_rate,
    calibration_error,
    judge_beats,
    judge_rates,
    matched,
    true_breath_bpm,
    true_heart_bpm,
)

from somnisphere.recordings import Recording

LAG_S = 0.25
SECONDS = 180.0


def ecg_beats() -> Floats:
    """About one a second, unevenly, so that no shift by a whole beat fits."""
    intervals = 1.0 + 0.08 * np.sin(np.arange(175) * 0.7) + 0.05 * np.sin(np.arange(175) * 2.9)
    return np.asarray(0.5 + np.cumsum(intervals), dtype=np.float64)


def recording(**reference: Floats) -> Recording:
    known = {"beat_times_s": ecg_beats(), "ref_bad_spans_s": np.zeros((0, 2))}
    return Recording("made up", 50.0, np.zeros(round(SECONDS * 50)), -1, True, reference={**known, **reference})


def judged(found_s: Floats, of: Recording | None = None) -> Figures:
    figures = Figures("made up", moving=False)
    judge_beats(figures, found_s, np.diff(found_s, prepend=np.nan), of or recording())
    return figures


def test_late_by_one_lag_is_not_wrong() -> None:
    figures = judged(ecg_beats() + LAG_S)
    assert figures.f1 == 1.0
    assert figures.ibi_rmse_ms == pytest.approx(0.0, abs=1e-6)
    assert figures.rmssd_asked == 2
    assert figures.rmssd_ms == pytest.approx([0.0, 0.0], abs=3.0)


def test_missed_and_invented_beats_count() -> None:
    true_s = ecg_beats()
    inner = len(true_s)
    missed = judged(np.delete(true_s, np.arange(10, 50)) + LAG_S)
    assert missed.f1 == pytest.approx(2 * (inner - 40) / (2 * (inner - 40) + 40))
    invented = judged(np.sort(np.concatenate((true_s, true_s[20:40] + 0.45))) + LAG_S)
    assert invented.f1 == pytest.approx(2 * inner / (2 * inner + 20))


def test_one_ecg_beat_is_found_only_once() -> None:
    true_s = ecg_beats()
    twice = judged(np.sort(np.concatenate((true_s, true_s + 0.03))))
    assert twice.f1 == pytest.approx(2 / 3, abs=0.01)


@pytest.mark.parametrize(("off_s", "right"), [(0.14, True), (0.16, False)])
def test_the_tolerance_is_150_ms(off_s: float, right: bool) -> None:
    found_s = ecg_beats() + LAG_S
    found_s[60] += off_s
    _, pairs = matched(found_s, ecg_beats())
    assert bool(pairs[60] == 60) is right


def test_a_comb_that_looks_at_nothing_is_judged_so() -> None:
    assert judged(np.arange(0.5, 179.0, 0.8)).f1 < 0.6


def test_no_beat_at_all_is_nought() -> None:
    figures = judged(np.zeros(0))
    assert (figures.f1, figures.rmssd_ms, figures.rmssd_asked) == (0.0, [], 2)


def test_interval_error_is_that_of_the_times() -> None:
    """Jitter s of single times gives sqrt(2) s in intervals."""
    jitter_s = np.random.default_rng(2).normal(0, 0.010, len(ecg_beats()))
    figures = judged(ecg_beats() + LAG_S + jitter_s)
    assert figures.ibi_rmse_ms == pytest.approx(14.1, abs=2.0)


def test_rmssd_error_is_the_difference_told() -> None:
    """A heart as even as a clock, every other beat heard 5 ms late: intervals of 1005 and 995 ms."""
    even_s = np.arange(0.5, 179.0)
    figures = judged(even_s + LAG_S + 0.005 * (np.arange(len(even_s)) % 2), recording(beat_times_s=even_s))
    assert figures.rmssd_ms == pytest.approx([10.0, 10.0], abs=0.01)


def test_where_the_ecg_is_not_known_nothing_is_judged() -> None:
    true_s = ecg_beats()
    spans_s = np.array([[30.0, 60.0]])
    found_s = true_s[(true_s < 31.0) | (true_s > 59.0)]
    figures = judged(found_s, recording(ref_bad_spans_s=spans_s))
    assert figures.f1 == 1.0
    assert figures.rmssd_asked == 1


def test_reference_rates() -> None:
    known = recording(breath_times_s=np.arange(0, 180, 4.0), breath_times2_s=np.arange(0, 180, 4.1))
    assert true_heart_bpm(known, 30.0, 60.0) == pytest.approx(60.0, abs=1.5)
    assert true_breath_bpm(known, 60.0, 120.0) == pytest.approx(14.8, abs=0.2)
    at_odds = recording(breath_times_s=np.arange(0, 180, 4.0), breath_times2_s=np.arange(0, 180, 6.0))
    assert np.isnan(true_breath_bpm(at_odds, 60.0, 120.0))


class Told:
    """Three too many, and no answer in the second minute."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []

    def heart_bpm(self, from_s: float, to_s: float) -> float | None:
        self.asked_s.append(to_s)
        return None if 60 < to_s <= 120 else true_heart_bpm(recording(), from_s, to_s) + 3.0

    def breath_bpm(self, at_s: float) -> float | None:
        self.asked_s.append(at_s)
        return None


def test_rates_are_asked_in_order_and_silence_is_no_error() -> None:
    told, figures = Told(), Figures("made up", moving=False)
    judge_rates(figures, told, recording())
    assert told.asked_s == sorted(told.asked_s)
    assert figures.heart_asked == 6
    assert figures.heart_bpm == pytest.approx([3.0] * 4)
    assert (figures.breath_asked, figures.breath_bpm) == (0, [])


def test_another_rate_is_the_same_wave_without_what_it_cannot_hold() -> None:
    time_s = np.arange(0, 60, 1 / 125)
    slow, fast = np.sin(2 * np.pi * 1.2 * time_s), np.sin(2 * np.pi * 40 * time_s)
    given = Recording("made up", 125.0, slow + fast, -1, True)
    less = at_rate(given, 25.0)
    assert less.rate_hz == 25.0
    inner = slice(50, -50)
    expected = np.sin(2 * np.pi * 1.2 * np.arange(len(less.ir)) / 25.0)
    assert np.abs(less.ir - expected)[inner].max() < 0.05
    assert at_rate(given, 125.0) is given


def test_calibration_error() -> None:
    chances = np.repeat([0.25, 0.75], 100)
    right = np.concatenate((np.arange(100) < 25, np.arange(100) < 75))
    assert calibration_error(chances, right) == pytest.approx(0.0)
    assert calibration_error(np.full(100, 0.95), np.arange(100) < 45) == pytest.approx(0.5)
