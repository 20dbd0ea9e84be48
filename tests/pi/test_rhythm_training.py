"""Learning waking from intervals between beats: the regression, its copies, and the whole way into a weights file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from somnisphere.night import EPOCH_S
from somnisphere.sleep.model import FEATURE_LIMIT, load_model
from somnisphere.training import convolution
from somnisphere.training.evaluate import answer_for
from somnisphere.training.figures import asleep, kappa
from somnisphere.training.fit import fit, fit_rhythm, prepare, save_weights
from somnisphere.training.readers.night_set import night_of_readings
from somnisphere.training.rhythmic import PENALTY, RhythmRows, fit_softmax, prepare_rhythm, rhythm_of_night
from somnisphere.training.spoil import (
    LabelledNight,
    begun_late,
    every_second_minute_missing,
    with_waking_before,
    without_heart,
)


def night_of_beats(subject: int) -> LabelledNight:
    """80 minutes without movement: awake with noisy intervals, asleep with the breath alone in them, at one rate."""
    rng = np.random.default_rng(subject)
    stage = np.repeat([0, 1, 2, 0, 3, 1], [40, 30, 20, 20, 10, 40])
    at_s, times, intervals = 0.0, list[float](), list[float]()
    while at_s < len(stage) * EPOCH_S:
        awake = stage[min(int(at_s // EPOCH_S), len(stage) - 1)] == 0
        swing = rng.normal(0, 0.06) if awake else 0.03 * np.sin(2 * np.pi * 0.24 * at_s)
        intervals.append(0.95 + swing)
        at_s += intervals[-1]
        times.append(at_s)
    unknown = np.full(2 * len(stage), np.nan)
    return night_of_readings(
        "made up", str(subject), stage, np.array(times), np.array(intervals), beats=True, counts=unknown
    )


def moving_night(subject: int) -> LabelledNight:
    """As a watch sees one."""
    night = night_of_beats(subject)
    counts = np.where(night.stage[:, None] == 0, 50.0, 0.0) * np.ones((1, 2))
    return replace(night, subject=f"moving {subject}", counts=counts, beats=None)


@pytest.fixture(scope="module", autouse=True)
def few_steps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, number in (("STEPS", 5), ("CROPS", 2), ("CROP_EPOCHS", 60)):
            patch.setattr(convolution, name, number)
        yield


def test_newtons_regression_is_the_penalized_one() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 1, (1500, 4))
    stage = np.argmax(rows @ rng.normal(0, 1, (4, 4)) + rng.gumbel(0, 1, (1500, 4)), axis=1)
    found = fit_softmax([RhythmRows(rows, rows, stage)])
    scores = np.clip((rows - found.mean) / found.scale, -FEATURE_LIMIT, FEATURE_LIMIT)
    other = LogisticRegression(C=1 / PENALTY, tol=1e-8, max_iter=500).fit(
        np.vstack([scores, scores]), np.tile(stage, 2)
    )
    np.testing.assert_allclose(found(rows), other.predict_proba(scores), atol=2e-3)


def test_an_unscored_epoch_teaches_nothing() -> None:
    rng = np.random.default_rng(2)
    rows, stage = rng.normal(0, 1, (400, 3)), rng.integers(0, 4, 400)
    stage[300:] = -1
    strange = rows.copy()
    strange[300:] = 1e6
    one, other = fit_softmax([RhythmRows(rows, rows, stage)]), fit_softmax([RhythmRows(strange, strange, stage)])
    np.testing.assert_array_equal(one.weights, other.weights)


def test_a_jittered_copy_is_the_seeds_and_shows_where_variability_is_small() -> None:
    night = night_of_beats(1)
    one, again, other = (prepare_rhythm(night, "live", seed) for seed in (1, 1, 2))
    assert one is not None
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(one.jittered, again.jittered)
    assert not np.array_equal(one.jittered, other.jittered, equal_nan=True)
    log_rmssd = 2
    calm = night.stage == 1
    assert np.nanmean(one.jittered[calm, log_rmssd] - one.clean[calm, log_rmssd]) > 0.05
    assert prepare_rhythm(without_heart(night), "live", 1) is None


def test_beats_go_with_the_clock_of_spoiled_copies() -> None:
    night = night_of_beats(1)
    rows = rhythm_of_night(night)
    late = rhythm_of_night(begun_late(night, 20.0))
    np.testing.assert_allclose(late[12:], rows[52:], atol=1e-3)
    early = rhythm_of_night(with_waking_before(night, 10.0, np.random.default_rng(1)))
    assert np.isnan(early[:20]).all()
    np.testing.assert_allclose(early[32:], rows[12:], atol=1e-3)
    holes = rhythm_of_night(every_second_minute_missing(night))
    assert np.isnan(holes[2::4]).all()
    assert not np.isnan(holes[4::4, 0]).any()


def test_the_whole_way(tmp_path: Path) -> None:
    nights = [night_of_beats(subject) for subject in range(6)]
    for answer in ("live", "overnight"):
        prepared = [prepare(night, answer, 1) for night in nights[:5]]
        model = replace(load_model(answer), rhythm=fit_rhythm(prepared, answer))
        assert model.rhythm is not None
        again = replace(model, rhythm=fit_rhythm([prepare(night, answer, 1) for night in nights[:5]], answer))
        for name, kept in (("one.npz", model), ("two.npz", again)):
            save_weights(tmp_path / name, {answer: kept})
        assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
        kept = load_model(answer, tmp_path / "one.npz")
        unheard = answer_for(replace(model, rhythm=None), answer, nights[5])
        heard, loaded = answer_for(model, answer, nights[5]), answer_for(kept, answer, nights[5])
        np.testing.assert_array_equal(heard.probabilities, loaded.probabilities)
        truth = asleep(nights[5].stage)
        told = np.abs(heard.probabilities[:, 0] - truth).mean() - np.abs(unheard.probabilities[:, 0] - truth).mean()
        assert told > 0.1, "heard, waking is likelier where somebody is awake"
        assert kappa(truth, (heard.probabilities[:, 0] < np.median(heard.probabilities[:, 0])).astype(np.int64)) > 0.5


def test_the_fit_of_everything_has_it() -> None:
    nights = [*map(moving_night, range(5)), *map(night_of_beats, range(5))]
    prepared = [prepare(night, "overnight", 1) for night in nights]
    found, alone = fit(prepared, "overnight", 1).rhythm, fit_rhythm(prepared, "overnight")
    assert found is not None
    assert alone is not None
    np.testing.assert_array_equal(found.regression.weights, alone.regression.weights)
    assert all(load_model(answer).rhythm is not None for answer in ("live", "overnight"))


def test_few_people_or_no_beats_make_no_second_answer() -> None:
    nights = [night_of_beats(subject) for subject in range(5)]
    some = [*map(moving_night, range(5)), *nights[:4]]
    assert fit_rhythm([prepare(night, "live", 1) for night in some], "live") is None
