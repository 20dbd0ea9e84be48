"""Heart, breath and blood flow of a simulated person, stage by stage, as series over the whole night.

Levels after 21 nights of Walch et al. 2019 (doi 10.1093/sleep/zsz180; heart rate of a watch), measured: spread of the
heart rate within 5 minutes, median 1.2 bpm deep, 1.9 light, 3.5 REM, 4.1 awake; over the night's own low level (5th
percentile), light 4 bpm, deep 6 (early in the night, before the level has fallen), REM 8, awake 8 and much more at
times. The fall towards sleep and the raised, unsteady heart of REM: Trinder et al., J Sleep Res 10, 2001; breathing
steadiest in deep sleep, unsteady in REM: Douglas et al., Thorax 37, 1982. Remaining magnitudes: own choice.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.simulated.script import ABSENT, AWAKE, Script

Floats = NDArray[np.float64]

STEP_S = 5.0
GRID_S = 0.25
PULSE_DELAY_S = 0.2
"""From the heart's contraction to the foot of the pulse wave at the sensor."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How a body is in one stage; times are those in which a wander forgets itself."""

    heart_over_rest_bpm: float
    settle_s: float
    wander_bpm: float
    wander_s: float
    breathing_arrhythmia_bpm: float  # half of the swing with each breath
    slow_wave_bpm: float  # the 0.1 Hz wave of blood pressure
    breath_bpm: float
    breath_wander_bpm: float
    breath_wander_s: float
    flow: float  # height of the pulse wave


_WAYS = (
    _Way(9.0, 15.0, 3.4, 45.0, 1.2, 1.3, 15.5, 1.5, 25.0, 0.85),
    _Way(2.5, 90.0, 2.0, 60.0, 1.6, 0.9, 14.5, 0.7, 40.0, 1.0),
    _Way(1.0, 120.0, 1.1, 90.0, 2.0, 0.3, 14.0, 0.25, 60.0, 1.1),
    _Way(6.5, 60.0, 3.6, 40.0, 0.8, 1.3, 15.5, 2.2, 12.0, 0.8),
    _Way(12.0, 60.0, 2.0, 60.0, 1.2, 1.0, 15.0, 1.0, 30.0, 0.9),
)
_NIGHT_FALL_BPM = 5.0  # the level falls by this much from the first to the last sleep
_LYING_DOWN_BPM = 12.0
_ALMOST_ASLEEP_BPM = 3.5
_SURGE_BPM_PER_G = 35.0  # a movement takes the heart along for a while
_MOST_SURGE_BPM = 14.0
_SURGE_S = 18.0


@dataclass(frozen=True, slots=True, eq=False)
class Physiology:
    """Series of one night. Grids start at 0 s; ``heart_bpm`` and ``breath_cycles`` every ``GRID_S``, the others every
    ``STEP_S``."""

    beat_times_s: Floats
    heart_bpm: NDArray[np.float32]
    breath_cycles: Floats
    """Breaths since the start, with fractions."""
    flow: Floats
    """Height of the pulse wave, around 1."""
    drift: Floats
    """Slow wander of the light that comes back, relative, around 0."""


def _targets(script: Script, count: int) -> tuple[NDArray[np.int64], Floats]:
    """Stage of each step, and the heart rate over rest that it pulls towards."""
    times_s = np.arange(count, dtype=np.float64) * STEP_S
    stage = script.stages_at(times_s)
    over = np.array([way.heart_over_rest_bpm for way in _WAYS])[stage]
    asleep = np.flatnonzero((stage != AWAKE) & (stage != ABSENT))
    if len(asleep):
        over = over + np.interp(np.arange(count), [asleep[0], asleep[-1]], [_NIGHT_FALL_BPM / 2, -_NIGHT_FALL_BPM / 2])
        first = times_s[asleep[0]]
        for word, start_s, end_s in script.spans():
            if word == AWAKE and start_s < first <= end_s:  # drifting off: from lying down to almost asleep
                falling = (times_s >= start_s) & (times_s < end_s)
                fall = np.interp(times_s[falling], [start_s, end_s], [_LYING_DOWN_BPM, _ALMOST_ASLEEP_BPM])
                over[falling] = fall + _NIGHT_FALL_BPM / 2
    return stage, over


def live(script: Script, rest_bpm: float, movement_g: Floats, random: np.random.Generator) -> Physiology:
    """Let a body live through ``script``. ``movement_g``: strongest movement of each step, shape (steps,)."""
    count = len(movement_g)
    stage, over = _targets(script, count)
    unit = random.standard_normal((count, 4))
    level, wander, breath_wander, flow, drift, surge = float(over[0]), 0.0, 0.0, 0.0, 0.0, 0.0
    series = np.empty((count, 4))
    keep_flow, keep_drift, keep_surge = (math.exp(-STEP_S / s) for s in (180.0, 25.0, _SURGE_S))
    for i in range(count):
        way = _WAYS[stage[i]]
        level += (float(over[i]) - level) * (1.0 - math.exp(-STEP_S / way.settle_s))
        keep = math.exp(-STEP_S / way.wander_s)
        wander = wander * keep + way.wander_bpm * math.sqrt(1.0 - keep * keep) * float(unit[i, 0])
        surge = max(surge * keep_surge, min(_MOST_SURGE_BPM, _SURGE_BPM_PER_G * float(movement_g[i])))
        keep = math.exp(-STEP_S / way.breath_wander_s)
        breath_wander = breath_wander * keep + way.breath_wander_bpm * math.sqrt(1.0 - keep * keep) * float(unit[i, 1])
        flow = flow * keep_flow + 0.12 * math.sqrt(1.0 - keep_flow**2) * float(unit[i, 2])
        drift = drift * keep_drift + 0.0015 * math.sqrt(1.0 - keep_drift**2) * float(unit[i, 3])
        series[i] = (
            rest_bpm + level + wander + surge,
            max(8.0, way.breath_bpm + breath_wander),
            max(0.4, way.flow * (1.0 + flow)),
            drift,
        )
    return _beating(series, stage, random)


def _beating(series: Floats, stage: NDArray[np.int64], random: np.random.Generator) -> Physiology:
    """From levels to single beats: the heart quickens with each breath in, and with the slow wave."""
    count = len(series)
    steps_s = np.arange(count) * STEP_S
    grid_s = np.arange(round((count - 1) * STEP_S / GRID_S) + 1) * GRID_S

    def on_grid(values: Floats) -> Floats:
        return np.asarray(np.interp(grid_s, steps_s, values), dtype=np.float64)

    breath_cycles = np.cumsum(on_grid(series[:, 1])) * (GRID_S / 60.0)
    swing = on_grid(np.array([way.breathing_arrhythmia_bpm for way in _WAYS])[stage])
    slow = on_grid(np.array([way.slow_wave_bpm for way in _WAYS])[stage])
    slow_cycles = 0.1 * grid_s + on_grid(np.cumsum(random.standard_normal(count)) * 0.05)
    heart_bpm = on_grid(series[:, 0])
    heart_bpm += swing * np.sin(2 * np.pi * breath_cycles) + slow * np.sin(2 * np.pi * slow_cycles)
    beats = np.cumsum(np.clip(heart_bpm, 35.0, 150.0)) * (GRID_S / 60.0)
    beat_times_s = np.interp(np.arange(1, int(beats[-1])), beats, grid_s)
    beat_times_s += 0.003 * random.standard_normal(len(beat_times_s))
    return Physiology(beat_times_s, heart_bpm.astype(np.float32), breath_cycles, series[:, 2], series[:, 3])
