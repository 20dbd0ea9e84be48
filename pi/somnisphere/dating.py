"""Which clock dated what is in the journal, and how it is dated anew when that clock is set.

Kept in the journal: the machine's start (its boot id), what turned monotonic time into wall time since then, and where
that start's part of the night in progress begins. After a restart of the daemon alone monotonic time still means the
same, however the clock was set meanwhile; after one of the machine only wall time is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from somnisphere.events import DateAnew, Tick
from somnisphere.journal import Journal, KeptNight, SavedRitual
from somnisphere.night_in_progress import night_id_of
from somnisphere.redating import moved

UNKNOWN_AWAY_S = 3600.0
"""After a start of the machine whose clock nobody vouches for, this much is taken to have passed: nobody is woken."""


@dataclass(frozen=True, slots=True)
class Dated:
    """``was_set``: the clock could be believed. ``carried``: so many epochs of ``night``, and moments and tellings up
    to these rows, were dated by an earlier start of the machine."""

    boot: str
    wall_minus_at_s: float
    was_set: bool
    night: str = ""
    carried: int = 0
    moments: int = 0
    told: int = 0


class Dating:
    """For one daemon. ``boot`` "": not known, every start is then one of the machine."""

    def __init__(self, journal: Journal, boot: str = "") -> None:
        self._journal = journal
        self._boot = boot
        self._undated: list[str] = []
        kept = self._journal.read(
            "SELECT boot, wall_minus_at_s, was_set, night, carried, moments, told FROM clock WHERE one = 1"
        )
        self._before = Dated(*kept[0]) if kept else None
        self._is_same = self._before is not None and bool(boot) and self._before.boot == boot
        self._now = Dated(boot, 0.0, was_set=True)

    def begin(self, tick: Tick) -> Tick:
        """The first tick of this run, by the clock of the run before where monotonic time is still the same: the next
        tick then tells by how much it was set meanwhile."""
        self._now = Dated(self._boot, tick.wall_s - tick.at_s, not tick.clock_problem)
        if not self._is_same:
            self._now = replace(self._now, moments=self._last("moment"), told=self._last("told"))
            return tick
        assert self._before is not None
        self._now = self._before
        return replace(tick, wall_s=tick.at_s + self._before.wall_minus_at_s)

    def taken_up(self, night: KeptNight) -> int:
        """So many epochs of the night that is carried on were dated by another clock, which could be believed."""
        night_id, before = night.times.night_id, self._before
        if self._is_same and before is not None:
            carried = before.carried if before.night == night_id else 0
        else:
            was_set = before is None or before.was_set or before.night != night_id
            carried = len(night.epochs) if was_set else 0
        self._now = replace(self._now, night=night_id, carried=carried)
        if not carried:
            self._now = replace(self._now, moments=0, told=0)
        if not self._now.was_set:
            self._undated.append(night_id)
        self._save()
        return carried

    def evening(self, saved: SavedRitual, tick: Tick) -> SavedRitual:
        """The saved evening in this run's time: never in its future, and long ago when nobody knows how long."""
        if self._boot and saved.state.get("boot") == self._boot:
            return replace(saved, shift_s=0.0)
        latest_s = tick.at_s - (UNKNOWN_AWAY_S if tick.clock_problem else 0.0)
        return replace(saved, shift_s=saved.shift_s - max(0.0, saved.last_s - latest_s))

    def opened(self, night_id: str, tick: Tick) -> None:
        """A night begins, dated by this run's clock."""
        if tick.clock_problem:
            self._undated.append(night_id)
        self._now = Dated(self._boot, tick.wall_s - tick.at_s, not tick.clock_problem, night_id)
        self._save()

    def anew(self, action: DateAnew, night_id: str | None, tick: Tick) -> str | None:
        """The clock was set: the journal is put right. Returns what the night that ``night_id`` named is called now."""
        running = night_id if action.night_id is not None else None
        called = night_id
        for old in [old for old in self._undated if old != running]:
            new = self._move_closed(old, action.by_s, tick)
            called = new if old == night_id else called
        self._undated.clear()
        if running is not None and action.night_id is not None:
            if action.here or action.apart:
                called = self._move_part(running, action, tick)
            else:
                called = self._name(running, action.night_id)
                self._move_whole(running, called, action.by_s)
                self._journal.renamed(running, called, action.by_s)
            if tick.clock_problem:
                self._undated.append(called)
            self._now = replace(self._now, night=called)
        self._now = replace(self._now, wall_minus_at_s=tick.wall_s - tick.at_s, was_set=not tick.clock_problem)
        self._save()
        return called

    # ---- the journal's rows -----------------------------------------------------------------------------------------

    def _move_closed(self, old: str, by_s: float, tick: Tick) -> str:
        if old not in self._journal.nights():
            return old
        try:
            kept = self._journal.load(old)
        except KeyError:  # the file broke meanwhile, and a new one was begun
            return old
        new = self._name(old, night_id_of(kept.began_wall_s + by_s + tick.utc_offset_s))
        self._move_whole(old, new, by_s)
        self._journal.save_times(replace(moved(kept.times, by_s), night_id=new))
        return new

    def _move_whole(self, old: str, new: str, by_s: float) -> None:
        self._write(
            "UPDATE night SET id = ?, began_s = began_s + ?, ended_s = ended_s + ? WHERE id = ?", new, by_s, by_s, old
        )
        for table in ("epoch", "moment", "told"):
            self._write(f"UPDATE {table} SET night = ?, wall_s = wall_s + ? WHERE night = ?", new, by_s, old)

    def _move_part(self, old: str, action: DateAnew, tick: Tick) -> str:
        here, missing, new = action.here, len(action.missing), old
        if action.apart and action.night_id is not None:
            new = self._journal.free_id(action.night_id)
            began = self._journal.read("SELECT wall_s FROM epoch WHERE night = ? AND number = ?", old, here)
            began_s = began[0][0] + action.by_s if began else tick.wall_s
            self._journal.open_night(new, began_s)
        # In two steps, for no two epochs may have one number meanwhile.
        shift = -here if action.apart else missing
        move = "UPDATE epoch SET night = ?, number = -1 - (number + ?), wall_s = wall_s + ?"
        self._write(f"{move} WHERE night = ? AND number >= ?", new, shift, action.by_s, old, here)
        self._write("UPDATE epoch SET number = -1 - number WHERE night = ? AND number < 0", new)
        for table, last in (("moment", self._now.moments), ("told", self._now.told)):
            move = f"UPDATE {table} SET night = ?, wall_s = wall_s + ? WHERE night = ? AND rowid > ?"
            self._write(move, new, action.by_s, old, last)
        for epoch, estimate in action.missing:
            self._journal.add_epoch(new, tick.wall_at(epoch.start_s), epoch, estimate)
        if action.apart:
            self._now = replace(self._now, carried=0, moments=0, told=0)
        else:
            self._now = replace(self._now, carried=here + missing)
        return new

    def _name(self, old: str, evening: str) -> str:
        """The same when it is the same evening, or when the journal cannot be asked which names are free."""
        if old.split(".")[0] == evening:
            return old
        free = self._journal.free_id(evening)
        return old if self._journal.problem else free

    def _last(self, table: str) -> int:
        rows = self._journal.read(f"SELECT coalesce(max(rowid), 0) FROM {table}")
        return int(rows[0][0]) if rows else 0

    def _save(self) -> None:
        now = self._now
        values = (now.boot, now.wall_minus_at_s, now.was_set, now.night, now.carried, now.moments, now.told)
        self._journal.save_clock(values)

    def _write(self, sql: str, *values: Any) -> None:
        self._journal.write(sql, values)


def latest_seen_s(journal: Journal) -> float | None:
    """The latest wall time that the journal knows, Unix seconds."""
    last = "SELECT id, coalesce(ended_s, began_s) FROM night ORDER BY began_s DESC LIMIT 1"
    for night_id, at_s in journal.read(last):
        rows: Sequence[tuple[Any, ...]] = journal.read("SELECT max(wall_s) FROM epoch WHERE night = ?", night_id)
        seen_s = rows[0][0] if rows and rows[0][0] is not None else at_s
        return float(max(at_s, seen_s))
    return None
