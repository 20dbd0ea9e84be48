"""Many nights of the journal as rows, and how regular they are."""

import csv
import io
import json
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli_words import Output, configured, error_of

from somnisphere.cli import main
from somnisphere.cli_nights import night_lines
from somnisphere.journal import Journal
from somnisphere.night import EPOCH_S, STAGES, NightTimes, StageEstimate, unknown_epoch
from somnisphere.sleep.regularity import DAY_S, FEWEST, regularity

DATES = [f"2026-03-{day:02d}" for day in range(10, 17)]


def keep(journal: Journal, date: str, asleep_after_epochs: int) -> None:
    """Three hours: awake, then light sleep; into bed at 22:30 local time."""
    begins_s = time.mktime(datetime.fromisoformat(f"{date}T22:30").timetuple())
    journal.open_night(date, begins_s)
    for k in range(360):
        asleep = k >= asleep_after_epochs
        shares = (0.05, 0.8, 0.05, 0.1) if asleep else (0.9, 0.05, 0.0, 0.05)
        epoch = unknown_epoch(k, begins_s)
        estimate = StageEstimate(k, epoch.start_s, STAGES[int(np.argmax(shares))], shares)
        journal.add_epoch(date, epoch.start_s, epoch, estimate)
    fell_s, woke_s = begins_s + asleep_after_epochs * EPOCH_S, begins_s + 360 * EPOCH_S
    journal.close_night(date, woke_s, NightTimes(date, begins_s, fell_s, woke_s, woke_s + 600.0))


@pytest.fixture
def week(tmp_path: Path) -> Path:
    """A configuration whose journal holds seven nights; who sleeps 10, 14, 18, ... minutes after going to bed."""
    journal = Journal(tmp_path / "journal.db")
    for i, date in enumerate(DATES):
        keep(journal, date, 20 + 8 * i)
    journal.close()
    assert not journal.problem
    return configured(tmp_path, f'[journal]\npath = "{tmp_path}/journal.db"\n')


