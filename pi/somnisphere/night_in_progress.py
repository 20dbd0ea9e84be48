"""The night in progress: its epochs on one unbroken 30-second grid, and when things happened. Pure."""

import datetime
from dataclasses import replace

from somnisphere.cues import SleepWatch
from somnisphere.night import DAY_S, EPOCH_S, Epoch, NightTimes, unknown_epoch
from somnisphere.sleeper import Stager


class NightInProgress:
    def __init__(self, times: NightTimes, stager: Stager) -> None:
        self.times = times
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
