"""A backup holds what a box keeps, is made beside a running daemon, and puts a box back as it was."""

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.cli_words import Output, error_of
from tests.pi.safekeeping.lived_in import (
    DATES,
    EPOCHS,
    LivedIn,
    content_of,
    keep_night,
    lived_in,
    moved,
)

from somnisphere.cli import main
from somnisphere.diary.store import Diary
from somnisphere.errors import UserError
from somnisphere.journal import Journal
from somnisphere.journal_schema import MIGRATIONS
from somnisphere.safekeeping.aside import ASIDE, UNFINISHED
from somnisphere.safekeeping.in_use import alone, in_use
from somnisphere.safekeeping.restore import restore


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> LivedIn:
    return lived_in(tmp_path_factory.mktemp("house"))


@pytest.fixture
def box(house: LivedIn, tmp_path: Path) -> LivedIn:
    return moved(house, tmp_path)


def run(box: LivedIn, *arguments: str | Path) -> int:
    return main(["--config", str(box.config), *map(str, arguments)])


@pytest.fixture
def saved(box: LivedIn, tmp_path: Path, capsys: Output) -> Path:
    to = tmp_path / "saved.zip"
    assert run(box, "backup", to) == 0
    assert "Not in it: the configuration" in capsys.readouterr().out
    return to


def nights_of(path: Path) -> dict[str, object]:
    journal = Journal(path)
    try:
        return {night: journal.load(night) for night in journal.nights()}
    finally:
        journal.close()


def test_all_of_it_comes_back_on_another_box(box: LivedIn, saved: Path, tmp_path: Path, capsys: Output) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    other = LivedIn(type(box.belongings)(tmp_path / "other" / "journal.db"), box.config, box.shelf)
    assert run(box, "restore", saved, "--yes", "--journal", other.belongings.journal) == 0
    assert "3 nights" in capsys.readouterr().out
    assert nights_of(other.belongings.journal) == nights_of(box.belongings.journal)
    there, here = Diary(other.belongings.household), Diary(box.belongings.household)
    assert there.tellings() == here.tellings()
    assert there.seals() == here.seals()
    for name, path in other.belongings.files.items():
        if not name.endswith(".db") and name not in ("sensing-off", "minutes"):
            assert path.read_bytes() == box.belongings.files[name].read_bytes(), name
    found = content_of(other.belongings.journal.parent)
    assert found["household-voices/0a1b.ogg"] == b"a voice"
    assert found["circle/household.key"] == b"ab" * 32
    assert "circle/evenings/one-two/evening.json" in found
    assert not [name for name in found if "partial" in name or "offered" in name]
    for path in other.belongings.journal.parent.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_nobody_is_signed_in_after_it_and_the_pin_is_as_it_was(box: LivedIn, saved: Path) -> None:
    assert run(box, "restore", saved, "--yes") == 0
    with sqlite3.connect(box.belongings.household) as db:
        assert db.execute("SELECT count(*) FROM page_session").fetchone() == (0,)
        assert db.execute("SELECT value FROM page_secret WHERE name = 'pin'").fetchone() == ("a-hash-of-a-pin",)
    db.close()
    with zipfile.ZipFile(saved) as archive:
        assert b"a phone" not in archive.read("household.db")


