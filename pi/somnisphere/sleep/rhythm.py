"""What the intervals between heartbeats say beyond their rate: a few numbers an epoch, and features drawn from them.

A watch's heart rate is averaged; intervals are not. Breathing moves them (0.15 to 0.45 Hz), and a breath that stops and
comes back swings them slowly, every 20 to 100 s, as in apnoea (cyclic variation of heart rate, Guilleminault 1984,
doi 10.1016/S0140-6736(84)90062-X). Bands: Task Force 1996, doi 10.1161/01.CIR.93.5.1043. The same function serves the
bedside and the readers of scored nights, so that what is learned is what is seen. Nothing here knows the clock.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import EPOCH_S

Floats = NDArray[np.float64]

RHYTHM = ("bpm", "log_sd", "log_rmssd", "log_hf", "log_lf", "breath_hz", "breath_share", "log_vlf", "vlf_share")
"""Of the epoch: rate, logs of SD and RMSSD in s. Of a minute: logs of power in s^2 in HF and LF, the frequency of the
highest HF peak and its share of HF. Of five minutes: log of power in 0.01 to 0.05 Hz and the share of its peak."""
RHYTHM_UNKNOWN: Floats = np.full(len(RHYTHM), np.nan)
RHYTHM_S = 300.0
"""How far back the numbers of an epoch look from its end."""
LEAST_S = 12.0
"""Trusted intervals that an epoch must hold, else it has no rhythm."""
BACK_EPOCHS, AHEAD_EPOCHS = 40, 20
"""Epochs a row sees up to and with its own, and, overnight, after it."""

_GRID_HZ = 4.0
_LEAST_SHARE = 0.6
_FASTEST_S, _SLOWEST_S = 0.3, 2.0
_MEDIAN_OF = 11
_FAR = 0.3
_RATE, _BREATH, _SLOW = RHYTHM.index("bpm"), RHYTHM.index("breath_hz"), slice(RHYTHM.index("log_vlf"), len(RHYTHM))


def rhythm(at_s: Floats, interval_s: Floats, end_s: float) -> tuple[float | None, ...] | None:
    """``RHYTHM`` of the epoch that ends at ``end_s``; a number is None when too little is known for it, the whole is
    None when the epoch itself has too few intervals. ``interval_s`` (n,): trusted intervals at their later beat
    ``at_s`` (n,), in order; those that end in the five minutes until ``end_s`` are used."""
    at_s, interval_s = _plausible(*_within(at_s, interval_s, end_s, RHYTHM_S))
    epoch_at_s, epoch_s = _within(at_s, interval_s, end_s, EPOCH_S)
    if float(epoch_s.sum()) < LEAST_S:
        return None
    found = np.full(len(RHYTHM), np.nan)
    found[:2] = 60.0 / epoch_s.mean(), np.log(epoch_s.std() + 0.002)
    steps_s = np.diff(epoch_s)[np.diff(epoch_at_s) < _SLOWEST_S]
    if len(steps_s) > 5:
        found[2] = np.log(np.sqrt((steps_s**2).mean()) + 0.002)
    minute = _spectrum(*_within(at_s, interval_s, end_s, 60.0), end_s, 60.0)
    if minute is not None:
        hz, power = minute
        found[3], found[4] = (_log_power(hz, power, low, high) for low, high in ((0.15, 0.45), (0.04, 0.15)))
        found[5], found[6] = _peak(hz, power, (0.13, 0.5), 0.035, (0.13, 0.5))
    whole = _spectrum(at_s, interval_s, end_s, RHYTHM_S)
    if whole is not None:
        hz, power = whole
        found[7] = _log_power(hz, power, 0.01, 0.05)
        found[8] = _peak(hz, power, (0.01, 0.05), 0.005, (0.005, 0.5))[1]
    # Rounded, for it is kept in the journal and read back.
    return tuple(None if np.isnan(value) else round(float(value), 4) for value in found)


def rhythm_of(at_s: Floats, interval_s: Floats, index: int) -> tuple[float | None, ...] | None:
    """``rhythm`` of epoch ``index`` of a whole night, whose epoch 0 begins at time zero; intervals in order of time."""
    end_s = (index + 1) * EPOCH_S
    first, last = (int(np.searchsorted(at_s, edge_s, side="right")) for edge_s in (end_s - RHYTHM_S, end_s))
    return rhythm(at_s[first:last], interval_s[first:last], end_s)


def rhythm_rows(at_s: Floats, interval_s: Floats, count: int) -> Floats:
    """``rhythm`` of each of ``count`` epochs from time zero, (count, 9), NaN for not known."""
    return rhythm_array([rhythm_of(at_s, interval_s, k) for k in range(count)])


def rhythm_array(rhythms: Sequence[tuple[float | None, ...] | None]) -> Floats:
    """Rhythms as epochs carry them -> (n, 9), NaN for not known. One of another length is not known."""
    unknown = (None,) * len(RHYTHM)
    whole = [unknown if found is None or len(found) != len(RHYTHM) else found for found in rhythms]
    return np.array(whole, dtype=np.float64).reshape(-1, len(RHYTHM))


def _within(at_s: Floats, interval_s: Floats, end_s: float, over_s: float) -> tuple[Floats, Floats]:
    inside = (at_s > end_s - over_s) & (at_s <= end_s)
    return at_s[inside], interval_s[inside]


def _plausible(at_s: Floats, interval_s: Floats) -> tuple[Floats, Floats]:
    """Without intervals that no heart makes, or far from the median of the last eleven: a beat missed or doubled."""
    there = (interval_s > _FASTEST_S) & (interval_s < _SLOWEST_S)
    at_s, interval_s = at_s[there], interval_s[there]
    if len(at_s) == 0:
        return at_s, interval_s
    led = np.concatenate([np.full(_MEDIAN_OF - 1, interval_s[0]), interval_s])
    middle = np.median(np.lib.stride_tricks.sliding_window_view(led, _MEDIAN_OF), axis=1)
    near = np.abs(interval_s - middle) < _FAR * middle
    return at_s[near], interval_s[near]


def _spectrum(at_s: Floats, interval_s: Floats, end_s: float, over_s: float) -> tuple[Floats, Floats] | None:
    """Frequencies in Hz and power in s^2 a bin of the intervals of the last ``over_s``, trend taken out; None: gaps."""
    if len(at_s) < over_s / 3.0 or float(interval_s.sum()) < _LEAST_SHARE * over_s:
        return None
    size = round(over_s * _GRID_HZ)
    values = np.interp(np.arange(size) / _GRID_HZ + (end_s - over_s), at_s, interval_s)
    place = np.linspace(-1.0, 1.0, size)
    values = values - values.mean()
    values = values - place * float((place * values).sum() / (place * place).sum())
    points = max(size, 1024)
    bins = np.fft.rfft(values * np.hanning(size), points)
    hz: Floats = np.fft.rfftfreq(points, 1.0 / _GRID_HZ).astype(np.float64)
    power = (bins.real**2 + bins.imag**2) * (2.0 * float(hz[1]) / (size * _GRID_HZ * 0.375))
    return hz, np.asarray(power, dtype=np.float64)


def _log_power(hz: Floats, power: Floats, low_hz: float, high_hz: float) -> float:
    return float(np.log(power[(hz >= low_hz) & (hz < high_hz)].sum() + 1e-6))


def _peak(
    hz: Floats, power: Floats, band_hz: tuple[float, float], near_hz: float, of_hz: tuple[float, float]
) -> tuple[float, float]:
    """Frequency of the highest peak in a band, and the share it has of the power in ``of_hz``."""
    banded = np.where((hz >= band_hz[0]) & (hz < band_hz[1]), power, 0.0)
    top = float(hz[int(np.argmax(banded))])
    compared = (hz >= of_hz[0]) & (hz < of_hz[1])
    near = compared & (np.abs(hz - top) <= near_hz)
    return top, float(power[near].sum() / (power[compared].sum() + 1e-12))


def describe_rhythm(windows: Floats, *, ahead: bool) -> Floats:
    """Features (n, F) from ``windows`` (n, BACK_EPOCHS, 9) or, with ``ahead``, (n, BACK_EPOCHS + AHEAD_EPOCHS, 9); a
    row's own epoch is at BACK_EPOCHS - 1. NaN where nothing is known."""
    now = BACK_EPOCHS
    rate = windows[:, :, _RATE : _RATE + 1]

    def mean(values: Floats, first: int, end: int) -> Floats:
        return _mean_sd(values[:, now + first : now + end])[0]

    def sd(values: Floats, first: int, end: int) -> Floats:
        return _mean_sd(values[:, now + first : now + end])[1]

    columns = [windows[:, now - 1]]
    columns += [mean(windows, -reach, 0) for reach in (5, 10, 20, 40)]
    columns += [np.log(sd(rate, -reach, 0) + 0.3) for reach in (10, 20, 40)]
    columns.append(np.log(mean(np.abs(np.diff(rate, axis=1, prepend=np.nan)), -10, 0) + 0.2))
    columns += [mean(rate, -5, 0) - mean(rate, -20, -10), mean(rate, -10, 0) - mean(rate, -40, -20)]
    breath = windows[:, :, _BREATH : _BREATH + 1]
    columns.append(sd(breath, -10, 0))
    if ahead:
        columns += [mean(windows, -1 - reach, reach) for reach in (2, 5, 10, 20)]
        columns += [np.log(sd(rate, -1 - reach, reach) + 0.3) for reach in (2, 5, 10)]
        columns += [windows[:, now + 4, _SLOW], mean(rate, 0, 10) - mean(rate, -10, 0), sd(breath, -6, 5)]
    return np.hstack(columns)


