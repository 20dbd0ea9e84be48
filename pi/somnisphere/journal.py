"""The journal: every night in one SQLite file, written at most once a minute, and picked up again after a kill.

How it is kept
    * Each minute ``flush`` writes what waits: epochs beside the journal (``journal_tail.py``), all else in one
      transaction. A power cut costs that minute; WAL with ``synchronous=NORMAL`` keeps the file whole.
    * A disk that is full or read-only is a state (``problem``), tried again a minute later with all that waited.
    * A file that is no database any more is put aside under another name, and a new one is begun; ``mended`` says so.
    * Monotonic time means nothing after a restart: every epoch carries its Unix time. ``load`` gives epochs in Unix
      seconds, ``night_in_progress`` in the monotonic time of the run that asks.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from somnisphere.bedtime.shelf import EVERYBODY, Place
from somnisphere.journal_rows import answer_row, body_row, is_time, read_rows, read_times, time_or
from somnisphere.journal_schema import ADD_EPOCH, MERGE_EPOCH, NAMED, OPEN_NIGHT, TROUBLE, connect, is_broken
from somnisphere.journal_tail import JournalTail, not_in_it
from somnisphere.journal_words import KeptNight as KeptNight
from somnisphere.journal_words import Moment as Moment
from somnisphere.journal_words import SavedRitual as SavedRitual
from somnisphere.journal_words import Told as Told
from somnisphere.night import EPOCH_S, Epoch, NightTimes, StageEstimate
from somnisphere.night_in_progress import CONTINUE_WITHIN_S
from somnisphere.small_file import free_aside

COMMIT_EVERY_S = 60.0
"""What waits goes to disk, into the journal's tail or into the journal."""
TAIL_ROWS = 1500
"""So many epochs, twelve hours and a half, the tail takes before the journal itself has to."""
WAITING_LIMIT = 20_000
"""So many rows wait at the most (about a week of epochs); the oldest are given up first."""


