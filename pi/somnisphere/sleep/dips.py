"""Falls of oxygen against the night's own median: what an uncalibrated sensor tells with more right than a figure.

A straight error of the curve moves median and dip alike, so a dip is what is left of it. Told as times and depths; how
many an hour is a physician's figure and is not made here.
"""

from dataclasses import dataclass

import numpy as np

DIP_POINTS = 3.0
LEAST_S = 10.0
MOST_S = 180.0
"""A fall that stays is a new level, a slipped finger or a cold hand, not a dip."""
SETTLED_LOOKS = 60
"""The night's median is not used before so many looks: five minutes at one each five seconds."""
BIN_POINTS = 0.25
FORGET_S = 30.0
"""Longer without an answer ends a dip in progress."""


@dataclass(frozen=True, slots=True)
class OxygenDip:
    """From ``start_s`` to ``end_s`` the saturation lay under the night's median, by ``depth_points`` at the deepest."""

    start_s: float
    end_s: float
    depth_points: float


class OxygenDips:
    """Feed a saturation every few seconds, in order of time. Memory: one histogram."""

    def __init__(self) -> None:
        self._seen = np.zeros(round(100 / BIN_POINTS) + 1)
        self._looks = 0
        self._start_s: float | None = None
        self._last_s = 0.0
        self._depth_points = 0.0

    @property
    def median_pct(self) -> float | None:
        """Of the night so far; None before five minutes of answers."""
        if self._looks < SETTLED_LOOKS:
            return None
        return float(np.searchsorted(np.cumsum(self._seen), 0.5 * self._looks)) * BIN_POINTS

    def see(self, at_s: float, spo2_pct: float | None) -> OxygenDip | None:
        """The dip that ended with this look, if one did. ``spo2_pct``: of the seconds before ``at_s``; or None."""
        if spo2_pct is None:
            return self._end() if self._start_s is not None and at_s - self._last_s > FORGET_S else None
        median_pct = self.median_pct
        self._seen[round(min(max(spo2_pct, 0.0), 100.0) / BIN_POINTS)] += 1
        self._looks += 1
        if median_pct is None or spo2_pct > median_pct - DIP_POINTS:
            return self._end()
        if self._start_s is None:
            self._start_s, self._depth_points = at_s, 0.0
        self._last_s = at_s
        self._depth_points = max(self._depth_points, median_pct - spo2_pct)
        return None

    def _end(self) -> OxygenDip | None:
        start_s, self._start_s = self._start_s, None
        if start_s is None or not LEAST_S <= self._last_s - start_s <= MOST_S:
            return None
        return OxygenDip(start_s, self._last_s, self._depth_points)
