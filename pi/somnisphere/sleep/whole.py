"""Whole arrays in, answers out, for notebooks and other projects: each is the streaming sense fed from end to end.

None of these knows whether the body moved. None of it is medical.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from somnisphere.sleep.breath import Breath
from somnisphere.sleep.filters import Floats
from somnisphere.sleep.light import light_counts, pulse_blocks
from somnisphere.sleep.polarity import polarity_of
from somnisphere.sleep.pulse import PulseMeter, Wave
from somnisphere.sleep.saturation import STRAIGHT_LINE, WINDOW_S, Oxygen

SLOWEST_HZ, FASTEST_HZ = 10.0, 2000.0
BREATH_STEP_S = 15.0
OXYGEN_STEP_S = 5.0
LEAST_OXYGEN_S = 2.0


class Breathing(NamedTuple):
    """``at_s`` (k,): ends of the minutes looked at, one each 15 s from the recording's start; ``breath_bpm`` (k,):
    breaths per minute, NaN where there is no answer."""

    at_s: Floats
    breath_bpm: Floats


class OxygenSeries(NamedTuple):
    """``at_s`` (k,): ends of the half minutes looked at, one each 5 s and one at the end; ``ratio`` (k,): ratio of
    ratios; ``spo2_pct`` (k,): saturation, uncalibrated. NaN where there is no answer."""

    at_s: Floats
    ratio: Floats
    spo2_pct: Floats


def beats(ppg: ArrayLike, fs_hz: float, *, polarity: int | None = None) -> Floats:
    """Times of the heartbeats in s from the first sample (k,): when the pulse rises steepest, finer than a sample.

    ``ppg`` (n,): in any unit; NaN is missing. ``fs_hz``: 25 to 400 Hz is what it is made for. ``polarity``: +1 where
    systole is up, -1 where it is down (raw light); None: found from the wave. Raises ``ValueError`` for another shape
    or a rate that is none.
    """
    return np.array([wave.beat.at_s for wave in _waves(ppg, fs_hz, polarity)], dtype=np.float64)


def breathing(ppg: ArrayLike, fs_hz: float, *, polarity: int | None = None) -> Breathing:
    """Breathing rate from the pulse wave. Arguments and errors as for ``beats``."""
    waves = _waves(ppg, fs_hz, polarity)
    breath, rates, told = Breath(), list[float](), 0
    at_s = np.arange(BREATH_STEP_S, np.size(ppg) / fs_hz + 1e-6, BREATH_STEP_S)
    for end_s in at_s.tolist():
        here = told
        while told < len(waves) and waves[told].beat.at_s <= end_s:
            told += 1
        breath.add(waves[here:told])
        rate = breath.rate_bpm(end_s)
        rates.append(np.nan if rate is None else rate)
    return Breathing(at_s, np.array(rates, dtype=np.float64))


def oxygen(red: ArrayLike, ir: ArrayLike, fs_hz: float, *, curve: tuple[float, ...] = STRAIGHT_LINE) -> OxygenSeries:
    """Oxygen saturation of aligned raw counts (n,) of red and infrared light, of two seconds or more.

    ``curve``: coefficients of a polynomial in the ratio of ratios, highest power first. The default is a straight
    line, because LEDs differ and a straight line is what a comparison with a finger oximeter mends; the daemon uses
    Maxim's own curve for its MAX30102 until it is calibrated. Raises ``ValueError`` as ``beats`` does.
    """
    red_counts, ir_counts = _checked(red, fs_hz, "red"), _checked(ir, fs_hz, "ir")
    if len(red_counts) != len(ir_counts):
        raise ValueError(f"red has {len(red_counts)} samples and ir {len(ir_counts)}: give both the same")
    sense, rows, end_s = Oxygen(curve, least_s=LEAST_OXYGEN_S), list[tuple[float, float, float]](), 0.0

    def look(at_s: float) -> None:
        ratio, spo2_pct = sense.ratio(at_s), sense.spo2_pct(at_s)
        rows.append((at_s, np.nan if ratio is None else ratio, np.nan if spo2_pct is None else spo2_pct))

    for block in pulse_blocks(ir_counts, red_counts, fs_hz):
        follows = not block.gap_before and abs(block.start_s - end_s) < 0.5 / fs_hz
        end_s = block.end_s
        sense.add(block.start_s, fs_hz, block.red.astype(float), block.ir.astype(float), usable=True, follows=follows)
        if end_s >= WINDOW_S and (not rows or end_s >= rows[-1][0] + OXYGEN_STEP_S - 1e-6):
            look(end_s)
    if not rows or end_s > rows[-1][0] + 1.0:
        look(end_s)
    return OxygenSeries(*np.array(rows, dtype=np.float64).T)


def _waves(ppg: ArrayLike, fs_hz: float, polarity: int | None) -> list[Wave]:
    wave = _checked(ppg, fs_hz, "ppg")
    if polarity not in (-1, 1, None):
        raise ValueError(f"polarity is {polarity!r}: it is +1 (systole up), -1 (systole down) or None (find it)")
    meter, found = PulseMeter(), list[Wave]()
    for block in pulse_blocks(light_counts(wave, polarity or polarity_of(wave, fs_hz)), None, fs_hz):
        found += meter.waves(block)
    return found + meter.end()


def _checked(values: ArrayLike, fs_hz: float, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}: give it one number per sample")
    if not SLOWEST_HZ <= fs_hz <= FASTEST_HZ:
        raise ValueError(f"fs_hz is {fs_hz!r}: a pulse needs {SLOWEST_HZ:g} to {FASTEST_HZ:g} samples a second")
    return array
