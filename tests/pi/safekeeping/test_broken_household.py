"""A household's file that the disk damaged: put aside when a program starts, and said; sealed nights stay sealed."""

import logging
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.pi.safekeeping.lived_in import DATES, lived_in

from somnisphere.diary.door import Door
from somnisphere.diary.learning import Learned
from somnisphere.diary.store import Diary, DiaryError
from somnisphere.household_file import household_beside, mend
from somnisphere.page.sessions import Sessions
from somnisphere.safekeeping.in_use import in_use

FEW = settings(
    max_examples=int(os.environ.get("SOMNISPHERE_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lived_in(tmp_path_factory.mktemp("house")).belongings.household


def damaged(to: Path, content: bytes) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()
    (to / "household.db").write_bytes(content)
    return to / "household.db"


def started(path: Path) -> str:
    """A daemon and a page start with it, and somebody tells a night: none of them crashes."""
    door = Door(path, tell_first=True)
    door.look()
    mended = mend(path)
    door.look()
    diary = Diary(path)
    try:
        diary.tellings()
        diary.seals()
        Sessions(path).pin_hash()
    except (DiaryError, sqlite3.Error):
        assert not mended, "a new file can be read"
    if mended:
        assert not door.problem
        assert not any(door.shows(night) for night in DATES), "nobody opened a night in a new file"
        assert list(path.parent.glob("household.db.broken-1"))
    door.close()
    return mended


@FEW
@example(at=0, bytes_=b"X")
@example(at=18, bytes_=b"\x09")
@example(at=24, bytes_=b"\xff" * 8)
@example(at=100, bytes_=b"\x07")
@given(at=st.integers(0, 200_000), bytes_=st.binary(min_size=1, max_size=64))
def test_bytes_that_are_others(at: int, bytes_: bytes, whole: Path, tmp_path: Path) -> None:
    content = bytearray(whole.read_bytes())
    at %= len(content)
    content[at : at + len(bytes_)] = bytes_[: len(content) - at]
    started(damaged(tmp_path / "box", bytes(content)))


@FEW
@example(length=512)
@example(length=4096)
@given(length=st.integers(0, 200_000))
def test_an_end_that_is_missing(length: int, whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    length %= len(content)
    mended = started(damaged(tmp_path / "box", content[:length]))
    assert "was broken" in mended or length < 512, "less than that may be an empty file to SQLite"


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0" + bytes(4080)])
def test_what_is_no_database(content: bytes, tmp_path: Path) -> None:
    path = damaged(tmp_path / "box", content)
    assert "is kept as household.db.broken-1" in started(path)
    assert path.with_name("household.db.broken-1").read_bytes() == content


def test_an_empty_file_a_folder_and_none(tmp_path: Path) -> None:
    assert started(damaged(tmp_path / "box", b"")) == ""
    assert started(tmp_path / "none.db") == ""
    path = tmp_path / "folder" / "household.db"
    path.mkdir(parents=True)
    assert "there is a folder" in started(path)


def test_a_whole_one_and_a_newer_one_are_left(whole: Path, tmp_path: Path) -> None:
    path = damaged(tmp_path / "box", whole.read_bytes())
    assert started(path) == ""
    with sqlite3.connect(path) as db:
        db.execute("UPDATE part SET version = 9")
    db.close()
    assert mend(path) == ""
    with pytest.raises(DiaryError, match="newer Somnisphere"):
        Diary(path).seals()
    assert not list(path.parent.glob("*.broken-*"))


def test_one_that_somebody_writes_is_left(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("somnisphere.household_file.WAIT_S", 0.01)
    path = damaged(tmp_path / "box", whole.read_bytes())
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("PRAGMA journal_mode=DELETE")
    writing.execute("BEGIN EXCLUSIVE")
    assert mend(path) == ""
    writing.execute("ROLLBACK")
    writing.close()


def test_a_number_that_is_none(whole: Path, tmp_path: Path) -> None:
    """The daemon reads what tellings taught: that one teaches nothing, and what was told stays told, in blank words."""
    path = damaged(tmp_path / "box", whole.read_bytes())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE telling SET onset_later_s = 'late', answers = 'x'")
    db.close()
    door = Door(path, tell_first=True)
    door.look()
    assert door.problem == ""
    assert door.learned == Learned()
    door.close()
    kept = Diary(path).tellings().values()
    assert kept
    assert not any(one.telling.answers for one in kept)


def test_programs_that_start_say_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = tmp_path / "journal.db"
    household_beside(journal).write_bytes(b"no database" * 100)
    with caplog.at_level(logging.WARNING), in_use(journal):
        assert "is kept as household.db.broken-1" in caplog.text
        assert "the page's PIN" in caplog.text
