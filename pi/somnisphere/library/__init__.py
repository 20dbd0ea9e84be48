"""A folder of stories is the shelf: audio, texts, EPUB and .story files, read as books; what is broken is said.

``reading.py`` reads one of them; the rest of the package is one file per kind, and what they share: ``archive.py`` and
``xml_tree.py`` for files nobody trusts, ``sentences.py``, ``marks.py``, and ``kept.py`` for what is worked out once.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from somnisphere.library.broken import Broken, reason_of
from somnisphere.library.kept import default_cache, forget_gone
from somnisphere.library.reading import changed_ns, read, stories_below
from somnisphere.story import Book, Recording, Story

__all__ = [
    "STARTER_FOLDER",
    "Broken",
    "Tell",
    "books_of",
    "changed_ns",
    "default_cache",
    "forget_gone",
    "read",
    "scan",
    "scan_books",
    "stories_of",
]

STARTER_FOLDER = Path(__file__).parent.parent / "stories"
"""The stories that come with the project; used when the household named no folder of its own."""

Tell = Callable[[Book], Recording | None]
"""Speaks a book's words into a recording; None: it cannot."""


def scan(folder: Path, cache: Path | None = None, tell: Tell | None = None) -> tuple[list[Story], list[Broken]]:
    """All stories below ``folder`` that can be played now, in the order of their paths, and the files that are broken.

    ``Story.marks`` is what the file brings along or what was found earlier (``marks.find_marks``). Only one book at a
    time is held in memory. A folder that is missing or not readable is one ``Broken``: the evening goes on.
    """
    cache = cache or default_cache()
    broken: list[Broken] = []

    def sound(cache: Path) -> Iterator[Book]:
        for found in books_of(folder, cache):
            if isinstance(found, Broken):
                broken.append(found)
            else:
                yield found

    stories = stories_of(sound(cache), tell)
    forget_gone(cache, folder)
    return stories, broken


def scan_books(folder: Path, cache: Path | None = None) -> tuple[list[Book], list[Broken]]:
    """All books below ``folder`` with their words, and what is broken. Forgets what is kept of files that are gone."""
    cache = cache or default_cache()
    books: list[Book] = []
    broken: list[Broken] = []
    for found in books_of(folder, cache):
        (books if isinstance(found, Book) else broken).append(found)  # type: ignore[arg-type]
    forget_gone(cache, folder)
    return books, broken


def books_of(folder: Path, cache: Path) -> Iterator[Book | Broken]:
    """One after the other, in the order of their paths."""
    try:
        if not folder.is_dir():
            mend = "make it, or name another in the configuration"
            yield Broken(folder, f"There is no story folder {folder}; {mend}.")
            return
        paths = list(stories_below(folder))
    except OSError as error:
        yield Broken(folder, f"The story folder cannot be read: {reason_of(error)}.")
        return
    known: dict[str, Path] = {}
    for path in paths:
        found = read(path, folder, cache)
        if isinstance(found, Book) and found.key in known:
            found = Broken(path, f"Its name cannot be told from that of {known[found.key].name!a}. Rename one of them.")
        elif isinstance(found, Book):
            known[found.key] = path
        yield found


def stories_of(books: Iterable[Book], tell: Tell | None = None) -> list[Story]:
    """Books as stories: the first recording, else what ``tell`` makes of the words. Books that cannot be heard are left
    out."""
    stories: list[Story] = []
    for book in books:
        recording = book.recordings[0] if book.recordings else tell(book) if tell is not None else None
        if recording is not None:
            stories.append(
                Story(
                    key=book.key,
                    title=book.title,
                    path=recording.path,
                    duration_s=recording.duration_s,
                    teller=recording.teller or book.teller,
                    language=book.language,
                    marks=recording.marks,
                )
            )
    return stories
