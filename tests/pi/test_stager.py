"""The live stager: honest, causal, quick to see sleep and waking."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somnisphere.night import EPOCH_S, Epoch, Stage, StageEstimate
from somnisphere.sleep.drowsiness import LIKELY
from somnisphere.sleep.stager import BLIND, MIXED, NOBODY, NOT_YET, SleepStager

Hearts = Sequence[float | None]
Counts = Sequence[float | None]


def epoch(index: int, hearts: Hearts = (None,) * 6, counts: Counts = (None,) * 2, in_bed: bool | None = True) -> Epoch:
    return Epoch(index, index * EPOCH_S, None, in_bed, None, tuple(hearts), None, 0, 0.0, None, None, tuple(counts))


def part(
    rng: np.random.Generator, epochs: int, from_bpm: float, to_bpm: float, wander_bpm: float, restless: float
) -> list[tuple[list[float], list[float]]]:
    """A stretch of heart rate on its way, wandering slowly, with movement in a share of the 15 s."""
    wander = np.convolve(rng.normal(0, 1, epochs * 6 + 11), np.ones(12) / np.sqrt(12), mode="valid") * wander_bpm
    hearts = (np.linspace(from_bpm, to_bpm, epochs * 6) + wander).reshape(epochs, 6)
    moved = rng.random((epochs, 2)) < restless
    counts = np.where(moved, np.exp(rng.normal(4.0, 0.8, (epochs, 2))), 0.0)
    return [(h.tolist(), c.tolist()) for h, c in zip(hearts, counts, strict=True)]


ONSET = 40
WAKING = 160


def evening(seed: int) -> list[Epoch]:
    """20 minutes awake and restless, an hour of still sleep, 8 minutes awake again."""
    rng = np.random.default_rng(seed)
    parts = [
        *part(rng, ONSET, 68.0, 64.0, 2.5, 0.3),
        *part(rng, 20, 62.0, 58.0, 1.0, 0.0),
        *part(rng, WAKING - ONSET - 20, 58.0, 57.0, 0.7, 0.0),
        *part(rng, 16, 70.0, 68.0, 3.0, 0.4),
    ]
    return [epoch(k, hearts, counts) for k, (hearts, counts) in enumerate(parts)]


def staged(epochs: Sequence[Epoch]) -> list[StageEstimate]:
    stager = SleepStager()
    return [stager.step(each) for each in epochs]


def sleep_probabilities(estimates: Sequence[StageEstimate]) -> list[float]:
    found = [estimate.sleep_probability for estimate in estimates]
    assert None not in found
    return [p for p in found if p is not None]


@pytest.mark.parametrize("seed", range(5))
def test_an_evening(seed: int) -> None:
    asleep = sleep_probabilities(staged(evening(seed)))
    assert max(asleep[:ONSET]) < 0.35
    assert asleep[ONSET + 24] > 0.75
    assert asleep[WAKING - 1] > 0.9
    assert min(asleep[WAKING : WAKING + 14]) < 0.35, "waking is seen within seven minutes"


@pytest.mark.parametrize("seed", range(5))
def test_drowsiness_tells_the_moment_of_sleep_without_jumping(seed: int) -> None:
    drowsy = [estimate.drowsiness or 0.0 for estimate in staged(evening(seed))]
    assert max(drowsy[:ONSET]) < LIKELY
    assert drowsy[ONSET + 16] > LIKELY
    assert np.abs(np.diff(drowsy[:WAKING])).max() < 0.3, "the evening's fade must not jump"


def test_probabilities_sum_to_one_and_stage_is_the_likeliest() -> None:
    for estimate in staged(evening(1)):
        assert estimate.probabilities is not None
        assert sum(estimate.probabilities) == pytest.approx(1.0)
        if estimate.stage is None:
            assert estimate.reason == MIXED
        else:
            assert list(Stage).index(estimate.stage) == int(np.argmax(estimate.probabilities))


known_heart = st.one_of(st.none(), st.floats(35, 180))
known_count = st.one_of(st.none(), st.just(0.0), st.floats(0, 700))
any_epoch = st.tuples(
    st.tuples(*[known_heart] * 6), st.tuples(*[known_count] * 2), st.sampled_from([None, True, True, True, False])
)


@settings(max_examples=40, deadline=None)
@given(st.lists(any_epoch, min_size=1, max_size=30), st.lists(any_epoch, max_size=10), st.lists(any_epoch, max_size=10))
def test_never_peeks(past: list[tuple], one: list[tuple], other: list[tuple]) -> None:  # type: ignore[type-arg]
    """What follows an epoch cannot change what was said of it, to the bit; and nothing makes it stumble."""

    def night(future: list[tuple]) -> list[Epoch]:  # type: ignore[type-arg]
        return [epoch(k, h, c, in_bed) for k, (h, c, in_bed) in enumerate([*past, *future])]

    first, second = staged(night(one)), staged(night(other))
    assert first[: len(past)] == second[: len(past)]
    for estimate in first:
        if estimate.probabilities is None:
            assert estimate.stage is None
            assert estimate.reason
        else:
            assert sum(estimate.probabilities) == pytest.approx(1.0)


def test_nobody_in_bed() -> None:
    estimate = SleepStager().step(epoch(0, (60.0,) * 6, (0.0, 0.0), in_bed=False))
    assert (estimate.stage, estimate.probabilities, estimate.reason) == (None, None, NOBODY)


def test_nothing_seen_yet() -> None:
    assert [estimate.reason for estimate in staged([epoch(k) for k in range(30)])] == [NOT_YET] * 30


def test_five_blind_minutes_are_not_known() -> None:
    seen = evening(2)[:100]
    estimates = staged([*seen, *(epoch(100 + k) for k in range(12))])
    assert all(estimate.probabilities is not None for estimate in estimates[:109])
    assert [estimate.reason for estimate in estimates[109:]] == [BLIND] * 3
    assert all(estimate.stage is None and estimate.probabilities is None for estimate in estimates[109:])


def test_motion_alone_still_tells_waking_from_stillness() -> None:
    night = [replace(each, heart_series_bpm=(None,) * 6) for each in evening(3)]
    asleep = sleep_probabilities(staged(night))
    assert asleep[ONSET - 1] < 0.4
    assert asleep[WAKING - 1] > 0.7


def test_heart_rate_alone_is_staged() -> None:
    night = [replace(each, motion_counts=(None, None)) for each in evening(3)]
    asleep = sleep_probabilities(staged(night))
    assert asleep[ONSET - 1] < asleep[WAKING - 1] - 0.2, "less sure than with movement, but not blind"
    assert asleep[WAKING - 1] > 0.8


def test_epochs_left_out_equal_unknown_ones() -> None:
    """A pause in the numbering and the same pause spelt out end in the same belief."""
    night = evening(4)
    with_hole = staged([*night[:80], *night[86:]])
    spelt_out = staged([*night[:80], *(epoch(k) for k in range(80, 86)), *night[86:]])
    assert with_hole[80:] == spelt_out[86:]


def test_after_half_an_hour_of_empty_bed_it_is_another_night() -> None:
    night = evening(5)
    empty = [epoch(len(night) + k, in_bed=False) for k in range(60)]
    again = [replace(each, index=each.index + 500, start_s=each.start_s + 500 * EPOCH_S) for each in night]
    second = staged([*night, *empty, *again])[len(night) + len(empty) :]
    assert [e.probabilities for e in second] == [e.probabilities for e in staged(night)]


def test_a_trip_to_the_bathroom_keeps_the_night() -> None:
    night = evening(6)
    trip = [replace(each, in_bed=False) for each in night[100:106]]
    estimates = staged([*night[:100], *trip, *night[106:]])
    assert [estimate.reason for estimate in estimates[100:106]] == [NOBODY] * 6
    back = estimates[106].sleep_probability
    before = staged(night)[106].sleep_probability
    assert back is not None
    assert before is not None
    assert back < before, "who comes back to bed was awake"
    assert sleep_probabilities(estimates[106:])[40] > 0.6
