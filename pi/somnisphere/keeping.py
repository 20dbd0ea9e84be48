"""What must survive a kill goes to disk: the evening, the night's times, what the sensor's light taught; in good
time and seldom, for the sake of the SD card."""

import logging
from dataclasses import replace
from typing import Any

from somnisphere.bedtime.phases import Phase
from somnisphere.core import Core
from somnisphere.events import Tick
from somnisphere.parts import Parts

log = logging.getLogger(__name__)

RESTING = (Phase.IDLE, Phase.ASLEEP, Phase.MORNING)
SAVE_EVENING_EVERY_S = 30.0
SAVE_SAME_EVERY_S = 300.0
SAVE_RESTING_EVERY_S = 3600.0
"""An evening in which nothing happens: well within the time after which it would count as left behind; without one,
or in sleep, seldom."""


class Keeping:
    """For one daemon. ``moment_waits``: a sleep moment was said and is not on the disk yet."""

    def __init__(self, core: Core, parts: Parts) -> None:
        self._core = core
        self._parts = parts
        self.moment_waits = False
        self._evening_due_s = 0.0
        self._evening_place: object = None
        self._evening_kept: dict[str, Any] | None = None
        self._evening_kept_s = 0.0
        self._journal_has: Phase | None = None
        self._journal_has_s = 0.0
        self._kept_times: object = None
        self._journal_problem = ""
        self._mended = parts.journal.mended

    def tick(self, tick: Tick, night_id: str | None) -> None:
        """The journal commits once a minute; the evening's file has each sentence."""
        journal = self._parts.journal
        if self.moment_waits:  # before the evening says that it was: neither may be kept without the other
            self.moment_waits = False
            journal.flush(tick.at_s, now=True)
        if (place := self._core.ritual_place) != self._evening_place:
            self._evening_place = place
            if self._parts.evening_file is not None:
                self._parts.evening_file.save(self._evening_state(), tick.at_s, tick.wall_s)
        if tick.at_s >= self._evening_due_s:
            self._evening_due_s = tick.at_s + SAVE_EVENING_EVERY_S
            if self._evening_changed(tick.at_s):
                self._save_evening(tick)
        times = self._core.night_times
        if night_id is not None and times is not None and (night_id, times) != self._kept_times:
            self._kept_times = night_id, times
            journal.save_times(replace(times, night_id=night_id))
        journal.flush(tick.at_s)
        self.light(tick.at_s)
        if journal.problem != self._journal_problem:
            self._journal_problem = journal.problem
            log.warning("%s", journal.problem or "The journal can be written again.")
        if journal.mended != self._mended:
            self._mended = journal.mended
            log.warning("%s", journal.mended)

    def _save_evening(self, tick: Tick) -> None:
        """The journal need not repeat twice a minute, nor at rest at all, what the evening's file holds."""
        phase, file = self._core.ritual_phase, self._parts.evening_file
        is_old = tick.at_s - self._journal_has_s >= SAVE_SAME_EVERY_S and phase not in RESTING
        is_old = is_old or phase is not self._journal_has
        if is_old or file is None or not file.save(self._evening_state(), tick.at_s, tick.wall_s):
            self._journal_has, self._journal_has_s = phase, tick.at_s
            self.evening(tick.at_s, tick.wall_s)

    def _evening_state(self) -> dict[str, Any]:
        return self._core.ritual_state() | {"boot": self._parts.boot}

    def _evening_changed(self, at_s: float) -> bool:
        """All day and most of the night nothing does but the time: that is not written twice a minute."""
        now = {part: _without_time(plain) for part, plain in self._core.ritual_state().items()}
        every_s = SAVE_RESTING_EVERY_S if self._core.ritual_phase in RESTING else SAVE_SAME_EVERY_S
        if now == self._evening_kept and at_s - self._evening_kept_s < every_s:
            return False
        self._evening_kept, self._evening_kept_s = now, at_s
        return True

    def evening(self, at_s: float, wall_s: float) -> None:
        """Before a clean end: the evening as it is now, for the next start to take up."""
        state = self._evening_state()
        self._parts.journal.save_ritual(state, at_s, wall_s)
        if self._parts.evening_file is not None:
            self._parts.evening_file.save(state, at_s, wall_s)

    def light(self, at_s: float, *, now: bool = False) -> None:
        """What the pulse sensor learned goes to disk once an hour, and ``now`` before a clean end."""
        if self._parts.light_memory is not None:
            self._parts.light_memory.keep(at_s, now=now)


def _without_time(plain: Any) -> Any:
    return {key: value for key, value in plain.items() if key != "at_s"} if isinstance(plain, dict) else plain
