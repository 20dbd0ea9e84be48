"""Making the weights: copies, figures, determinism, and what the shipped weights say of real nights."""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from somnisphere.night import Stage
from somnisphere.sleep.drowsiness import LIKELY, Drowsiness
from somnisphere.sleep.model import WEIGHTS_PATH, Listening, Network, StageModel, load_model, standard_scores
from somnisphere.training import convolution
from somnisphere.training.drowsy import fit_drowsiness
from somnisphere.training.figures import bootstrap_interval, calibration_error, kappa, specificity_at
from somnisphere.training.fit import ANSWERS, Answer, fit, prepare, save_weights
from somnisphere.training.judged import Judged, ranges_line
from somnisphere.training.spoil import (
    LabelledNight,
    begun_late,
    heart_once_a_minute,
    training_copies,
    with_gaps,
    with_waking_before,
)
from somnisphere.training.stirring import stirring_line


def made_up_night(subject: int) -> LabelledNight:
    """80 minutes: awake and restless, light and slower, deep and flat, REM and uneven."""
    rng = np.random.default_rng(subject)
    stage = np.repeat([0, 1, 2, 1, 3], [30, 40, 40, 20, 30])
    level, wander = np.array([70.0, 60.0, 57.0, 64.0])[stage], np.array([3.0, 1.5, 0.5, 3.0])[stage]
    heart = level[:, None] + rng.normal(0, 1, (len(stage), 1)) * wander[:, None] + rng.normal(0, 0.3, (len(stage), 6))
    counts = np.where(rng.random((len(stage), 2)) < np.where(stage == 0, 0.4, 0.02)[:, None], 60.0, 0.0)
    return LabelledNight("made up", str(subject), heart, counts, stage)


def taught(answer: Answer) -> StageModel:
    return fit([prepare(made_up_night(subject), answer, 1) for subject in range(5)], answer, 1)


@pytest.fixture(scope="module", autouse=True)
def few_steps() -> Iterator[None]:
    """Enough for made-up nights."""
    with pytest.MonkeyPatch.context() as patch:
        for name, number in (("STEPS", 60), ("CROPS", 6), ("CROP_EPOCHS", 120)):
            patch.setattr(convolution, name, number)
        yield


@pytest.fixture(scope="module")
def models() -> dict[Answer, StageModel]:
    return {answer: taught(answer) for answer in ANSWERS}


def test_same_seed_and_nights_same_bytes(models: dict[Answer, StageModel], tmp_path: Path) -> None:
    save_weights(tmp_path / "one.npz", {"overnight": models["overnight"]})
    save_weights(tmp_path / "two.npz", {"overnight": taught("overnight")})
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_weights_come_back_as_they_were(models: dict[Answer, StageModel], tmp_path: Path) -> None:
    save_weights(tmp_path / "weights.npz", models)
    for answer, model in models.items():
        back = load_model(answer, tmp_path / "weights.npz")
        for name, array in model.arrays(answer).items():
            np.testing.assert_array_equal(array, back.arrays(answer)[name])


def test_what_is_plain_is_learned(models: dict[Answer, StageModel]) -> None:
    night = made_up_night(77)
    for answer, model in models.items():
        said = model.chain.forward(model.network(ANSWERS[answer](night.heart_bpm, night.counts))).argmax(axis=1)
        assert kappa(night.stage, said) > 0.5, answer


def test_following_a_night_epoch_by_epoch_says_what_the_whole_night_says() -> None:
    network = load_model("live").network
    rng = np.random.default_rng(8)
    features = network.mean + network.scale * rng.normal(0, 1, (100, len(network.mean)))
    features[rng.random(features.shape) < 0.1] = np.nan
    listening = Listening(network)
    followed = np.array([listening.step(row) for row in features])
    np.testing.assert_allclose(followed, network(features), atol=1e-5)


def test_the_network_that_was_fitted_is_the_one_that_runs() -> None:
    """JAX and numpy compute the same, looking back and looking both ways."""
    rng = np.random.default_rng(9)
    scores = rng.normal(0, 1, (50, 5)).astype(np.float32)
    for ahead in (False, True):
        weights = convolution.begin(5, rng)
        network = Network(
            mean=np.zeros(5, np.float32),
            scale=np.ones(5, np.float32),
            entry=weights["entry"][None],
            entry_bias=weights["entry_bias"][None, None],
            mix=weights["mix"][:, :, None],
            mix_bias=weights["mix_bias"][:, None, None],
            output=weights["output"][None],
            output_bias=weights["output_bias"][None, None],
            ahead=ahead,
        )
        seen = network.standardize(scores)[None]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(convolution, "DROPPED", 0.0)
            logits = np.asarray(convolution.logits(weights, seen, jax.random.key(0), ahead=ahead))[0]
        expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(network(scores), expected, atol=1e-5)