class Journal:
    """Never raises for trouble with disk or file: ``problem`` says what is wrong, "" when nothing is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self.mended = ""
        """A sentence when a broken file was put aside, else ""."""
        self._db: sqlite3.Connection | None = None
        self._rows: list[tuple[str, tuple[Any, ...]]] = []
        self._latest: dict[str, tuple[str, tuple[Any, ...]]] = {}
        self._tried_s: float | None = None
        self._night: tuple[str, float] | None = None
        self._tail = JournalTail(path)
        self._tailed = 0
        self._night_ended = False
        self._epochs_change = False  # whether something waits that must find all epochs in the journal
        self._tail_is_ours = False
        """Whether nothing of an earlier run is in it any more: what was torn there would hide what comes after."""
        self._open()

    # ---- writing: nothing touches the disk before ``flush`` ---------------------------------------------------------

    def open_night(self, night_id: str, wall_s: float) -> None:
        """Begin a night, or open a closed one again. Epochs of one id and number replace each other."""
        self._night = (night_id, wall_s)
        self._add(OPEN_NIGHT, self._night)

    def add_epoch(self, night_id: str, wall_s: float, epoch: Epoch, estimate: StageEstimate) -> None:
        """``wall_s``: Unix time of the epoch's start."""
        self._add(ADD_EPOCH, (night_id, epoch.index, wall_s, body_row(epoch), answer_row(estimate)))

    def add_moment(self, night_id: str | None, wall_s: float, type_: str, confidence: float | None = None) -> None:
        self._add("INSERT INTO moment VALUES (?, ?, ?, ?)", (night_id, wall_s, type_, confidence))

    def add_told(self, night_id: str | None, told: Told) -> None:
        """A story begins; the evening it belongs to is a night's."""
        self._add("INSERT INTO told VALUES (?, ?, ?, ?, ?)", (night_id, *astuple(told)))

    def save_times(self, times: NightTimes) -> None:
        plain = json.dumps(asdict(times))
        self._set(f"times {times.night_id}", "UPDATE night SET times = ? WHERE id = ?", (plain, times.night_id))

    def save_bookmark(
        self, story_key: str, position_s: float, listener: str = EVERYBODY, other_s: float | None = None
    ) -> None:
        row = (listener, story_key, position_s, other_s)
        self._set(f"bookmark {listener}/{story_key}", "INSERT OR REPLACE INTO bookmark VALUES (?, ?, ?, ?)", row)

    def save_ritual(self, state: Mapping[str, Any], at_s: float, wall_s: float) -> None:
        """Cheap: only the latest is written. ``at_s`` and ``wall_s`` are the same moment."""
        row = (wall_s - at_s, json.dumps(state, default=str))
        self._set("ritual", "INSERT OR REPLACE INTO ritual VALUES (1, ?, ?)", row)

    def save_person(self, state: Mapping[str, Any]) -> None:
        """What the nights so far taught about the sleeper."""
        self._set("person", "INSERT OR REPLACE INTO person VALUES (1, ?)", (json.dumps(state),))

    def revise(self, night_id: str, estimates: Sequence[StageEstimate]) -> None:
        """The overnight answer about epochs of the night; the live one is kept beside it."""
        self._epochs_change = True
        sql = "UPDATE epoch SET revised = ? WHERE night = ? AND number = ?"
        for estimate in estimates:
            self._add(sql, (answer_row(estimate), night_id, estimate.index))

    def close_night(self, night_id: str, wall_s: float, times: NightTimes | None = None) -> None:
        if times is not None:
            self.save_times(times)
        self._add("UPDATE night SET ended_s = ? WHERE id = ?", (wall_s, night_id))
        self._night_ended = True

    def flush(self, at_s: float, *, now: bool = False) -> bool:
        """Write what waits if a minute has passed since the last try, or ``now``. True when something was written."""
        if not now and self._tried_s is not None and 0 <= at_s - self._tried_s < COMMIT_EVERY_S:
            return False
        self._tried_s = at_s
        before = self._tailed
        return self._write(whole=not self._tail_takes()) or self._tailed > before

    def _tail_takes(self) -> bool:
        """Epochs may wait in the tail, at best for the morning's answers: a page of them is then written once."""
        epochs = [values for sql, values in self._rows if sql == ADD_EPOCH]
        if not self._tail_is_ours or self.problem or self._epochs_change or len(epochs) > TAIL_ROWS:
            return False
        if new := epochs[self._tailed :]:
            try:
                self._tail.append(new)
            except OSError:
                return False  # the journal lies on the same disk, and says what is wrong
        self._tailed = len(epochs)
        return True

    def commit(self) -> bool:
        """Write what waits, now, all of it into the journal itself."""
        return self._write(whole=True)

    def _write(self, *, whole: bool) -> bool:
        """``whole``: with the epochs."""
        rows = [row for row in self._rows if whole or row[0] != ADD_EPOCH]
        if not rows and not self._latest:
            return False
        if self._db is None and not self._open():
            return False
        assert self._db is not None
        try:
            with self._db:  # one transaction
                for sql, values in (*rows, *self._latest.values()):
                    self._db.execute(sql, values)
        except TROUBLE as error:
            self._troubled(error)
            return False
        self._rows = [] if whole else [row for row in self._rows if row[0] == ADD_EPOCH]
        self._latest.clear()
        if whole:
            self._tailed, self._epochs_change = 0, False
            self._tail_is_ours = self._tail.clear()
        self.problem = ""
        if self._night_ended:  # each night moves its own pages; left to SQLite, one in three moves those of three
            self._night_ended = False
            with suppress(*TROUBLE):  # all of it is kept, in the log; what is wrong the next commit says
                self._db.executescript("PRAGMA wal_checkpoint(PASSIVE); PRAGMA shrink_memory;")
        return True

    def close(self) -> None:
        self.commit()
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _add(self, sql: str, values: tuple[Any, ...]) -> None:
        self._rows.append((sql, values))
        if len(self._rows) > WAITING_LIMIT:
            del self._rows[: len(self._rows) - WAITING_LIMIT]
            self._tailed = 0

    def write(self, sql: str, values: tuple[Any, ...]) -> None:
        """Any other change, in its turn among the rest that waits."""
        self._epochs_change = True
        self._add(sql, values)

    def save_clock(self, values: tuple[Any, ...]) -> None:
        """The row of ``dating.py``."""
        self._set("clock", "INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?, ?, ?, ?)", values)

    def renamed(self, old: str, new: str, by_s: float) -> None:
        """The night in progress has another date by now."""
        if self._night is not None and self._night[0] == old:
            self._night = (new, self._night[1] + by_s)

    def _set(self, name: str, sql: str, values: tuple[Any, ...]) -> None:
        self._latest[name] = (sql, values)

    # ---- reading ----------------------------------------------------------------------------------------------------

    def nights(self) -> list[str]:
        """The nights that are kept, oldest first."""
        return [str(row[0]) for row in self.read(f"SELECT id FROM night WHERE {NAMED} ORDER BY began_s")]

    def past_nights(self) -> list[str]:
        """Those that are over, oldest first: closed, or left behind by a later one."""
        later = "ended_s IS NOT NULL OR began_s < (SELECT max(began_s) FROM night)"
        return [str(row[0]) for row in self.read(f"SELECT id FROM night WHERE {NAMED} AND ({later}) ORDER BY began_s")]

    def free_id(self, night_id: str) -> str:
        """A second night of one evening is ``<date>.2``: it must not be written over the first."""
        taken, number, free = set(self.nights()), 2, night_id
        taken |= {str(values[0]) for sql, values in self._rows if sql == OPEN_NIGHT}  # a disk refuses it so far
        while free in taken:
            free, number = f"{night_id}.{number}", number + 1
        return free

    def places(self) -> dict[tuple[str, str], Place]:
        """Where each listener left each story, by listener and story."""
        rows = self.read("SELECT listener, story, position_s, other_s FROM bookmark")
        return {
            (str(who), str(key)): Place(float(at_s), time_or(other_s, None))
            for who, key, at_s, other_s in rows
            if is_time(at_s)
        }

    def bookmarks(self, listener: str = EVERYBODY) -> dict[str, float]:
        """Where one listener left each story, seconds from its beginning."""
        return {key: place.position_s for (who, key), place in self.places().items() if who == listener}

    def saved_ritual(self, at_s: float, wall_s: float) -> SavedRitual | None:
        """What the ritual was doing. ``at_s`` and ``wall_s`` are now, in this run."""
        for wall_minus_at_s, state in self.read("SELECT wall_minus_at_s, state FROM ritual"):
            with suppress(ValueError, TypeError, RecursionError):
                return SavedRitual(dict(json.loads(state)), float(wall_minus_at_s) - (wall_s - at_s))
        return None

    def saved_person(self) -> dict[str, Any] | None:
        for (state,) in self.read("SELECT state FROM person"):
            with suppress(ValueError, TypeError, RecursionError):
                return dict(json.loads(state))
        return None

    def last_moments(self) -> tuple[Moment, ...]:
        """The latest of each type, of all nights."""
        rows = self.read("SELECT type, max(wall_s), confidence, night FROM moment GROUP BY type")
        return tuple(Moment(*row) for row in rows if is_time(row[1]))

    def load(self, night_id: str, wall_minus_at_s: float = 0.0) -> KeptNight:
        """One night; its epochs start at Unix seconds minus ``wall_minus_at_s``. ``KeyError``: no such night."""
        heads = self.read("SELECT began_s, ended_s, times FROM night WHERE id = ?", night_id)
        if not heads:
            raise KeyError(night_id)
        began_s, ended_s, times = heads[0]
        tail = self._tail.rows()  # first: meanwhile the daemon may move them into the journal
        rows = self.read("SELECT number, wall_s, body, live, revised FROM epoch WHERE night = ?", night_id)
        epochs, estimates, live = read_rows([*rows, *not_in_it(night_id, rows, tail)], wall_minus_at_s)
        moments = self.read("SELECT type, wall_s, confidence FROM moment WHERE night = ? ORDER BY wall_s", night_id)
        told = self.read("SELECT wall_s, title, teller, listener FROM told WHERE night = ? ORDER BY wall_s", night_id)
        return KeptNight(
            times=read_times(night_id, times),
            began_wall_s=time_or(began_s, None) or 0.0,
            ended_wall_s=time_or(ended_s, None),
            epochs=tuple(epochs),
            estimates=tuple(estimates),
            live=tuple(live),
            moments=tuple(Moment(*row) for row in moments if is_time(row[1])),
            told=tuple(Told(*row) for row in told if is_time(row[0])),
        )

    def last_times(self) -> NightTimes | None:
        """When things happened in the last night that was closed."""
        closed = f"SELECT id, times FROM night WHERE {NAMED} AND ended_s IS NOT NULL ORDER BY began_s DESC LIMIT 1"
        return next((read_times(night_id, times) for night_id, times in self.read(closed)), None)

    def night_in_progress(self, at_s: float, wall_s: float) -> KeptNight | None:
        """The last night if it is still open and not long ago, in this run's times. ``at_s`` and ``wall_s`` are now."""
        last = f"SELECT id, began_s FROM night WHERE {NAMED} AND ended_s IS NULL ORDER BY began_s DESC LIMIT 1"
        for night_id, began_s in self.read(last):
            kept = self.read("SELECT max(wall_s) FROM epoch WHERE night = ?", night_id)
            latest_s = max(filter(is_time, [*(row[0] for row in kept), *self._tail.times(night_id)]), default=None)
            seen_s = time_or(began_s, None) or 0.0 if latest_s is None else latest_s + EPOCH_S
            if abs(wall_s - seen_s) <= CONTINUE_WITHIN_S:
                self._night = (night_id, began_s)
                with suppress(KeyError):  # the file broke meanwhile: the night begins anew
                    return self.load(night_id, wall_s - at_s)
        return None

    def read(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Any question; nothing when the file cannot be read."""
        self.commit()
        if self._db is None and not self._open():
            return []
        assert self._db is not None
        try:
            return list(self._db.execute(sql, values))
        except TROUBLE as error:
            self._troubled(error)
            return []

    # ---- the file ---------------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = connect(self.path)
            self._merge()
        except (*TROUBLE, OSError) as error:
            self._troubled(error)
        return self._db is not None

    def _merge(self) -> None:
        """What the disk does not take now waits: what was kept can be read all the same."""
        assert self._db is not None
        try:
            with self._db:
                self._db.executemany(MERGE_EPOCH, self._tail.merging())
        except TROUBLE as error:
            if is_broken(self.path, error):
                raise
            self._say(error)
            if all(sql != MERGE_EPOCH for sql, _ in self._rows):
                self._rows[:0] = [(MERGE_EPOCH, values) for values in self._tail.merging()]

    def _say(self, error: Exception) -> None:
        said = getattr(error, "strerror", None) or error
        self.problem = f"{self.path} cannot be written: {said}. Nothing is lost yet."

    def _troubled(self, error: Exception) -> None:
        """Say what is wrong. A file that is no database is put aside at once; the rest is tried again later."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        if is_broken(self.path, error):
            self._put_aside(error)
            return
        self._say(error)

    def _put_aside(self, error: Exception) -> None:
        aside = free_aside(self.path)
        try:
            self.path.rename(aside)
            self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)
            with suppress(FileNotFoundError):  # it may hold what the file itself has lost
                self.path.with_name(f"{self.path.name}-wal").rename(aside.with_name(f"{aside.name}-wal"))
            self._db = connect(self.path)
        except (*TROUBLE, OSError) as second:
            self.problem = f"{self.path} is broken ({error}) and cannot be put aside: {second}."
            return
        began = self._tail.nights()  # the night goes on in the new file, after a kill too
        if self._night is not None:
            began[self._night[0]] = self._night[1]
        merging = ((MERGE_EPOCH, values) for values in self._tail.merging())
        self._rows[:0] = [*((OPEN_NIGHT, night) for night in began.items()), *merging]
        self.mended = f"{self.path} was broken ({error}); it is kept as {aside.name}, and a new journal is begun."
