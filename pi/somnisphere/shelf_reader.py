"""The household's story folder, read for the daemon: at once what is there to play, in its own time what takes long.

Speaking a text and finding the sentences of a recording take seconds to minutes each. A thread of low priority does
them, once; what it made is kept in the cache and offered the next time the daemon asks.
"""

import logging
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from somnisphere.library import Broken, books_of, changed_ns, read, scan
from somnisphere.library.marks import find_marks
from somnisphere.story import Book, Cover, Story
from somnisphere.telling.household import HouseholdTeller
from somnisphere.telling.loudness import Unmeasured, gain_db_to

log = logging.getLogger(__name__)

NICENESS = 15
MOST_LOUDER_DB = 6.0
"""A faint recording is raised by no more: its noise would be raised with it."""


class ShelfReader:
    """``teller`` speaks a book's words. Without ``background`` nothing is worked out: what was found and told by
    earlier runs is used."""

    def __init__(self, folder: Path, cache: Path, teller: HouseholdTeller, *, background: bool = False) -> None:
        self._folder = folder
        self._cache = cache
        self._teller = teller
        self.background = background
        self._changed_ns = -1
        self._worker: threading.Thread | None = None
        self._stop_asked = threading.Event()
        self._is_put_off = self._is_owed = False
        self._found: tuple[Story, ...] | None = None
        self._said: set[tuple[Path, str]] = set()

    def put_off(self, wait: bool) -> None:
        """While the machine has a hard time, nothing is worked out ahead of time; what is begun ends with the story
        that it is at, and is taken up later."""
        if wait is self._is_put_off:
            return
        self._is_put_off = wait
        if wait and self._worker is not None and self._worker.is_alive():
            self._stop_asked.set()
            self._is_owed = True
        elif not wait:
            self._stop_asked.clear()
            if self._is_owed:
                self._is_owed, self._changed_ns = False, -1  # so the folder is read again

    def read(self) -> tuple[Story, ...] | None:
        """All stories, or None when nothing is new since the last reading."""
        if self._worker is not None:
            if self._worker.is_alive():
                return None
            self._worker = None
            return self._found  # None: it was stopped
        changed = changed_ns(self._folder)
        if changed == self._changed_ns:
            return None
        self._changed_ns = changed
        stories, broken = scan(self._folder, self._cache, self._teller.told)
        for file in broken:
            self._say("Not on the shelf", file.path, file.reason)
        if self.background and self._is_put_off:
            self._is_owed = True
        elif self.background:
            self._found = None
            self._worker = threading.Thread(target=self._work, name="shelf", daemon=True)
            self._worker.start()
        return tuple(stories)

    def cover(self, key: str) -> Cover | None:
        """Of one story; its file is opened, so this may take a while."""
        path = self._folder / key
        book = read(path, self._folder, self._cache) if path.exists() else None
        return book.cover if isinstance(book, Book) else None

    def wait(self, seconds: float) -> bool:
        """For the end of what is being worked out, at most so long. True: there is nothing more to wait for."""
        if self._worker is not None:
            self._worker.join(seconds)
        return self._worker is None or not self._worker.is_alive()

    def close(self) -> None:
        """No more after the book that is being worked at."""
        self._stop_asked.set()

    def _work(self) -> None:
        with suppress(OSError):  # a sandbox may forbid it; then it costs what it costs
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)  # Linux: of this thread and children
        for book in books_of(self._folder, self._cache):
            if self._stop_asked.is_set():
                return
            if not isinstance(book, Broken):
                self._prepare(book)
        self._found = tuple(self._evened(story) for story in scan(self._folder, self._cache, self._teller.tell)[0])

    def _evened(self, story: Story) -> Story:
        """Recordings of all kinds are heard about equally loud; spoken words already are."""
        if story.path.is_relative_to(self._cache):
            return story
        found = gain_db_to(story.path, self._cache)
        return story if isinstance(found, Unmeasured) else replace(story, evened_db=min(found, MOST_LOUDER_DB))

    def _prepare(self, book: Book) -> None:
        for recording in book.recordings[:1]:
            if not recording.marks and (problem := find_marks(recording.path, book.sentences, self._cache).problem):
                self._say("On the shelf without its sentences", recording.path, problem)
        if not book.recordings:
            self._teller.tell(book)

    def _say(self, where: str, path: Path, reason: str) -> None:
        """Once for each file and reason."""
        if (path, reason) not in self._said:
            self._said.add((path, reason))
            log.warning("%s: %s: %s", where, path, reason)