def test_minutes_that_wait_for_the_journal_come_along(box: LivedIn, saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "journal.db"
    assert run(box, "restore", saved, "--yes", "--journal", other) == 0
    journal = Journal(other)
    assert len(journal.load(DATES[-1]).epochs) == EPOCHS + 1
    journal.close()


def test_beside_a_daemon_that_writes(box: LivedIn, tmp_path: Path) -> None:
    """Rows that only the write-ahead log holds are in it; a transaction that is not done is not."""
    journal = Journal(box.belongings.journal)
    keep_night(journal, "2026-03-16")
    journal.commit()
    writing = sqlite3.connect(box.belongings.journal, isolation_level=None)
    writing.execute("BEGIN IMMEDIATE")
    writing.execute("INSERT INTO night (id, began_s) VALUES ('2099-01-01', 0)")
    with in_use(box.belongings.journal):
        assert run(box, "backup", tmp_path / "beside.zip") == 0
    writing.execute("ROLLBACK")
    writing.close()
    with zipfile.ZipFile(tmp_path / "beside.zip") as archive:
        archive.extract("journal.db", tmp_path / "out")
    assert list(nights_of(tmp_path / "out" / "journal.db")) == [*DATES, "2026-03-16"]
    journal.close()


def test_to_standard_output_and_back_through_a_pipe(box: LivedIn) -> None:
    command = [sys.executable, "-m", "somnisphere", "--config", str(box.config), "backup", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert b"Not in it" in done.stderr
    back = [*command[:-2], "restore", "-", "--dry-run"]
    said = subprocess.run(back, input=done.stdout, capture_output=True, check=True).stdout.decode()
    assert "3 nights. It is whole, can be put back." in said
    assert not list(box.belongings.journal.parent.glob(".restoring-*"))


def test_the_day_names_it_when_nobody_does(box: LivedIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run(box, "backup") == 0
    (found,) = (tmp_path / "here").iterdir()
    assert found.name.startswith("somnisphere-bedside-20")


def test_what_is_there_is_set_aside_and_not_lost(box: LivedIn, saved: Path, capsys: Output) -> None:
    Diary(box.belongings.household).forget(DATES[0])
    before = content_of(box.belongings.journal.parent)
    assert run(box, "restore", saved, "--yes") == 0
    said = capsys.readouterr().out
    (aside,) = box.belongings.journal.parent.glob(f"{ASIDE}*")
    assert str(aside) in said
    kept = content_of(aside)
    for name, content in before.items():
        if name.startswith(("journal.db", "household.db")) and name.endswith("-shm"):
            continue
        assert kept.get(name) == content or name == "journal.db.in-use", name
    assert set(Diary(box.belongings.household).tellings()) == set(DATES)


def test_not_while_a_daemon_runs(box: LivedIn, saved: Path, capsys: Output) -> None:
    with in_use(box.belongings.journal):
        before = content_of(box.belongings.journal.parent)
        assert run(box, "restore", saved, "--yes") == 2
        assert "Stop it first: sudo systemctl stop somnisphere" in error_of(capsys)
        assert content_of(box.belongings.journal.parent) == before


class CutError(BaseException):
    """The plug is pulled."""


def test_a_restore_that_was_cut_off_is_undone_by_the_next_program(
    box: LivedIn, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every rename: whoever starts next finds everything as it was before."""
    folder, real = box.belongings.journal.parent, os.rename
    before = content_of(folder)
    for cut in range(100):
        left = [cut]

        def rename(*names: Path, left: list[int] = left) -> None:
            if not left[0]:
                raise CutError
            left[0] -= 1
            real(*names)

        monkeypatch.setattr(os, "rename", rename)
        try:
            restore(saved, box.belongings, stamp="now", shelf=None)
            break
        except CutError:
            assert list(folder.glob(f"{ASIDE}*/{UNFINISHED}"))
        monkeypatch.setattr(os, "rename", real)
        with in_use(box.belongings.journal):
            after = content_of(folder)
        after.pop("journal.db.in-use")
        assert after == before, cut
    assert cut > 10


def test_a_rename_that_the_disk_refuses_leaves_all_as_it_was(
    box: LivedIn, saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    folder, real = box.belongings.journal.parent, os.rename
    before = content_of(folder)
    refused: list[object] = []

    def rename(*names: Path) -> None:
        if str(names[0]).endswith("light.json") and "restoring" in str(names[0]) and not refused:
            refused.append(names)
            raise OSError(28, "No space left on device", str(names[1]))
        real(*names)

    monkeypatch.setattr(os, "rename", rename)
    assert run(box, "restore", saved, "--yes") == 2
    assert "No space left on device. Nothing was put back" in error_of(capsys)
    after = content_of(folder)
    after.pop("journal.db.in-use")
    assert after == before


def test_a_restore_that_cannot_be_undone_keeps_nobody_from_running(
    box: LivedIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    aside = box.belongings.journal.parent / f"{ASIDE}x"
    aside.mkdir()
    (aside / UNFINISHED).write_text('["journal.db"]')
    (aside / "journal.db").write_bytes(b"")

    def rename(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "rename", rename)
    with in_use(box.belongings.journal):
        assert "cannot be undone" in caplog.text


def test_what_killed_backups_and_restores_left_is_taken_away(box: LivedIn, saved: Path, tmp_path: Path) -> None:
    folder = box.belongings.journal.parent
    for name in (".backup-old", ".backup-of-now", ".restoring-old"):
        (folder / name).mkdir()
    os.utime(folder / ".backup-old", (0, 0))
    assert run(box, "backup", tmp_path / "again.zip") == 0
    assert not (folder / ".backup-old").exists()
    assert (folder / ".backup-of-now").exists()
    assert run(box, "restore", saved, "--yes") == 0
    assert not (folder / ".restoring-old").exists()


def test_a_disk_without_locks_keeps_nobody_from_running(box: LivedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with in_use(box.belongings.journal):
        pass
    with pytest.raises(UserError, match="nothing was tried"), alone(box.belongings.journal, "tried"):
        pass


def test_an_older_backup_is_brought_up_to_date(box: LivedIn, saved: Path, tmp_path: Path) -> None:
    """A journal of the first version, put into a backup of today."""
    first = tmp_path / "first.db"
    with sqlite3.connect(first) as db:
        db.executescript(f"{MIGRATIONS[0]} PRAGMA user_version=1;")
        db.execute("INSERT INTO night (id, began_s, ended_s) VALUES ('2020-01-01', 1, 2)")
        db.execute("INSERT INTO bookmark VALUES ('attic.txt', 12.5)")
    db.close()
    older = remade(saved, tmp_path / "older.zip", {"journal.db": first.read_bytes()})
    assert run(box, "restore", older, "--yes") == 0
    journal = Journal(box.belongings.journal)
    assert (journal.nights(), journal.bookmarks()) == (["2020-01-01"], {"attic.txt": 12.5})
    journal.close()


def test_stories_come_along_when_asked_for(box: LivedIn, tmp_path: Path, capsys: Output) -> None:
    (box.shelf / "below").mkdir()
    (box.shelf / "below" / "one.txt").write_text("one")
    (box.shelf / "link.txt").symlink_to("/etc/hostname")
    assert run(box, "backup", tmp_path / "all.zip", "--stories") == 0
    (box.shelf / "below" / "one.txt").unlink()
    (box.shelf / "attic.txt").write_text("another attic, of the same name")
    capsys.readouterr()
    assert run(box, "restore", tmp_path / "all.zip", "--yes", "--stories") == 0
    said = capsys.readouterr().out
    assert "1 files were put on the shelf" in said
    assert "left as it is, for it is another one: attic.txt" in said
    assert (box.shelf / "below" / "one.txt").read_text() == "one"
    assert (box.shelf / "attic.txt").read_text() == "another attic, of the same name"
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert "shelf/link.txt" not in archive.namelist()


def test_a_place_that_cannot_be_written_is_said(box: LivedIn, tmp_path: Path, capsys: Output) -> None:
    assert run(box, "backup", tmp_path / "nowhere" / "saved.zip") == 2
    assert "Nothing was saved" in error_of(capsys)
    assert run(box, "backup", tmp_path) == 2
    assert "no file" in error_of(capsys)


def test_a_disk_that_fills_leaves_what_was_there(
    box: LivedIn, saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    before = saved.read_bytes()

    def fsync(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    assert run(box, "backup", saved) == 2
    assert "No space left on device" in error_of(capsys)
    assert saved.read_bytes() == before
    assert not list(saved.parent.glob(".*half"))


def remade(saved: Path, to: Path, changed: dict[str, bytes]) -> Path:
    """The same backup with other contents, listed as they are."""
    import hashlib

    with zipfile.ZipFile(saved) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    files |= changed
    manifest["files"] = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    with zipfile.ZipFile(to, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, content in files.items():
            archive.writestr(name, content)
    os.chmod(to, 0o600)
    return to


def test_the_list_says_of_which_version_everything_is(saved: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["journal_schema"] == len(MIGRATIONS)
    assert {"diary", "dreams", "page", "weaver", "coach", "circle"} <= manifest["household_schema"].keys()
