"""The daemon's side of the seal: which nights may be shown, read anew only when the household's file changed.

One look is a ``stat`` and SQLite's own change counter. While the file cannot be read every night stays sealed, and
``problem`` says so.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

from somnisphere.diary.learning import Learned, learn
from somnisphere.diary.seal import Seal, lets_through
from somnisphere.diary.store import read_differences_s, read_seals
from somnisphere.sqlite_file import CarefulConnection

BUSY_S = 0.05


class Door:
    """``tell_first`` False: nothing is sealed by this door; what tellings taught is still read."""

    def __init__(self, path: Path, *, tell_first: bool) -> None:
        self.problem = ""
        self.learned = Learned()
        self.tell_first = tell_first
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._version: int | None = None
        self._seals: dict[str, Seal] = {}

    def look(self) -> bool:
        """To be called with each tick; True when something changed."""
        was = (self._seals, self.learned, self.problem)
        try:
            self._look()
        except (sqlite3.Error, OSError, ValueError, TypeError) as problem:
            self.close()
            self._seals = {}
            self.problem = f"{self._path} cannot be read ({problem}): nights stay sealed until it can."
        return (self._seals, self.learned, self.problem) != was

    def shows(self, night_id: str | None) -> bool:
        """Whether this night may go out. With tell first on, one without a name may not."""
        if not self.tell_first:
            return True
        return night_id is not None and lets_through(self._seals.get(night_id, Seal.SEALED))

    def close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db, self._inode, self._version = None, None, None

    def _look(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:  # nobody has said anything yet, or all of it was taken away
            self.close()
            self._seals, self.learned, self.problem = {}, Learned(), ""
            return
        if self._db is None or self._inode != (stat.st_dev, stat.st_ino):
            self.close()
            place = f"{self._path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(place, uri=True, timeout=BUSY_S, factory=CarefulConnection)
            self._inode = (stat.st_dev, stat.st_ino)
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        if version == self._version and not self.problem:
            return
        kept = self._db.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('seal', 'telling')").fetchone()[0]
        self._seals = read_seals(self._db) if kept == 2 else {}
        self.learned = learn(read_differences_s(self._db)) if kept == 2 else Learned()
        self._version, self.problem = version, ""
