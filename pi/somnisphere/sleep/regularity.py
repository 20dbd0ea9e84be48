"""How regular clock times are: the usual one, and by how much they scatter. A fact in minutes, nothing to reach.

The scatter is the standard deviation, as in the studies of regular sleep (Huang and Redline 2019, Diabetes Care 42,
1422-1429, use it for falling asleep), taken on the circle of the day so that midnight does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from somnisphere.sleep.facts import WITHIN, Range
from somnisphere.sleep.features import Floats

DAY_S = 86400.0
FEWEST = 5
"""Nights below which nothing is said: a scatter of three nights is chance."""
LATEST = 28
"""Nights that are looked at, the latest first: four weeks hold weekends and weekdays alike."""
_RESAMPLED = 400
_SEED = 1


@dataclass(frozen=True, slots=True)
class Regularity:
    """Of ``nights`` clock times, in seconds after local midnight."""

    nights: int
    usual_s: float
    """Mean on the circle, 0 to 86 400."""
    spread_min: float
    """Standard deviation."""
    spread_range_min: Range
    """As with the facts of a night; from resampled nights."""


def regularity(clock_s: Sequence[float]) -> Regularity | None:
    """Of clock times, oldest first, in seconds after local midnight; of the latest ``LATEST``. None: too few."""
    taken = np.array(clock_s[-LATEST:], dtype=np.float64)
    if len(taken) < FEWEST:
        return None
    turns = np.exp(2j * np.pi * taken / DAY_S)
    usual_s = float(np.angle(turns.mean()) / (2.0 * np.pi) * DAY_S) % DAY_S
    away_s = (taken - usual_s + DAY_S / 2.0) % DAY_S - DAY_S / 2.0
    chosen = np.random.default_rng(_SEED).integers(0, len(taken), (_RESAMPLED, len(taken)))
    low, high = np.percentile(_spread_min(away_s[chosen]), WITHIN)
    about = float(_spread_min(away_s))
    return Regularity(len(taken), usual_s, about, Range(min(float(low), about), max(float(high), about)))


def _spread_min(away_s: Floats) -> Floats:
    return np.asarray(away_s.std(axis=-1, ddof=1) / 60.0)
