"""The journal: what is kept, how often the disk is touched, and what trouble does to it."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from somnisphere.journal import COMMIT_EVERY_S, Journal
from somnisphere.journal_reader import JournalReader
from somnisphere.journal_schema import MIGRATIONS
from somnisphere.night import Epoch, NightTimes, Presence, Stage, StageEstimate
from somnisphere.night_in_progress import CONTINUE_WITHIN_S

EVENING_S = 1_764_000_000.0


def epoch(index: int, start_s: float) -> Epoch:
    return Epoch(
        index=index,
        start_s=start_s,
        presence=Presence.PULSE,
        in_bed=True,
        heart_bpm=61.25,
        heart_series_bpm=(61.0, None, 62.5, 61.0, 60.0, None),
        rmssd_ms=None,
        beat_count=30,
        pulse_quality=0.93,
        breath_bpm=14.2,
        spo2_pct=None,
        motion_counts=(0.0, 12.5),
        rhythm=None if index % 2 else (61.3, -3.1, None, -8.2, -7.4, 0.22, 0.6, None, None),
    )


def estimate(index: int, start_s: float, stage: Stage | None = Stage.LIGHT) -> StageEstimate:
    if stage is None:
        return StageEstimate(index, start_s, None, None, "no pulse")
    return StageEstimate(index, start_s, stage, (0.1, 0.6, 0.2, 0.1))


def add_epochs(journal: Journal, count: int, first: int = 0, night_id: str = "2025-11-24") -> None:
    for index in range(first, first + count):
        at_s = 1000.0 + index * 30.0
        journal.add_epoch(night_id, EVENING_S + index * 30.0, epoch(index, at_s), estimate(index, at_s))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal(path)
    assert opened.problem == ""
    yield opened
    opened.close()


def test_a_night_comes_back_as_it_was(journal: Journal) -> None:
    times = NightTimes("2025-11-24", EVENING_S, EVENING_S + 600, EVENING_S + 27000, None)
    journal.open_night("2025-11-24", EVENING_S)
    add_epochs(journal, 3)
    journal.add_moment("2025-11-24", EVENING_S + 600, "fell_asleep", 0.9)
    journal.revise("2025-11-24", [estimate(1, 1030.0, None), estimate(2, 1060.0, Stage.DEEP)])
    journal.close_night("2025-11-24", EVENING_S + 28000, times)
    night = journal.load("2025-11-24", EVENING_S - 1000.0)
    assert night.epochs == tuple(epoch(index, 1000.0 + index * 30.0) for index in range(3))
    assert night.live == tuple(estimate(index, 1000.0 + index * 30.0) for index in range(3))
    assert [one.stage for one in night.estimates] == [Stage.LIGHT, None, Stage.DEEP]
    assert night.estimates[1].reason == "no pulse"
    assert night.times == times
    assert (night.began_wall_s, night.ended_wall_s) == (EVENING_S, EVENING_S + 28000)
    assert [(m.type, m.confidence) for m in night.moments] == [("fell_asleep", 0.9)]
    assert journal.load("2025-11-24").epochs[1].start_s == EVENING_S + 30.0
    assert journal.nights() == ["2025-11-24"]
    with pytest.raises(KeyError):
        journal.load("1999-01-01")


def test_a_night_that_an_older_version_kept_opens(journal: Journal) -> None:
    """It knew no rhythm."""
    journal.open_night("2025-11-24", EVENING_S)
    add_epochs(journal, 2)
    journal.commit()
    with sqlite3.connect(journal.path) as older:
        older.execute("UPDATE epoch SET body = json_remove(body, '$.rhythm')")
    older.close()
    found = journal.load("2025-11-24", EVENING_S - 1000.0).epochs
    assert found == tuple(replace(epoch(index, 1000.0 + index * 30.0), rhythm=None) for index in range(2))


def test_the_disk_is_written_at_most_once_a_minute(journal: Journal, path: Path) -> None:
    journal.open_night("2025-11-24", EVENING_S)
    written = 0
    for second in range(600):
        if second % 30 == 0:
            add_epochs(journal, 1, second // 30)
        journal.save_ritual({"at": second}, 1000.0 + second, EVENING_S + second)
        journal.save_bookmark("attic.mp3", float(second))
        written += journal.flush(1000.0 + second)
    assert written == 600 / COMMIT_EVERY_S
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT position_s FROM bookmark").fetchone() == (540.0,)
    other.close()
    with closing(JournalReader(path)) as beside:
        assert len(beside.load("2025-11-24").epochs) == 19, "at most a minute of night waits in memory"


def test_it_waits_in_wal_mode_without_a_sync_for_each_commit(path: Path, journal: Journal) -> None:
    journal.open_night("2025-11-24", EVENING_S)
    journal.flush(0.0)
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert other.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    other.close()


def test_the_night_in_progress_is_taken_up_in_the_new_runs_time(path: Path) -> None:
    first = Journal(path)
    first.open_night("2025-11-24", EVENING_S)
    add_epochs(first, 10)
    first.save_ritual({"phase": "asleep"}, at_s=1300.0, wall_s=EVENING_S + 300.0)
    first.save_bookmark("attic.mp3", 321.5)
    first.close()
    second = Journal(path)
    now_s, wall_s = 50.0, EVENING_S + 400.0
    night = second.night_in_progress(now_s, wall_s)
    assert night is not None
    assert [one.index for one in night.epochs] == list(range(10))
    assert night.epochs[0].start_s == now_s - 400.0
    saved = second.saved_ritual(now_s, wall_s)
    assert saved is not None
    assert saved.state == {"phase": "asleep"}
    assert 1300.0 + saved.shift_s == now_s - 100.0
    assert second.bookmarks() == {"attic.mp3": 321.5}
    add_epochs(second, 2, first=10)
    assert len(second.load("2025-11-24").epochs) == 12
    second.close()


def test_a_closed_or_an_old_night_is_not_taken_up(journal: Journal) -> None:
    assert journal.night_in_progress(0.0, EVENING_S) is None
    journal.open_night("2025-11-24", EVENING_S)
    add_epochs(journal, 2)
    assert journal.night_in_progress(0.0, EVENING_S + CONTINUE_WITHIN_S) is not None
    assert journal.night_in_progress(0.0, EVENING_S + CONTINUE_WITHIN_S + 120.0) is None
    journal.close_night("2025-11-24", EVENING_S + 60.0)
    assert journal.night_in_progress(0.0, EVENING_S + 120.0) is None


def test_the_last_closed_night_tells_its_times(journal: Journal) -> None:
    assert journal.last_times() is None
    for day, closed in (("2025-11-23", True), ("2025-11-24", True), ("2025-11-25", False)):
        journal.open_night(day, EVENING_S + float(day[-2:]) * 86400)
        if closed:
            journal.close_night(day, EVENING_S + 1e6, NightTimes(day, in_bed_s=float(day[-2:])))
    assert journal.last_times() == NightTimes("2025-11-24", in_bed_s=24.0)


@pytest.mark.parametrize("garbage", [b"this is no database, " * 300, b"\0" * 8192])
def test_a_broken_file_is_put_aside_and_a_new_one_begun(path: Path, garbage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(garbage)
    journal = Journal(path)
    assert journal.problem == ""
    journal.open_night("2025-11-24", EVENING_S)
    assert journal.commit()
    if journal.mended:
        assert path.with_name("journal.db.broken-1").read_bytes() == garbage
    else:
        assert garbage[0] == 0, "SQLite takes a file of zeros for an empty one"
    assert journal.nights() == ["2025-11-24"]
    journal.close()


def test_a_file_that_breaks_in_the_night_loses_only_what_was_in_it(path: Path) -> None:
    journal = Journal(path)
    journal.open_night("2025-11-24", EVENING_S)
    add_epochs(journal, 200)
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    journal = Journal(path)
    journal.open_night("2025-11-24", EVENING_S)
    add_epochs(journal, 2, first=200)
    journal.flush(0.0)
    journal.flush(100.0)
    assert "is kept as journal.db.broken-1" in journal.mended
    assert path.with_name("journal.db.broken-1").exists()
    assert len(journal.load("2025-11-24").epochs) == 2
    assert journal.problem == ""
    journal.close()


def test_a_journal_of_a_newer_program_is_left_alone(path: Path) -> None:
    Journal(path).close()
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    other.close()
    before = path.read_bytes()
    journal = Journal(path)
    assert "newer Somnisphere" in journal.problem
    add_epochs(journal, 1)
    assert not journal.flush(0.0)
    journal.close()
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_a_state_and_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file where the folder should be")
    journal = Journal(tmp_path / "deep" / "journal.db")
    assert "cannot be written" in journal.problem
    journal.open_night("2025-11-24", EVENING_S)
    add_epochs(journal, 5)
    assert not journal.flush(0.0)
    assert journal.nights() == []
    (tmp_path / "deep").unlink()
    assert not journal.flush(59.0), "not before a minute"
    assert journal.flush(60.0)
    assert journal.problem == ""
    assert len(journal.load("2025-11-24").epochs) == 5
    journal.close()


def test_a_full_disk_loses_nothing_of_the_night(journal: Journal) -> None:
    journal.open_night("2025-11-24", EVENING_S)
    add_epochs(journal, 10)
    assert journal.flush(0.0)
    assert journal._db is not None
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLITE_FULL from now on, as a full disk gives
    add_epochs(journal, 400, first=10)
    assert not journal.commit()
    assert "full" in journal.problem
    assert journal.flush(120.0), "the next try opens the file anew"
    assert journal.problem == ""
    assert len(journal.load("2025-11-24").epochs) == 410


def test_a_database_held_by_another_program_is_waited_for(path: Path, journal: Journal) -> None:
    assert journal._db is not None
    journal._db.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    journal.open_night("2025-11-24", EVENING_S)
    assert not journal.flush(0.0)
    assert "locked" in journal.problem
    other.execute("ROLLBACK")
    other.close()
    assert journal.flush(60.0)
    assert journal.nights() == ["2025-11-24"]


def test_a_kill_loses_nothing_that_was_flushed(path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from somnisphere.journal import Journal
journal = Journal(Path({str(path)!r}))
journal.open_night("2025-11-24", {EVENING_S})
for minute in range(30):
    journal.save_bookmark("attic.mp3", minute * 60.0)
    journal.flush(minute * 60.0)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, check=False, timeout=60)
    assert killed.returncode == -9
    journal = Journal(path)
    assert journal.bookmarks() == {"attic.mp3": 29 * 60.0}
    assert journal.nights() == ["2025-11-24"]
    journal.close()
