"""The journal's tail: a minute's epochs beside the journal, merged when it is opened, and read along meanwhile."""

import errno
import os
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pi.test_journal import EVENING_S, add_epochs, estimate

from somnisphere.journal import COMMIT_EVERY_S, TAIL_ROWS, Journal
from somnisphere.journal_reader import JournalReader
from somnisphere.journal_tail import LARGEST_BYTES, JournalTail, beside
from somnisphere.night import Stage
from somnisphere.night_in_progress import CONTINUE_WITHIN_S
from somnisphere.sqlite_file import CarefulConnection

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


@pytest.fixture
def killed(path: Path) -> Iterator[Path]:
    """A night of four epochs, two of them in the tail; the daemon that wrote it says nothing more."""
    with closing(asleep(path, 2)):
        yield path


def in_database(path: Path) -> int:
    other = sqlite3.connect(path)
    try:
        return int(other.execute("SELECT count(*) FROM epoch").fetchone()[0])
    finally:
        other.close()


def numbers(journal: Journal) -> list[int]:
    return [epoch.index for epoch in journal.load(NIGHT).epochs]


def test_asleep_the_database_is_left_alone_until_the_morning(path: Path) -> None:
    journal = asleep(path, 200)
    assert in_database(path) == 2, "the first minute, with the night itself"
    estimates = [estimate(number, EVENING_S + 30.0 * number, Stage.DEEP) for number in range(400)]
    journal.revise(NIGHT, estimates)
    journal.close_night(NIGHT, EVENING_S + 12000.0)
    assert journal.flush(200 * COMMIT_EVERY_S)
    assert in_database(path) == 400
    assert beside(path).stat().st_size == 0
    alone = path.with_name("alone.db")  # without its log: the night's pages have been moved
    shutil.copyfile(path, alone)
    assert in_database(alone) == 400
    with closing(Journal(alone)) as moved:
        assert moved.load(NIGHT).estimates == tuple(estimates)
        assert moved.load(NIGHT).ended_wall_s == EVENING_S + 12000.0
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


def test_anything_else_is_committed_in_its_minute_without_the_epochs(path: Path) -> None:
    journal = asleep(path, 5)
    add_epochs(journal, 2, 10)
    journal.add_moment(NIGHT, EVENING_S, "stirred")
    journal.save_bookmark("a story", 12.0)
    assert journal.flush(5 * COMMIT_EVERY_S)
    assert in_database(path) == 2
    with closing(JournalReader(path)) as reader:
        assert numbers(reader) == list(range(12))
        assert [moment.type for moment in reader.load(NIGHT).moments] == ["stirred"]
        assert reader.bookmarks() == {"a story": 12.0}
    journal.close()


def test_pages_that_cannot_be_moved_are_kept_once_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = asleep(path, 5)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(CarefulConnection, "executescript", full)
    journal.add_moment(NIGHT, EVENING_S, "woke")
    journal.close_night(NIGHT, EVENING_S + 300.0)
    for minute in range(5, 8):
        journal.flush(minute * COMMIT_EVERY_S)
    monkeypatch.undo()
    assert [moment.type for moment in journal.load(NIGHT).moments] == ["woke"]
    assert numbers(journal) == list(range(10))
    journal.close()


def test_a_moment_is_committed_at_once(path: Path) -> None:
    journal = asleep(path, 5)
    journal.add_moment(NIGHT, EVENING_S, "stirred")
    assert not journal.flush(4 * COMMIT_EVERY_S + 1.0)
    assert journal.flush(4 * COMMIT_EVERY_S + 1.0, now=True)
    with closing(JournalReader(path)) as reader:
        assert [moment.type for moment in reader.load(NIGHT).moments] == ["stirred"]
    journal.close()


def test_the_tail_does_not_grow_without_end(path: Path) -> None:
    journal = asleep(path, 5)
    add_epochs(journal, TAIL_ROWS + 1, 10)
    assert journal.flush(5 * COMMIT_EVERY_S)
    assert in_database(path) == 11 + TAIL_ROWS
    assert beside(path).stat().st_size == 0
    journal.close()


def test_what_changes_epochs_finds_all_of_them(path: Path) -> None:
    journal = asleep(path, 5)
    journal.write("UPDATE epoch SET wall_s = wall_s + ?", (1000.0,))
    assert journal.flush(5 * COMMIT_EVERY_S)
    with closing(Journal(path)) as again:
        assert [epoch.start_s for epoch in again.load(NIGHT).epochs] == [
            EVENING_S + 1000.0 + 30.0 * number for number in range(10)
        ]
    journal.close()


def test_after_a_torn_tail_the_next_minutes_are_found(path: Path) -> None:
    journal = asleep(path, 5)
    with beside(path).open("ab") as file:
        file.write(b"torn")
    again = Journal(path)  # after a power cut
    for minute in range(5, 8):
        add_epochs(again, 2, 2 * minute)
        assert again.flush(minute * COMMIT_EVERY_S)
    with closing(JournalReader(path)) as reader:
        assert numbers(reader) == list(range(16))
    again.close()
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


def test_a_journal_that_broke_before_a_kill_leaves_the_night_to_its_tail(path: Path) -> None:
    journal = asleep(path, 50)
    journal.close()
    journal = asleep(path, 50)  # a second time: the tail has all but the first minute again
    path.write_bytes(b"no database any more" * 1000)
    path.with_name(f"{path.name}-wal").unlink()
    again = Journal(path)
    assert "kept as" in again.mended
    found = again.night_in_progress(5000.0, EVENING_S + 3000.0)
    assert found is not None
    assert [epoch.index for epoch in found.epochs] == list(range(2, 100))
    assert found.began_wall_s == EVENING_S + 60.0
    again.close()
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


