"""ActiGraph-style activity counts, comparable to the actigraphy literature: Neishabouri et al. 2022 ("Quantification of
acceleration as activity counts in ActiGraph wearable", doi 10.1038/s41598-022-16003-x).

Acceleration in g at 30 Hz, rounded to thousandths, passes a band of about 0.3 to 1.6 Hz (the published recursive
filter), is scaled to counts of the old device's converter, cut at 128, silenced below 4, floored, averaged by threes to
10 Hz, floored again and summed over an epoch, per axis.

The stager does not use these: it learned from the counts of Walch et al. 2019 (``motion.py``). The recursive filter is
run here as its impulse response of ten seconds, block by block; what is left out beyond is a hundred-thousandth of it.
Other rates than 30 Hz are brought there by straight lines, above 60 Hz after a mean over a thirtieth of a second; below
25 Hz quick movement is lost before it is counted.
"""

import math
from dataclasses import dataclass

import numpy as np

from somnisphere.sleep.filters import Floats
from somnisphere_hardware.samples import MotionBlock

RATE_HZ = 30.0
_FORWARD = (
    -0.009341062898525,
    -0.025470289659360,
    -0.004235264826105,
    0.044152415456420,
    0.036493718347760,
    -0.011893961934740,
    -0.022917390623150,
    -0.006788163862310,
)
_BACK = (
    -3.63367395910957,
    5.03689812757486,
    -3.09612247819666,
    0.50620507633883,
    0.32421701566682,
    -0.15685485875559,
    0.01949130205890,
)
"""Coefficients of the published filter: of the input, and of the output before (that of the present output is 1)."""
GAIN_PER_G = (3.0 / 4096.0) / (2.6 / 256.0) * 237.5
LEAST_STEPS, MOST_STEPS = 4.0, 128.0
RESPONSE_S = 10.0


def _impulse_response() -> Floats:
    count = round(RESPONSE_S * RATE_HZ)
    out = np.zeros(count)
    for k in range(count):
        out[k] = _FORWARD[k] if k < len(_FORWARD) else 0.0
        for back, weight in enumerate(_BACK, start=1):
            if back <= k:
                out[k] -= weight * out[k - back]
    return out * GAIN_PER_G


@dataclass(frozen=True, slots=True)
class ActivityCounts:
    """Counts of the epoch that begins at ``start_s``, per axis; ``known_s``: how much of the epoch was measured."""

    start_s: float
    x: float
    y: float
    z: float
    known_s: float

    @property
    def magnitude(self) -> float:
        """Length of the vector of the three."""
        return math.sqrt(self.x**2 + self.y**2 + self.z**2)


