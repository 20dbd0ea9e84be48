"""The journal's tables, and how an older file becomes a newer one. ``journal.py`` reads and writes them."""

import sqlite3
from pathlib import Path

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
)
"""One script per version of the file; ``user_version`` counts those that were run. Only ever append."""


def connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=2.0, factory=CarefulConnection)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise sqlite3.OperationalError(f"it was written by a newer Somnisphere (version {version})")
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            db.executescript(f"BEGIN; {script} PRAGMA user_version={number}; COMMIT;")
    except sqlite3.Error:
        db.close()
        raise
    return db