def record(text: str) -> bytes:
    packed = zlib.compress(text.encode())
    return struct.pack("<II", len(packed), zlib.crc32(packed)) + packed


@pytest.mark.parametrize(
    "row",
    [
        f'["{NIGHT}", 1e400, 0, "{{}}", ""]',
        f'["{NIGHT}", {2**70}, 0, "{{}}", ""]',
        f'["{NIGHT}", -1, 0, "{{}}", ""]',
        f'["{NIGHT}", 41, NaN, "{{}}", ""]',
        f'["{NIGHT}", 41, 1e300, "{{}}", ""]',
        f'["{NIGHT}", 41, 0, "\\ud800", ""]',
        "[" * 5000,
        "{}",
    ],
)
def test_what_another_wrote_there_is_not_taken(killed: Path, row: str) -> None:
    with beside(killed).open("ab") as file:
        file.write(record(f'[["{NIGHT}", 40, {EVENING_S}, "{{}}", ""]]') + record(f"[{row}]") + record("[]"))
    with closing(JournalReader(killed)) as reader:
        assert numbers(reader) == [0, 1, 2, 3, 40]
    with closing(Journal(killed)) as journal:
        assert (journal.problem, journal.mended) == ("", "")
        assert numbers(journal) == [0, 1, 2, 3, 40]


def test_of_an_epoch_that_is_there_twice_the_latest_holds(killed: Path) -> None:
    JournalTail(killed).append([(NIGHT, 9, EVENING_S, "{}", '["awake",null,""]')])
    JournalTail(killed).append([(NIGHT, 9, EVENING_S, "{}", '["deep",null,""]'), (NIGHT, 8, EVENING_S, "{}", "[]")])
    for read in (JournalReader, Journal):
        with closing(read(killed)) as journal:
            assert numbers(journal) == [0, 1, 2, 3, 8, 9]
            assert journal.load(NIGHT).live[-1].stage is Stage.DEEP


def test_what_unpacks_to_more_than_a_night_ends_there(killed: Path) -> None:
    with beside(killed).open("ab") as file:
        for number in range(40, 60):
            file.write(record(f'[["{NIGHT}", {number}, {EVENING_S}, "{{}}", ""]' + " " * (LARGEST_BYTES // 10) + "]"))
    with closing(JournalReader(killed)) as reader:
        assert numbers(reader) == [0, 1, 2, 3, *range(40, 49)]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Whatever is added is refused; what is kept can be read."""
    fill(monkeypatch)
    return monkeypatch


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("execute", "executemany"):
        monkeypatch.setattr(CarefulConnection, name, refusing(getattr(CarefulConnection, name)))


def refusing(how: Callable[..., Any]) -> Callable[..., Any]:
    def run(db: CarefulConnection, sql: str, *more: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE")):
            raise sqlite3.OperationalError("database or disk is full")
        return how(db, sql, *more)

    return run


def test_after_a_kill_on_a_full_disk_what_was_kept_is_known(killed: Path, full_disk: pytest.MonkeyPatch) -> None:
    with closing(Journal(killed)) as journal:
        for _ in range(3):
            assert "full" in journal.problem
            assert journal.nights() == [NIGHT]
            assert numbers(journal) == [0, 1, 2, 3]
            night = journal.night_in_progress(0.0, EVENING_S + 600.0)
            assert night is not None
            assert len(night.epochs) == 4
        full_disk.undo()
        add_epochs(journal, 2, 4)
        assert journal.commit()
        assert journal.problem == ""
        assert in_database(killed) == 6
        assert beside(killed).stat().st_size == 0


def test_on_a_full_disk_a_long_night_is_carried_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = int(CONTINUE_WITHIN_S / 60.0) + 30
    with closing(asleep(path, minutes)) as killed:
        fill(monkeypatch)
        with closing(Journal(path)) as journal:
            night = journal.night_in_progress(0.0, EVENING_S + 60.0 * minutes)
            assert night is not None
            assert len(night.epochs) == 2 * minutes
        monkeypatch.undo()
        assert numbers(killed) == list(range(2 * minutes))


def test_on_a_full_disk_a_second_night_has_a_name_of_its_own(path: Path, full_disk: pytest.MonkeyPatch) -> None:
    with closing(Journal(path)) as journal:
        for name in (NIGHT, f"{NIGHT}.2", f"{NIGHT}.3"):
            assert journal.free_id(NIGHT) == name
            journal.open_night(name, EVENING_S)
            add_epochs(journal, 2)
        assert not journal.commit()
        full_disk.undo()


@pytest.mark.parametrize("before", [True, False])
def test_a_reader_misses_nothing_that_moves_meanwhile(
    path: Path, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(asleep(path, 20)) as journal, closing(JournalReader(path)) as reader:
        real = reader.read

        def read(sql: str, *values: Any) -> list[tuple[Any, ...]]:
            if before and "FROM epoch" in sql:
                journal.commit()
            found = real(sql, *values)
            if not before and "FROM epoch" in sql:
                journal.commit()
            return found

        monkeypatch.setattr(reader, "read", read)
        assert numbers(reader) == list(range(40))
        assert in_database(path) == 40


def test_the_tail_is_emptied_when_the_journal_is_on_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    with closing(asleep(path, 3)) as journal:
        sync, truncate = os.fsync, os.truncate

        def synced(handle: int) -> None:
            done.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
            sync(handle)

        def emptied(file: Path, size: int) -> None:
            done.append(file.name)
            truncate(file, size)

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "truncate", emptied)
        assert journal.commit()
        assert done == ["journal.db-wal", "journal.db.minutes"]
