"""What the home may see of whole nights: their times, their moments and their picture, as far as the seal lets it.

Live values and moments as they happen are not held back: lamps and automations live by them. What is *kept* of a night
is: after it, nothing that the broker retains tells of it before somebody has opened it.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

from somnisphere.bedtime.learned_margin import LearnedMargin
from somnisphere.diary.door import Door
from somnisphere.journal import Journal
from somnisphere.moments import LastMoment
from somnisphere.picture import Shape, draw_night, draw_sealed
from somnisphere.snapshot import Snapshot

log = logging.getLogger(__name__)

MENDED = "What the household told can be read again."
LEARNED = {
    "back": "From how nights were told, stories now begin a little further back.",
    "on": "From how nights were told, stories now begin not quite so far back.",
    None: "Stories begin as far back as the household set it.",
}

BY_HAND = frozenset(("lights_down", "story_began"))
"""Moments that a hand or a clock made; all others were sensed, and belong to the night."""


class NightScreen:
    """``margin``: the ritual's, moved by what tellings taught."""

    def __init__(self, door: Door, journal: Journal, margin: LearnedMargin) -> None:
        self.door = door
        self._journal = journal
        self._margin = margin
        self._first_look = True

    def changed(self) -> bool:
        """To be called with each tick: looks at what people told since. True when other nights may be seen
        now, as at the first look."""
        was, first = self.door.problem, self._first_look
        self._first_look = False
        if not self.door.look() and not first:
            return False
        if self.door.problem != was:
            log.log(logging.WARNING if self.door.problem else logging.INFO, "%s", self.door.problem or MENDED)
        further_back_s = -self.door.learned.shift_s
        if further_back_s != self._margin.further_back_s:
            log.info("%s", LEARNED[self.door.learned.direction])
            self._margin.further_back_s = further_back_s
        return self.door.tell_first

    def unsealed(self, snapshot: Snapshot, night_id: str | None, moments: dict[str, LastMoment]) -> Snapshot:
        """The snapshot with what may be seen of ``night_id`` (its last or running night) and of when each kind of
        moment happened last."""
        shows = self.door.shows
        if night_id is None and snapshot.last_night is not None:  # of an earlier run
            night_id = snapshot.last_night.night_id
        return replace(
            snapshot,
            last_night=snapshot.last_night if shows(night_id) else None,
            last_moments={
                kind: last.wall_s for kind, last in moments.items() if kind in BY_HAND or shows(last.night_id)
            },
        )

    def picture(self, running: str | None, draw: Callable[[], list[Shape]], utc_offset_s: float) -> list[Shape]:
        """The picture as it may be seen. ``running``: the night that this daemon saw last, which ``draw`` draws; None:
        it saw none, and the journal's last one is shown."""
        night_id = running
        if running is None and (times := self._journal.last_times()) is not None:
            night_id = times.night_id
        title = f"Night of {night_id}" if night_id else ""
        if not self.door.shows(night_id):
            return draw_sealed(title)
        if running is not None or night_id is None:
            return draw()
        try:
            kept = self._journal.load(night_id)
        except KeyError:  # the file broke since, and a new one was begun
            return draw()
        return draw_night(kept.epochs, kept.estimates, utc_offset_s, title)