class ActigraphCounter:
    """Feed acceleration in order of time, get the epochs it completes. Epochs are counted from ``origin_s``.

    Memory: ten seconds of acceleration. After a gap the filter begins again as if the body had always lain so.
    """

    def __init__(self, origin_s: float = 0.0, epoch_s: float = 60.0) -> None:
        self._origin_s = origin_s
        self._epoch_s = epoch_s
        self._kernel = _impulse_response()
        self._end_s = -math.inf
        self._rate_hz = 0.0
        self._left: Floats = np.zeros((0, 3))  # samples that lie after the last point of the 30 Hz grid
        self._left_s = 0.0
        self._next_s = 0.0
        self._tail: Floats = np.zeros((0, 3))
        self._odd: Floats = np.zeros((0, 3))
        self._odd_s = 0.0
        self._epoch = -1
        self._sums: Floats = np.zeros(3)
        self._known = 0

    def add(self, blocks: list[MotionBlock]) -> list[ActivityCounts]:
        """Consecutive blocks; a second or more at a time is cheapest."""
        done: list[ActivityCounts] = []
        for block in blocks:
            broken = block.gap_before or abs(block.start_s - self._end_s) > 1.5 / block.rate_hz
            if broken or abs(block.rate_hz - self._rate_hz) > 0.02 * block.rate_hz:
                self._begin(block)
            self._end_s = block.end_s
            done += self._take(np.nan_to_num(block.accel_g, nan=0.0, posinf=0.0, neginf=0.0), block.start_s)
        return done

    def flush(self) -> list[ActivityCounts]:
        """The epoch in progress, as far as it is known."""
        done = self._close() if self._epoch >= 0 else []
        self._end_s = -math.inf
        return done

    def _begin(self, block: MotionBlock) -> None:
        first_g = np.nan_to_num(block.accel_g[:1])
        self._rate_hz = block.rate_hz
        self._left, self._left_s, self._next_s = np.zeros((0, 3)), block.start_s, block.start_s
        self._tail = np.repeat(np.round(first_g, 3), len(self._kernel) - 1, axis=0)
        self._odd, self._odd_s = np.zeros((0, 3)), block.start_s

    def _take(self, accel_g: Floats, start_s: float) -> list[ActivityCounts]:
        even = self._at_30_hz(accel_g, start_s)
        if not len(even):
            return []
        run = np.concatenate((self._tail, np.round(even, 3)))
        self._tail = run[-(len(self._kernel) - 1) :]
        swing = np.abs(np.stack([np.convolve(run[:, axis], self._kernel, "valid") for axis in range(3)], axis=1))
        steps = np.floor(np.where(swing < LEAST_STEPS, 0.0, np.minimum(swing, MOST_STEPS)))
        steps = np.concatenate((self._odd, steps))
        whole = len(steps) // 3 * 3
        self._odd = steps[whole:]
        tenths = np.floor(np.add.reduce(steps[:whole].reshape(-1, 3, 3), axis=1) / 3)
        first_s, self._odd_s = self._odd_s, self._odd_s + len(tenths) / 10.0
        return self._sum(tenths, first_s)

    def _at_30_hz(self, accel_g: Floats, start_s: float) -> Floats:
        if not len(self._left):
            self._left_s = start_s
        have = np.concatenate((self._left, accel_g))
        times_s = self._left_s + np.arange(len(have)) / self._rate_hz
        count = math.floor((float(times_s[-1]) - self._next_s) * RATE_HZ + 1e-6) + 1
        if count <= 0:
            self._left = have
            return np.zeros((0, 3))
        grid_s = self._next_s + np.arange(count) / RATE_HZ
        group = round(self._rate_hz / RATE_HZ)
        smooth = have
        if group >= 2:
            mean = np.full(group, 1.0 / group)
            padded = np.concatenate((np.repeat(have[:1], group - 1, axis=0), have))
            smooth = np.stack([np.convolve(padded[:, axis], mean, "valid") for axis in range(3)], axis=1)
        even = np.stack([np.interp(grid_s, times_s, smooth[:, axis]) for axis in range(3)], axis=1)
        self._next_s = float(grid_s[-1]) + 1.0 / RATE_HZ
        keep = max(group, len(have) - int(np.searchsorted(times_s, self._next_s - 1.0 / self._rate_hz)))
        self._left = have[len(have) - min(keep, len(have)) :]
        self._left_s = float(times_s[len(have) - len(self._left)])
        return np.asarray(even, dtype=np.float64)

    def _sum(self, tenths: Floats, first_s: float) -> list[ActivityCounts]:
        done: list[ActivityCounts] = []
        times_s = first_s - self._origin_s + (np.arange(len(tenths)) + 0.5) / 10.0
        epochs = np.floor(times_s / self._epoch_s).astype(np.intp)
        for epoch in np.unique(epochs).tolist():
            if epoch != self._epoch:
                done += self._close() if self._epoch >= 0 else []
                self._epoch = epoch
            here = tenths[epochs == epoch]
            self._sums = self._sums + np.add.reduce(here)
            self._known += len(here)
        return done

    def _close(self) -> list[ActivityCounts]:
        x, y, z = self._sums.tolist()
        counts = ActivityCounts(self._origin_s + self._epoch * self._epoch_s, x, y, z, self._known / 10.0)
        self._sums, self._known, self._epoch = np.zeros(3), 0, -1
        return [counts]
