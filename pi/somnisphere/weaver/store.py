"""Tables in the household's file, with every version of each: nothing that was told is lost by telling on.

Raises ``sqlite3.Error`` and ``OSError``: whoever asks says so to the person.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from sqlite3 import Connection

from somnisphere.household_file import connect
from somnisphere.household_rows import as_declared, readable
from somnisphere.weaver.table import Table, TableError

MIGRATIONS = (
    """
    CREATE TABLE weaving (id INTEGER PRIMARY KEY AUTOINCREMENT);
    CREATE TABLE weaving_version (
        weaving INTEGER NOT NULL REFERENCES weaving (id) ON DELETE CASCADE,
        number INTEGER NOT NULL, at_s REAL NOT NULL, state TEXT NOT NULL, PRIMARY KEY (weaving, number)
    ) WITHOUT ROWID;
    """,
)
MOST_TABLES = 50
MOST_VERSIONS = 1000
"""The first of a table's versions go when there are more."""


@dataclass(frozen=True, slots=True)
class Version:
    """``at_s``: Unix seconds."""

    weaving: int
    number: int
    at_s: float
    table: Table


class WeaverStore:
    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        db = connect(self._path, "weaver", MIGRATIONS)
        try:
            yield db
        finally:
            db.close()

    def new(self, table: Table, at_s: float) -> int:
        """Its number. Raises ``TableError``: there are ``MOST_TABLES`` already."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            if db.execute("SELECT count(*) FROM weaving").fetchone()[0] >= MOST_TABLES:
                raise TableError("tables")
            number = int(db.execute("INSERT INTO weaving DEFAULT VALUES").lastrowid or 0)
            db.execute("INSERT INTO weaving_version VALUES (?, 1, ?, ?)", (number, at_s, _plain(table)))
            db.execute("COMMIT")
        return number

    def keep(self, weaving: int, after: int, table: Table, at_s: float) -> bool:
        """As the version after ``after``. False: somebody else was quicker, and nothing is kept; look again."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            latest = db.execute("SELECT max(number) FROM weaving_version WHERE weaving = ?", (weaving,)).fetchone()[0]
            if latest != after:
                db.execute("ROLLBACK")
                return False
            db.execute("INSERT INTO weaving_version VALUES (?, ?, ?, ?)", (weaving, after + 1, at_s, _plain(table)))
            db.execute(
                "DELETE FROM weaving_version WHERE weaving = ? AND number <= ?", (weaving, after + 1 - MOST_VERSIONS)
            )
            db.execute("COMMIT")
        return True

    def latest(self) -> list[Version]:
        """Each table as it lies there now, the last touched first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT weaving, number, at_s, state FROM weaving JOIN weaving_version ON weaving = id AND number ="
                " (SELECT max(number) FROM weaving_version WHERE weaving = id) ORDER BY at_s DESC"
            ).fetchall()
        return readable(rows, _version, "tables")

    def versions(self, weaving: int) -> list[Version]:
        """All of one, the latest first; empty: there is none."""
        with self._open() as db:
            rows = db.execute(
                "SELECT weaving, number, at_s, state FROM weaving_version WHERE weaving = ? ORDER BY number DESC",
                (weaving,),
            ).fetchall()
        return readable(rows, _version, "tables")

    def clear(self, weaving: int) -> None:
        """Off the table, with all its versions."""
        with self._open() as db:
            db.execute("DELETE FROM weaving WHERE id = ?", (weaving,))


def _plain(table: Table) -> str:
    return json.dumps(asdict(table), ensure_ascii=False)


def _version(weaving: int, number: int, at_s: float, state: str) -> Version:
    return as_declared(Version, weaving=weaving, number=number, at_s=at_s, table=json.loads(state))
