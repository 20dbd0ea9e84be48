"""The night in progress: into the journal epoch by epoch, dated anew when the clock is set, and drawn."""

import logging
from dataclasses import replace

from somnisphere.core import Core
from somnisphere.events import BeginNight, DateAnew, EndNight, KeepEpoch, Tick
from somnisphere.night import StageEstimate
from somnisphere.parts import Parts
from somnisphere.picture import Shape, draw_night

log = logging.getLogger(__name__)

PICTURE_EVERY_S = 1800.0


class NightRecord:
    """For one daemon. ``night_id`` and the picture stay those of the last night until another begins."""

    def __init__(self, core: Core, parts: Parts) -> None:
        self._core = core
        self._parts = parts
        self._estimates: list[StageEstimate] = []
        self.night_id: str | None = None
        self.picture_due_s = 0.0
        self.finished: EndNight | None = None
        """The last night that ended while this daemon ran."""

    def carry_on(self, tick: Tick) -> None:
        """After a restart: take up the night that the journal holds, if one is in progress."""
        night = self._parts.journal.night_in_progress(tick.at_s, tick.wall_s)
        if night is None:
            return
        self.night_id = night.times.night_id
        carried = self._parts.dating.taken_up(night)
        self._estimates = self._core.carry_on(night.times, night.epochs, carried)
        self.picture_due_s = tick.at_s
        log.info("The night of %s is carried on.", self.night_id)

    def keep(self, action: BeginNight | KeepEpoch | EndNight, tick: Tick, at_s: float) -> None:
        journal = self._parts.journal
        if isinstance(action, BeginNight):
            self.night_id = journal.free_id(action.night_id)
            journal.open_night(self.night_id, tick.wall_at(action.at_s))
            self._parts.dating.opened(self.night_id, tick)
            self._estimates = []
            self.picture_due_s = action.at_s + PICTURE_EVERY_S
            return
        assert self.night_id is not None
        if isinstance(action, KeepEpoch):
            self._estimates.append(action.estimate)
            journal.add_epoch(self.night_id, tick.wall_at(action.epoch.start_s), action.epoch, action.estimate)
            return
        self.finished = action
        journal.revise(self.night_id, action.estimates)
        journal.close_night(self.night_id, tick.wall_at(at_s), replace(action.times, night_id=self.night_id))

    def date_anew(self, action: DateAnew, tick: Tick) -> None:
        was, self.night_id = self.night_id, self._parts.dating.anew(action, self.night_id, tick)
        if action.estimates is not None:
            self._estimates = list(action.estimates)
        if action.night_id is None:
            self._core.last_night = self._parts.journal.last_times() or self._core.last_night
        elif self.night_id != was:
            log.info("The night is that of %s.", self.night_id)
        self._parts.moments.reload()
        self.picture_due_s = tick.at_s

    def picture(self, tick: Tick) -> list[Shape]:
        """The night so far, or the last one when none is in progress; whoever shows it asks the seal first."""
        epochs, estimates = self._core.night_epochs, self._estimates
        if not epochs and self.finished is not None:
            epochs, estimates = self.finished.epochs, list(self.finished.estimates)
        offset_s = tick.wall_s - tick.at_s + tick.utc_offset_s
        return draw_night(epochs, estimates, offset_s, f"Night of {self.night_id}")
