"""Nights on disk: SQLite in WAL mode, one commit a minute at most, kind to an SD card.

What is to be written waits in memory and goes out in one transaction (``flush``). A disk that is full or read-only is a
state (``problem``): the rows wait, bounded, and are tried again a minute later. A database that is broken is kept aside
and a new one begun. Times on disk are Unix seconds: monotonic ones mean nothing after a restart.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from somnisphere.night import Epoch, Presence, Stage, StageEstimate
from somnisphere.snapshot import NightTimes

COMMIT_EVERY_S = 60.0
WAITING_ROWS = 20_000
"""Rows kept while the disk refuses them: several nights. The oldest go first."""

CARRY_ON_WITHIN_S = 3 * 3600.0
"""A night whose last epoch is older than this is not carried on after a restart."""

MIGRATIONS = (
    """
    CREATE TABLE night (
      id TEXT PRIMARY KEY, opened_s REAL NOT NULL, closed INTEGER NOT NULL DEFAULT 0, times TEXT NOT NULL);
    CREATE TABLE epoch (
      night TEXT NOT NULL REFERENCES night, number INTEGER NOT NULL, wall_s REAL NOT NULL, body TEXT NOT NULL,
      live TEXT NOT NULL, revised TEXT, PRIMARY KEY (night, number)) WITHOUT ROWID;
    CREATE TABLE moment (night TEXT, wall_s REAL NOT NULL, type TEXT NOT NULL, confidence REAL);
    CREATE TABLE bookmark (story TEXT PRIMARY KEY, position_s REAL NOT NULL);
    CREATE TABLE ritual (one INTEGER PRIMARY KEY CHECK (one = 1), wall_s REAL NOT NULL, state TEXT NOT NULL);
    """,
)
"""Each brings a database from version n to n + 1 (``PRAGMA user_version``). Never edited, only added to."""


@dataclass(frozen=True, slots=True)
class KeptNight:
    """A night as the journal holds it. ``start_s`` of epochs and estimates are Unix seconds. ``estimates``: the
    morning's answer where there is one, else the live one."""

    times: NightTimes
    epochs: tuple[Epoch, ...]
    estimates: tuple[StageEstimate, ...]
    closed: bool


