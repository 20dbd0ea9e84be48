"""Counts as in Walch et al. 2019 from raw acceleration, by the code that counts at the bedside."""

import math

import numpy as np

from somnisphere.night import COUNT_STEP_S, EPOCH_S
from somnisphere.sleep.features import Floats
from somnisphere.sleep.motion import HALF_S, Motion
from somnisphere.training.readers.night_set import MOST_EPOCHS
from somnisphere_hardware.samples import MotionBlock

GAP_S = 0.5
"""A longer pause between two samples is a gap; shorter ones are bridged by a straight line."""
BLOCK_S = 15.0
MOST_S = MOST_EPOCHS * EPOCH_S


class MovementCounter:
    """Feed samples in order of time, seconds from the start of epoch 0; ask for counts at the end.

    A watch's samples come unevenly: they are put on an even grid of ``rate_hz`` first.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._motion = Motion(0.0)
        self._counts: list[float] = []
        self._time_s: Floats = np.zeros(0)
        self._accel_g: Floats = np.zeros((0, 3))
        self._place: int | None = None

    def add(self, time_s: Floats, accel_g: Floats) -> None:
        """Samples (k,) in s and (k, 3) in g. What is older than a sample before it, or not finite, is left out."""
        time_s, accel_g = np.concatenate((self._time_s, time_s)), np.concatenate((self._accel_g, accel_g))
        there = np.isfinite(time_s) & np.isfinite(accel_g).all(axis=1)
        there &= (time_s > -2 * HALF_S) & (time_s < MOST_S)
        time_s, accel_g = time_s[there], accel_g[there]
        if not len(time_s):
            return
        newest = np.maximum.accumulate(time_s)
        newer = np.concatenate(([True], time_s[1:] > newest[:-1]))
        time_s, accel_g = time_s[newer], accel_g[newer]
        cuts = np.flatnonzero(np.diff(time_s) > GAP_S) + 1
        for run_s, run_g in zip(np.split(time_s, cuts), np.split(accel_g, cuts), strict=True):
            self._run(run_s, run_g)
        self._time_s, self._accel_g = time_s[-1:], accel_g[-1:]  # the next piece goes on from here

    def counts(self, steps: int) -> Floats:
        """One count each 15 s, (``steps``,), NaN where most of the 15 s is not known."""
        self._settle(steps * COUNT_STEP_S)
        return np.array(self._counts[:steps], dtype=np.float64)

    def _run(self, time_s: Floats, accel_g: Floats) -> None:
        first = math.ceil(time_s[0] * self._rate_hz - 1e-6)
        last = math.floor(time_s[-1] * self._rate_hz + 1e-6)
        if self._place is not None:
            first = max(first, self._place + 1)
        if first > last:
            return
        self._settle(first / self._rate_hz)  # what ended before a gap will not change any more
        size = round(BLOCK_S * self._rate_hz)
        for begin in range(first, last + 1, size):
            places = np.arange(begin, min(begin + size, last + 1))
            at_s = places / self._rate_hz
            even = np.stack([np.interp(at_s, time_s, accel_g[:, axis]) for axis in range(3)], axis=1)
            gap = self._place is None or begin != self._place + 1
            self._motion.add([MotionBlock(begin / self._rate_hz, self._rate_hz, even, gap_before=gap)])
            self._place = int(places[-1])
            self._settle(self._place / self._rate_hz - 2 * HALF_S)

    def _settle(self, until_s: float) -> None:
        """Take down the counts of all steps that end by then: ``Motion`` remembers a minute and a half."""
        while (len(self._counts) + 1) * COUNT_STEP_S <= until_s:
            count = self._motion.count(len(self._counts))
            self._counts.append(math.nan if count is None else count)