def test_half_of_what_tells_nights_apart_is_taken_from_a_whole_one() -> None:
    """Live there is no whole night, and how long a night is does not depend on who sleeps."""
    rng = np.random.default_rng(4)
    mean, scale = np.zeros(9, np.float32), np.ones(9, np.float32)
    features = rng.normal(0.0, 0.3, (200, 9)).astype(np.float32)
    features[::7, 1] = np.nan
    other = features + np.float32(1.5)
    for whole, share in ((True, 0.5), (False, 1.0)):
        apart = standard_scores(other, mean, scale, whole=whole) - standard_scores(features, mean, scale, whole=whole)
        known = ~np.isnan(features)
        np.testing.assert_allclose(apart[:, :5][known[:, :5]], 1.5 * share, atol=1e-5)
        np.testing.assert_allclose(apart[:, 5:], 1.5, atol=1e-5)
        assert np.all(apart[~known] == 0.0)


def test_drowsiness_is_learned_and_slow() -> None:
    """Sleep that the network sees at once is believed within two minutes and not in one epoch."""
    rng = np.random.default_rng(3)
    nights = []
    for _ in range(10):
        onset = int(rng.integers(20, 60))
        stage = (np.arange(120) >= onset).astype(np.int64)
        sleep = np.clip(np.where(stage > 0, 0.85, 0.2) + rng.normal(0, 0.1, 120), 0.01, 0.99)
        said = np.stack([1 - sleep, sleep, 0 * sleep, 0 * sleep], axis=1)
        nights.append((said, np.zeros((120, 59), np.float32), stage))
    drowsiness = Drowsiness(fit_drowsiness(nights[1:]))
    said, _, stage = nights[0]
    values = np.array([drowsiness.step(row, np.full(3, np.nan)) for row in said], dtype=np.float64)
    onset = int(stage.argmax())
    assert values[5 : onset - 2].max() < LIKELY
    assert values[onset + 4 : onset + 20].min() > LIKELY
    assert drowsiness.step(np.full(4, np.nan), np.full(3, np.nan)) == pytest.approx(values[-1], abs=0.05)


def test_the_chain_never_goes_from_waking_straight_to_deep_or_rem() -> None:
    for answer in ANSWERS:
        chain = load_model(answer).chain
        np.testing.assert_array_equal(chain.transition[0, 2:], 0.0)
        np.testing.assert_allclose(chain.transition.sum(axis=1), 1.0)


def test_the_chain_both_ways_is_bayes() -> None:
    """Against the sum over all 4^5 paths."""
    chain = load_model("overnight").chain
    rng = np.random.default_rng(5)
    said = rng.dirichlet(np.ones(4), 5)
    likelihood = chain.likelihood(said)
    expected = np.zeros((5, 4))
    for path in np.ndindex(4, 4, 4, 4, 4):
        first = float((chain.START @ chain.transition)[path[0]] * likelihood[0, path[0]])
        weight = first * np.prod(
            [chain.transition[a, b] * likelihood[k + 1, b] for k, (a, b) in enumerate(pairwise(path))]
        )
        expected[np.arange(5), list(path)] += weight
    np.testing.assert_allclose(chain.both_ways(said), expected / expected.sum(axis=1, keepdims=True), rtol=1e-9)


def test_waking_before_is_the_subjects_own_and_labelled() -> None:
    night = made_up_night(3)
    longer = with_waking_before(night, 40.0, np.random.default_rng(1))
    assert longer.added == 80
    assert (longer.stage[:80] == 0).all()
    np.testing.assert_array_equal(longer.heart_bpm[80:], night.heart_bpm)
    assert 60 < longer.heart_bpm[:80].mean() < 90


def test_begun_late_leaves_out_the_beginning() -> None:
    night = made_up_night(3)
    np.testing.assert_array_equal(begun_late(night, 10.0).stage, night.stage[20:])
    assert len(begun_late(night, 1000.0).stage) == len(night.stage) // 2


def test_spoiled_copies_never_touch_the_night() -> None:
    night = made_up_night(4)
    kept = replace(night, heart_bpm=night.heart_bpm.copy(), counts=night.counts.copy(), stage=night.stage.copy())
    copies = training_copies(night, np.random.default_rng(2))
    np.testing.assert_array_equal(night.heart_bpm, kept.heart_bpm)
    np.testing.assert_array_equal(night.counts, kept.counts)
    assert any(np.isnan(copy.counts).all() for copy in copies)
    assert any(np.isnan(copy.heart_bpm).all() for copy in copies)


def test_gaps_and_sparse_heart_rate() -> None:
    night = made_up_night(5)
    missing = np.isnan(with_gaps(night, np.random.default_rng(1)).heart_bpm).mean()
    assert 0.2 < missing < 0.4
    assert np.isnan(heart_once_a_minute(night).heart_bpm).mean() == pytest.approx(11 / 12)


def test_kappa_is_cohens() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        truth, said = rng.integers(0, 4, 50), rng.integers(0, 3, 50)
        assert kappa(truth, said) == pytest.approx(cohen_kappa_score(truth, said))
    assert kappa(np.ones(5, dtype=int), np.ones(5, dtype=int)) == 0.0


