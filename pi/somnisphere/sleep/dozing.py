"""When somebody dozed off over a story, seen with the whole night in hand, and how late that may have been.

For a bookmark too early is kind (a few sentences are heard twice), too late is a loss. So it is dated to where sleep
became possible, not to where it became likely; where the two are far apart, both are told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import StageEstimate
from somnisphere.sleep.facts import onset_of
from somnisphere.sleep.features import Floats

POSSIBLE = 0.3
"""P(asleep) from which sleep may have come; chosen with ``LIKELY`` on the scored nights, where the median of what was
dated so lay closest to the truth (``tests/bench/staging.py`` prints how close)."""
LIKELY = 0.6
LISTENING_AGAIN_EPOCHS = 10
"""Whoever lies awake for five minutes while a story plays is listening to it again."""


@dataclass(frozen=True, slots=True)
class Dozing:
    """Sleep came between ``first_s`` and ``latest_s``, in the seconds of ``StageEstimate.start_s``."""

    first_s: float
    latest_s: float


def dozed_off(estimates: Sequence[StageEstimate], until_s: float | None = None) -> Dozing | None:
    """When the sleep began in which a story that was heard until ``until_s`` was left: the night's first, or a later
    one where somebody lay awake for a while in between. None: nobody slept, as far as is known."""
    chances = [estimate.sleep_probability for estimate in estimates]
    asleep = np.array([np.nan if chance is None else chance for chance in chances], dtype=np.float64)
    starts_s = np.array([estimate.start_s for estimate in estimates], dtype=np.float64)
    likely = _began(asleep >= LIKELY, asleep < 0.5, starts_s, until_s)
    if likely is None:
        return None
    possible = _began(asleep >= POSSIBLE, asleep < POSSIBLE, starts_s, until_s)
    first = likely if possible is None else min(possible, likely)
    return Dozing(float(starts_s[first]), float(starts_s[likely]))


def _began(asleep: NDArray[np.bool_], awake: NDArray[np.bool_], starts_s: Floats, until_s: float | None) -> int | None:
    """Index of the epoch in which the sleep began that held at ``until_s``."""
    began = onset_of(asleep)
    if began is None:
        return None
    lying_awake = 0
    for k in range(began, len(asleep)):
        if until_s is not None and starts_s[k] >= until_s:
            break
        if asleep[k] and lying_awake >= LISTENING_AGAIN_EPOCHS:
            began = k
        lying_awake = lying_awake + 1 if awake[k] else 0
    return began
