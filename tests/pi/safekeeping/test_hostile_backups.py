"""Backups that a stranger made: each is refused in a sentence, and nothing of the box changes."""

import hashlib
import json
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli_words import Output, error_of
from tests.pi.safekeeping.lived_in import LivedIn, content_of, lived_in
from tests.pi.safekeeping.test_backup import remade, run

from somnisphere.journal_schema import MIGRATIONS
from somnisphere.safekeeping.manifest import BackupError
from somnisphere.safekeeping.restore import staged


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> LivedIn:
    return lived_in(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def saved(box: LivedIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("saved") / "saved.zip"
    assert run(box, "backup", to) == 0
    return to


def refused(box: LivedIn, path: Path, capsys: Output) -> str:
    """What is said; and nothing changed, neither inside nor outside of the state folder."""
    house = box.config.parent
    before = {name: content for name, content in content_of(house).items() if not name.endswith("in-use")}
    capsys.readouterr()
    assert run(box, "restore", path, "--yes", "--stories") == 2
    said = error_of(capsys)
    assert {name: content for name, content in content_of(house).items() if not name.endswith("in-use")} == before
    assert not [one for one in house.rglob("*") if ".restoring-" in str(one)]
    return said


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.db",
        "/tmp/escaped",
        "shelf/../../escaped",
        "shelf/./a",
        "shelf//a",
        "shelf/",
        "circle\\..\\key",
        "voices/a\nb",
        "elsewhere/a",
        "journal.db-wal",
        "somnisphere.toml",
        "shelf/" + "x" * 300,
        "shelf/" + "/".join(["d"] * 1500),
    ],
)
def test_names_that_lead_elsewhere(name: str, box: LivedIn, saved: Path, tmp_path: Path, capsys: Output) -> None:
    said = refused(box, remade(saved, tmp_path / "h.zip", {name: b"x"}), capsys)
    assert "which no backup does" in said or "what it holds is not what its list says" in said


def test_a_link_in_the_place_of_a_file(box: LivedIn, saved: Path, tmp_path: Path, capsys: Output) -> None:
    hostile = remade(saved, tmp_path / "h.zip", {})
    with zipfile.ZipFile(hostile) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    target = b"/etc/passwd"
    manifest = json.loads(files.pop("manifest.json"))
    manifest["files"] += [{"name": "shelf/a", "bytes": len(target), "sha256": hashlib.sha256(target).hexdigest()}]
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, content in files.items():
            archive.writestr(name, content)
        link = zipfile.ZipInfo("shelf/a")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, target)
    assert "which no backup does" in refused(box, hostile, capsys)


