"""The public functions on whole arrays, and what they do with whatever else they may be given."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_waves import beat_times, light

from somnisphere.night import Beat
from somnisphere.sleep import PulseMeter, beats, breathing, oxygen
from somnisphere.sleep.light import light_counts, pulse_blocks

Floats = NDArray[np.float64]
SECONDS = 120.0
TRUE_S = beat_times(SECONDS, 62.0)


def heard_of(true_s: Floats, found_s: Floats) -> Floats:
    """For each true beat but the outermost, how far the nearest found one is, its constant lag removed."""
    inner = true_s[1:-1]
    away = np.array([found_s[np.argmin(np.abs(found_s - at_s))] - at_s for at_s in inner])
    return np.asarray(away - np.median(away), dtype=np.float64)


@pytest.mark.parametrize("fs_hz", [25.0, 50.0, 125.0, 400.0])
@pytest.mark.parametrize("unit", [1.0, -0.003, 5e6])
def test_beats_at_any_rate_in_any_unit_either_way_up(fs_hz: float, unit: float) -> None:
    wave = unit * light(TRUE_S, SECONDS, fs_hz, noise=5)
    found_s = beats(wave, fs_hz)
    assert abs(len(found_s) - len(TRUE_S)) <= 2
    assert np.abs(heard_of(TRUE_S, found_s)).max() < 0.012
    assert np.std(heard_of(TRUE_S, found_s)) < 0.004  # a fifth of a sample at 50 Hz, a tenth at 25


def test_the_whole_array_is_the_stream() -> None:
    wave = light(TRUE_S, SECONDS, 50.0, noise=10)
    meter, streamed = PulseMeter(), list[Beat]()
    for block in pulse_blocks(light_counts(wave, -1), None, 50.0):
        streamed += meter.add(block)
    streamed += meter.flush()
    assert beats(wave, 50.0, polarity=-1).tolist() == [beat.at_s for beat in streamed]


def test_a_hole_costs_the_beats_in_it_and_no_more() -> None:
    wave = light(TRUE_S, SECONDS, 50.0)
    wave[2000:2500] = np.nan
    found_s = beats(wave, 50.0)
    outside = TRUE_S[(TRUE_S < 39) | (TRUE_S > 51.5)]
    assert np.abs(heard_of(outside, found_s)).max() < 0.02
    assert not ((found_s > 40.3) & (found_s < 49.9)).any()


def test_breathing_follows_the_breath_and_says_none_before_it_knows() -> None:
    answer = breathing(light(TRUE_S, SECONDS, 50.0), 50.0)
    assert answer.at_s.tolist() == [15.0 * k for k in range(1, 9)]
    assert np.isnan(answer.breath_bpm[0])
    assert answer.breath_bpm[-1] == pytest.approx(15.0, abs=1.0)


@pytest.mark.parametrize("seconds", [3.0, 30.0, 47.0])
def test_oxygen_answers_from_three_seconds_on(seconds: float) -> None:
    true_s = beat_times(seconds)
    ir = light(true_s, seconds, 64.0, depth=0.01, level=100_000)
    red = light(true_s, seconds, 64.0, depth=0.006, level=70_000)
    answer = oxygen(red, ir, 64.0)
    assert answer.at_s[-1] == pytest.approx(seconds, abs=0.1)
    assert answer.ratio == pytest.approx(0.6, rel=0.03)
    assert answer.spo2_pct == pytest.approx(104 - 17 * 0.6, abs=0.4)
    assert oxygen(red, ir, 64.0, curve=(-25.0, 110.0)).spo2_pct[-1] == pytest.approx(95.0, abs=0.5)


ODD = {
    "nothing": np.zeros(0),
    "one sample": np.ones(1),
    "two samples": np.array([1.0, 2.0]),
    "flat": np.full(3000, 7.0),
    "all missing": np.full(3000, np.nan),
    "endless": np.full(3000, np.inf),
    "one step": np.repeat([0.0, 1.0], 1500),
    "one spike": np.eye(1, 3000, 1500)[0],
    "noise": np.random.default_rng(1).normal(size=3000),
    "walk": np.cumsum(np.random.default_rng(2).normal(size=3000)),
    "every other missing": np.where(np.arange(3000) % 2, np.nan, 1.0),
    "huge": np.random.default_rng(3).normal(size=3000) * 1e300,
    "whole numbers": np.arange(3000) % 50,
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("fs_hz", [25.0, 50.0, 400.0])
def test_whatever_comes_there_is_an_answer_or_none(name: str, fs_hz: float) -> None:
    with np.errstate(all="ignore"):
        found_s = beats(ODD[name], fs_hz)
        rate = breathing(ODD[name], fs_hz)
        saturation = oxygen(ODD[name], ODD[name], fs_hz)
    assert np.isfinite(found_s).all()
    assert (np.diff(found_s) > 0).all()
    assert len(rate.at_s) == len(rate.breath_bpm) == int(len(ODD[name]) / fs_hz / 15)
    assert len(saturation.spo2_pct) >= 1
    known = saturation.spo2_pct[np.isfinite(saturation.spo2_pct)]
    assert ((known >= 0) & (known <= 100)).all()


def test_what_cannot_be_a_wave_is_said() -> None:
    with pytest.raises(ValueError, match="one number per sample"):
        beats(np.zeros((3, 2)), 50.0)
    with pytest.raises(ValueError, match="10 to 2000 samples"):
        beats(np.zeros(100), 0.0)
    with pytest.raises(ValueError, match="10 to 2000 samples"):
        breathing(np.zeros(100), float("nan"))
    with pytest.raises(ValueError, match="polarity"):
        beats(np.zeros(100), 50.0, polarity=0)
    with pytest.raises(ValueError, match="give both the same"):
        oxygen(np.zeros(100), np.zeros(99), 50.0)
