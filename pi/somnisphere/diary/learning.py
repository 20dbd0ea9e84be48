"""What tellings teach: where people remember sleep coming earlier or later than the sensor saw it. Pure.

Only nights that were told before they were opened count: whoever has seen the sensor's time tells that. The median of
the latest is taken, for one night that was told carelessly must not move anything; where nights disagree about the
side, nothing is learned; and what is learned is bounded, because people date their own sleep roughly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

FEWEST = 5
"""Nights below which nothing is learned."""
LATEST = 14
"""Nights that are looked at, the latest first."""
AGREE = 0.75
"""So many of them must lie on the median's side."""
LEAST_S = 240.0
"""A difference smaller than this is how people round."""
MOST_S = 300.0
"""The bookmark's margin is moved by this at the most, and so are the ends of the onset's range."""
FAR_S = 3 * 3600.0
"""Further apart than this, the telling and the sensor speak of two different sleeps."""

Direction = Literal["back", "on"]


@dataclass(frozen=True, slots=True)
class Learned:
    """``shift_s``: how much later (+) than the sensor's onset people tell theirs, bounded; 0: nothing is learned."""

    shift_s: float = 0.0

    @property
    def direction(self) -> Direction | None:
        """Where the bookmark goes because of it: a little further back, or not so far back. None: it stays."""
        return None if self.shift_s == 0 else "back" if self.shift_s < 0 else "on"


def learn(differences_s: Sequence[float]) -> Learned:
    """``differences_s``: told onset less the sensor's, one a night, oldest first."""
    near = [value for value in differences_s if abs(value) <= FAR_S][-LATEST:]
    if len(near) < FEWEST:
        return Learned()
    middle = median(near)
    same_side = sum((value < 0) == (middle < 0) and value != 0 for value in near)
    if abs(middle) < LEAST_S or same_side < AGREE * len(near):
        return Learned()
    return Learned(max(-MOST_S, min(MOST_S, middle)))
