"""Which card means what, kept over restarts: one small JSON file beside the journal.

Written whole into a second file that then takes the first one's place. The daemon and ``somnisphere card`` both write
it, so it is read again whenever it changed. A file that cannot be understood is put aside, and all cards are blank.
"""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from somnisphere.cards import CardBook, Meaning

VERSION = 1
FILE_SUFFIX = ".cards.json"
LARGEST_BYTES = 1_000_000
"""Thousands of cards."""


def beside(journal_path: Path) -> Path:
    """Where the cards of the box with this journal are."""
    return journal_path.with_name(journal_path.stem + FILE_SUFFIX)


class CardFile:
    """``book`` is what the file holds. Never raises for trouble with disk or file: ``problem`` says it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = CardBook()
        self.problem = ""
        self.mended = ""
        """A sentence when a broken file was put aside, else ""."""
        self._seen: tuple[int, int, int] | None = None
        self.refresh()

    def refresh(self) -> bool:
        """Read the file again if it changed since; True when ``book`` is a new one. Cheap enough for every card."""
        try:
            stat = self.path.stat()
            seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if seen == self._seen:
                return False
            book = _understood(self.path)
        except FileNotFoundError:
            gone, self._seen = self._seen is not None, None
            if gone:
                self.book = CardBook()
            return gone
        except OSError as error:
            self.problem = f"{self.path} cannot be read: {error.strerror or error}. Check its rights."
            return False
        except (ValueError, RecursionError) as error:
            self._put_aside(error)
            self._seen = None
            self.book = CardBook()
            return True
        self.book, self._seen, self.problem = book, seen, ""
        return True

    def link(self, card_id: str, meaning: Meaning | None) -> bool:
        """The card means this from now on (None: nothing), on disk too. False when it could not be written; then
        ``book`` has it until the next start."""
        self.refresh()
        if meaning is None:
            self.book.unlink(card_id)
        else:
            self.book.link(card_id, meaning)
        try:
            self._write(json.dumps({"version": VERSION, "cards": self.book.to_dict()}, indent=1, ensure_ascii=True))
            stat = self.path.stat()
        except OSError as error:
            self.problem = f"{self.path} cannot be written: {error.strerror or error}. Check the disk and its rights."
            return False
        self._seen, self.problem = (stat.st_ino, stat.st_mtime_ns, stat.st_size), ""
        return True

    def _write(self, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        mode = self.path.stat().st_mode & 0o777 if self.path.exists() else 0o644
        number, name = tempfile.mkstemp(dir=self.path.parent, prefix=f"{self.path.name}.", suffix=".new")
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode)
            os.replace(name, self.path)
        except OSError:
            with suppress(OSError):
                os.unlink(name)
            raise

    def _put_aside(self, error: Exception) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.broken-{number}")).exists():
            number += 1
        try:
            self.path.rename(aside)
        except OSError as second:
            self.problem = f"{self.path} is broken ({error}) and cannot be put aside: {second.strerror or second}."
            return
        self.mended = f"{self.path} was broken ({error}); it is kept as {aside.name}, and all cards are blank."


def _understood(path: Path) -> CardBook:
    with path.open("rb") as file:
        text = file.read(LARGEST_BYTES + 1)
    if len(text) > LARGEST_BYTES:
        raise ValueError(f"more than {LARGEST_BYTES} bytes")
    kept = json.loads(text)
    if not isinstance(kept, dict) or kept.get("version") != VERSION or not isinstance(kept.get("cards"), dict):
        raise ValueError(f"not version {VERSION} of this file")
    return CardBook.from_dict(kept["cards"])
