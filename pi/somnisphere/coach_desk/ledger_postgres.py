"""The coach's books in PostgreSQL, where there are many households or several machines. The only file with psycopg.

Collectors work side by side: rows are written in one order, and whoever removes a household waits for those who write
and keeps the next ones out meanwhile (an advisory lock), so that nobody's late batch brings back what was taken back.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

import psycopg

from somnisphere.coach.summary import Summary, Withdrawn
from somnisphere.coach_desk.ledger import LedgerError, Standing, newest
from somnisphere.coach_desk.ledger_sqlite import household_row, week_row

_LOCK = 0x534F4D4E
_TABLES = """
    CREATE TABLE IF NOT EXISTS coach_household (
        id text PRIMARY KEY, called text NOT NULL, number bigint NOT NULL, until text NOT NULL,
        asked_on text, message text NOT NULL, answered boolean NOT NULL DEFAULT false
    );
    CREATE TABLE IF NOT EXISTS coach_week (
        household text NOT NULL REFERENCES coach_household (id) ON DELETE CASCADE,
        week text NOT NULL, number bigint NOT NULL, body text NOT NULL, PRIMARY KEY (household, week)
    );
    CREATE TABLE IF NOT EXISTS coach_withdrawn (household text PRIMARY KEY, until text NOT NULL);
"""
_HOUSEHOLD = """
    INSERT INTO coach_household AS held (id, called, number, until, asked_on, message)
    SELECT new.* FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[])
        AS new (id, called, number, until, asked_on, message)
    WHERE NOT EXISTS (SELECT 1 FROM coach_withdrawn WHERE household = new.id)
    ON CONFLICT (id) DO UPDATE SET
        called = excluded.called, number = excluded.number, until = excluded.until,
        asked_on = excluded.asked_on, message = excluded.message,
        answered = held.answered AND excluded.asked_on IS NOT DISTINCT FROM held.asked_on
            AND excluded.message = held.message
    WHERE excluded.number > held.number
"""
_WEEK = """
    INSERT INTO coach_week AS held (household, week, number, body)
    SELECT new.* FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[]) AS new (household, week, number, body)
    WHERE EXISTS (SELECT 1 FROM coach_household WHERE id = new.household)
    ON CONFLICT (household, week) DO UPDATE SET number = excluded.number, body = excluded.body
    WHERE excluded.number > held.number
"""
_WITHDRAWN = """
    INSERT INTO coach_withdrawn SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT (household) DO NOTHING
"""
T = TypeVar("T")
Db = psycopg.Connection[tuple[Any, ...]]


class PostgresLedger:
    """Of one thread. ``url``: postgresql://… (a password is better kept in ~/.pgpass than in it)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._db: Db | None = None
        self.rows()  # trouble is told at once, not with the first summary

    def take(self, summaries: Sequence[Summary], withdrawn: Sequence[Withdrawn]) -> int:
        households, weeks = newest(summaries)

        def write(db: Db) -> int:
            gone = 0
            if withdrawn:
                db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                untils = {one.household: one.until for one in withdrawn}
                db.execute(_WITHDRAWN, (list(untils), list(untils.values())))
                gone = db.execute("DELETE FROM coach_household WHERE id = ANY (%s)", (list(untils),)).rowcount
            else:
                db.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_LOCK,))
            if households:
                db.execute(_HOUSEHOLD, _columns([household_row(summary) for summary in households]))
                db.execute(_WEEK, _columns([week_row(summary) for summary in weeks]))
            return gone

        return self._forget(write)

    def sweep(self, today: date) -> int:
        def write(db: Db) -> int:
            db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            late = (today - timedelta(days=2)).isoformat()  # the clocks of two machines may differ by a day
            db.execute("DELETE FROM coach_withdrawn WHERE until < %s", (late,))
            return db.execute("DELETE FROM coach_household WHERE until < %s", (today.isoformat(),)).rowcount

        return self._forget(write)

    def standings(self) -> list[Standing]:
        asked = "CASE WHEN answered THEN NULL ELSE asked_on END"
        listed = f"SELECT id, called, until, {asked}, message FROM coach_household"
        return [Standing(*row) for row in self._do(lambda db: db.execute(listed).fetchall())]

    def weeks(self, household: str) -> list[str]:
        latest = "SELECT body FROM coach_week WHERE household = %s ORDER BY week DESC"
        return [body for (body,) in self._do(lambda db: db.execute(latest, (household,)).fetchall())]

    def answered(self, household: str) -> None:
        self._do(lambda db: db.execute("UPDATE coach_household SET answered = true WHERE id = %s", (household,)))

    def rows(self) -> tuple[int, int]:
        count = "SELECT (SELECT count(*) FROM coach_household), (SELECT count(*) FROM coach_week)"
        row = self._do(lambda db: db.execute(count).fetchone())
        assert row is not None
        return row[0], row[0] + row[1]

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _forget(self, write: Callable[[Db], int]) -> int:
        """After a removal the tables are vacuumed: until then the rows lie there, only out of sight."""
        gone = self._do(write)
        if gone and self._db is not None:
            try:
                self._db.autocommit = True
                self._db.execute("VACUUM coach_household, coach_week")
                self._db.autocommit = False
            except psycopg.OperationalError as problem:
                raise self._trouble(problem) from problem
        return gone

    def _do(self, deed: Callable[[Db], T]) -> T:
        try:
            if self._db is None:
                self._db = self._open()
            with self._db.transaction():
                return deed(self._db)
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.InsufficientPrivilege) as problem:
            raise self._trouble(problem) from problem

    def _open(self) -> Db:
        try:
            db = psycopg.connect(self._url, connect_timeout=10)
        except psycopg.ProgrammingError as problem:  # what cannot be read as a URL
            raise self._trouble(problem) from problem
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))  # two must not make tables at once
        db.execute(_TABLES)
        db.commit()
        return db

    def _trouble(self, problem: Exception) -> LedgerError:
        self.close()
        why = str(problem).strip()
        return LedgerError(f"PostgreSQL: the books cannot be kept: {why}. Check the server and --database.")


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
