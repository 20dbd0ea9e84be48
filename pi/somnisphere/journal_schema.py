"""The journal's tables, and how an older file becomes a newer one. ``journal.py`` reads and writes them."""

import os
import sqlite3
from pathlib import Path

from somnisphere.own_files import make_own
from somnisphere.sqlite_file import CarefulConnection

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE night (
        id TEXT PRIMARY KEY, began_s REAL NOT NULL, ended_s REAL, times TEXT NOT NULL DEFAULT '{}'
    ) WITHOUT ROWID;
    CREATE TABLE epoch (
        night TEXT NOT NULL, number INTEGER NOT NULL, wall_s REAL NOT NULL,
        body TEXT NOT NULL, live TEXT NOT NULL, revised TEXT,
        PRIMARY KEY (night, number)
    ) WITHOUT ROWID;
    CREATE TABLE moment (night TEXT, wall_s REAL NOT NULL, type TEXT NOT NULL, confidence REAL);
    CREATE TABLE bookmark (story TEXT PRIMARY KEY, position_s REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE ritual (one INTEGER PRIMARY KEY CHECK (one = 1), wall_minus_at_s REAL NOT NULL, state TEXT NOT NULL);
    """,
    "CREATE TABLE person (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL);",
    """
    ALTER TABLE bookmark RENAME TO bookmark_of_one;
    CREATE TABLE bookmark (
        listener TEXT NOT NULL, story TEXT NOT NULL, position_s REAL NOT NULL, other_s REAL,
        PRIMARY KEY (listener, story)
    ) WITHOUT ROWID;
    INSERT INTO bookmark SELECT '', story, position_s, NULL FROM bookmark_of_one;
    DROP TABLE bookmark_of_one;
    """,
    """
    CREATE TABLE told (
        night TEXT, wall_s REAL NOT NULL, title TEXT NOT NULL, teller TEXT NOT NULL, listener TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE clock (
        one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL, wall_minus_at_s REAL NOT NULL,
        was_set INTEGER NOT NULL, night TEXT NOT NULL, carried INTEGER NOT NULL, moments INTEGER NOT NULL,
        told INTEGER NOT NULL
    );
    """,
)
"""One script per version of the file; ``user_version`` counts those that were run. Only ever append."""

NAMED = "typeof(id) = 'text'"
"""A night's name; what else may stand there a disk put there."""

OPEN_NIGHT = "INSERT INTO night (id, began_s) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET ended_s = NULL"

ADD_EPOCH = "INSERT OR REPLACE INTO epoch (night, number, wall_s, body, live) VALUES (?, ?, ?, ?, ?)"
MERGE_EPOCH = (
    "INSERT OR IGNORE INTO epoch (night, number, wall_s, body, live)"
    " SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM night WHERE id = ?)"
)

TROUBLE = (sqlite3.Error, UnicodeDecodeError)
"""What a database may answer: the second where the words of its own complaint hold a damaged name."""

_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""The last: a table or a column that every version has is not there."""


def is_broken(path: Path, error: Exception) -> bool:
    """Whether the file is to be put aside: it is no database, or none of ours, or calls itself read-only on a disk that
    is not. A file of a newer version is not broken."""
    if isinstance(error, UnicodeDecodeError):
        return True
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_READONLY:
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return code & 0xFF in _BROKEN or path.is_dir()


def readable(text: bytes) -> str:
    """Text of which the disk made no text is to be read all the same: what it stands in judges it."""
    return text.decode(errors="replace")


def connect(path: Path) -> sqlite3.Connection:
    make_own(path)
    db = sqlite3.connect(path, timeout=2.0, factory=CarefulConnection)
    db.text_factory = readable
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise sqlite3.OperationalError(f"it was written by a newer Somnisphere (version {version})")
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            db.executescript(f"BEGIN; {script} PRAGMA user_version={number}; COMMIT;")
    except TROUBLE:
        db.close()
        raise
    return db
