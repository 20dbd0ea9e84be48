"""The household's stories as the page lists them, read on a thread of its own: a large shelf takes its time."""

import threading
from dataclasses import dataclass
from pathlib import Path

from somnisphere.library import Broken, books_of, changed_ns, read
from somnisphere.story import Book, Cover

WORDS_A_MINUTE = 125.0
"""Of an unhurried voice, as ``voice.words_per_minute`` has it by default."""
WAIT_S = 4.0
"""So long a page waits for a shelf that is being read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One story. ``minutes``: of its recording, or ``is_about`` so many when it is words that nobody has spoken yet."""

    key: str
    path: Path
    title: str
    teller: str
    language: str
    minutes: int | None
    is_about: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """``is_whole`` False: the shelf is still being read. ``broken``: what lies there and cannot be told, and why."""

    rows: tuple[Row, ...] = ()
    broken: tuple[str, ...] = ()
    is_whole: bool = False

    def row(self, key: str) -> Row | None:
        return next((row for row in self.rows if row.key == key), None)


class ShelfBooks:
    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder, self._cache = folder, cache
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._changed_ns: int | None = None
        self._listing = Listing()

    def listing(self, wait_s: float = WAIT_S) -> Listing:
        """As the folder is now; as it was, while it is being read again for longer than ``wait_s``."""
        with self._lock:
            changed = changed_ns(self._folder)
            if changed != self._changed_ns and (self._worker is None or not self._worker.is_alive()):
                self._changed_ns = changed
                self._worker = threading.Thread(target=self._read, name="shelf", daemon=True)
                self._worker.start()
            worker = self._worker
        if worker is not None:
            worker.join(wait_s)
        return self._listing

    def cover(self, key: str) -> tuple[str, Cover | None] | None:
        """Title and cover of a story that is on the shelf; None: it is not."""
        row = self.listing().row(key)
        if row is None:
            return None
        book = read(row.path, self._folder, self._cache)
        return row.title, book.cover if isinstance(book, Book) else None

    def _read(self) -> None:
        rows, broken = [], []
        for found in books_of(self._folder, self._cache):
            if isinstance(found, Broken):
                broken.append(f"{found.path.name}: {found.reason}")
            else:
                rows.append(_row(found))
        ordered = sorted(rows, key=lambda row: (row.title.casefold(), row.key))
        self._listing = Listing(tuple(ordered), tuple(broken), is_whole=True)


def _row(book: Book) -> Row:
    recording = book.recordings[0] if book.recordings else None
    seconds = recording.duration_s if recording is not None else None
    words = sum(len(sentence.text.split()) for sentence in book.sentences)
    if seconds is None and words:
        minutes: int | None = max(1, round(words / WORDS_A_MINUTE))
    else:
        minutes = None if seconds is None else max(1, round(seconds / 60.0))
    teller = (recording.teller if recording is not None else "") or book.teller
    return Row(book.key, book.path, book.title, teller, book.language, minutes, is_about=seconds is None)
