"""Tellings and seals in the household's file. Trouble with it is ``DiaryError``, in words for a person."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from somnisphere.diary.learning import LATEST
from somnisphere.diary.questions import FORMS, Form
from somnisphere.diary.seal import Seal, Step, after, lets_through
from somnisphere.diary.telling import Telling
from somnisphere.errors import UserError
from somnisphere.household_file import connect
from somnisphere.household_rows import readable

PART = "diary"
MIGRATIONS = (
    """
    CREATE TABLE seal (night TEXT PRIMARY KEY, state TEXT NOT NULL, at_s REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE telling (
        night TEXT PRIMARY KEY, told_s REAL NOT NULL, form TEXT NOT NULL, answers TEXT NOT NULL, onset_later_s REAL
    ) WITHOUT ROWID;
    """,
)
"""``onset_later_s``: how much later than the sensor sleep was told to have come; NULL where that teaches nothing."""

T = TypeVar("T")


class DiaryError(UserError, sqlite3.Error):
    """The household's file cannot be read or written. The text says which and why. To the page it is any trouble with
    that file."""


@dataclass(frozen=True, slots=True)
class KeptTelling:
    night_id: str
    told_wall_s: float
    telling: Telling


class Diary:
    """The page's and the command line's side: each call opens the file, does its one thing whole, and closes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def seal(self, night_id: str) -> Seal:
        """A night of which nobody said anything is sealed."""
        return self.seals().get(night_id, Seal.SEALED)

    def seals(self) -> dict[str, Seal]:
        return self._do(read_seals)

    def step(self, night_id: str, step: Step, wall_s: float) -> Seal:
        """A person did something; returns how the night is closed now."""
        return self._do(lambda db: _step(db, night_id, step, wall_s))

    def open_all(self, night_ids: list[str], wall_s: float) -> None:
        """Just show me all of these."""
        self._do(lambda db: [_step(db, night_id, Step.SHOW, wall_s) for night_id in night_ids])

    def tell(self, night_id: str, telling: Telling, wall_s: float, onset_later_s: float | None = None) -> Seal:
        """Keep what was told, in place of what was told before. ``onset_later_s`` counts only while the night is still
        sealed: whoever has seen the sensor's time tells that."""

        def keep(db: sqlite3.Connection) -> Seal:
            seen = lets_through(read_seals(db).get(night_id, Seal.SEALED))
            earlier = db.execute("SELECT onset_later_s FROM telling WHERE night = ?", (night_id,)).fetchone()
            later_s = (earlier[0] if earlier else None) if seen else onset_later_s
            db.execute(
                "INSERT OR REPLACE INTO telling VALUES (?, ?, ?, ?, ?)",
                (night_id, wall_s, telling.form, json.dumps(dict(telling.answers), ensure_ascii=False), later_s),
            )
            return _step(db, night_id, Step.TELL, wall_s)

        return self._do(keep)

    def telling(self, night_id: str) -> KeptTelling | None:
        """None: the night was not told, and stays blank."""
        return self.tellings(night_id).get(night_id)

    def tellings(self, since: str = "") -> dict[str, KeptTelling]:
        """By night, from the night ``since`` on."""
        rows = self._do(
            lambda db: db.execute(
                "SELECT night, told_s, form, answers FROM telling WHERE night >= ?", (since,)
            ).fetchall()
        )
        return {kept.night_id: kept for kept in readable(rows, _kept, "tellings")}

    def differences_s(self) -> tuple[float, ...]:
        """How much later than the sensor sleep was told to have come, oldest first."""
        return self._do(read_differences_s)

    def forget(self, night_id: str) -> None:
        """Take a telling back. The seal stays as it is: what was seen was seen."""
        self._do(lambda db: db.execute("DELETE FROM telling WHERE night = ?", (night_id,)))

    def _do(self, deed: Callable[[sqlite3.Connection], T]) -> T:
        with _opened(self.path) as db:
            db.execute("BEGIN IMMEDIATE")
            done = deed(db)
            db.execute("COMMIT")
            return done


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        db = connect(path, PART, MIGRATIONS)
        try:
            yield db
        finally:
            db.close()
    except (sqlite3.Error, OSError) as problem:
        raise DiaryError(
            f"{path}: the household's words cannot be kept or read: {problem}. Check the disk."
        ) from problem


def read_seals(db: sqlite3.Connection) -> dict[str, Seal]:
    """A word that a newer version wrote is sealed here."""
    known = {seal.value: seal for seal in Seal}
    return {night: known.get(state, Seal.SEALED) for night, state in db.execute("SELECT night, state FROM seal")}


def read_differences_s(db: sqlite3.Connection) -> tuple[float, ...]:
    numbers = "typeof(onset_later_s) IN ('real', 'integer') AND abs(onset_later_s) <= 86400"
    latest = f"SELECT onset_later_s FROM telling WHERE {numbers} ORDER BY night DESC LIMIT ?"
    return tuple(float(row[0]) for row in db.execute(latest, (2 * LATEST,)))[::-1]


def _step(db: sqlite3.Connection, night_id: str, step: Step, wall_s: float) -> Seal:
    was = read_seals(db).get(night_id, Seal.SEALED)
    now = after(was, step)
    if now is not was:
        db.execute("INSERT OR REPLACE INTO seal VALUES (?, ?, ?)", (night_id, now.value, wall_s))
    return now


def _kept(night_id: str, told_s: float, form: Form, answers: str) -> KeptTelling:
    """Answers that cannot be read are blank; the night was told all the same."""
    if not isinstance(night_id, str) or form not in FORMS:
        raise ValueError(f"the night {night_id!r} was told in the form {form!r}")
    try:
        said = {key: value for key, value in json.loads(answers).items() if isinstance(value, str | int)}
    except (ValueError, TypeError, AttributeError, RecursionError):
        said = {}
    return KeptTelling(night_id, float(told_s), Telling(form, said))
