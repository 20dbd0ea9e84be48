"""What intervals between beats say, and the voice they have in the stager's answer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from somnisphere.night import EPOCH_S, Epoch, StageEstimate, unknown_epoch
from somnisphere.sleep.model import load_model
from somnisphere.sleep.overnight import revise
from somnisphere.sleep.rhythm import (
    BACK_EPOCHS,
    RHYTHM,
    RhythmStream,
    live_rhythm_features,
    overnight_rhythm_features,
    rhythm,
    rhythm_of,
    rhythm_rows,
)
from somnisphere.sleep.rhythm_answer import SHARE, RhythmListener, joined
from somnisphere.sleep.stager import SleepStager

Floats = NDArray[np.float64]


def beats(seconds: float, mean_s: float = 0.9, *waves: tuple[float, float], seed: int = 1) -> tuple[Floats, Floats]:
    """Intervals around ``mean_s`` with a little noise, swung by waves of (Hz, s)."""
    rng = np.random.default_rng(seed)
    at_s, times, intervals = 0.0, list[float](), list[float]()
    while at_s < seconds:
        swing = sum(height_s * np.sin(2 * np.pi * hz * at_s) for hz, height_s in waves)
        intervals.append(mean_s + swing + float(rng.normal(0, 0.005)))
        at_s += intervals[-1]
        times.append(at_s)
    return np.array(times), np.array(intervals)


def named(found: tuple[float | None, ...] | None) -> dict[str, float]:
    assert found is not None
    return {name: value for name, value in zip(RHYTHM, found, strict=True) if value is not None}


def test_breathing_and_slow_swings_are_told_apart() -> None:
    breathing = named(rhythm(*beats(300.0, 0.9, (0.25, 0.04)), 300.0))
    swinging = named(rhythm(*beats(300.0, 0.9, (0.02, 0.08)), 300.0))
    assert breathing["bpm"] == pytest.approx(60 / 0.9, rel=0.01)
    assert breathing["breath_hz"] == pytest.approx(0.25, abs=0.01)
    assert breathing["breath_share"] > 0.9
    assert swinging["vlf_share"] > 0.9
    assert breathing["log_hf"] > swinging["log_hf"] + 2
    assert swinging["log_vlf"] > breathing["log_vlf"] + 2
    # Power of a sine of height h is h^2 / 2; straight lines between beats flatten a quick one by a quarter.
    assert breathing["log_hf"] == pytest.approx(np.log(0.75 * 0.04**2 / 2), abs=0.3)
    assert swinging["log_vlf"] == pytest.approx(np.log(0.08**2 / 2), abs=0.3)


def test_a_missed_beat_is_no_variability() -> None:
    at_s, interval_s = beats(300.0)
    clean = named(rhythm(at_s, interval_s, 300.0))
    missed = interval_s.copy()
    missed[-8] *= 1.9
    assert named(rhythm(at_s, missed, 300.0))["log_sd"] == pytest.approx(clean["log_sd"], abs=0.1)


def test_too_little_is_not_known() -> None:
    at_s, interval_s = beats(300.0)
    assert rhythm(at_s, interval_s, 330.0) is None, "no interval in the epoch"
    assert rhythm(np.zeros(0), np.zeros(0), 30.0) is None
    fresh = named(rhythm(at_s[at_s < 30], interval_s[at_s < 30], 30.0))
    assert set(fresh) == {"bpm", "log_sd", "log_rmssd"}, "half a minute has no spectrum"
    gap = (at_s < 60) | (at_s > 265)
    assert "log_vlf" not in named(rhythm(at_s[gap], interval_s[gap], 300.0))


def test_a_whole_night_is_read_as_epochs_are() -> None:
    at_s, interval_s = beats(900.0, 0.8, (0.2, 0.03))
    rows = rhythm_rows(at_s, interval_s, 30)
    assert rows.shape == (30, len(RHYTHM))
    for k in (0, 3, 20, 29):
        alone = rhythm(at_s, interval_s, (k + 1) * EPOCH_S)
        assert alone == rhythm_of(at_s, interval_s, k)
        np.testing.assert_array_equal(rows[k], np.array(alone, dtype=np.float64))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 300.0), st.floats(-1.0, 5.0)), max_size=400))
def test_any_intervals_give_finite_numbers_or_none(found: list[tuple[float, float]]) -> None:
    at_s, interval_s = np.array(sorted(found), dtype=np.float64).reshape(-1, 2).T
    numbers = rhythm(at_s, interval_s, 300.0)
    assert numbers is None or all(value is None or np.isfinite(value) for value in numbers)


def wandering(count: int, seed: int = 3) -> Floats:
    """Rhythms that are no body's, with holes."""
    rng = np.random.default_rng(seed)
    model = load_model("live").rhythm
    assert model is not None
    width = len(RHYTHM)
    rows = model.regression.mean[:width] + model.regression.scale[:width] * rng.normal(0, 1, (count, width))
    rows[rng.random(count) < 0.05] = np.nan
    return np.asarray(rows, dtype=np.float64)


