"""What the coach's room keeps in the household's file: whether suggestions are welcome, which there were, and consents.

Consents are never deleted: they are the household's own record of what was given and taken back, and when. Each call
opens the file, does its one thing whole, and closes it; ``sqlite3.Error`` and ``OSError`` are the caller's to say.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from somnisphere.coach.consent import Consent
from somnisphere.coach.post import KeptConsent
from somnisphere.coach.rails import ForAPerson, Given, Suggestion, running
from somnisphere.coach.summary import AskedForAWord
from somnisphere.household_file import connect
from somnisphere.household_rows import as_declared, readable

MIGRATIONS = (
    """
    CREATE TABLE coach_welcome (
        one INTEGER PRIMARY KEY CHECK (one = 1), welcome INTEGER NOT NULL, said_on TEXT NOT NULL
    );
    CREATE TABLE coach_given (
        number INTEGER PRIMARY KEY, programme TEXT NOT NULL, given_on TEXT NOT NULL, ends_on TEXT NOT NULL,
        ignored_on TEXT
    );
    CREATE TABLE coach_consent (
        id TEXT PRIMARY KEY, coach TEXT NOT NULL, coach_name TEXT NOT NULL, called TEXT NOT NULL,
        given_on TEXT NOT NULL, until TEXT NOT NULL, withdrawn_on TEXT, given_at_s REAL NOT NULL, withdrawn_at_s REAL,
        told_at_s REAL, number INTEGER NOT NULL DEFAULT 0, said_on TEXT, asked_on TEXT, message TEXT NOT NULL DEFAULT ''
    );
    """,
)
_COLUMNS = (
    "id, coach, coach_name, called, given_on, until, withdrawn_on, given_at_s, withdrawn_at_s, told_at_s, said_on, "
    "asked_on, message"
)
Decide = Callable[[list[Given]], Suggestion | ForAPerson | None]


class CoachStore:
    def __init__(self, path: Path) -> None:
        self._path = path

    # ---- suggestions ------------------------------------------------------------------------------------------------

    def welcome(self) -> bool | None:
        """Whether suggestions are; None: nobody has read the page yet."""
        with self._open() as db:
            row = db.execute("SELECT welcome FROM coach_welcome").fetchone()
        return None if row is None else bool(row[0])

    def say_welcome(self, welcome: bool, today: date) -> None:
        """The one thing that is kept of the page of what is for a person."""
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO coach_welcome VALUES (1, ?, ?)", (welcome, today.isoformat()))

    def suggestion(self, today: date, decide: Decide) -> Given | ForAPerson | None:
        """The one that runs, else a new one if ``decide`` has one. Whole: two pages at once never make two of it."""
        with self._open() as db:
            history = _history(db)
            decided = decide(history)
            if isinstance(decided, ForAPerson):
                return decided
            if decided is not None:
                given = Given(decided.programme.key, decided.given_on, decided.ends_on)
                row = (given.programme, given.given_on.isoformat(), given.ends_on.isoformat())
                db.execute("INSERT INTO coach_given (programme, given_on, ends_on) VALUES (?, ?, ?)", row)
                return given
            return running(history, today)

    def ignore(self, programme: str, today: date) -> None:
        """Put away the running one of this key."""
        with self._open() as db:
            day = today.isoformat()
            db.execute(
                "UPDATE coach_given SET ignored_on = ? WHERE programme = ? AND ignored_on IS NULL AND ends_on >= ?",
                (day, programme, day),
            )

    def history(self) -> list[Given]:
        with self._open() as db:
            return _history(db)

    # ---- consents ---------------------------------------------------------------------------------------------------

    def consents(self) -> list[KeptConsent]:
        """All there ever were, the latest first."""
        with self._open() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM coach_consent ORDER BY given_at_s DESC").fetchall()
        return readable(rows, _kept, "consents")

    def grant(self, coach: str, coach_name: str, called: str, today: date, until: date, at_s: float) -> Consent | None:
        """None: one is in force already; it is to be taken back first."""
        consent = Consent(secrets.token_hex(16), coach, coach_name, called, today, until)
        with self._open() as db:
            open_now = "SELECT 1 FROM coach_consent WHERE withdrawn_on IS NULL AND until >= ?"
            if db.execute(open_now, (today.isoformat(),)).fetchone():
                return None
            db.execute(
                "INSERT INTO coach_consent (id, coach, coach_name, called, given_on, until, given_at_s) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (consent.id, coach, coach_name, called, today.isoformat(), until.isoformat(), at_s),
            )
        return consent

    def withdraw(self, consent_id: str, today: date, at_s: float) -> bool:
        """From here on nothing of it is sent. What was written to the coach goes from this file, too."""
        with self._open() as db:
            changed = db.execute(
                "UPDATE coach_consent SET withdrawn_on = ?, withdrawn_at_s = ?, asked_on = NULL, message = '' "
                "WHERE id = ? AND withdrawn_on IS NULL",
                (today.isoformat(), at_s, consent_id),
            ).rowcount
        return changed > 0

    def ask(self, consent_id: str, today: date | None, message: str = "") -> bool:
        """Ask for a word; ``today`` None: no more. False: there is no such consent in force."""
        with self._open() as db:
            changed = db.execute(
                "UPDATE coach_consent SET asked_on = ?, message = ?, said_on = NULL "
                "WHERE id = ? AND withdrawn_on IS NULL",
                (None if today is None else today.isoformat(), message, consent_id),
            ).rowcount
        return changed > 0

    # ---- for the post -----------------------------------------------------------------------------------------------

    def next_number(self, consent_id: str, today: date) -> int | None:
        """Of a message that goes out now; None: the consent is no more, and nothing may go."""
        with self._open() as db:
            kept = db.execute(f"SELECT {_COLUMNS} FROM coach_consent WHERE id = ?", (consent_id,)).fetchone()
            if kept is None or not any(one.consent.allows(today) for one in readable([kept], _kept, "consents")):
                return None
            db.execute("UPDATE coach_consent SET number = number + 1 WHERE id = ?", (consent_id,))
            row = db.execute("SELECT number FROM coach_consent WHERE id = ?", (consent_id,)).fetchone()
        return int(row[0])

    def said(self, consent_id: str, today: date, word: AskedForAWord | None) -> None:
        """The broker has the summary of today with this word, unless another was asked for meanwhile."""
        asked_on, message = (None, "") if word is None else (word.on, word.message)
        with self._open() as db:
            db.execute(
                "UPDATE coach_consent SET said_on = ? WHERE id = ? AND asked_on IS ? AND message = ?",
                (today.isoformat(), consent_id, asked_on, message),
            )

    def told(self, consent_id: str, at_s: float) -> None:
        """The broker has heard that it was taken back."""
        with self._open() as db:
            db.execute("UPDATE coach_consent SET told_at_s = ? WHERE id = ?", (at_s, consent_id))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = connect(self._path, "coach", MIGRATIONS)
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()


def _history(db: sqlite3.Connection) -> list[Given]:
    rows = db.execute("SELECT programme, given_on, ends_on, ignored_on FROM coach_given ORDER BY number")
    return readable(rows, _given, "suggestions")


def _given(key: str, given: str, ends: str, ignored: str | None) -> Given:
    return as_declared(Given, programme=key, given_on=given, ends_on=ends, ignored_on=ignored)


def _kept(*row: str | None) -> KeptConsent:
    name, coach, coach_name, called, given, until, withdrawn, given_s, withdrawn_s, told_s, said, asked, message = row
    days = (_day(str(given)), _day(str(until)), None if withdrawn is None else _day(withdrawn))
    return KeptConsent(
        Consent(str(name), str(coach), str(coach_name), str(called), *days),
        float(given_s or 0.0),
        None if withdrawn_s is None else float(withdrawn_s),
        None if told_s is None else float(told_s),
        None if said is None else _day(said),
        None if asked is None else AskedForAWord(asked, message or ""),
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)