def test_specificity_and_calibration() -> None:
    asleep = np.array([0] * 10 + [1] * 100)
    probability = np.concatenate([np.linspace(0.0, 0.9, 10), np.linspace(0.5, 1.0, 100)])
    assert specificity_at(asleep, probability, 0.93) == pytest.approx(0.6)
    sure = np.array([[0.8, 0.2, 0.0, 0.0]] * 10)
    assert calibration_error(np.array([0] * 8 + [1] * 2), sure) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(np.array([0] * 3 + [1] * 7), sure) == pytest.approx(0.5)


def test_bootstrap_holds_the_figure() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 30)
    low, high = bootstrap_interval(30, lambda chosen: float(values[chosen].mean()))
    assert low < values.mean() < high
    assert high - low < 0.1


def test_minutes_and_moments_of_a_judged_night() -> None:
    stage = np.array([0] * 40 + [1] * 100)
    sleep = np.concatenate([np.full(20, 0.1), np.full(4, 0.9), np.full(20, 0.1), np.full(96, 0.9)])
    probabilities = np.stack([1 - sleep, sleep, 0 * sleep, 0 * sleep], axis=1)
    night = Judged("x", stage, probabilities, 0, sleep)
    total, _, latency, rem, deep = night.minutes_wrong()
    assert (total, latency, rem, deep) == (0.0, 2.0, 0.0, 0.0)
    assert night.onset_delay_min() == -8.5  # the nod at epoch 20 is taken for sleep ...
    assert night.false_onsets() == 0  # ... but real sleep comes within ten minutes
    early = Judged(
        "x",
        np.concatenate([stage[:30], stage]),
        np.vstack([probabilities[:30], probabilities]),
        0,
        np.concatenate([sleep[:30], sleep]),
    )
    assert early.false_onsets() == 1
    assert early.onset_delay_min() == -8.5, "what was false is not counted as the moment of sleep"
    never = replace(night, drowsiness=np.zeros(140))
    assert (never.onset_delay_min(), never.false_onsets()) == (float("inf"), 0)


def test_the_shipped_weights_are_small_and_need_no_pickle() -> None:
    assert WEIGHTS_PATH.stat().st_size < 300_000
    with np.load(WEIGHTS_PATH, allow_pickle=False) as stored:
        assert all(stored[name].dtype.kind in "fb" for name in stored.files)


def test_wakings_are_counted_as_said_missed_and_seen_by_nobody() -> None:
    """Asleep from the start; awake for six minutes twice, the second time unsaid; and a waking said that was none."""
    stage = np.ones(400, dtype=np.int64)
    stage[100:112] = stage[200:212] = 0
    sleep = np.full(400, 0.9)
    sleep[104:112] = 0.1
    sleep[300:303] = 0.1
    night = Judged("x", stage, np.stack([1 - sleep, sleep, 0 * sleep, 0 * sleep], axis=1), 0, np.full(400, 0.9))
    assert stirring_line([night, night]) == (
        "2 of 4 wakings of five minutes or more said, 3.0 min after they began (median); "
        "1.0 a night said that nobody saw."
    )


def test_ranges_are_judged_by_how_often_they_hold() -> None:
    stage = np.concatenate([np.zeros(40), np.ones(400)]).astype(np.int64)
    right, wrong = np.eye(4)[stage] * 0.97 + 0.01, np.eye(4)[np.zeros(440, dtype=int)] * 0.97 + 0.01
    line = ranges_line([Judged("x", stage, right, 0), Judged("y", stage, wrong, 0)])
    assert "fell asleep 1.00 (6)" in line, "whoever was not said to sleep has no such range"
    assert "total sleep 0.50" in line
    assert "deep 1.00" in line


@pytest.mark.data
def test_shipped_weights_on_a_real_night() -> None:
    """Not a judgement (these nights taught the weights): it holds that files, features and weights belong together."""
    from somnisphere.recordings import read_night
    from somnisphere.sleep.overnight import revise
    from somnisphere.sleep.stager import SleepStager

    root = Path(os.environ.get("SOMNISPHERE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    path = root / "sleep" / "train" / "walch" / "8692923.npz"
    if not path.exists():
        pytest.skip(f"no labelled nights at {root}; set SOMNISPHERE_DATA")
    recording = read_night(path)
    stager = SleepStager()
    for name, estimates in (
        ("live", [stager.step(e) for e in recording.epochs]),
        ("overnight", revise(recording.epochs)),
    ):
        pairs = [
            (list(Stage).index(truth), list(Stage).index(estimate.stage))
            for truth, counted, estimate in zip(recording.reference, recording.score, estimates, strict=True)
            if counted and truth is not None and estimate.stage is not None
        ]
        assert len(pairs) > 0.9 * sum(recording.score), name
        truth_codes, said = np.array(pairs).T
        assert kappa(truth_codes, said) > 0.4, name
