"""The oxygen line of one unit: SpO2 = offset + slope x ratio of ratios, from readings beside a finger oximeter.

LEDs differ by part and batch, so what fits one unit fits no other. The slope is the median of the slopes between all
pairs of readings (Theil-Sen), which one wrong reading cannot bend, the offset the median of what is left. Readings that
span too little cannot tell a slope: then the customary one is kept and the offset alone is fitted, which is what a
healthy person at rest can do at home. It stays a hint: an oximeter is right within two points or so itself, and this is
no medical device.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from somnisphere.columns import RecordingError, read_csv
from somnisphere.errors import UserError
from somnisphere.sleep.saturation import STRAIGHT_LINE

LEAST_READINGS = 3
LEAST_FOR_SLOPE = 6
LEAST_SPAN = 0.15
"""Ratios must span this much before they tell a slope: about three points of saturation."""
OUTLIER_POINTS = 3.0
OUTLIER_SPREADS = 4.5
"""A reading is named when it is off by both: more than an oximeter's own error, and three standard deviations of the
others (of a normal spread, 4.5 times the median distance)."""
SLOPES_PCT = (-60.0, -8.0)
"""Slopes that a pulse oximeter can have; another comes from readings that do not belong together."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment: our ratio of ratios, and what the oximeter on the other hand showed, in percent."""

    ratio: float
    oximeter_pct: float


@dataclass(frozen=True, slots=True)
class OxygenLine:
    """SpO2 in percent = ``offset_pct`` + ``slope_pct`` x ratio. ``left_out_error_pct``: mean absolute error of each
    reading under the line of all others; ``slope_fitted``: False where the customary slope was kept; ``outliers``:
    readings far off the line. They bend it little, but they count in the error."""

    offset_pct: float
    slope_pct: float
    slope_fitted: bool
    left_out_error_pct: float
    reading_count: int
    outliers: tuple[Reading, ...] = ()


def fit_line(readings: Sequence[Reading]) -> OxygenLine:
    """The line through the readings. ``UserError`` where they cannot tell one, with what to do about it."""
    for reading in readings:
        if not (math.isfinite(reading.ratio) and 0.1 <= reading.ratio <= 3.0):
            raise UserError(f"A ratio of {reading.ratio:g} is none that a finger gives (0.1 to 3). Leave it out.")
        if not 50 <= reading.oximeter_pct <= 100:
            raise UserError(
                f"An oximeter shows 50 to 100 %, not {reading.oximeter_pct:g}. Mend or leave out the reading."
            )
    if len(readings) < LEAST_READINGS:
        raise UserError(
            f"{len(readings)} readings are too few for a line: take {LEAST_READINGS} at least, a minute apart."
        )
    fitted = _tell_a_slope(sorted(reading.ratio for reading in readings))
    offset_pct, slope_pct = _line(readings, fit_slope=fitted)
    if not SLOPES_PCT[0] <= slope_pct <= SLOPES_PCT[1]:
        raise UserError(
            f"These readings say {slope_pct:.0f} points of oxygen per unit of ratio; {SLOPES_PCT[0]:g} to "
            f"{SLOPES_PCT[1]:g} can be. Take them anew: both fingers warm and still, each reading after half a minute."
        )
    errors = []
    for k, reading in enumerate(readings):
        others_offset, others_slope = _line([*readings[:k], *readings[k + 1 :]], fit_slope=fitted)
        errors.append(abs(others_offset + others_slope * reading.ratio - reading.oximeter_pct))
    off = [abs(offset_pct + slope_pct * reading.ratio - reading.oximeter_pct) for reading in readings]
    far = max(OUTLIER_POINTS, OUTLIER_SPREADS * median(off))
    outliers = tuple(reading for reading, by in zip(readings, off, strict=True) if by > far)
    return OxygenLine(offset_pct, slope_pct, fitted, math.fsum(errors) / len(errors), len(readings), outliers)


def _tell_a_slope(ratios: Sequence[float]) -> bool:
    """Whether these ratios, in order, span enough; and not by one reading at either end alone."""
    if len(ratios) < LEAST_FOR_SLOPE or ratios[-1] - ratios[0] < LEAST_SPAN:
        return False
    return ratios[-2] - ratios[1] >= LEAST_SPAN / 2


def _line(readings: Sequence[Reading], *, fit_slope: bool) -> tuple[float, float]:
    """Offset and slope; the customary slope unless it is to be fitted."""
    slope_pct = STRAIGHT_LINE[0]
    if fit_slope:
        slope_pct = median(
            (b.oximeter_pct - a.oximeter_pct) / (b.ratio - a.ratio)
            for a, b in itertools.combinations(readings, 2)
            if abs(b.ratio - a.ratio) > LEAST_SPAN / 10
        )
    return median(r.oximeter_pct - slope_pct * r.ratio for r in readings), slope_pct


def read_readings(path: Path) -> list[Reading]:
    """A CSV with columns ``ratio`` and ``oximeter_pct``. ``RecordingError`` naming what is wrong."""
    columns = read_csv(path, ("ratio", "oximeter_pct"), needed=("ratio", "oximeter_pct"))
    readings = [
        Reading(float(ratio), float(pct)) for ratio, pct in zip(columns["ratio"], columns["oximeter_pct"], strict=True)
    ]
    if any(math.isnan(reading.ratio) or math.isnan(reading.oximeter_pct) for reading in readings):
        raise RecordingError(path, "a line lacks its ratio or its oximeter_pct", "Fill it in or remove the line.")
    return readings