def rows_of(config: Path, capsys: Output, *arguments: str) -> list[dict[str, Any]]:
    assert main(["--config", str(config), "nights", "--json", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_night_as_json_has_times_minutes_and_ranges(week: Path, capsys: Output) -> None:
    assert main(["--config", str(week), "night", DATES[0], "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["night"] == DATES[0]
    assert row["in_bed"].startswith(f"{DATES[0]}T22:30:00")
    assert row["fell_asleep"]["about"].startswith(f"{DATES[0]}T22:40:00")
    for part in (row["fell_asleep"], row["onset_latency_min"], row["total_sleep_min"], row["stage_min"]["deep"]):
        assert part["low"] <= part["about"] <= part["high"]
    assert row["onset_latency_min"]["about"] == 10.0
    assert row["total_sleep_min"]["about"] == 170.0
    assert row["total_sleep_min"]["high"] <= row["recorded_min"] == 180.0
    assert row["not_told_min"] == 0.0
    assert "not a medical device" in row["note"]
    assert "four nights of five" in row["ranges"]


def test_a_night_is_told_with_its_range(week: Path, capsys: Output) -> None:
    assert main(["--config", str(week), "night", DATES[0]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("  fell asleep about  22:40  (from 22:3")


def test_a_night_in_a_runs_own_time_is_told_by_the_clock() -> None:
    """The rehearsal tells its night from epochs that count from the run's start."""
    begins_s = time.mktime(datetime.fromisoformat("2026-03-10T22:30").timetuple())
    shares = [(0.9, 0.1, 0.0, 0.0)] * 20 + [(0.05, 0.8, 0.05, 0.1)] * 340
    run = [StageEstimate(k, k * EPOCH_S, STAGES[int(np.argmax(p))], p) for k, p in enumerate(shares)]
    times = NightTimes("2026-03-10", begins_s, begins_s + 600.0, begins_s + 10800.0, None)
    lines = list(night_lines(times, [unknown_epoch(0, 0.0)] * 360, run))
    by_clock = [replace(estimate, start_s=begins_s + estimate.start_s) for estimate in run]
    assert lines == list(night_lines(times, [unknown_epoch(0, begins_s)] * 360, by_clock))
    assert lines[2].startswith("  fell asleep about  22:40  (from 22:3")


def test_regularity_begins_with_the_fifth_night(week: Path, capsys: Output) -> None:
    rows = rows_of(week, capsys)
    assert [row["night"] for row in rows] == DATES
    found = [row["regularity"]["fell_asleep"] for row in rows]
    assert [part["nights"] for part in found] == [0, 0, 0, 0, 5, 6, 7]
    assert found[3]["spread_min"] == {"about": None, "low": None, "high": None}
    assert found[4]["usual"] == "22:48"
    assert found[4]["spread_min"]["about"] == pytest.approx(np.std([0, 4, 8, 12, 16], ddof=1), abs=0.05)
    assert found[4]["spread_min"]["low"] < found[4]["spread_min"]["about"] < found[4]["spread_min"]["high"]
    assert rows[6]["regularity"]["woke_up"]["spread_min"]["about"] == 0.0


def test_nights_as_csv_have_one_header(week: Path, capsys: Output) -> None:
    assert main(["--config", str(week), "nights", "--csv", "--since", DATES[1]]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["night"] for row in rows] == DATES[1:]
    assert rows[0]["total_sleep_min_about"] == "166.0"
    assert rows[0]["stage_min_deep_low"] == "0.0"
    assert rows[0]["regularity_fell_asleep_spread_min_about"] == ""
    assert rows[-1]["regularity_fell_asleep_usual"] == "22:54"


def test_nights_in_words(week: Path, capsys: Output) -> None:
    assert main(["--config", str(week), "nights", "--until", DATES[5]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{DATES[0]}   in bed 22:30, asleep about 22:40, awake about 01:30"
    assert len(lines) == 6 + 3
    assert lines[6] == "Fell asleep around 22:50, give or take 7 minutes, over the latest 6 nights."
    assert "not a medical device" in lines[-1]


def test_a_night_that_nothing_is_known_of(tmp_path: Path, capsys: Output) -> None:
    """First in the CSV, where its cells make the header."""
    journal = Journal(tmp_path / "journal.db")
    journal.open_night("2026-03-01", 1772400000.0)
    for k in range(4):
        epoch = unknown_epoch(k, 1772400000.0)
        journal.add_epoch("2026-03-01", epoch.start_s, epoch, StageEstimate(k, epoch.start_s, None, None, "no pulse"))
    journal.open_night("2026-03-02", 1772490000.0)
    journal.close()
    keep(journal := Journal(tmp_path / "journal.db"), DATES[0], 20)
    journal.close()
    config = configured(tmp_path, f'[journal]\npath = "{tmp_path}/journal.db"\n')
    first, empty, known = rows_of(config, capsys)
    assert (first["fell_asleep"], first["in_bed"], first["not_told_min"]) == (None, None, 2.0)
    assert first["total_sleep_min"] == {"about": 0.0, "low": 0.0, "high": 2.0}
    assert (empty["recorded_min"], empty["fell_asleep"]) == (0.0, None)
    assert known["fell_asleep"] is not None
    assert main(["--config", str(config), "nights", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[0]["fell_asleep_about"] == ""
    assert rows[2]["fell_asleep_about"].startswith(DATES[0])


def test_no_night_in_that_time(week: Path, capsys: Output) -> None:
    assert main(["--config", str(week), "nights", "--since", "2027-01-01"]) == 2
    assert "no night is kept there in that time" in error_of(capsys)
    with pytest.raises(SystemExit):
        main(["--config", str(week), "nights", "--since", "last week"])
    assert "'last week' is not a date" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["night"], ["nights"], ["nights", "--json"], ["export", "--csv", "FOLDER"]])
@pytest.mark.parametrize("broken", ["night RENAME COLUMN times", "epoch RENAME COLUMN body"])
def test_a_journal_that_cannot_be_read_is_said(week: Path, capsys: Output, command: list[str], broken: str) -> None:
    """The names of the nights can be read, what is known of them cannot."""
    with closing(sqlite3.connect(week.parent / "journal.db")) as db:
        db.execute(f"ALTER TABLE {broken} TO broken")
    arguments = [str(week.parent / "export") if word == "FOLDER" else word for word in command]
    assert main(["--config", str(week), *arguments]) == (2 if command == ["night"] else 1)
    error = capsys.readouterr().err
    assert "journal.db: the night of 2026-03-1" in error
    assert "cannot be read any more" in error
    assert "somnisphere doctor" in error
    assert (week.parent / "journal.db").exists()
    assert not list(week.parent.glob("*.broken*")), "it is the daemon's to put aside"


# ---- clock times on a circle -----------------------------------------------------------------------------------------


def test_midnight_does_no_harm() -> None:
    minutes = np.array([-20.0, -10.0, 0.0, 10.0, 20.0])
    found = [regularity(((minutes + at) * 60.0 % DAY_S).tolist()) for at in (0.0, 720.0)]
    for part, usual_s in zip(found, (0.0, DAY_S / 2), strict=True):
        assert part is not None
        assert (part.usual_s - usual_s + 1.0) % DAY_S == pytest.approx(1.0, abs=0.01)
        assert part.spread_min == pytest.approx(np.std(minutes, ddof=1))


def test_too_few_nights_say_nothing_and_old_ones_are_forgotten() -> None:
    assert regularity([80000.0] * (FEWEST - 1)) is None
    found = regularity([0.0] * 20 + [80000.0] * 28)
    assert found is not None
    assert found.nights == 28
    assert found.spread_min == pytest.approx(0.0, abs=1e-6)
