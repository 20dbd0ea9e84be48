"""A fade of light as a pure function of time: even in what the eye sees (CIE 1976 L*), not in watts.

Lightness L* runs 0 (dark) to 100 (full). Luminance runs 0 to 1 and is what a lamp's duty cycle sets.
Source of the curve: CIE 15:2018, section 8.2.1 (kappa = 903.3, knee at L* = 8).
"""

import math
from dataclasses import dataclass

LONGEST_FADE_S = 3600.0

SLOWEST_STEPS_HZ = 20.0
FASTEST_STEPS_HZ = 50.0
"""Below 20 steps a second a fade is seen to step; above 50 nothing is gained."""

STEP_PCT = 0.5
"""No step is larger than this, in L*, as long as 50 steps a second allow it (fades up to 25 L* a second)."""

SHORTEST_LANDING_S = 30.0
"""A fade that was held goes on over what was left of it, and over no less than this."""


def luminance(lightness_pct: float) -> float:
    """Relative luminance 0..1 of a CIE lightness 0..100."""
    if lightness_pct <= 8.0:
        return max(0.0, lightness_pct) / 903.3
    return float(min(1.0, ((lightness_pct + 16.0) / 116.0) ** 3))


def lightness(relative_luminance: float) -> float:
    """CIE lightness 0..100 of a relative luminance 0..1: the inverse of ``luminance``."""
    if relative_luminance <= 8.0 / 903.3:
        return max(0.0, relative_luminance) * 903.3
    return float(min(100.0, 116.0 * relative_luminance ** (1.0 / 3.0) - 16.0))


@dataclass(frozen=True, slots=True)
class Fade:
    """From one lightness to another, evenly in L*, starting at ``start_s``. ``over_s`` 0 is a jump."""

    from_pct: float
    to_pct: float
    start_s: float
    over_s: float

    @classmethod
    def between(cls, from_pct: float, to_pct: float, start_s: float, over_s: float) -> "Fade":
        """A fade with its target held to 0..100 and its length to an hour. A number that is none is a ValueError."""
        if not (math.isfinite(to_pct) and math.isfinite(over_s)):
            raise ValueError(f"a fade needs numbers, not {to_pct} over {over_s} s")
        return cls(from_pct, min(100.0, max(0.0, to_pct)), start_s, min(LONGEST_FADE_S, max(0.0, over_s)))

    @property
    def end_s(self) -> float:
        return self.start_s + self.over_s

    def at(self, at_s: float) -> float:
        """Lightness at a time: never beyond either end, and exactly the target from the end on."""
        if at_s >= self.end_s:
            return self.to_pct
        if at_s <= self.start_s:
            return self.from_pct
        share = (at_s - self.start_s) / self.over_s
        low_pct, high_pct = sorted((self.from_pct, self.to_pct))
        return min(high_pct, max(low_pct, self.from_pct + share * (self.to_pct - self.from_pct)))

    def held(self, at_s: float) -> "Fade":
        """The light as it is at ``at_s``, for good."""
        level_pct = self.at(at_s)
        return Fade(level_pct, level_pct, at_s, 0.0)

    def landing(self, held_s: float, at_s: float) -> "Fade":
        """This fade, held since ``held_s``, going on at ``at_s``: what was left of it, at least half a minute long."""
        left_s = max(SHORTEST_LANDING_S, self.end_s - held_s)
        return Fade(self.at(held_s), self.to_pct, at_s, min(LONGEST_FADE_S, left_s))

    def next_step_s(self, at_s: float) -> float | None:
        """When the light wants its next step, or None when it has arrived."""
        if at_s >= self.end_s:
            return None
        speed_pct_per_s = abs(self.to_pct - self.from_pct) / self.over_s
        steps_hz = min(FASTEST_STEPS_HZ, max(SLOWEST_STEPS_HZ, speed_pct_per_s / STEP_PCT))
        return min(self.end_s, at_s + 1.0 / steps_hz)
