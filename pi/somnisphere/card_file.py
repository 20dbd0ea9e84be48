"""Which card means what, kept over restarts: one small JSON file beside the journal.

Written whole into a second file that then takes the first one's place. The daemon and ``somnisphere card`` both write
it, so it is read again whenever it changed. A file that cannot be understood is put aside, and all cards are blank.
"""

from pathlib import Path

from somnisphere.cards import CardBook, Meaning
from somnisphere.small_file import put_aside, read_small, write_small

VERSION = 1
FILE_SUFFIX = ".cards.json"


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
            book = CardBook.from_dict(read_small(self.path, VERSION, "cards"))
        except FileNotFoundError:
            gone, self._seen = self._seen is not None, None
            if gone:
                self.book = CardBook()
            return gone
        except OSError as error:
            self.problem = f"{self.path} cannot be read: {error.strerror or error}. Check its rights."
            return False
        except (ValueError, RecursionError) as error:
            self.mended, problem = put_aside(self.path, error, "all cards are blank")
            self.problem = problem or self.problem
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
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_small(self.path, VERSION, "cards", self.book.to_dict())
            stat = self.path.stat()
        except OSError as error:
            self.problem = f"{self.path} cannot be written: {error.strerror or error}. Check the disk and its rights."
            return False
        self._seen, self.problem = (stat.st_ino, stat.st_mtime_ns, stat.st_size), ""
        return True
