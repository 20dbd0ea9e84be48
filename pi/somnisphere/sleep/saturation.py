"""Oxygen saturation by the ratio of ratios. Uncalibrated: LEDs differ by part and batch.

R is how much the red light pulses relative to the infrared, each over its own mean: the slope of a straight line
through the change of red against the change of infrared, over the whole window rather than beat by beat. The default
curve is Maxim's for the MAX30102 (application note 6409, "Guidelines for SpO2 Measurement"):
SpO2 = -45.06 R^2 + 30.354 R + 94.845. It turns over at R = 0.337, below which it would fall again: R is held there.
"""

import math
from collections import deque

import numpy as np

from somnisphere.sleep.filters import Floats, slope_kernel
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS

MAXIM_CURVE = (-45.06, 30.354, 94.845)
"""Coefficients of R^2, R and 1."""
STRAIGHT_LINE = (-17.0, 104.0)
"""The other customary curve, 104 - 17 R: for LEDs nobody has measured, and what a calibration by a straight line
starts from. It has no top to turn over at."""
SMOOTHING_S = 0.06
"""Standard deviation of the Gaussian in the slope filter: short enough for a recording of three seconds, long enough
that the converter's noise in infrared does not flatten the line."""
WINDOW_S = 30.0
LEAST_S = 8.0
LEAST_TOGETHER = 0.7
"""Correlation of red and infrared below which they do not show the same pulse."""
GREATEST_RATIO = 1.9
"""Past this the curve means no living person."""


class Oxygen:
    """Feed aligned red and infrared light, ask for the saturation of the last half minute.

    ``curve``: coefficients of a polynomial in R, highest power first. ``least_s``: usable light needed for an answer.
    """

    def __init__(self, curve: tuple[float, ...] = MAXIM_CURVE, least_s: float = LEAST_S) -> None:
        if not curve:
            raise ValueError("the oxygen curve needs at least one coefficient")
        self._curve = curve
        self._least_s = least_s
        self._rate_hz = 0.0
        self._kernel: Floats = np.zeros(0)
        self._tail: Floats = np.zeros((2, 0))
        self._parts: deque[tuple[float, float, float, float, float]] = deque()

    def clear(self) -> None:
        """Forget: what comes next does not follow on."""
        self._tail = np.zeros((2, 0))
        self._parts.clear()

    def add(self, start_s: float, rate_hz: float, red: Floats, ir: Floats, *, usable: bool, follows: bool) -> None:
        """``red``, ``ir``: (n,) counts. ``usable``: whether these seconds carry a trusted pulse and lie still."""
        if abs(rate_hz - self._rate_hz) > 0.02 * rate_hz:
            self._rate_hz = rate_hz
            self._kernel = slope_kernel(rate_hz, SMOOTHING_S)
            follows = False
        if not follows:
            self._tail = np.zeros((2, 0))
        light = np.concatenate((self._tail, (red, ir)), axis=1)
        margin = len(self._kernel) - 1
        self._tail = light[:, -margin:]
        end_s = start_s + len(ir) / rate_hz
        while self._parts and self._parts[0][0] < end_s - 2 * WINDOW_S:
            self._parts.popleft()
        count = light.shape[1] - margin
        if not usable or count < 1 or not np.isfinite(light).all() or light.max() >= PULSE_FULL_SCALE_COUNTS:
            return
        mean_red, mean_ir = (np.add.reduce(light, axis=1) / light.shape[1]).tolist()
        if mean_red <= 0 or mean_ir <= 0:
            return
        r = np.convolve(light[0], self._kernel, "valid") / mean_red
        i = np.convolve(light[1], self._kernel, "valid") / mean_ir
        self._parts.append((end_s, float(r @ i), float(i @ i), float(r @ r), count / rate_hz))

    def spo2_pct(self, at_s: float, over_s: float = WINDOW_S) -> float | None:
        """Saturation over the ``over_s`` that end at ``at_s``; None when red and infrared do not pulse together."""
        ratio = self.ratio(at_s, over_s)
        if ratio is None or ratio > GREATEST_RATIO:
            return None
        if len(self._curve) == 3 and self._curve[0] < 0:
            ratio = max(ratio, -self._curve[1] / (2 * self._curve[0]))
        value = 0.0
        for coefficient in self._curve:
            value = value * ratio + coefficient
        return min(100.0, max(0.0, value))

    def ratio(self, at_s: float, over_s: float = WINDOW_S) -> float | None:
        """The ratio of ratios R over the ``over_s`` that end at ``at_s``."""
        parts = [part for part in self._parts if at_s - over_s <= part[0] <= at_s + 1.0]
        if math.fsum(part[4] for part in parts) < self._least_s:
            return None
        both, infrared, red = (math.fsum(part[k] for part in parts) for k in (1, 2, 3))
        if infrared <= 0 or red <= 0 or both / math.sqrt(infrared * red) < LEAST_TOGETHER:
            return None
        return both / infrared
