"""The journal's tail: a minute's epochs beside the journal, merged when it is opened, and read along meanwhile."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pi.test_journal import EVENING_S, add_epochs

from somnisphere.journal import COMMIT_EVERY_S, COMMIT_WHOLE_EVERY_S, TAIL_ROWS, Journal
from somnisphere.journal_reader import JournalReader
from somnisphere.journal_tail import JournalTail, beside

NIGHT = "2025-11-24"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def asleep(path: Path, minutes: int) -> Journal:
    """A night of so many minutes in which nothing comes but epochs, as it is before the next commit."""
    journal = Journal(path)
    journal.open_night(NIGHT, EVENING_S)
    for minute in range(minutes):
        add_epochs(journal, 2, 2 * minute)
        assert journal.flush(minute * COMMIT_EVERY_S)
    return journal


def in_database(path: Path) -> int:
    other = sqlite3.connect(path)
    try:
        return int(other.execute("SELECT count(*) FROM epoch").fetchone()[0])
    finally:
        other.close()


def numbers(journal: Journal) -> list[int]:
    return [epoch.index for epoch in journal.load(NIGHT).epochs]


def test_asleep_the_database_is_written_every_hour(path: Path) -> None:
    journal = asleep(path, 20)
    assert in_database(path) == 2, "the first minute, with the night itself"
    add_epochs(journal, 2, 40)
    journal.flush(COMMIT_WHOLE_EVERY_S)
    assert in_database(path) == 42
    assert beside(path).stat().st_size == 0
    journal.close()


def test_a_kill_loses_nothing_and_keeps_nothing_twice(path: Path) -> None:
    journal = asleep(path, 20)
    again = Journal(path)  # as after a kill: the other never says another word
    assert numbers(again) == list(range(40))
    again.close()
    third = Journal(path)
    assert numbers(third) == list(range(40))
    third.close()
    with closing(Journal(path)) as fourth:
        assert journal.load(NIGHT).epochs == fourth.load(NIGHT).epochs
    journal.close()


def test_a_reader_beside_the_daemon_sees_the_last_minute(path: Path) -> None:
    journal = asleep(path, 20)
    reader = JournalReader(path)
    assert numbers(reader) == list(range(40))
    assert in_database(path) == 2, "and changes nothing"
    reader.close()
    journal.close()


def test_anything_else_is_committed_in_its_minute(path: Path) -> None:
    journal = asleep(path, 5)
    journal.add_moment(NIGHT, EVENING_S, "stirred")
    add_epochs(journal, 2, 10)
    assert journal.flush(5 * COMMIT_EVERY_S)
    assert in_database(path) == 12
    add_epochs(journal, TAIL_ROWS + 1, 12)
    assert journal.flush(6 * COMMIT_EVERY_S)
    assert in_database(path) == 13 + TAIL_ROWS
    journal.close()


def test_a_tail_that_cannot_be_written_makes_a_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = asleep(path, 5)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    add_epochs(journal, 2, 10)
    assert journal.flush(5 * COMMIT_EVERY_S)
    assert in_database(path) == 12
    journal.close()


def test_a_night_that_was_deleted_does_not_come_back(path: Path) -> None:
    journal = asleep(path, 5)
    other = sqlite3.connect(path)
    with other:
        other.execute("DELETE FROM epoch")
        other.execute("DELETE FROM night")
    other.close()
    with closing(Journal(path)) as again:
        assert again.nights() == []
    assert in_database(path) == 0
    assert journal.nights() == []
    journal.close()


ROWS = [(NIGHT, number, EVENING_S + 30.0 * number, "{}", "[]") for number in range(6)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_a_torn_tail_gives_what_was_whole(tmp_path: Path, at: int, byte: int, cut: bool) -> None:
    tail = JournalTail(tmp_path / "torn.db")
    tail.clear()
    for row in ROWS:
        tail.append([row])
    content = bytearray(tail.path.read_bytes())
    at %= len(content)
    if cut:
        del content[at:]
    else:
        content[at] = byte
    tail.path.write_bytes(content)
    found = tail.rows()
    assert found == ROWS[: len(found)]
    record = len(content) if not cut else 0
    assert len(found) >= (at * len(ROWS) // record if record else 0) - 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_file_is_read_without_an_exception(tmp_path: Path, content: bytes) -> None:
    tail = JournalTail(tmp_path / "any.db")
    tail.path.write_bytes(content)
    assert tail.rows() == []
