"""The files of nights and of words: are they whole, are they ours. They are read without leaving anything beside them.

A connection to a database in WAL mode makes files beside it, which would be this user's and not the daemon's. So it is
opened as immutable where no writer has left such files, and beside them where both are there.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere.household_file import household_beside
from somnisphere.journal_schema import MIGRATIONS
from somnisphere.sqlite_file import CarefulConnection

PART = "journal"
_MOST_S = 6.0
"""So long a file is read through at most; many years of nights take less."""


def check_journal(config: Config, _world: World = THIS_MACHINE) -> Iterator[Finding]:
    path = Path(config.journal.path)
    yield _checked(PART, path, len(MIGRATIONS), "the daemon keeps it aside and begins a new one; the night goes on")
    household = household_beside(path)
    try:
        there = household.exists()
    except OSError:  # somebody else's folder: what is looked at next says so
        there = True
    if there:
        yield _checked("household", household, None, "stop page and daemon, keep a copy, restore your last backup")


def _checked(part: str, path: Path, newest: int | None, mend: str) -> Finding:
    try:
        if not path.exists():
            return Finding(part, True, f"{path} is not there yet: it begins with the first night")
        with closing(opened(path)) as db:
            until_s = time.monotonic() + _MOST_S
            db.set_progress_handler(lambda: time.monotonic() > until_s, 10_000)
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as problem:
        if "interrupted" in str(problem):
            return Finding(part, True, f"{path} is so large that it was not read through")
        return Finding(part, False, f"{path} cannot be read: {problem}", "look as the user who runs it, or with sudo")
    except sqlite3.DatabaseError as problem:
        return Finding(part, False, f"{path} is broken: {problem}", mend)
    except OSError as problem:
        return Finding(part, False, f"{path} cannot be read: {problem.strerror}", "look with sudo")
    if found != "ok":
        return Finding(part, False, f"{path} is broken: {' '.join(found.split())}", mend)
    if newest is not None and version > newest:
        newer = "install that version again: an older one cannot read it"
        return Finding(part, False, f"{path} was written by a newer Somnisphere (version {version})", newer)
    return Finding(part, True, f"{path} is whole")


def opened(path: Path) -> sqlite3.Connection:
    beside = all(path.with_name(path.name + ending).exists() for ending in ("-wal", "-shm"))
    how = "mode=ro" if beside else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=2.0, factory=CarefulConnection)
