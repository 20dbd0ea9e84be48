"""Rows that are deleted for good: overwritten, the file written anew without them, and its log emptied.

What a memory card does below that is its own affair: it may keep old blocks until it needs them.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def for_good(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for deletions, kept whole at its end; the file then holds nothing of them. ``sqlite3.Error``."""
    with closing(sqlite3.connect(path, timeout=10.0, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete=ON")
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")
        db.execute("VACUUM")  # also what earlier changes left behind in free pages
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise sqlite3.OperationalError("another program reads it; its log could not be emptied")


def tables_of(db: sqlite3.Connection) -> frozenset[str]:
    """A part that was never used has none."""
    return frozenset(str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
