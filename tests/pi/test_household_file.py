"""The file of the household's words: private, brought up to date part by part, and whole or not at all."""

import sqlite3
import threading
from pathlib import Path

import pytest

from somnisphere.household_file import connect, household_beside

FIRST = "CREATE TABLE word (said TEXT); INSERT INTO word VALUES ('one; two');"
SECOND = "ALTER TABLE word ADD COLUMN at_s REAL;"


def test_it_lies_beside_the_journal() -> None:
    assert household_beside(Path("/var/lib/somnisphere/journal.db")) == Path("/var/lib/somnisphere/household.db")


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    connect(path, "diary", (FIRST,)).close()
    assert path.stat().st_mode & 0o077 == 0


def test_each_part_is_brought_up_to_date_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    connect(path, "diary", (FIRST,)).close()
    connect(path, "dreams", ("CREATE TABLE dream (text TEXT);",)).close()
    db = connect(path, "diary", (FIRST, SECOND))
    assert db.execute("SELECT said, at_s FROM word").fetchall() == [("one; two", None)]
    assert db.execute("SELECT name, version FROM part").fetchall() == [("diary", 2), ("dreams", 1)]
    db.close()


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        connect(path, "diary", ("CREATE TABLE word (said TEXT); INSERT INTO nowhere VALUES (1);",))
    db = connect(path, "diary", (FIRST,))
    assert db.execute("SELECT count(*) FROM word").fetchone() == (1,)
    db.close()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    connect(path, "diary", (FIRST, SECOND)).close()
    with pytest.raises(sqlite3.OperationalError, match="diary was written by a newer Somnisphere"):
        connect(path, "diary", (FIRST,))


def test_two_that_open_it_at_once_make_it_once(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    problems: list[Exception] = []

    def open_it() -> None:
        try:
            connect(path, "diary", (FIRST,)).close()
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    db = connect(path, "diary", (FIRST,))
    assert db.execute("SELECT count(*) FROM word").fetchone() == (1,)
    db.close()
