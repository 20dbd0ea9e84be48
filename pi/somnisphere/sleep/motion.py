"""Movement: activity counts as in Walch et al. 2019 (doi 10.1093/sleep/zsz180), and whether the body lies still.

The counts, per axis, in g: band-pass 3 to 11 Hz (Butterworth of order 5, both ways), absolute value, floored to steps
of 5/128 g and one added, at most 129; the largest of each second; summed over 15 s, less 18, times 3.07, not below
nothing. Walch's watch had one axis that mattered (across its face); a sensor under a mattress or on a finger lies
anyhow, so each second takes the axis with the largest value.

Below 25 Hz the band does not fit: at 12.5 Hz only 3 to 6.25 Hz is left. The filtered signal is then multiplied by
``MISSING_BAND_GAIN``, fitted on recorded wrist movement so that the counts agree on average; single ones still differ.

How far rates agree, measured against 50 Hz on 13 recordings of arms in exercise (243 counts), at 1, 0.3, 0.1 of their
strength and, nearest to bed, 0.03, where half of the counts are nothing:

- 100 Hz: 1.4 to 2 % higher in sum, and 5 % at 0.03; single counts differ by 1.5 % (median of those not nothing).
- 25 Hz: 8 to 9 % lower, 20 % at 0.03 (peaks fall between samples); single ones differ by 8 to 9 %, 23 % at 0.03.
- 12.5 Hz: 1 % lower, 10 % at 0.03; single ones by 9 to 11 %, 33 % at 0.03; correlation 0.96 to 0.97, 0.90 at 0.03.

Nothing is nothing at every rate in 99 % of counts, at 0.03 in 94 % (25 Hz) and 92 % (12.5 Hz). These counts are not
ActiGraph's, which look at 0.3 to 1.6 Hz: see ``counts.py``.
"""

import math

import numpy as np

from somnisphere.night import COUNT_STEP_S
from somnisphere.sleep.filters import Floats, butterworth_both_ways_kernel
from somnisphere_hardware.samples import MotionBlock

LOW_HZ, HIGH_HZ, ORDER, HALF_S = 3.0, 11.0, 5, 1.0
STEP_G = 5.0 / 128.0
MOST_STEPS = 129
QUIET_SUM, SCALE = 18.0, 3.07
LEAST_SECONDS = 10
"""A count needs this many of its 15 seconds; the rest are taken to be like them."""
MISSING_BAND_GAIN = 1.8
RESTLESS_G = 0.12
"""A second in which an axis spans more than this is movement; breath and heartbeat stay well below."""
KEEP_SECONDS = 90


class Motion:
    """Feed acceleration; ask for 15 s counts and for restless seconds. Seconds are counted from ``origin_s``."""

    def __init__(self, origin_s: float = 0.0) -> None:
        self._origin_s = origin_s
        self._rate_hz = 0.0
        self._kernel: Floats = np.zeros(0)
        self._tail: Floats = np.zeros((0, 3))
        self._end_s = -math.inf
        self._steps: dict[int, float] = {}
        self._spans: dict[int, float] = {}

    def set_origin(self, origin_s: float) -> None:
        """Where seconds are counted from; before the first block."""
        self._origin_s = origin_s

    def add(self, blocks: list[MotionBlock]) -> None:
        """Consecutive blocks, gathered: a second or more at a time is cheapest."""
        run: list[MotionBlock] = []
        for block in blocks:
            follows = not block.gap_before and abs(block.start_s - self._end_s) < 1.5 / block.rate_hz
            if not follows or abs(block.rate_hz - self._rate_hz) > 0.02 * block.rate_hz:
                self._take(run)
                run = []
                self._begin(block.rate_hz)
            run.append(block)
            self._end_s = block.end_s
        self._take(run)

    def count(self, step: int) -> float | None:
        """The count of ``[origin + 15 step, origin + 15 step + 15)``; None when most of it is not known."""
        seconds = round(COUNT_STEP_S)
        known = [self._steps[s] for s in range(step * seconds, (step + 1) * seconds) if s in self._steps]
        if len(known) < LEAST_SECONDS:
            return None
        return max(0.0, (math.fsum(known) * seconds / len(known) - QUIET_SUM) * SCALE)

    def restless(self, from_s: float, to_s: float) -> bool | None:
        """Whether the body moved in ``[from_s, to_s]``; None when nothing is known of that time."""
        moved_g = self.movement_g(from_s, to_s)
        return None if moved_g is None else moved_g > RESTLESS_G

    def movement_g(self, from_s: float, to_s: float) -> float | None:
        """The widest span of an axis in any second of ``[from_s, to_s]``; None when nothing is known of that time."""
        first, last = math.floor(from_s - self._origin_s), math.floor(to_s - self._origin_s)
        spans = [self._spans[s] for s in range(first, last + 1) if s in self._spans]
        return max(spans) if spans else None

    def _begin(self, rate_hz: float) -> None:
        self._tail = np.zeros((0, 3))
        if abs(rate_hz - self._rate_hz) > 0.02 * rate_hz:
            self._rate_hz = rate_hz
            self._kernel = butterworth_both_ways_kernel(rate_hz, LOW_HZ, HIGH_HZ, ORDER, HALF_S)
            if 0.49 * rate_hz <= HIGH_HZ:
                self._kernel = self._kernel * MISSING_BAND_GAIN

    def _take(self, run: list[MotionBlock]) -> None:
        if not run:
            return
        fresh = np.concatenate([block.accel_g for block in run])
        accel = np.concatenate((self._tail, fresh))
        if not np.isfinite(accel).all():
            accel = np.nan_to_num(accel, nan=0.0, posinf=0.0, neginf=0.0)
        start_s = self._end_s - len(fresh) / self._rate_hz
        margin = len(self._kernel) // 2
        self._tail = accel[-2 * margin :]
        self._note(self._spans, start_s, accel[len(accel) - len(fresh) :], span=True)
        if len(accel) <= 2 * margin:
            return
        moved = np.stack([np.convolve(accel[:, axis], self._kernel, "valid") for axis in range(3)], axis=1)
        centre_s = self._end_s - (len(accel) - margin) / self._rate_hz
        self._note(self._steps, centre_s, np.abs(moved), span=False)

    def _note(self, seconds: dict[int, float], start_s: float, values: Floats, *, span: bool) -> None:
        """Keep the largest of each second of ``values`` (n, 3) from ``start_s``: of spans, or of count steps."""
        second = np.floor(start_s - self._origin_s + (np.arange(len(values)) + 0.5) / self._rate_hz).astype(np.intp)
        edges = np.concatenate(([0], np.flatnonzero(second[1:] != second[:-1]) + 1))
        largest = np.maximum.reduceat(values, edges, axis=0)
        if span:
            largest = largest - np.minimum.reduceat(values, edges, axis=0)
        for key, value in zip(second[edges].tolist(), largest.max(axis=1).tolist(), strict=True):
            if not span:
                value = min(math.floor(value / STEP_G) + 1, MOST_STEPS)
            seconds[key] = max(value, seconds.get(key, 0.0))
        newest = int(second[-1])
        if len(seconds) > KEEP_SECONDS + 30:
            for old in [key for key in seconds if key < newest - KEEP_SECONDS]:
                del seconds[old]
