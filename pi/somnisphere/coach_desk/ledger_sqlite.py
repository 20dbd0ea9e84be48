"""The coach's books in one SQLite file. Several collectors of one machine may share it."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from somnisphere.coach.summary import Summary, Withdrawn, encode
from somnisphere.coach_desk.ledger import LedgerError, Standing, newest
from somnisphere.household_file import connect

MIGRATIONS = (
    """
    CREATE TABLE household (
        id TEXT PRIMARY KEY, called TEXT NOT NULL, number INTEGER NOT NULL, until TEXT NOT NULL,
        asked_on TEXT, message TEXT NOT NULL, answered INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE week (
        household TEXT NOT NULL REFERENCES household (id) ON DELETE CASCADE,
        week TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (household, week)
    ) WITHOUT ROWID;
    CREATE TABLE withdrawn (household TEXT PRIMARY KEY, until TEXT NOT NULL) WITHOUT ROWID;
    """,
)
"""``withdrawn`` holds only the random name of who went, so that a late message of theirs is known and dropped."""

_HOUSEHOLD = """
    INSERT INTO household (id, called, number, until, asked_on, message)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM withdrawn WHERE household = ?1)
    ON CONFLICT (id) DO UPDATE SET
        called = excluded.called, number = excluded.number, until = excluded.until,
        asked_on = excluded.asked_on, message = excluded.message,
        answered = answered AND excluded.asked_on IS asked_on AND excluded.message IS message
    WHERE excluded.number > number
"""
_WEEK = """
    INSERT INTO week SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM household WHERE id = ?1)
    ON CONFLICT (household, week) DO UPDATE SET number = excluded.number, body = excluded.body
    WHERE excluded.number > number
"""
T = TypeVar("T")


class SqliteLedger:
    """Of one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self.rows()  # trouble is told at once, not with the first summary

    def take(self, summaries: Sequence[Summary], withdrawn: Sequence[Withdrawn]) -> int:
        households, weeks = newest(summaries)

        def write(db: sqlite3.Connection) -> int:
            gone = 0
            for one in sorted(withdrawn, key=lambda one: one.household):
                db.execute("INSERT OR IGNORE INTO withdrawn VALUES (?, ?)", (one.household, one.until))
                gone += db.execute("DELETE FROM household WHERE id = ?", (one.household,)).rowcount
            db.executemany(_HOUSEHOLD, [household_row(summary) for summary in households])
            db.executemany(_WEEK, [week_row(summary) for summary in weeks])
            return gone

        return self._forget(write)

    def sweep(self, today: date) -> int:
        def write(db: sqlite3.Connection) -> int:
            late = (today - timedelta(days=2)).isoformat()  # the clocks of two machines may differ by a day
            db.execute("DELETE FROM withdrawn WHERE until < ?", (late,))
            return db.execute("DELETE FROM household WHERE until < ?", (today.isoformat(),)).rowcount

        return self._forget(write)

    def standings(self) -> list[Standing]:
        asked = "CASE WHEN answered THEN NULL ELSE asked_on END"
        rows = self._do(lambda db: db.execute(f"SELECT id, called, until, {asked}, message FROM household").fetchall())
        return [Standing(*row) for row in rows]

    def weeks(self, household: str) -> list[str]:
        latest = "SELECT body FROM week WHERE household = ? ORDER BY week DESC"
        return [body for (body,) in self._do(lambda db: db.execute(latest, (household,)).fetchall())]

    def answered(self, household: str) -> None:
        self._do(lambda db: db.execute("UPDATE household SET answered = 1 WHERE id = ?", (household,)))

    def rows(self) -> tuple[int, int]:
        count = "SELECT (SELECT count(*) FROM household), (SELECT count(*) FROM week)"
        households, weeks = self._do(lambda db: db.execute(count).fetchone())
        return households, households + weeks

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _forget(self, write: Callable[[sqlite3.Connection], int]) -> int:
        """After a removal the log beside the file is emptied too: it would hold what was removed."""
        gone = self._do(write)
        if gone and self._db is not None:
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as problem:
                raise self._trouble(problem) from problem
        return gone

    def _do(self, deed: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._db is None:
                self._db = connect(self._path, "coach_desk", MIGRATIONS)
            self._db.execute("BEGIN IMMEDIATE")
            done = deed(self._db)
            self._db.execute("COMMIT")
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except (sqlite3.DatabaseError, OSError) as problem:  # "file is not a database" is no narrower one
            raise self._trouble(problem) from problem
        return done

    def _trouble(self, problem: Exception) -> LedgerError:
        self.close()
        return LedgerError(f"{self._path}: the books cannot be kept: {problem}. Check the disk and its rights.")


def household_row(summary: Summary) -> tuple[str, str, int, str, str | None, str]:
    word = summary.word
    asked_on, message = (None, "") if word is None else (word.on, word.message)
    return summary.household, summary.called, summary.number, summary.until, asked_on, message


def week_row(summary: Summary) -> tuple[str, str, int, str]:
    return summary.household, summary.week, summary.number, encode(summary).decode()