def test_live_features_see_the_past_alone_and_only_so_much() -> None:
    rows, other = wandering(120), wandering(120, seed=4)
    live = live_rhythm_features(rows)
    np.testing.assert_array_equal(live[:60], live_rhythm_features(np.vstack([rows[:60], other[60:]]))[:60])
    stream = RhythmStream()
    late = [stream.push(row) for row in rows[50:]][BACK_EPOCHS:]
    np.testing.assert_array_equal(live[50 + BACK_EPOCHS :], late)


def test_overnight_features_of_the_past_are_the_live_ones() -> None:
    rows = wandering(100)
    live = live_rhythm_features(rows)
    np.testing.assert_allclose(overnight_rhythm_features(rows)[:, : live.shape[1]], live, rtol=1e-9, atol=1e-9)


def night(rows: Floats, counts: float | None = None) -> list[Epoch]:
    rng = np.random.default_rng(7)
    hearts = (62.0 + np.cumsum(rng.normal(0, 0.3, (len(rows), 6)).ravel())).reshape(-1, 6).tolist()
    return [
        replace(
            unknown_epoch(k, 0.0),
            in_bed=True,
            heart_series_bpm=tuple(hearts[k]),
            motion_counts=(counts, counts),
            rhythm=None if np.isnan(row).all() else tuple(row.tolist()),
        )
        for k, row in enumerate(rows)
    ]


def live(epochs: Sequence[Epoch]) -> list[StageEstimate]:
    stager = SleepStager()
    return [stager.step(epoch) for epoch in epochs]


def silent(epochs: Sequence[Epoch]) -> list[Epoch]:
    return [replace(epoch, rhythm=None) for epoch in epochs]


def test_a_live_answer_never_peeks() -> None:
    one, other = night(wandering(90)), night(np.vstack([wandering(90)[:50], wandering(40, seed=5)]))
    assert live(one)[:50] == live(other)[:50]
    assert live(one) == live(one)
    assert live(one)[60:] != live(other)[60:]


def test_the_rhythm_has_its_share_in_waking_and_no_more() -> None:
    epochs = night(wandering(80))
    model = load_model("live").rhythm
    assert model is not None
    listener = RhythmListener(model)
    heard = 0
    for epoch, with_it, without in zip(epochs, live(epochs), live(silent(epochs)), strict=True):
        listener.step(np.array(epoch.rhythm or (None,) * len(RHYTHM), dtype=np.float64))
        mixed, alone = np.array(with_it.probabilities), np.array(without.probabilities)
        np.testing.assert_allclose(mixed, listener.join(alone), rtol=1e-9)
        assert mixed.sum() == pytest.approx(1.0)
        assert abs(mixed[0] - alone[0]) <= SHARE
        np.testing.assert_allclose(mixed[1:] / mixed[1:].sum(), alone[1:] / alone[1:].sum(), rtol=1e-9)
        heard += bool(np.abs(mixed - alone).max() > 1e-6)
    assert heard > 60
    assert live(epochs)[:6] == live(silent(epochs))[:6], "six epochs are not yet a rhythm"


@pytest.mark.parametrize("answer", [live, revise])
def test_where_movement_is_known_intervals_say_nothing(answer) -> None:  # type: ignore[no-untyped-def]
    epochs = night(wandering(80), counts=0.0)
    assert answer(epochs) == answer(silent(epochs))
    unmoved = night(wandering(80))
    assert answer(unmoved) != answer(silent(unmoved))


def test_movement_that_comes_later_ends_it() -> None:
    unmoved, moved = night(wandering(80)), night(wandering(80), counts=0.0)
    mixed = [*unmoved[:40], moved[40], *unmoved[41:]]
    assert live(mixed)[40:] == live(silent(mixed))[40:]
    assert live(mixed)[:40] == live(unmoved)[:40]


@pytest.mark.parametrize("answer", [live, revise])
def test_beats_that_come_and_go_are_no_rhythm(answer) -> None:  # type: ignore[no-untyped-def]
    rows = wandering(80)
    rows[::2] = np.nan
    epochs = night(rows)
    assert answer(epochs) == answer(silent(epochs))


def test_a_rhythm_of_another_length_is_not_known() -> None:
    epochs = [replace(epoch, rhythm=(1.0, 2.0)) for epoch in night(wandering(30))]
    assert live(epochs) == live(silent(epochs))
    assert revise(epochs) == revise(silent(epochs))


def test_an_empty_bed_is_awake_and_begins_anew() -> None:
    epochs = night(wandering(80))
    up = [replace(epoch, in_bed=False) if 40 <= k < 50 else epoch for k, epoch in enumerate(epochs)]
    assert [e.stage for e in revise(up)[40:50]] == [None] * 10
    assert live(up)[:40] == live(epochs)[:40]
    first = live(up)[50].probabilities
    assert first is not None
    assert first[0] > 0.5, "who lies down again is awake"


def test_half_each() -> None:
    network, beside = np.array([[0.2, 0.4, 0.3, 0.1]]), np.array([[0.8, 0.2, 0.0, 0.0]])
    awake = (1 - SHARE) * 0.2 + SHARE * 0.8
    np.testing.assert_allclose(joined(network, beside), [[awake, *((1 - awake) * np.array([0.5, 0.375, 0.125]))]])
