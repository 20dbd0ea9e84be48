"""Distress in sleep, as a guess: the heart well above its own usual, together with bursts of movement.

Nobody has validated such a detector for one night at a bedside; this one claims nothing beyond its rule, gives no
probability, and is no alarm. The numbers were chosen on the scored nights, of which none is known to hold a bad dream:
they say how seldom it speaks of quiet sleepers (``tests/pi/test_distress.py``), not how often it is right.
"""

from collections import deque
from statistics import fmean, median

from somnisphere.night import EPOCH_S, Epoch

BASELINE_EPOCHS = 40
"""The usual heart rate is the median of twenty minutes asleep ..."""
BASELINE_LEAST = 20
"""... of which ten must be known."""
LEFT_OUT_EPOCHS = 2
"""What happens now is not yet part of the usual."""
RISE_BPM = 10.0
"""So far above it in each of those last epochs."""
BURST_COUNTS = 20.0
"""Activity counts in 15 s that are more than a turn of the wrist."""
BURSTS = 3
WINDOW_EPOCHS = 6
QUIET_EPOCHS = 60
"""Said once, it is not said again for half an hour."""


class DistressWatch:
    """Follows one night, epoch by epoch."""

    def __init__(self) -> None:
        self._usual: deque[float] = deque(maxlen=BASELINE_EPOCHS)
        self._hearts: deque[float | None] = deque(maxlen=LEFT_OUT_EPOCHS)
        self._moves: deque[bool] = deque(maxlen=WINDOW_EPOCHS)
        self._wait = 0
        self.present = False
        """Whether the rule holds now, said or not."""

    def step(self, epoch: Epoch, *, asleep: bool) -> float | None:
        """Take the next epoch in order; return since when there is distress (``at_s``), None: nothing to say."""
        if not asleep:  # who is awake moves and has a quicker heart, and has a person or a button to turn to
            self._hearts.clear()
            self._moves.clear()
            self.present = False
            return None
        if len(self._hearts) == LEFT_OUT_EPOCHS and (left := self._hearts[0]) is not None:
            self._usual.append(left)
        self._hearts.append(_heart_bpm(epoch))
        self._moves.append(any(count is not None and count >= BURST_COUNTS for count in epoch.motion_counts))
        self._wait = max(0, self._wait - 1)
        self.present = sum(self._moves) >= BURSTS and self._is_high()
        if self._wait or not self.present:
            return None
        self._wait = QUIET_EPOCHS
        return epoch.start_s - (len(self._moves) - 1 - list(self._moves).index(True)) * EPOCH_S

    def _is_high(self) -> bool:
        now = [bpm for bpm in self._hearts if bpm is not None]
        if len(now) < LEFT_OUT_EPOCHS or len(self._usual) < BASELINE_LEAST:
            return False
        return min(now) >= median(self._usual) + RISE_BPM


def _heart_bpm(epoch: Epoch) -> float | None:
    known = [bpm for bpm in epoch.heart_series_bpm if bpm is not None]
    return fmean(known) if known else epoch.heart_bpm
