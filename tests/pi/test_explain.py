"""Why an epoch got its stage: the same answer as the stager's, and a signal that is not there has no share."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.box import box
from tests.cli_words import Output, configured, error_of, rows_of

from somnisphere.cli import main
from somnisphere.cli_explain import in_ten
from somnisphere.cli_nights import kept_night
from somnisphere.night import EPOCH_S, Epoch, unknown_epoch
from somnisphere.sleep import explain
from somnisphere.sleep.explain import Explanation, Signal, explain_live, explain_overnight, facts_at
from somnisphere.sleep.features import live_features, overnight_features
from somnisphere.sleep.grid import night_grid
from somnisphere.sleep.model import load_model
from somnisphere.sleep.overnight import revise
from somnisphere.sleep.stager import BLIND, NOBODY, SleepStager

EPOCHS = 240


def night(count: int = EPOCHS) -> list[Epoch]:
    """Two hours: half an hour of tossing at 66 a minute, then still at 54, with a turn-over each 40 minutes."""
    noise = np.random.default_rng(3)
    epochs = []
    for k in range(count):
        asleep = k >= 60
        hearts = (54.0 if asleep else 66.0) + noise.normal(0, 1.0, 6)
        moved = float(k % 80 == 79) * 120.0 if asleep else float(noise.random() < 0.5) * 80.0
        epochs.append(
            replace(unknown_epoch(k, 0.0), heart_series_bpm=tuple(hearts.tolist()), motion_counts=(0.0, moved))
        )
    return epochs


def base(epochs: list[Epoch], place: int, *, ahead: bool) -> np.ndarray:
    """What the explanation's own run says when nothing is taken away."""
    grid, rows = night_grid(epochs if ahead else epochs[: place + 1])
    row = int(rows[place])
    if not ahead:
        first = explain._night_begins(grid)
        grid, row = grid.cut(first, row + 1), row - first
    model = load_model("overnight" if ahead else "live")
    return explain._answer(model, grid, explain._blind(grid, ahead=ahead), row, None, ahead=ahead)[1]


def with_troubles() -> list[Epoch]:
    """Left out, not seen, up for a while and up for so long that it becomes another night."""
    epochs = night(400)
    for k in [*range(100, 104), *range(230, 300)]:
        epochs[k] = replace(epochs[k], in_bed=False)
    for k in range(150, 172):
        epochs[k] = unknown_epoch(k, 0.0)
    return [epoch for epoch in epochs if not 200 <= epoch.index < 206]


@pytest.mark.parametrize("place", [3, 99, 104, 158, 175, 215, 370])
def test_it_explains_the_very_answers_of_the_stager(place: int) -> None:
    epochs = with_troubles()
    stager = SleepStager()
    live = [stager.step(epoch) for epoch in epochs][place]
    morning = revise(epochs)[place]
    for estimate, ahead in ((live, False), (morning, True)):
        assert (explain_overnight if ahead else explain_live)(epochs, place).estimate.stage is estimate.stage
        if estimate.probabilities is not None:
            np.testing.assert_allclose(base(epochs, place, ahead=ahead), estimate.probabilities, atol=1e-4)


def test_what_is_not_known_has_no_share_and_every_share_is_a_probability() -> None:
    blind = [replace(epoch, motion_counts=(None, None)) for epoch in night()]
    silent = [replace(epoch, heart_series_bpm=(None,) * 6) for epoch in night()]
    for epochs, signals in (
        (night(), set(Signal)),
        (blind, set(Signal) - {Signal.MOVEMENT}),
        (silent, {Signal.MOVEMENT, Signal.TIME}),
    ):
        for answer in (explain_overnight(epochs, 120), explain_live(epochs, 120)):
            assert {share.signal for share in answer.shares} == signals
            assert all(sum(share.without) == pytest.approx(1.0) for share in answer.shares)


def without(answer: Explanation, signal: Signal) -> tuple[float, ...]:
    return next(share.without for share in answer.shares if share.signal is signal)


def test_movement_taken_away_is_movement_that_never_was_known() -> None:
    """Near the start everything lies within the half hour, so both must be the same."""
    epochs = night()[:50]
    blind = [replace(epoch, motion_counts=(None, None)) for epoch in epochs]
    for asked in (explain_overnight, explain_live):
        told = asked(epochs, 45).estimate.probabilities
        assert told is not None
        taken = without(asked(epochs, 45), Signal.MOVEMENT)
        assert taken == pytest.approx(asked(blind, 45).estimate.probabilities, abs=1e-4)
        assert abs(taken[0] - told[0]) > 0.05, "tossing is what told that somebody is awake"


def test_a_heart_that_is_flat_has_no_variability_to_take_away() -> None:
    flat = [replace(epoch, heart_series_bpm=(60.0,) * 6) for epoch in night()]
    for asked in (explain_overnight, explain_live):
        answer = asked(flat, 120)
        for signal in (Signal.HEART_LEVEL, Signal.HEART_VARIABILITY):
            assert without(answer, signal) == pytest.approx(answer.estimate.probabilities, abs=1e-6)


