"""The two databases as they are saved and put back: copied whole, judged, brought up to date."""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from somnisphere import household_file, journal_schema
from somnisphere.errors import UserError

HEADER = b"SQLite format 3\0"


def household_parts() -> Mapping[str, Sequence[str]]:
    """Every part that keeps tables in the household's file, with its migrations."""
    from somnisphere.circle.tables import MIGRATIONS as CIRCLE
    from somnisphere.coach.store import MIGRATIONS as COACH
    from somnisphere.diary.store import MIGRATIONS as DIARY
    from somnisphere.dreams.store import MIGRATIONS as DREAMS
    from somnisphere.exchange.imported import MIGRATIONS as IMPORTED
    from somnisphere.page.sessions import MIGRATIONS as PAGE
    from somnisphere.weaver.store import MIGRATIONS as WEAVER

    return {
        "circle": CIRCLE,
        "coach": COACH,
        "diary": DIARY,
        "dreams": DREAMS,
        "imported": IMPORTED,
        "page": PAGE,
        "weaver": WEAVER,
    }


def copy(path: Path, to: Path) -> None:
    """A whole copy beside whoever writes, readable by its owner alone. Raises ``sqlite3.Error`` and ``OSError``."""
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10.0)) as db:
        db.execute("VACUUM INTO ?", (str(to),))


def without_sessions(household: Path) -> None:
    """Who was signed in is nobody's business in a backup."""
    with closing(sqlite3.connect(household, isolation_level=None)) as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'page_session'").fetchone():
            db.execute("PRAGMA secure_delete=ON")
            db.execute("DELETE FROM page_session")


def versions_of(household: Path) -> dict[str, int]:
    """By part."""
    with closing(sqlite3.connect(f"{household.absolute().as_uri()}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'part'").fetchone():
            return {}
        return {str(name): int(version) for name, version in db.execute("SELECT name, version FROM part")}


def version_of(journal: Path) -> int:
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def made_ready(path: Path, name: str) -> None:
    """Judge a database from outside and bring it up to date. ``name``: as the backup calls it. ``UserError``: no."""
    try:
        _judge(path)
        if name == "journal.db":
            journal_schema.connect(path).close()
            _compare(path, _fresh_journal())
        else:
            parts, found = household_parts(), versions_of(path)
            if unknown := found.keys() - parts.keys():
                raise sqlite3.OperationalError(f"its {min(unknown)} was written by a newer Somnisphere")
            there = {part: parts[part] for part in found}
            for part, migrations in there.items():
                household_file.connect(path, part, migrations).close()
            _compare(path, _fresh_household(there))
    except (sqlite3.Error, OverflowError, TypeError, ValueError) as problem:
        raise UserError(f"{name} in the backup cannot be used: {problem}.") from problem


def _judge(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(HEADER)) != HEADER:
            raise sqlite3.DatabaseError("it is no database")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
        foreign = db.execute("SELECT type, name FROM sqlite_master WHERE type NOT IN ('table', 'index')").fetchall()
        virtual = db.execute("SELECT type, name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'").fetchall()
        if foreign or virtual:
            kind, called = (foreign or virtual)[0]
            raise sqlite3.DatabaseError(f"it holds a {kind} that is none of ours ({called!r:.60})")
        said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(f"it is damaged ({said!s:.200})")
        if db.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.DatabaseError("rows of it refer to nothing")


Shape = dict[str, set[str]]
"""The columns of each table."""


def _compare(path: Path, wanted: Shape) -> None:
    with closing(sqlite3.connect(path)) as db:
        found = _shape(db)
    for table, columns in wanted.items():
        if missing := columns - found.get(table, set()):
            raise sqlite3.DatabaseError(f"its table {table} has no {', '.join(sorted(missing))}")


def _shape(db: sqlite3.Connection) -> Shape:
    tables = [str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: {str(row[0]) for row in db.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        for table in tables
    }


def _fresh_journal() -> Shape:
    with closing(sqlite3.connect(":memory:")) as db:
        for script in journal_schema.MIGRATIONS:
            db.executescript(script)
        return _shape(db)


def _fresh_household(parts: Mapping[str, Sequence[str]]) -> Shape:
    with closing(sqlite3.connect(":memory:")) as db:
        for migrations in parts.values():
            for script in migrations:
                db.executescript(script)
        return _shape(db)