def _mean_sd(values: Floats) -> tuple[Floats, Floats]:
    """(n, w, c) -> mean and standard deviation of what is known, each (n, c); NaN where nothing is."""
    known = ~np.isnan(values)
    number = known.sum(axis=1)
    divisor = np.maximum(number, 1)
    mean = np.where(known, values, 0.0).sum(axis=1) / divisor
    away = np.where(known, values - mean[:, None], 0.0)
    none = number == 0
    return np.where(none, np.nan, mean), np.where(none, np.nan, np.sqrt((away * away).sum(axis=1) / divisor))


class RhythmStream:
    """Live features, one row per epoch, from the last twenty minutes."""

    def __init__(self) -> None:
        self._past = np.full((BACK_EPOCHS, len(RHYTHM)), np.nan)

    def push(self, found: Floats) -> Floats:
        """Take in one epoch's rhythm, (9,); its features, (F,)."""
        self._past = np.concatenate([self._past[1:], found[None]])
        return np.asarray(describe_rhythm(self._past[None], ahead=False)[0])


def live_rhythm_features(rhythms: Floats) -> Floats:
    """What ``RhythmStream`` says at each of n epochs: (n, 9) -> (n, F)."""
    stream = RhythmStream()
    return np.array([stream.push(found) for found in rhythms])


def overnight_rhythm_features(rhythms: Floats) -> Floats:
    """Features of a whole night with all of it known: (n, 9) -> (n, F)."""
    padded = np.pad(rhythms, ((BACK_EPOCHS - 1, AHEAD_EPOCHS), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, BACK_EPOCHS + AHEAD_EPOCHS, axis=0)
    return describe_rhythm(windows.transpose(0, 2, 1), ahead=True)