def test_a_folder_of_the_shelf_that_is_a_link(box: LivedIn, saved: Path, tmp_path: Path, capsys: Output) -> None:
    """The household's own link: a story must not go through it to elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (box.shelf / "linked").symlink_to(tmp_path / "elsewhere")
    hostile = remade(saved, tmp_path / "h.zip", {"shelf/linked/a.txt": b"x"})
    assert run(box, "restore", hostile, "--yes", "--stories") == 2
    assert "a link leads out of the shelf" in error_of(capsys)
    assert not list((tmp_path / "elsewhere").iterdir())
    (box.shelf / "linked").unlink()


def with_manifest(saved: Path, to: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    with zipfile.ZipFile(saved) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    change(manifest)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, content in files.items():
            archive.writestr(name, content)
    return to


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(somnisphere_backup=2), "it is of form 2"),
        (lambda m: m["files"].pop(), "not what its list says"),
        (lambda m: m["files"].append(m["files"][0]), "not what its list says"),
        (lambda m: m["files"][0].update(sha256="0" * 64), "its hash differs"),
        (lambda m: m["files"][0].update(bytes=7), "is not as long as its list says"),
        (lambda m: m["files"][0].update(sha256="xyz"), "cannot be understood"),
        (lambda m: m["files"][0].update(bytes=-1), "cannot be understood"),
        (lambda m: m.pop("files"), "cannot be understood"),
    ],
)
def test_lists_that_do_not_fit(
    change: Callable[[dict[str, Any]], object], words: str, box: LivedIn, saved: Path, tmp_path: Path, capsys: Output
) -> None:
    assert words in refused(box, with_manifest(saved, tmp_path / "h.zip", change), capsys)


def test_a_bomb_fills_no_disk(box: LivedIn, saved: Path, tmp_path: Path, capsys: Output) -> None:
    """A list that promises more than the disk holds; and one that promises less than comes out."""
    huge = with_manifest(saved, tmp_path / "h.zip", lambda _: None)
    with zipfile.ZipFile(huge) as archive:
        names = archive.namelist()
    data = bytearray(huge.read_bytes())
    name = names[1].encode()
    at = data.rindex(name)  # of the central directory: its length is what zipfile believes
    data[at - 22 : at - 18] = (10**9).to_bytes(4, "little")
    huge.write_bytes(bytes(data))
    assert "is not as long as its list says" in refused(box, huge, capsys)
    zeros = remade(saved, tmp_path / "z.zip", {})
    with zipfile.ZipFile(zeros) as archive:
        files = {one: archive.read(one) for one in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    manifest["files"] += [{"name": "shelf/z", "bytes": 10**15, "sha256": "0" * 64}]
    with zipfile.ZipFile(zeros, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for one, content in files.items():
            archive.writestr(one, content)
        archive.writestr("shelf/z", b"")
    assert "is not as long as its list says" in refused(box, zeros, capsys)


def test_more_than_the_disk_holds(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=50_000_500))
    with pytest.raises(BackupError, match="Make room first"), staged(saved, tmp_path):
        pass


def a_journal(to: Path, sql: str) -> bytes:
    with sqlite3.connect(to) as db:
        for script in MIGRATIONS:
            db.executescript(script)
        db.executescript(f"PRAGMA user_version={len(MIGRATIONS)}; {sql}")
    db.close()
    return to.read_bytes()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON night BEGIN DELETE FROM night; END;", "it holds a trigger"),
        ("CREATE VIEW v AS SELECT 1;", "it holds a view"),
        ("CREATE VIRTUAL TABLE v USING fts5(a);", "it holds a "),
        ("DROP TABLE moment;", "its table moment has no"),
        ("ALTER TABLE epoch DROP COLUMN revised;", "its table epoch has no revised"),
        ("PRAGMA user_version=99;", "written by a newer Somnisphere (version 99)"),
        ("PRAGMA user_version=-3;", "cannot be used"),
        ("PRAGMA user_version=1;", "cannot be used"),
    ],
)
def test_journals_that_are_none_of_ours(
    sql: str, words: str, box: LivedIn, saved: Path, tmp_path: Path, capsys: Output
) -> None:
    hostile = remade(saved, tmp_path / "h.zip", {"journal.db": a_journal(tmp_path / "j.db", sql)})
    assert words in refused(box, hostile, capsys)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(100)])
def test_databases_that_are_none(content: bytes, box: LivedIn, saved: Path, tmp_path: Path, capsys: Output) -> None:
    if content:
        assert "cannot be used" in refused(box, remade(saved, tmp_path / "h.zip", {"journal.db": content}), capsys)
    household = remade(saved, tmp_path / "i.zip", {"household.db": content or b"x"})
    assert "household.db in the backup cannot be used" in refused(box, household, capsys)


def test_a_newer_household(box: LivedIn, saved: Path, tmp_path: Path, capsys: Output) -> None:
    for n, sql in enumerate(("UPDATE part SET version = 9 WHERE name = 'diary'", "INSERT INTO part VALUES ('x', 1)")):
        with zipfile.ZipFile(saved) as archive:
            (tmp_path / "h.db").write_bytes(archive.read("household.db"))
        with sqlite3.connect(tmp_path / "h.db") as db:
            db.execute(sql)
        db.close()
        hostile = remade(saved, tmp_path / f"{n}.zip", {"household.db": (tmp_path / "h.db").read_bytes()})
        assert "written by a newer Somnisphere" in refused(box, hostile, capsys)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"\x00" * 5000, b"a letter"])
def test_files_that_are_no_backup(content: bytes, box: LivedIn, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "h.zip").write_bytes(content)
    assert "Nothing was changed" in refused(box, tmp_path / "h.zip", capsys)


def test_no_file_at_all(box: LivedIn, tmp_path: Path, capsys: Output) -> None:
    assert "No such file" in refused(box, tmp_path / "missing.zip", capsys)
    assert "directory" in refused(box, tmp_path, capsys)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_an_error_or_no_damage(data: st.DataObject, saved: Path, tmp_path: Path) -> None:
    """Bytes flipped or cut off anywhere: refused, or (a byte that says nothing) as good as whole."""
    whole = bytearray(saved.read_bytes())
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(0, len(whole) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(bytes(whole))
    with suppress(BackupError), staged(damaged, tmp_path) as (_, manifest, nights):
        assert nights == 3
        assert len(manifest.files) == 10
    assert not list(tmp_path.glob(".restoring-*"))
