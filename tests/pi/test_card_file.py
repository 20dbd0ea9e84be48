"""The file of cards: the same after a restart, shared by daemon and command line, and a broken one stops nobody."""

import json
import os
from pathlib import Path

import pytest

from somnisphere.card_file import CardFile, beside
from somnisphere.cards import StoryMeant, WordMeant
from somnisphere.small_file import LARGEST_BYTES

BEAR, FOX = "04A2B3C4D5E680", "DEADBEEF"


def test_it_is_the_same_after_a_restart(tmp_path: Path) -> None:
    file = CardFile(beside(tmp_path / "journal.db"))
    assert (file.book.links, file.problem, file.mended) == ({}, "", "")
    assert file.link(BEAR, StoryMeant("Märchen/boat.opus")) is True
    assert file.link(FOX, WordMeant("stop")) is True
    again = CardFile(tmp_path / "journal.cards.json")
    assert again.book.links == {BEAR: StoryMeant("Märchen/boat.opus"), FOX: WordMeant("stop")}
    assert again.link(BEAR, None) is True
    assert CardFile(again.path).book.links.keys() == {FOX}
    assert [path.name for path in tmp_path.iterdir()] == ["journal.cards.json"], "nothing is left lying about"


def test_two_programs_see_each_others_links(tmp_path: Path) -> None:
    daemon, command = (CardFile(tmp_path / "cards.json") for _ in range(2))
    command.link(BEAR, StoryMeant("boat.opus"))
    assert daemon.refresh() is True
    assert daemon.refresh() is False
    daemon.link(FOX, StoryMeant("attic.opus"))
    command.link("11223344", WordMeant("begin"))
    assert daemon.refresh() is True
    assert daemon.book.links.keys() == {BEAR, FOX, "11223344"}
    daemon.path.unlink()
    assert daemon.refresh() is True
    assert daemon.book.links == {}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 2, "cards": {}}',
        b'{"version": 1, "cards": []}',
        b'{"version": 1, "cards": {"bear": {"story": "a"}}}',
        b'{"version": 1, "cards": {"04A2": {"story": 7}}}',
        b"[" * 100_000,
        b'{"version": 1, "cards": {}' + b" " * LARGEST_BYTES + b"}",
    ],
)
def test_a_broken_file_is_put_aside_and_kept(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cards.json"
    path.write_bytes(text)
    file = CardFile(path)
    assert file.book.links == {}
    assert "all cards are blank" in file.mended
    assert (tmp_path / "cards.json.broken-1").read_bytes() == text
    file.link(BEAR, StoryMeant("boat.opus"))
    assert CardFile(path).book.links.keys() == {BEAR}


def test_a_file_broken_while_running_is_put_aside_too(tmp_path: Path) -> None:
    file = CardFile(tmp_path / "cards.json")
    file.link(BEAR, StoryMeant("boat.opus"))
    (tmp_path / "cards.json.broken-1").write_text("an older one")
    file.path.write_text("{")
    assert file.refresh() is True
    assert file.book.links == {}
    assert (tmp_path / "cards.json.broken-2").read_text() == "{"


def test_a_disk_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = CardFile(tmp_path / "file" / "cards.json")
    assert file.link(BEAR, StoryMeant("boat.opus")) is False
    assert "cannot be" in file.problem
    assert file.book.meaning(BEAR) == StoryMeant("boat.opus"), "it holds for this evening"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = CardFile(tmp_path / "cards.json")
    file.link(BEAR, StoryMeant("boat.opus"))
    before = file.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    assert file.link(FOX, StoryMeant("attic.opus")) is False
    assert "No space left" in file.problem
    assert file.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["cards.json"]
    monkeypatch.undo()
    assert file.link(FOX, StoryMeant("attic.opus")) is True
    assert file.problem == ""
    assert json.loads(file.path.read_text())["cards"].keys() == {BEAR, FOX}


def test_the_files_rights_stay(tmp_path: Path) -> None:
    file = CardFile(tmp_path / "cards.json")
    file.link(BEAR, StoryMeant("boat.opus"))
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.path.chmod(0o664)
    file.link(FOX, StoryMeant("boat.opus"))
    assert file.path.stat().st_mode & 0o777 == 0o664
