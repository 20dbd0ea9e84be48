"""Hostile files on a shelf: what reading one may do, and what it may leave behind."""

from pathlib import Path

from tests.fuzz.room import bytes_below, room
from tests.fuzz.target import sentence

from somnisphere.library import read
from somnisphere.library.broken import Broken, UnreadableError
from somnisphere.library.story_text import MOST_SENTENCES
from somnisphere.library.story_writer import write_story
from somnisphere.library.titles import TITLE_LENGTH
from somnisphere.story import Book

MOST_CACHE_BYTES = 30_000_000
"""What a small file may become in the cache."""


def check_read(name: str, data: bytes, *, again: bool = False) -> Book | None:
    """The book of a file of this name and content; None for one that is broken. ``again``: write it as a .story, which
    reads as the same words."""
    with room() as folder:
        shelf, cache = folder / "shelf", folder / "cache"
        shelf.mkdir()
        path = shelf / name
        path.write_bytes(data)
        found = read(path, shelf, cache)
        assert [entry.name for entry in shelf.iterdir()] == [name], "something was written onto the shelf"
        assert path.read_bytes() == data
        assert bytes_below(cache) < MOST_CACHE_BYTES
        assert {entry.name for entry in folder.iterdir()} <= {"shelf", "cache"}
        if isinstance(found, Broken):
            sentence(found.reason)
            return None
        _check_book(found)
        if again:
            _check_again(found, folder, cache)
        return found


def _check_book(book: Book) -> None:
    assert 0 < len(book.title) <= TITLE_LENGTH
    assert "\n" not in book.title + book.teller + book.licence
    assert book.sentences or book.recordings
    assert len(book.sentences) <= MOST_SENTENCES
    ids = [one.id for one in book.sentences]
    assert len(ids) == len(set(ids))
    for recording in book.recordings:
        assert recording.path.is_file()
        last_s = 0.0
        for mark in recording.marks:
            assert last_s <= mark.begin_s <= mark.end_s < 1e8
            last_s = mark.begin_s
        for chapter in recording.chapters:
            assert 0 <= chapter.begin_s < 1e9


def _check_again(book: Book, folder: Path, cache: Path) -> None:
    to = folder / "given.story"
    try:
        write_story(book, to)
    except (UnreadableError, ValueError) as problem:
        sentence(problem)
        return
    second = read(to, folder, cache)
    assert isinstance(second, Book), f"what was written cannot be read: {second.reason}"
    for was, now in zip(book.sentences, second.sentences, strict=True):
        assert now.text == was.text
    assert (second.title, second.teller, second.licence) == (book.title, book.teller, book.licence)
    assert len(second.recordings) == len(book.recordings)
