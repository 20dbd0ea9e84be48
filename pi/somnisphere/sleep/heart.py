"""Heart rate and its variability from beats. From pulse, not ECG: the time blood takes to the skin varies as well."""

import math
from collections import deque

from somnisphere.night import Beat

KEEP_S = 330.0
RMSSD_S = 300.0
LEAST_DIFFERENCES = 30
"""RMSSD of fewer successive differences than this says nothing: None."""
LEAST_SHARE = 0.5
"""A rate is given when trusted intervals fill this share of its time."""


class Heart:
    """The beats of the last minutes. ``add`` in order of time; ask about any time of the last five minutes."""

    def __init__(self) -> None:
        self._beats: deque[Beat] = deque()
        self._squares: deque[tuple[float, float]] = deque()

    def add(self, beats: list[Beat]) -> None:
        for beat in beats:
            last = self._beats[-1] if self._beats else None
            if last is not None and last.ibi_s is not None and beat.ibi_s is not None:
                self._squares.append((beat.at_s, (beat.ibi_s - last.ibi_s) ** 2))
            self._beats.append(beat)
        if beats:
            oldest_s = beats[-1].at_s - KEEP_S
            while self._squares and self._squares[0][0] < oldest_s:
                self._squares.popleft()
            while self._beats and self._beats[0].at_s < oldest_s:
                self._beats.popleft()

    def clear(self) -> None:
        self._beats.clear()
        self._squares.clear()

    def within(self, from_s: float, to_s: float) -> list[Beat]:
        """Beats in ``(from_s, to_s]``, oldest first."""
        found: list[Beat] = []
        for beat in reversed(self._beats):
            if beat.at_s <= from_s:
                break
            if beat.at_s <= to_s:
                found.append(beat)
        found.reverse()
        return found

    def rate_bpm(self, from_s: float, to_s: float) -> float | None:
        """60 / mean trusted interval of the beats in ``(from_s, to_s]``; None when they fill less than half of it."""
        intervals = [beat.ibi_s for beat in self.within(from_s, to_s) if beat.ibi_s is not None]
        total_s = math.fsum(intervals)
        if len(intervals) < 3 or total_s < LEAST_SHARE * (to_s - from_s):
            return None
        return 60.0 * len(intervals) / total_s

    def share(self, from_s: float, to_s: float) -> float:
        """Share of the time that trusted intervals cover, 0..1."""
        trusted_s = math.fsum(b.ibi_s for b in self.within(from_s, to_s) if b.ibi_s is not None)
        return min(1.0, trusted_s / (to_s - from_s))

    def quality(self, from_s: float, to_s: float) -> float:
        """Mean quality of the beats, times the share of the time they account for (0..1)."""
        beats = self.within(from_s, to_s)
        if not beats:
            return 0.0
        sure = math.fsum(beat.quality for beat in beats) / len(beats)
        return sure * self.share(from_s, to_s)

    def rmssd_ms(self, to_s: float, over_s: float = RMSSD_S) -> float | None:
        """Root mean square of successive differences of trusted intervals that follow each other without a doubt."""
        squares = [square for at_s, square in self._squares if to_s - over_s < at_s <= to_s]
        if len(squares) < LEAST_DIFFERENCES:
            return None
        return 1000.0 * math.sqrt(math.fsum(squares) / len(squares))
