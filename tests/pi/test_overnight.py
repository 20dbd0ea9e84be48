"""The morning's answer."""

from dataclasses import replace

import numpy as np
import pytest

from somnisphere.night import EPOCH_S, Epoch, Stage
from somnisphere.sleep.facts import summarize
from somnisphere.sleep.overnight import revise
from somnisphere.sleep.stager import BLIND, NOBODY


def test_no_epochs_no_estimates() -> None:
    assert revise([]) == []


def night(rng: np.random.Generator, known: bool = True) -> list[Epoch]:
    """Half an hour awake and restless, an hour and a half asleep and still."""
    awake = np.arange(240) < 60
    wander = np.convolve(rng.normal(0, 1, 240 * 6 + 11), np.ones(12) / np.sqrt(12), mode="valid").reshape(240, 6)
    bpm = np.where(awake, 68.0, 58.0)[:, None] + wander * np.where(awake, 3.0, 1.0)[:, None]
    counts = np.where(awake[:, None] & (rng.random((240, 2)) < 0.3), 80.0, 0.0)
    series = [(tuple(h), tuple(c)) if known else ((None,) * 6, (None,) * 2) for h, c in zip(bpm, counts, strict=True)]
    return [Epoch(k, k * EPOCH_S, None, True, None, h, None, 0, 0.0, None, None, c) for k, (h, c) in enumerate(series)]


def test_the_whole_night_is_staged() -> None:
    found = revise(night(np.random.default_rng(1)))
    assert [estimate.index for estimate in found] == list(range(240))
    facts = summarize(found)
    assert facts.onset_s == pytest.approx(60 * EPOCH_S, abs=8 * 60)
    assert facts.sleep_min > 70
    for estimate in found:
        assert estimate.probabilities is not None
        assert sum(estimate.probabilities) == pytest.approx(1.0)


def test_what_nobody_saw_is_not_known() -> None:
    epochs = night(np.random.default_rng(2))
    blind = night(np.random.default_rng(2), known=False)
    found = revise([*epochs[:100], *blind[100:130], *epochs[130:]])
    assert [e.reason for e in found[100:130]] == [BLIND] * 30
    assert all(e.stage is None for e in found[100:130])
    assert found[131].probabilities is not None
    assert {e.reason for e in revise(blind)} == {BLIND}


def test_a_short_hole_is_bridged_by_its_neighbours() -> None:
    epochs = night(np.random.default_rng(2))
    blind = night(np.random.default_rng(2), known=False)
    found = revise([*epochs[:150], *blind[150:156], *epochs[156:]])
    assert all(e.stage not in (None, Stage.AWAKE) for e in found[150:156])


def test_out_of_bed_is_said_and_counts_as_awake_for_its_neighbours() -> None:
    epochs = night(np.random.default_rng(3))
    up = [
        Epoch(k, k * EPOCH_S, None, False, None, (None,) * 6, None, 0, 0.0, None, None, (None, None))
        for k in range(150, 160)
    ]
    found = revise([*epochs[:150], *up, *epochs[160:]])
    assert [e.reason for e in found[150:160]] == [NOBODY] * 10
    before = revise(epochs)[160].probabilities
    after = found[160].probabilities
    assert before is not None
    assert after is not None
    assert after[0] > before[0]


def test_a_night_dated_by_two_clocks_is_staged_by_its_numbers() -> None:
    """Before a kill the clock was two days ahead, or behind; the daemon that came back knew better."""
    epochs = night(np.random.default_rng(5))
    for jump_s in (-2 * 86400.0, -45.0):
        dated = [replace(e, start_s=e.start_s + (jump_s if e.index >= 120 else 0.0)) for e in epochs]
        assert [e.stage for e in revise(dated)] == [e.stage for e in revise(epochs)]


def test_epochs_left_out_do_not_shift_the_night() -> None:
    epochs = night(np.random.default_rng(4))
    found = revise([*epochs[:100], *epochs[120:]])
    assert [e.index for e in found] == [*range(100), *range(120, 240)]
    assert summarize(found).onset_s == pytest.approx(60 * EPOCH_S, abs=8 * 60)
