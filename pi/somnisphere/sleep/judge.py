"""A second look at the seconds around a beat, which gives its quality: how periodic they are, how alike their beats."""

import math
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from somnisphere.sleep.filters import Floats

COARSE_HZ = 16.0
"""Least rate at which periodicity is looked for: the smoothed slope holds next to nothing above 8 Hz."""
SHORTEST_S, LONGEST_S = 0.3, 1.8
"""Periods considered: 33 to 200 beats a minute."""
SHAPE_S = 0.28
"""Half the time of a beat's shape that is compared with the others."""
SURENESS = -9.9
WEIGHTS = (3.8, 5.8, 4.4, 2.2)
"""Logistic regression of "a beat of the ECG lies within 100 ms" on the evidence, over the development recordings at
rest, wrists in exercise, and filtered noise (in which no beat is right)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Evidence about the beats of one window. Per window: ``periodicity`` (autocorrelation of the slope at the pulse's
    period, 0..1), ``regularity`` (0..1), ``steepness`` (skewness of the slope, -2..2: blood comes faster than it
    goes, noise does not), ``interval_s`` (median). Per beat: ``alikeness`` (correlation with the others, -1..1) and
    ``quality``, how sure we are of it (0..1)."""

    periodicity: float
    regularity: float
    steepness: float
    interval_s: float
    alikeness: list[float]
    quality: list[float]


def pulse_period(slope: Floats, rate_hz: float) -> tuple[float, float]:
    """Period in s and its autocorrelation (0..1) of a stretch of slope; (0.8, 0) where there is none."""
    step = max(1, int(rate_hz / COARSE_HZ))
    y = slope[::step]
    y = y - np.add.reduce(y) / len(y)
    coarse_hz = rate_hz / step
    # A window holds under two hundred coarse values: so few are quicker multiplied out than transformed.
    similar = np.correlate(y, y, "full")[len(y) - 1 :] if len(y) else np.zeros(1)
    if similar[0] <= 0:
        return 0.8, 0.0
    first, last = int(SHORTEST_S * coarse_hz), min(int(LONGEST_S * coarse_hz) + 2, len(y) - 1)
    if last - first < 3:
        return 0.8, 0.0
    # Fewer samples overlap at longer lags; without this the shortest period would be preferred.
    r = similar[first - 1 : last] / similar[0] * (len(y) / (len(y) - np.arange(first - 1, last)))
    peaks = np.flatnonzero((r[1:-1] > r[:-2]) & (r[1:-1] >= r[2:])) + 1
    if not len(peaks):
        return 0.8, 0.0
    heights = r[peaks]
    # The shortest of nearly equal peaks: twice the period looks as good as the period.
    k = int(peaks[np.argmax(heights >= 0.8 * heights.max())])
    return (first - 1 + k) / coarse_hz, float(min(max(r[k], 0.0), 1.0))


def judge_beats(
    slope: Floats, rate_hz: float, places: NDArray[np.intp], period_s: float, periodicity: float
) -> Judgement:
    """Look at the chosen ``places`` of a window of ``slope``."""
    count = len(places)
    reach = round(SHAPE_S * rate_hz)
    whole = np.flatnonzero((places >= reach) & (places < len(slope) - reach))
    alike = np.zeros(count)
    if len(whole) >= 2:
        step = max(1, round(rate_hz / 50.0))
        shapes = slope[places[whole][:, None] + np.arange(-reach, reach + 1, step)]
        shapes = shapes - np.add.reduce(shapes, axis=1, keepdims=True) / shapes.shape[1]
        shapes /= np.sqrt(np.einsum("ij,ij->i", shapes, shapes))[:, None] + 1e-300
        total = np.add.reduce(shapes, axis=0)
        # Each against the sum of the others.
        with_all = shapes @ total
        alike[whole] = (with_all - 1.0) / np.sqrt(np.maximum(total @ total - 2 * with_all + 1.0, 1e-12))
        edge = np.ones(count, dtype=bool)
        edge[whole] = False
        alike[edge] = median(alike[whole].tolist())
    regularity, middle = 0.0, period_s
    if count >= 3:
        intervals = (np.diff(places) / rate_hz).tolist()
        middle = median(intervals)
        regularity = sum(abs(interval - middle) < 0.2 * middle for interval in intervals) / len(intervals)
    steepness = _skewness(slope)
    of_window = SURENESS + WEIGHTS[0] * periodicity + WEIGHTS[2] * regularity + WEIGHTS[3] * steepness
    quality: list[float] = (1.0 / (1.0 + np.exp(-of_window - WEIGHTS[1] * alike))).tolist()
    return Judgement(periodicity, regularity, steepness, middle, alike.tolist(), quality)


def _skewness(y: Floats) -> float:
    y = y - np.add.reduce(y) / len(y)
    square = y * y
    spread: float = float(np.add.reduce(square)) / len(y)
    if spread <= 0:
        return 0.0
    return min(2.0, max(-2.0, float(square @ y) / len(y) / (spread * math.sqrt(spread))))