@pytest.mark.parametrize("ahead", [True, False])
def test_time_in_bed_is_found_among_the_features_and_is_not_heart_or_movement(ahead: bool) -> None:
    describe = overnight_features if ahead else live_features
    grid, _ = night_grid(night())
    features = describe(grid.hearts, grid.counts)
    columns = explain._time_columns(grid.hearts, grid.counts, ahead=ahead)
    assert 1 <= len(columns) <= 6
    hearts_10_faster = describe(grid.hearts + 10.0, grid.counts)
    np.testing.assert_allclose(hearts_10_faster[:, columns], features[:, columns])
    assert (np.diff(features[:, columns[0]]) >= 0).all(), "time goes on"


def test_facts() -> None:
    facts = facts_at(night(), 150)
    assert facts.heart_bpm == pytest.approx(54.0, abs=0.6)
    assert facts.heart_spread_bpm == pytest.approx(1.0, abs=0.4)
    assert facts.still_min is None or facts.still_min > 0
    assert facts.in_bed_min == 75.5
    turned = facts_at(night(), 159)
    assert (turned.counts, turned.still_min) == (120.0, 0.0)
    assert facts_at(night(), 161).still_min == 1.0
    nothing = facts_at([unknown_epoch(k, 0.0) for k in range(5)], 4)
    assert (nothing.heart_bpm, nothing.spread_rank, nothing.counts, nothing.still_min) == (None,) * 4


def test_nothing_known_says_why() -> None:
    epochs = with_troubles()
    for place, reason in ((101, NOBODY), (168, BLIND)):
        for asked in (explain_overnight, explain_live):
            answer = asked(epochs, place)
            assert (answer.estimate.reason, answer.alone, answer.shares) == (reason, None, ())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "night.npz"
    epochs = night()
    np.savez(
        path,
        hr_time_s=np.arange(0.0, EPOCHS * EPOCH_S, 5.0) + 4.0,
        hr_bpm=np.array([epoch.heart_series_bpm for epoch in epochs]).ravel(),
        motion_time_s=np.arange(0.0, EPOCHS * EPOCH_S, 15.0),
        motion_count=np.array([epoch.motion_counts for epoch in epochs]).ravel(),
    )
    return path


def test_words_of_a_file(file: Path, capsys: Output) -> None:
    assert main(["explain", str(file), "01:20"]) == 0
    said = capsys.readouterr().out
    for words in (
        "from 01:20 after",
        "heart rate   54",
        "movement     just before",
        "for 80 minutes",
        "In the morning",
        "Live",
        "in 10",
    ):
        assert words in said
    assert "%" not in said
    assert "score" not in said
    assert main(["explain", str(file), "01:20", "--json"]) == 0
    (row,) = rows_of(capsys.readouterr().out)
    assert row["epoch"] == 160
    assert set(row["live"]["without"]) == {"heart_level", "heart_variability", "movement", "time"}
    assert main(["explain", str(file), "+01:20", "--json"]) == 0
    assert rows_of(capsys.readouterr().out) == [row]


@pytest.mark.parametrize("at", ["25:00", "02:70", "half past two", "03:00"])
def test_a_time_that_is_none_or_outside(file: Path, at: str, capsys: Output) -> None:
    assert main(["explain", str(file), at]) == 2
    assert at in (said := error_of(capsys)) or "02:00 from its start" in said


def test_chances_in_words() -> None:
    assert [in_ten(p) for p in (0.01, 0.32, 0.68, 0.99)] == [
        "less than 1 in 10",
        "3 in 10",
        "7 in 10",
        "more than 9 in 10",
    ]


def test_a_night_of_the_journal_is_asked_by_the_clock(tmp_path: Path, capsys: Output) -> None:
    with box(tmp_path / "journal.db") as it:
        it.command("begin")
        it.live(1800.0, step_s=10.0)
    kept = configured(tmp_path, f'[journal]\npath = "{tmp_path}/journal.db"\n')
    first_s = kept_night(kept, "2026-03-14", open_now=False).epochs[0].start_s
    asked_s = first_s + 20 * 60.0
    clock = time.strftime("%H:%M:%S", time.localtime(asked_s))
    for at in (clock, "+00:20"):
        assert main(["--config", str(kept), "explain", "2026-03-14", at, "--json"]) == 0
        (row,) = rows_of(capsys.readouterr().out)
        assert row["start_s"] == pytest.approx(asked_s)
    assert main(["--config", str(kept), "explain", "2026-03-14", clock]) == 0
    assert f"The half minute from {clock}" in capsys.readouterr().out
    later = time.strftime("%H:%M", time.localtime(first_s + 7200.0))
    assert main(["--config", str(kept), "explain", "2026-03-14", later]) == 2
    assert "choose a time within" in error_of(capsys)
