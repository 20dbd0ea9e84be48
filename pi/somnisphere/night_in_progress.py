"""The night in progress: its epochs on one unbroken 30-second grid, and when things happened. Pure."""

import datetime
from dataclasses import replace

from somnisphere.cues import SleepWatch
from somnisphere.night import DAY_S, EPOCH_S, Epoch, NightTimes, unknown_epoch
from somnisphere.sleeper import Stager

CONTINUE_WITHIN_S = 6 * 3600.0
"""A night whose last sign of life is older is not carried on."""


class NightInProgress:
    """``carried``: so many epochs were dated by an earlier start of the machine, by another clock, and so were
    the times ``before``."""

    def __init__(self, times: NightTimes, stager: Stager, carried: int = 0, before: NightTimes | None = None) -> None:
        self.times = times
        self.times_before = before or times
        self.carried = carried
        self.stager = stager
        self.epochs: list[Epoch] = []
        self.watch = SleepWatch()

    def on_grid(self, epoch: Epoch) -> list[Epoch]:
        """The epoch as the night numbers it, preceded by unknown ones where the daemon was away."""
        if not self.epochs:
            return [replace(epoch, index=0)]
        first_s, last = self.epochs[0].start_s, self.epochs[-1]
        missing = max(0, round((epoch.start_s - last.start_s) / EPOCH_S) - 1)
        unknown = [unknown_epoch(last.index + 1 + k, first_s) for k in range(missing)]
        return [*unknown, replace(epoch, index=last.index + missing + 1)]


def night_id_of(local_s: float) -> str:
    """The ISO date of the evening: a night that begins at one in the morning belongs to the day before."""
    day = int((local_s - DAY_S / 2) // DAY_S)
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
