"""Nights of other trackers, in a table of their own in the household's file: shown beside ours, never mixed with them.

They teach nothing: neither the sleeper's middles, nor the bookmark's margin, nor how regular the nights are. What the
other tracker made a score of is not kept.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from somnisphere.household_file import WAIT_S, connect
from somnisphere.night import Stage

MIGRATIONS = (
    """
    CREATE TABLE imported_night (
        source TEXT NOT NULL, began_s REAL NOT NULL, ended_s REAL NOT NULL, night TEXT NOT NULL,
        spans TEXT NOT NULL, minutes TEXT NOT NULL, imported_at_s REAL NOT NULL, PRIMARY KEY (source, began_s)
    ) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one stage, Unix seconds; ``stage`` None: the tracker did not know, or did not say."""

    start_s: float
    end_s: float
    stage: Stage | None


@dataclass(frozen=True, slots=True)
class ImportedNight:
    """``night_id``: ISO date of its evening. ``minutes``: by stage, as far as the tracker says so."""

    source: str
    night_id: str
    began_s: float
    ended_s: float
    spans: tuple[Span, ...]
    minutes: dict[str, float]

    @property
    def fell_asleep_s(self) -> float | None:
        """Of the first span of sleep; None where there are no spans."""
        return next((span.start_s for span in self.spans if span.stage not in (None, Stage.AWAKE)), None)

    @property
    def woke_up_s(self) -> float | None:
        """The end of the last span of sleep."""
        return next((span.end_s for span in reversed(self.spans) if span.stage not in (None, Stage.AWAKE)), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``known``: were imported before. ``overlapping``: lie over another night of the same tracker, and were left."""

    new: tuple[ImportedNight, ...]
    known: tuple[ImportedNight, ...]
    overlapping: tuple[ImportedNight, ...]


class ImportedNights:
    """Raises ``sqlite3.Error`` and ``OSError``: whoever asks says so to the person."""

    def __init__(self, household: Path) -> None:
        self._path = household

    def all(self, since: str = "", until: str = "9") -> list[ImportedNight]:
        """By evening, oldest first. Nothing is written."""
        if not self._path.exists():
            return []
        with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT_S)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'imported_night'").fetchone():
                return []
            rows = db.execute(
                "SELECT source, night, began_s, ended_s, spans, minutes FROM imported_night "
                "WHERE night >= ? AND night <= ? ORDER BY began_s, source",
                (since, until),
            ).fetchall()
        try:
            return [_night(*row) for row in rows]
        except (ValueError, TypeError, AttributeError, RecursionError) as problem:
            raise sqlite3.DatabaseError(f"an imported night cannot be read ({problem})") from problem

    def take_in(self, nights: Sequence[ImportedNight], at_s: float, *, dry_run: bool = False) -> Outcome:
        """Keep those that are new, all at once. Of the same tracker no two may overlap."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            new, known, overlapping = list[ImportedNight](), list[ImportedNight](), list[ImportedNight]()
            for night in sorted(nights, key=lambda one: one.began_s):
                others = "SELECT began_s FROM imported_night WHERE source = ? AND began_s < ? AND ended_s > ?"
                found = [row[0] for row in db.execute(others, (night.source, night.ended_s, night.began_s))]
                if night.began_s in found:
                    known.append(night)
                elif found:
                    overlapping.append(night)
                else:
                    new.append(night)
                    db.execute("INSERT INTO imported_night VALUES (?, ?, ?, ?, ?, ?, ?)", _row(night, at_s))
            db.execute("ROLLBACK" if dry_run else "COMMIT")
        return Outcome(tuple(new), tuple(known), tuple(overlapping))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = connect(self._path, "imported", MIGRATIONS)
        try:
            yield db
        finally:
            db.close()


def _row(night: ImportedNight, at_s: float) -> tuple[str | float, ...]:
    spans = json.dumps([[span.start_s, span.end_s, span.stage] for span in night.spans], separators=(",", ":"))
    head = (night.source, night.began_s, night.ended_s, night.night_id)
    return (*head, spans, json.dumps(night.minutes), at_s)


def _night(source: str, night_id: str, began_s: float, ended_s: float, spans: str, minutes: str) -> ImportedNight:
    found = tuple(
        Span(start_s, end_s, None if stage is None else Stage(stage)) for start_s, end_s, stage in json.loads(spans)
    )
    return ImportedNight(source, night_id, began_s, ended_s, found, dict(json.loads(minutes)))
