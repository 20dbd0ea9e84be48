"""The household's own words on disk: what people told, dreamt, allowed. One SQLite file beside the journal.

The journal holds what was sensed, and the daemon alone writes it. This file holds what people said; the page writes it
from a process of its own, and the daemon reads of it what it must know. Each part of the product keeps tables of its
own in it, and brings them up to date by itself: ``connect(path, "diary", MIGRATIONS)``.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from somnisphere.journal_schema import TROUBLE, is_broken
from somnisphere.own_files import make_own
from somnisphere.small_file import free_aside
from somnisphere.sqlite_file import CarefulConnection

WAIT_S = 2.0
"""So long is waited for another process that writes."""


def household_beside(journal: Path) -> Path:
    """Where the household's file lies, for a journal at this path."""
    return journal.with_name("household.db")


def connect(path: Path, part: str, migrations: Sequence[str]) -> sqlite3.Connection:
    """A connection whose tables of ``part`` are up to date. ``migrations``: one script per version; only ever append.

    The file is readable by its owner alone. Raises ``sqlite3.Error`` or ``OSError``: full, read-only, broken, newer.
    """
    make_own(path)
    db = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, factory=CarefulConnection)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")  # words are few, and nobody types them twice
        db.execute("PRAGMA secure_delete=ON")  # what is taken back is gone
        db.execute("PRAGMA foreign_keys=ON")
        if _version(db, part) == len(migrations):
            return db  # as nearly always: nothing is written, and nobody waited for
        db.execute("BEGIN IMMEDIATE")
        db.execute("CREATE TABLE IF NOT EXISTS part (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID")
        version = _version(db, part)
        if version > len(migrations):
            raise sqlite3.OperationalError(f"its {part} was written by a newer Somnisphere (version {version})")
        for script in migrations[version:]:
            for statement in _statements(script):
                db.execute(statement)
        db.execute("INSERT OR REPLACE INTO part VALUES (?, ?)", (part, len(migrations)))
        db.execute("COMMIT")
    except UnicodeDecodeError as problem:  # of SQLite's complaint: it holds a damaged name
        db.close()
        raise sqlite3.DatabaseError("its tables have names that cannot be read") from problem
    except BaseException:
        db.close()  # rolls back
        raise
    return db


def mend(path: Path) -> str:
    """For programs that start: a file that is no database, or a damaged one, is put aside, and the next ``connect``
    begins a new one. A sentence if so, else "". It reads the whole file once (a few milliseconds a megabyte)."""
    try:
        inode = path.stat().st_ino
    except OSError:
        return ""
    said = "there is a folder" if path.is_dir() else _damage(path)
    if not said:
        return ""
    try:
        aside = free_aside(path)
        if path.stat().st_ino != inode:
            return ""  # another program was quicker
        path.rename(aside)
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            path.with_name(f"{path.name}-wal").rename(aside.with_name(f"{aside.name}-wal"))
    except OSError as problem:
        return f"{path} is broken ({said}) and cannot be put aside: {problem.strerror or problem}."
    return (
        f"{path} was broken ({said}); it is kept as {aside.name}. A new one is begun: what people told, the page's PIN "
        "and the circle are to be set again, or put back from a backup."
    )


def _damage(path: Path) -> str:
    """What is wrong with the file; "" for nothing, and for what says nothing of the file itself."""
    try:
        connected = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, factory=CarefulConnection)
        with closing(connected) as db:
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            return "" if found == "ok" else found.splitlines()[-1][:200]
    except TROUBLE as problem:
        return str(problem) if is_broken(path, problem) else ""


def _version(db: sqlite3.Connection, part: str) -> int:
    """0 for a part that has no tables yet."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'part'").fetchone() is None:
        return 0
    row = db.execute("SELECT version FROM part WHERE name = ?", (part,)).fetchone()
    if row is not None and not isinstance(row[0], int):
        raise sqlite3.DatabaseError(f"the version of its {part} is {str(row[0])[:40]!r}")
    return int(row[0]) if row else 0


def _statements(script: str) -> list[str]:
    """One by one, for ``executescript`` would commit between them."""
    found, rest = list[str](), ""
    for piece in script.split(";"):
        rest += piece + ";"
        if sqlite3.complete_statement(rest):
            found.append(rest.strip())
            rest = ""
    return [statement for statement in found if statement != ";"]
