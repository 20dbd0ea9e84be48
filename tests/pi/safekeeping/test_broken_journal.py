"""A journal that the disk damaged: kept aside and begun anew, or read as far as it makes sense. Never a crash.

``SOMNISPHERE_EXAMPLES=3000`` looks longer than a test run has time for.
"""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.pi.safekeeping.lived_in import an_epoch, an_estimate, begins_s, keep_night

from somnisphere.bedtime.ritual import Ritual
from somnisphere.bedtime.shelf import Shelf
from somnisphere.bedtime.state import RitualSettings
from somnisphere.journal import Journal
from somnisphere.journal_reader import JournalReader
from somnisphere.journal_rows import UNREADABLE
from somnisphere.sleep.person import Person

NIGHTS = ("2026-03-10", "2026-03-11")
PRESENT = begins_s(NIGHTS[1]) + 1800.0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with a night that is over and one in progress."""
    path = tmp_path_factory.mktemp("whole") / "journal.db"
    journal = Journal(path)
    keep_night(journal, NIGHTS[0])
    journal.open_night(NIGHTS[1], begins_s(NIGHTS[1]))
    for k in range(50):
        start_s = begins_s(NIGHTS[1]) + 30.0 * k
        journal.add_epoch(NIGHTS[1], start_s, an_epoch(k, start_s), an_estimate(k, start_s))
    ritual = Ritual(RitualSettings(), Shelf(()))
    journal.save_ritual(ritual.to_dict(), 10.0, PRESENT)
    journal.save_person(Person().to_dict())
    journal.save_bookmark("attic.txt", 12.0)
    journal.close()
    return path


def lived_through(path: Path) -> Journal:
    """All that a daemon does with a journal: it starts, reads everything, writes, and ends. A minute later it writes
    again (whatever was put aside meanwhile)."""
    journal = Journal(path)
    now_s = 100.0
    if (night := journal.night_in_progress(now_s, PRESENT)) is not None:
        assert all(isinstance(epoch.start_s, float) for epoch in night.epochs)
    if (saved := journal.saved_ritual(now_s, PRESENT)) is not None:
        assert isinstance(saved.last_s, float)
        Ritual(RitualSettings(), Shelf(())).restore(saved.state, saved.shift_s, now_s)
    Person.from_dict(journal.saved_person() or {})
    journal.last_moments()
    journal.last_times()
    journal.places()
    for night_id in journal.nights():
        try:
            kept = journal.load(night_id)
        except KeyError:
            continue  # a name that the damage made, or a file that was put aside meanwhile
        assert len(kept.epochs) == len(kept.estimates) == len(kept.live)
    for at_s in (100.0, 170.0):
        journal.open_night("2026-03-12", PRESENT)
        journal.add_epoch("2026-03-12", PRESENT, an_epoch(0, at_s), an_estimate(0, at_s))
        journal.flush(at_s)
    if "newer Somnisphere" in journal.problem:
        return journal  # the damage was to the number of its version, and it says so
    assert not journal.problem, journal.problem
    assert len(journal.load("2026-03-12").epochs) == 1
    journal.close()
    return journal


def damaged(to: Path, content: bytes) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()
    (to / "journal.db").write_bytes(content)
    return to / "journal.db"


FEW = settings(
    max_examples=int(os.environ.get("SOMNISPHERE_EXAMPLES", "20")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FEW
@example(at=0, bytes_=b"X")
@example(at=16, bytes_=b"\x00\x00")
@example(at=18, bytes_=b"\x09")
@example(at=28, bytes_=b"\xff" * 4)
@example(at=44, bytes_=b"\xff")
@example(at=100, bytes_=b"\x07")
@example(at=3736, bytes_=b"\x80")
@given(at=st.integers(0, 40_000), bytes_=st.binary(min_size=1, max_size=64))
def test_bytes_that_are_others(at: int, bytes_: bytes, whole: Path, tmp_path: Path) -> None:
    content = bytearray(whole.read_bytes())
    at %= len(content)
    content[at : at + len(bytes_)] = bytes_[: len(content) - at]
    lived_through(damaged(tmp_path / "box", bytes(content)))


@FEW
@given(length=st.integers(0, 60_000))
@example(length=0)
@example(length=1)
@example(length=100)
@example(length=4096)
def test_an_end_that_is_missing(length: int, whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    path = damaged(tmp_path / "box", content[: length % len(content)])
    journal = lived_through(path)
    if length % len(content) > 512:  # less than that is an empty file to SQLite
        assert "is kept as journal.db.broken-1" in journal.mended
        assert path.with_name("journal.db.broken-1").exists()


@FEW
@given(at=st.integers(0, 200_000), bytes_=st.binary(min_size=1, max_size=40), cut=st.booleans())
def test_a_log_that_is_damaged(at: int, bytes_: bytes, cut: bool, whole: Path, tmp_path: Path) -> None:
    """After a power cut: the last commits lie in the log alone."""
    path = damaged(tmp_path / "box", whole.read_bytes())
    journal = Journal(path)
    keep_night(journal, "2026-03-09")
    journal.commit()
    log = path.with_name("journal.db-wal").read_bytes()
    content = bytearray(log)
    at %= len(content)
    content[at : len(content) if cut else at + len(bytes_)] = b"" if cut else bytes_
    box = damaged(tmp_path / "cut", path.read_bytes())
    journal.close()
    box.with_name("journal.db-wal").write_bytes(bytes(content))
    lived_through(box)


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    (path / "something").mkdir(parents=True)
    journal = lived_through(path)
    assert "is kept as journal.db.broken-1" in journal.mended
    assert (tmp_path / "journal.db.broken-1" / "something").is_dir()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE epoch SET body = '{' WHERE number = 5",
        "UPDATE epoch SET body = x'ff00fe'",
        "UPDATE epoch SET body = replace(body, '61.0', '\"x\"')",
        "UPDATE epoch SET body = replace(body, '12.5', '1e999')",
        "UPDATE epoch SET live = 'null', revised = '[]'",
        'UPDATE epoch SET live = \'["asleep",null,""]\'',
        "UPDATE epoch SET wall_s = 'yesterday'",
        "UPDATE night SET times = '[1]', began_s = 'never', ended_s = x'00'",
        'UPDATE night SET times = \'{"woke_up_s": "late"}\'',
        "UPDATE ritual SET state = '[]', wall_minus_at_s = 'x'",
        "UPDATE person SET state = '3'",
        "UPDATE bookmark SET position_s = 'far', other_s = 'near'",
        "UPDATE moment SET wall_s = 'then'",
        "UPDATE told SET wall_s = 'then'",
    ],
)
def test_rows_that_make_no_sense(sql: str, whole: Path, tmp_path: Path) -> None:
    path = damaged(tmp_path / "box", whole.read_bytes())
    with sqlite3.connect(path) as db:
        db.execute(sql)
    db.close()
    lived_through(path)
    reader = JournalReader(path)
    for night_id in reader.nights():
        reader.load(night_id)
    reader.close()


def test_a_half_minute_that_cannot_be_read_says_so(whole: Path, tmp_path: Path) -> None:
    path = damaged(tmp_path / "box", whole.read_bytes())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE epoch SET body = '{', live = '{' WHERE number = 5")
    db.close()
    journal = Journal(path)
    night = journal.load(NIGHTS[0])
    assert [epoch.index for epoch in night.epochs] == list(range(40))
    assert (night.epochs[5].heart_bpm, night.epochs[5].start_s) == (None, night.epochs[4].start_s + 30.0)
    assert (night.estimates[5].stage, night.estimates[5].reason) == (None, UNREADABLE)
    assert night.epochs[4] == an_epoch(4, night.epochs[4].start_s)
    journal.close()
