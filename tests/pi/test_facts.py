"""The facts of a night and how far they may be off."""

import numpy as np
import pytest

from somnisphere.night import EPOCH_S, STAGES, Stage, StageEstimate
from somnisphere.sleep.facts import UNKNOWN, NightFacts, Range, draw_hypnograms, ranges, summarize

A, L, D, R = Stage


def estimates(*runs: tuple[Stage | None, int]) -> list[StageEstimate]:
    stages = [stage for stage, length in runs for _ in range(length)]
    return [StageEstimate(k, 1000.0 + k * EPOCH_S, stage, None) for k, stage in enumerate(stages)]


def test_facts_of_a_night() -> None:
    facts = summarize(estimates((A, 20), (L, 3), (A, 10), (L, 60), (D, 30), (A, 1), (L, 20), (A, 6), (R, 40), (A, 14)))
    assert facts == NightFacts(
        onset_s=1000.0 + 33 * EPOCH_S,  # the nod of a minute and a half before is not sleep
        final_waking_s=1000.0 + 190 * EPOCH_S,
        sleep_min=75.0,
        waso_min=3.5,
        awakenings=1,  # half a minute of waking is not one
        stage_min={A: 25.5, L: 41.5, D: 15.0, R: 20.0},
        unknown_min=0.0,
    )


def test_a_night_without_sleep() -> None:
    facts = summarize(estimates((A, 100), (None, 4)))
    assert (facts.onset_s, facts.final_waking_s, facts.sleep_min, facts.awakenings) == (None, None, 0.0, 0)
    assert facts.unknown_min == 2.0


def test_unknown_is_neither_sleep_nor_waking() -> None:
    facts = summarize(estimates((L, 20), (None, 10), (L, 20)))
    assert (facts.sleep_min, facts.waso_min, facts.unknown_min) == (20.0, 0.0, 5.0)


def test_no_estimates_no_facts() -> None:
    assert summarize([]).onset_s is None


# ---- how far they may be off ---------------------------------------------------------------------------------------


def probable(shares: np.ndarray, stage: np.ndarray | None = None) -> list[StageEstimate]:
    """Estimates of probabilities (n, 4), each with its likeliest stage or with that of ``stage``."""
    best = shares.argmax(axis=1) if stage is None else stage
    return [
        StageEstimate(k, k * EPOCH_S, STAGES[b], (float(s[0]), float(s[1]), float(s[2]), float(s[3])))
        for k, (b, s) in enumerate(zip(best, shares, strict=True))
    ]


def shares_of_a_night(sureness: float) -> np.ndarray:
    """(960, 4): half an hour awake, then sleep of all kinds with some waking; ``sureness`` in the likeliest."""
    stage = np.concatenate([np.zeros(60), np.repeat([1, 2, 1, 3, 0, 1, 3, 1, 2], 100)]).astype(int)
    return np.where(np.eye(4)[stage] > 0, sureness, (1.0 - sureness) / 3.0)


def test_draws_have_the_probabilities_and_hang_together() -> None:
    shares = np.broadcast_to([0.1, 0.6, 0.05, 0.25], (500, 4))
    drawn = draw_hypnograms(shares, 400, np.random.default_rng(3))
    found = [(drawn == k).mean() for k in range(4)]
    assert found == pytest.approx([0.1, 0.6, 0.05, 0.25], abs=0.02)
    changes = (drawn[1:] != drawn[:-1]).mean()
    assert changes < 0.1, "independent draws would change at every other epoch"
    assert (draw_hypnograms(np.full((3, 4), np.nan), 5, np.random.default_rng(1)) == UNKNOWN).all()


def test_who_is_sure_has_narrow_ranges_and_who_is_not_wide_ones() -> None:
    widths = []
    for sureness in (0.999, 0.8, 0.5):
        estimates = probable(shares_of_a_night(sureness))
        facts, found = summarize(estimates), ranges(estimates)
        assert facts.onset_s is not None
        assert found.onset_s is not None
        assert found.onset_s.low <= facts.onset_s <= found.onset_s.high
        assert found.sleep_min.low <= facts.sleep_min <= found.sleep_min.high
        assert found.awakenings.low <= facts.awakenings <= found.awakenings.high
        for stage in Stage:
            assert found.stage_min[stage].low <= facts.stage_min[stage] <= found.stage_min[stage].high
        widths.append(found.sleep_min.high - found.sleep_min.low)
    assert widths[0] < 5.0
    assert widths[0] < widths[1] < widths[2]


def test_a_moment_is_never_known_to_the_second() -> None:
    found = ranges(probable(shares_of_a_night(0.9999)))
    assert found.onset_s == Range(60 * EPOCH_S - 180.0, 60 * EPOCH_S + 180.0)


def test_what_could_not_be_told_may_have_been_anything() -> None:
    sure = probable(shares_of_a_night(0.99))
    blind = [StageEstimate(e.index, e.start_s, None, None, "no pulse") if 200 <= e.index < 260 else e for e in sure]
    assert summarize(blind).unknown_min == 30.0
    whole, part = ranges(sure).sleep_min, ranges(blind).sleep_min
    assert part.high >= whole.high - 2.0, "as if it had been sleep"
    assert part.low <= whole.low - 25.0, "as if it had been none"


def test_truth_lies_within_four_times_of_five() -> None:
    """Truths drawn as the stager doubts: the ranges hold about as often as they promise."""
    shares = shares_of_a_night(0.7)
    found = ranges(probable(shares))
    truths = draw_hypnograms(shares, 300, np.random.default_rng(11))
    middle = np.median([(column > 0).sum() / 2 for column in truths.T])
    shift = summarize(probable(shares)).sleep_min - middle  # the likeliest stages sleep more than the typical draw
    slept = np.array([summarize(probable(shares, column)).sleep_min for column in truths.T])
    held = ((slept + shift >= found.sleep_min.low) & (slept + shift <= found.sleep_min.high)).mean()
    assert 0.7 < held < 0.9


def test_a_night_without_sleep_has_no_moment() -> None:
    found = ranges(estimates((A, 100)))
    assert found.onset_s is None
    assert found.final_waking_s is None
    assert found.sleep_min == Range(0.0, 0.0)
