"""Rewoven dreams in the household's file: what was told, what it became, and whether it was wanted in the evening.

A dream that is forgotten is gone (the file overwrites what it deletes). Raises ``sqlite3.Error`` and ``OSError``:
whoever asks says so to the person, whose words are still in the form.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from sqlite3 import Connection
from typing import Literal

from somnisphere.dreams.telling import Dream
from somnisphere.household_file import connect
from somnisphere.household_rows import as_declared, readable

MIGRATIONS = (
    """
    CREATE TABLE dream (
        id INTEGER PRIMARY KEY AUTOINCREMENT, told_on TEXT NOT NULL, said TEXT NOT NULL, story_key TEXT NOT NULL,
        title TEXT NOT NULL, woven_by TEXT NOT NULL, wish TEXT NOT NULL DEFAULT ''
    );
    """,
)
Wish = Literal["", "yes", "no"]
"""What was said to the offer: nothing yet, tell it tonight, do not."""


@dataclass(frozen=True, slots=True)
class KeptDream:
    """``woven_by``: "grammar", "home", or "hand" where somebody changed the words."""

    id: int
    told_on: date
    dream: Dream
    story_key: str
    title: str
    woven_by: str
    wish: Wish


class DreamStore:
    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        db = connect(self._path, "dreams", MIGRATIONS)
        try:
            yield db
        finally:
            db.close()

    def keep(self, dream: Dream, story_key: str, title: str, woven_by: str, told_on: date) -> int:
        with self._open() as db:
            row = (told_on.isoformat(), json.dumps(asdict(dream), ensure_ascii=False), story_key, title, woven_by)
            made = db.execute(
                "INSERT INTO dream (told_on, said, story_key, title, woven_by) VALUES (?, ?, ?, ?, ?)", row
            )
            return int(made.lastrowid or 0)

    def all(self) -> list[KeptDream]:
        """The latest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, told_on, said, story_key, title, woven_by, wish FROM dream ORDER BY told_on DESC, id DESC"
            ).fetchall()
        return readable(rows, _kept, "dreams")

    def offered(self, today: date) -> list[KeptDream]:
        """What may be told this evening if somebody likes: told before today, and neither accepted nor declined."""
        return [kept for kept in self.all() if not kept.wish and kept.told_on < today]

    def answer(self, number: int, wish: Wish) -> None:
        with self._open() as db:
            db.execute("UPDATE dream SET wish = ? WHERE id = ?", (wish, number))

    def forget(self, number: int) -> None:
        with self._open() as db:
            db.execute("DELETE FROM dream WHERE id = ?", (number,))
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _kept(number: int, told_on: str, said: str, key: str, title: str, by: str, wish: str) -> KeptDream:
    dream = as_declared(Dream, **json.loads(said))
    return as_declared(
        KeptDream, id=number, told_on=told_on, dream=dream, story_key=key, title=title, woven_by=by, wish=wish
    )
