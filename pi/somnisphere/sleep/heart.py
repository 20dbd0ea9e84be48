"""Heart rate and its variability from beats. From pulse, not ECG: the time blood takes to the skin varies as well."""

import math
from collections import deque
from dataclasses import dataclass
from statistics import median

from somnisphere.night import Beat

KEEP_S = 330.0
RMSSD_S = 300.0
LEAST_INTERVALS = 3
LEAST_DIFFERENCES = 30
"""RMSSD of fewer successive differences than this says nothing: None."""
ANSWERED, LEAST_SHARE = 0.75, 0.4
"""A rate is given when it is right with this chance, and trusted intervals fill this share of its time."""
IRREGULAR = 0.2
"""An interval this share away from the median speaks against the rate: an artefact, or a heart out of step."""
SURENESS, SHARE_WEIGHT, IRREGULARITY_WEIGHT, LENGTH_WEIGHT = -0.43, 4.94, -3.32, 1.09
"""Logistic regression of "within 5 a minute of the ECG" over windows of 10 and 30 s: recordings at rest, wrists in
exercise behind the stillness gate, and noise (never right). The length counts as log(seconds / 30)."""


@dataclass(frozen=True, slots=True)
class HeartRate:
    """``bpm`` is 60 / mean trusted interval, None where it is not sure enough; ``quality``: the chance that the
    trusted intervals give the true rate within 5 a minute; ``beat_count``: the intervals it stands on."""

    bpm: float | None
    quality: float
    beat_count: int


@dataclass(frozen=True, slots=True)
class Variability:
    """From pulse, not ECG. ``rmssd_ms``: root mean square of ``difference_count`` successive differences; ``sdnn_ms``:
    standard deviation of ``interval_count`` intervals."""

    rmssd_ms: float
    difference_count: int
    sdnn_ms: float
    interval_count: int


class Heart:
    """The beats of the last minutes. ``add`` in order of time; ask about any time of the last five minutes."""

    def __init__(self) -> None:
        self._beats: deque[Beat] = deque()
        self._squares: deque[tuple[float, float]] = deque()

    def add(self, beats: list[Beat]) -> None:
        for beat in beats:
            last = self._beats[-1] if self._beats else None
            both_still = last is not None and last.still and beat.still
            if both_still and last is not None and last.ibi_s is not None and beat.ibi_s is not None:
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

    def rate(self, from_s: float, to_s: float) -> HeartRate:
        """The heart rate of ``(from_s, to_s]`` and how sure it is."""
        intervals = [beat.ibi_s for beat in self.within(from_s, to_s) if beat.ibi_s is not None]
        if len(intervals) < LEAST_INTERVALS:
            return HeartRate(None, 0.0, len(intervals))
        total_s, middle_s = math.fsum(intervals), median(intervals)
        irregular = sum(abs(i - middle_s) > IRREGULAR * middle_s for i in intervals) / len(intervals)
        share = min(1.0, total_s / (to_s - from_s))
        evidence = SURENESS + SHARE_WEIGHT * share + IRREGULARITY_WEIGHT * irregular
        quality = 1.0 / (1.0 + math.exp(-evidence - LENGTH_WEIGHT * math.log((to_s - from_s) / 30.0)))
        quality *= min(1.0, share / LEAST_SHARE)  # few such windows were there to learn from
        sure = quality >= ANSWERED and share >= LEAST_SHARE
        return HeartRate(60.0 * len(intervals) / total_s if sure else None, quality, len(intervals))

    def rate_bpm(self, from_s: float, to_s: float) -> float | None:
        """``rate(...).bpm``."""
        return self.rate(from_s, to_s).bpm

    def share(self, from_s: float, to_s: float) -> float:
        """Share of the time that trusted intervals cover, 0..1."""
        trusted_s = math.fsum(b.ibi_s for b in self.within(from_s, to_s) if b.ibi_s is not None)
        return min(1.0, trusted_s / (to_s - from_s))

    def variability(self, to_s: float, over_s: float = RMSSD_S) -> Variability | None:
        """Of the intervals that a still body gave in ``(to_s - over_s, to_s]``; RMSSD of those that follow each other
        without a doubt. None when there are too few."""
        squares = [square for at_s, square in self._squares if to_s - over_s < at_s <= to_s]
        if len(squares) < LEAST_DIFFERENCES:
            return None
        still = [beat.ibi_s for beat in self.within(to_s - over_s, to_s) if beat.still and beat.ibi_s is not None]
        middle_s = math.fsum(still) / len(still)
        variance = math.fsum((ibi_s - middle_s) ** 2 for ibi_s in still) / (len(still) - 1)
        return Variability(
            rmssd_ms=1000.0 * math.sqrt(math.fsum(squares) / len(squares)),
            difference_count=len(squares),
            sdnn_ms=1000.0 * math.sqrt(variance),
            interval_count=len(still),
        )

    def rmssd_ms(self, to_s: float, over_s: float = RMSSD_S) -> float | None:
        """``variability(...).rmssd_ms``, at less cost."""
        squares = [square for at_s, square in self._squares if to_s - over_s < at_s <= to_s]
        if len(squares) < LEAST_DIFFERENCES:
            return None
        return 1000.0 * math.sqrt(math.fsum(squares) / len(squares))
