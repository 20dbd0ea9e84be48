"""The shelf for the daemon: recordings at once, words when they are told, and again at once after a restart."""

import logging
import subprocess
from pathlib import Path

import pytest

from somnisphere.config_keys import Voice
from somnisphere.shelf_reader import MOST_LOUDER_DB, ShelfReader
from somnisphere.story import Story
from somnisphere.telling.household import HouseholdTeller

PATIENCE_S = 90.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A text, a faint recording, and a file that is no story."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "whale.txt").write_text("Once there was a whale. It was tired, and slept.", encoding="utf-8")
    subprocess.run(
        ["espeak-ng", "-a", "10", "-w", str(shelf / "owl.wav"), "An owl sat in a tree. It slept."], check=True
    )
    (shelf / "letter.mp3").write_text("this is a letter")
    return shelf


def reader(folder: Path, *, background: bool) -> ShelfReader:
    cache = folder.parent / "cache"
    return ShelfReader(folder, cache, HouseholdTeller(Voice(), cache / "spoken"), background=background)


def by_key(stories: tuple[Story, ...] | None) -> dict[str, Story]:
    assert stories is not None
    return {story.key: story for story in stories}


def test_recordings_are_there_at_once_and_words_when_they_are_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    shelf = reader(folder, background=True)
    assert by_key(shelf.read()).keys() == {"owl.wav"}
    assert shelf.wait(PATIENCE_S)
    found = by_key(shelf.read())
    assert found.keys() == {"owl.wav", "whale.txt"}
    assert len(found["whale.txt"].marks) == 2
    assert found["whale.txt"].evened_db == 0.0, "spoken words already are as loud as the others"
    assert found["owl.wav"].marks
    assert found["owl.wav"].evened_db == MOST_LOUDER_DB
    assert shelf.read() is None, "nothing is new"
    assert sum("letter.mp3" in line for line in caplog.messages) == 1

    again = by_key(reader(folder, background=False).read())
    assert again["whale.txt"].path == found["whale.txt"].path, "a restart in mid story finds it at once"
    assert again["owl.wav"].marks == found["owl.wav"].marks


def test_a_new_file_takes_no_story_off_the_shelf(folder: Path) -> None:
    shelf = reader(folder, background=True)
    shelf.read()
    assert shelf.wait(PATIENCE_S)
    shelf.read()
    (folder / "more.txt").write_text("A new one. It is short.", encoding="utf-8")
    assert by_key(shelf.read()).keys() == {"owl.wav", "whale.txt"}, "what was told stays while the new one is told"
    assert shelf.wait(PATIENCE_S)
    assert by_key(shelf.read()).keys() == {"owl.wav", "whale.txt", "more.txt"}


def test_a_stopped_reader_says_nothing_more(folder: Path) -> None:
    shelf = reader(folder, background=True)
    shelf.close()
    assert by_key(shelf.read()).keys() == {"owl.wav"}
    assert shelf.wait(PATIENCE_S)
    assert shelf.read() is None


def test_where_it_may_not_be_nice_it_reads_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.setpriority", refused)
    shelf = reader(folder, background=True)
    shelf.read()
    assert shelf.wait(PATIENCE_S)
    assert by_key(shelf.read()).keys() == {"owl.wav", "whale.txt"}
