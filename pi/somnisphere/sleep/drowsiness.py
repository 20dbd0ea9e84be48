"""How far somebody has drifted: a slow probability that sleep has come, for the evening's fade and for its moment.

The stage of one epoch jumps; a fade must not. Four runs of what the live network says (now, and running means of one
and a half, four and ten minutes), how long the body has lain still and how long it has been in bed go into one logistic
regression, fitted on the nights' first hours: until ten minutes after sleep began.
"""

import math

import numpy as np

from somnisphere.night import EPOCH_S
from somnisphere.sleep.features import Floats

MEANS_EPOCHS = (1, 3, 8, 20)
"""Spans of the running means; each follows by 2 / (span + 1)."""
INPUTS = len(MEANS_EPOCHS) + 5
LIKELY = 0.3
"""Drowsiness that counts as "fell asleep" when it holds for ``HOLD_EPOCHS``. Lower is sooner and more often wrong."""
HOLD_EPOCHS = 3
_CLIP = 0.01
_STILL_UNKNOWN = 1.5
"""Log minutes since a movement where movement is not known: some four minutes."""
_IN_BED_MOST_MIN = 120.0


class Drowsiness:
    """Follows one stay in bed, epoch by epoch. ``value`` is None until something was heard."""

    def __init__(self, weights: Floats) -> None:
        """``weights``: (INPUTS + 1,), the last the constant."""
        self._weights = weights
        self._inputs = DrowsinessInputs()
        self.value: float | None = None

    def step(self, said: Floats, log_minutes_still: Floats) -> float | None:
        """``said``: (4,) of the live network, NaN when blind; ``log_minutes_still``: (3,) log minutes since a small,
        a middling and a large movement, NaN not known."""
        row = self._inputs.step(said, log_minutes_still)
        if row is not None:
            self.value = 1.0 / (1.0 + math.exp(-float(row @ self._weights[:-1] + self._weights[-1])))
        return self.value


class DrowsinessInputs:
    """The numbers the regression looks at; also used to fit it."""

    def __init__(self) -> None:
        self._means: Floats | None = None
        self._deep = 0.0
        self._epochs = 0

    def step(self, said: Floats, log_minutes_still: Floats) -> Floats | None:
        """(INPUTS,), or None while nothing has been heard. A blind epoch keeps what was heard before."""
        self._epochs += 1
        if not np.isnan(said).any():
            odds = _log_odds(1.0 - float(said[0]))
            self._deep = _log_odds(float(said[2]))
            if self._means is None:
                self._means = np.full(len(MEANS_EPOCHS), odds)
            self._means += (odds - self._means) * 2.0 / (np.array(MEANS_EPOCHS) + 1.0)
        if self._means is None:
            return None
        in_bed_min = min(self._epochs * EPOCH_S / 60.0, _IN_BED_MOST_MIN)
        still = np.where(np.isnan(log_minutes_still), _STILL_UNKNOWN, log_minutes_still)
        return np.concatenate([self._means, still, [math.log1p(in_bed_min), self._deep]])


def drowsiness_inputs(said: Floats, log_minutes_still: Floats) -> Floats:
    """(n, 4) and (n, 3) of a night without blind epochs at its start -> (n, INPUTS)."""
    stream = DrowsinessInputs()
    rows = [stream.step(s, m) for s, m in zip(said, log_minutes_still, strict=True)]
    return np.array([row for row in rows if row is not None])


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _CLIP), 1.0 - _CLIP)
    return math.log(kept / (1.0 - kept))