class Journal:
    """One writer. ``problem`` is a sentence for a person while writing does not work, else ""."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[tuple[str, tuple[Any, ...]]] = []
        self._committed_s: float | None = None
        self._database: sqlite3.Connection | None = None
        self.problem = ""
        self.rows_dropped = 0
        self._open()

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = _connect(self._path)
        except sqlite3.DatabaseError as problem:
            if isinstance(problem, sqlite3.OperationalError):  # locked, full, not a file: the database may be sound
                self.problem = f"The journal {self._path} cannot be opened: {problem}."
                return
            self._set_aside(problem)
        except OSError as problem:
            self.problem = f"The journal {self._path} cannot be made: {problem.strerror or problem}."

    def _set_aside(self, problem: sqlite3.DatabaseError) -> None:
        number = 1
        while (aside := self._path.with_name(f"{self._path.name}.broken-{number}")).exists():
            number += 1
        try:
            self._path.rename(aside)
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self._database = _connect(self._path)
            self.problem = f"The journal was broken ({problem}); it is kept as {aside.name}, and a new one was begun."
        except (OSError, sqlite3.Error) as again:
            self.problem = f"The journal {self._path} is broken and cannot be set aside: {again}."

    # ---- writing --------------------------------------------------------------------------------------------------

    def _put(self, sql: str, *values: Any) -> None:
        self._waiting.append((sql, values))
        if len(self._waiting) > WAITING_ROWS:
            del self._waiting[0]
            self.rows_dropped += 1

    def open_night(self, night_id: str, wall_s: float) -> str:
        """Begin a night; returns the id it got: a second night of one evening is ``<date>.2``."""
        taken, number, free = set(self.nights()), 2, night_id
        while free in taken:
            free, number = f"{night_id}.{number}", number + 1
        times = json.dumps(asdict(NightTimes(free)))
        self._put("INSERT INTO night (id, opened_s, times) VALUES (?, ?, ?)", free, wall_s, times)
        return free

    def add_epoch(self, night_id: str, wall_s: float, epoch: Epoch, estimate: StageEstimate) -> None:
        self._put(
            "INSERT OR REPLACE INTO epoch (night, number, wall_s, body, live) VALUES (?, ?, ?, ?, ?)",
            *(night_id, epoch.index, wall_s, json.dumps(_without_times(epoch)), json.dumps(_without_times(estimate))),
        )

    def keep_times(self, night_id: str, times: NightTimes) -> None:
        self._put("UPDATE night SET times = ? WHERE id = ?", json.dumps(asdict(times)), night_id)

    def add_moment(self, night_id: str | None, wall_s: float, kind: str, confidence: float | None) -> None:
        self._put("INSERT INTO moment VALUES (?, ?, ?, ?)", night_id, wall_s, kind, confidence)

    def save_bookmark(self, story_key: str, position_s: float) -> None:
        self._put("INSERT OR REPLACE INTO bookmark VALUES (?, ?)", story_key, position_s)

    def save_ritual(self, wall_s: float, state: Mapping[str, Any]) -> None:
        """Where the evening is; the newest counts."""
        self._put("INSERT OR REPLACE INTO ritual VALUES (1, ?, ?)", wall_s, json.dumps(state))

    def close_night(self, night_id: str, times: NightTimes, estimates: Sequence[StageEstimate]) -> None:
        """The night is over; ``estimates`` is the morning's answer."""
        self.keep_times(night_id, times)
        for estimate in estimates:
            row = (json.dumps(_without_times(estimate)), night_id, estimate.index)
            self._put("UPDATE epoch SET revised = ? WHERE night = ? AND number = ?", *row)
        self._put("UPDATE night SET closed = 1 WHERE id = ?", night_id)

    def flush(self, at_s: float) -> None:
        """Write what waits, if the last commit is a minute old. ``at_s``: monotonic."""
        if self._committed_s is None:
            self._committed_s = at_s
        if self._waiting and at_s - self._committed_s >= COMMIT_EVERY_S:
            self._committed_s = at_s
            self._commit()

    def _commit(self) -> None:
        if self._database is None:
            self._open()
        if self._database is None or not self._waiting:
            return
        try:
            with self._database:
                for sql, values in self._waiting:
                    self._database.execute(sql, values)
        except sqlite3.Error as problem:
            self.problem = f"The journal {self._path} cannot be written ({problem}); the night is kept in memory."
            return
        self._waiting.clear()
        if self.problem.endswith("in memory."):
            self.problem = ""

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        self._commit()
        if self._database is not None:
            self._database.close()
            self._database = None

    # ---- reading --------------------------------------------------------------------------------------------------

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        if self._database is None:
            return []
        try:
            return self._database.execute(sql, values).fetchall()
        except sqlite3.Error as problem:
            self.problem = f"The journal {self._path} cannot be read ({problem})."
            return []

    def nights(self) -> list[str]:
        """Ids of all nights on disk, oldest first."""
        return [row[0] for row in self._rows("SELECT id FROM night ORDER BY opened_s")]

    def bookmarks(self) -> dict[str, float]:
        return dict(self._rows("SELECT story, position_s FROM bookmark"))

    def ritual(self) -> tuple[float, dict[str, Any]] | None:
        """(Unix time it was saved, state), or None."""
        for wall_s, state in self._rows("SELECT wall_s, state FROM ritual"):
            with suppress(ValueError):
                return wall_s, json.loads(state)
        return None

    def load(self, night_id: str) -> KeptNight | None:
        for times, closed in self._rows("SELECT times, closed FROM night WHERE id = ?", night_id):
            rows = self._rows(
                "SELECT number, wall_s, body, live, revised FROM epoch WHERE night = ? ORDER BY number", night_id
            )
            return KeptNight(
                NightTimes(**json.loads(times)),
                tuple(_epoch(number, wall_s, json.loads(body)) for number, wall_s, body, _, _ in rows),
                tuple(_estimate(number, wall_s, json.loads(rev or live)) for number, wall_s, _, live, rev in rows),
                bool(closed),
            )
        return None

    def last_closed(self) -> KeptNight | None:
        ids = self._rows("SELECT id FROM night WHERE closed = 1 ORDER BY opened_s DESC LIMIT 1")
        return self.load(ids[0][0]) if ids else None

    def night_in_progress(self, wall_s: float, within_s: float = CARRY_ON_WITHIN_S) -> KeptNight | None:
        """The newest night that was not closed, if its last epoch is not older than ``within_s``."""
        newest = self._rows(
            "SELECT night.id, coalesce(max(epoch.wall_s), night.opened_s) FROM night LEFT JOIN epoch"
            " ON epoch.night = night.id WHERE closed = 0 GROUP BY night.id ORDER BY opened_s DESC LIMIT 1"
        )
        if not newest or not 0 <= wall_s - newest[0][1] <= within_s:
            return None
        return self.load(newest[0][0])


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=2.0)
    try:
        path.chmod(0o600)  # body data: nobody else's
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            database.executescript(f"BEGIN; {script} PRAGMA user_version={number}; COMMIT;")
    except BaseException:
        database.close()
        raise
    return database


def _without_times(part: Epoch | StageEstimate) -> dict[str, Any]:
    return {key: value for key, value in asdict(part).items() if key not in ("index", "start_s")}


def _epoch(number: int, wall_s: float, body: dict[str, Any]) -> Epoch:
    epoch = Epoch(index=number, start_s=wall_s, **body)
    return replace(
        epoch,
        presence=None if epoch.presence is None else Presence(epoch.presence),
        heart_series_bpm=tuple(epoch.heart_series_bpm),
        motion_counts=tuple(epoch.motion_counts),
    )


def _estimate(number: int, wall_s: float, body: dict[str, Any]) -> StageEstimate:
    estimate = StageEstimate(index=number, start_s=wall_s, **body)
    chances = estimate.probabilities
    return replace(
        estimate,
        stage=None if estimate.stage is None else Stage(estimate.stage),
        probabilities=None if chances is None else (chances[0], chances[1], chances[2], chances[3]),
    )
