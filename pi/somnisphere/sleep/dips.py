"""Falls of oxygen against the night's own median: what an uncalibrated sensor tells with more right than a figure.

A straight error of the curve moves median and dip alike, so a dip is what is left of it. Told as times and depths; how
many an hour is a physician's figure and is not made here.

A movement moves red and infrared alike, which reads as little oxygen, and its edge is often too faint for the
accelerometer. It shows in the infrared, which hardly changes with oxygen: looks with more ripple than usual are left
out, and so are those that still hold their light.
"""

import math
from collections import deque
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
STEADY = 1.4
"""Looks with more than so many times the usual ripple of infrared are not believed."""
USUAL_LOOKS = 20
"""The usual ripple is followed over so many looks."""
LONGEST_STEP_S = 10.0
"""Between looks no further apart than this, a dip is taken to begin and end in the middle."""
NEW_NIGHT_AFTER_S = 2 * 3600.0
"""So long without an answer, and it is another night, with a median and dips of its own."""
KEPT_DIPS = 100


@dataclass(frozen=True, slots=True)
class OxygenDip:
    """From ``start_s`` to ``end_s`` the saturation lay under the night's median, by ``depth_points`` at the deepest."""

    start_s: float
    end_s: float
    depth_points: float


class OxygenDips:
    """Feed a saturation every few seconds, in order of time. Memory: one histogram and the latest ``KEPT_DIPS`` dips.

    ``window_s``: how long a stretch of light one saturation is of; ``at_s`` is taken back by half of it. ``dips``: of
    this night, oldest first; ``total_s``: of all of them.
    """

    def __init__(self, window_s: float = 0.0) -> None:
        self._window_s = window_s
        self._begin_night()

    def _begin_night(self) -> None:
        self.dips: deque[OxygenDip] = deque(maxlen=KEPT_DIPS)
        self.total_s = 0.0
        self._seen = np.zeros(round(100 / BIN_POINTS) + 1)
        self._looks = 0
        self._answered_s: float | None = None
        self._usual_ripple = 0.0
        self._unsteady_until_s = -math.inf
        self._start_s: float | None = None
        self._last_s = 0.0
        self._depth_points = 0.0

    @property
    def newest(self) -> OxygenDip | None:
        """The latest dip that has ended."""
        return self.dips[-1] if self.dips else None

    @property
    def median_pct(self) -> float | None:
        """Of the night so far; None before five minutes of answers."""
        if self._looks < SETTLED_LOOKS:
            return None
        return float(np.searchsorted(np.cumsum(self._seen), 0.5 * self._looks)) * BIN_POINTS

    def see(self, at_s: float, spo2_pct: float | None, ripple: float = 0.0) -> OxygenDip | None:
        """The dip that ended with this look, if one did. ``spo2_pct``: of the window that ends at ``at_s``, None where
        it is not known; ``ripple``: how much infrared varied lately, standard deviation over mean."""
        if not self._is_steady(at_s, ripple):
            spo2_pct = None
        at_s -= 0.5 * self._window_s
        if spo2_pct is None:
            return self._end() if self._start_s is not None and at_s - self._last_s > FORGET_S else None
        if self._answered_s is not None and at_s - self._answered_s > NEW_NIGHT_AFTER_S:
            self._begin_night()
        before_s = self._answered_s
        crossed_s = at_s if before_s is None or at_s - before_s > LONGEST_STEP_S else 0.5 * (before_s + at_s)
        self._answered_s = at_s
        median_pct = self.median_pct
        self._seen[round(min(max(spo2_pct, 0.0), 100.0) / BIN_POINTS)] += 1
        self._looks += 1
        if median_pct is None or spo2_pct > median_pct - DIP_POINTS:
            if self._start_s is not None and crossed_s < at_s:
                self._last_s = crossed_s
            return self._end()
        if self._start_s is None:
            self._start_s, self._depth_points = crossed_s, 0.0
        self._last_s = at_s
        self._depth_points = max(self._depth_points, median_pct - spo2_pct)
        return None

    def _is_steady(self, at_s: float, ripple: float) -> bool:
        usual = self._usual_ripple or ripple
        self._usual_ripple = usual + (min(ripple, 2 * usual) - usual) / USUAL_LOOKS
        if ripple > STEADY * usual:
            self._unsteady_until_s = at_s + self._window_s
        return at_s > self._unsteady_until_s

    def _end(self) -> OxygenDip | None:
        start_s, self._start_s = self._start_s, None
        if start_s is None or not LEAST_S <= self._last_s - start_s <= MOST_S:
            return None
        dip = OxygenDip(start_s, self._last_s, self._depth_points)
        self.dips.append(dip)
        self.total_s += dip.end_s - dip.start_s
        return dip
