"""SQLite as the files of a bedside open it: whatever a broken file says, it is ``sqlite3.Error``."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class CarefulConnection(sqlite3.Connection):
    """A broken schema is told with the broken bytes themselves, and Python, which cannot read them as text, raises
    ``UnicodeDecodeError`` in place of SQLite's error (seen with 3.11 to 3.13)."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        with _in_words():
            return super().execute(sql, parameters)

    def executescript(self, sql: str, /) -> sqlite3.Cursor:
        with _in_words():
            return super().executescript(sql)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except UnicodeError:
        broken = sqlite3.DatabaseError("malformed database schema")
        broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise broken from None
