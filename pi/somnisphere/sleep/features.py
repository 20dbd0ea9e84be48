"""What the stager looks at: numbers drawn from heart rate and movement around one epoch. Pure numpy.

Everything is built from ``Epoch.heart_series_bpm`` and ``Epoch.motion_counts`` alone, at the bandwidth of a watch:
heart rate is rounded to whole bpm (as the watches said it that the weights were learned from), a median of five removes
spikes, and a mean of 30 s removes whatever is faster than any watch shows. Levels are relative to the night's own
percentiles: those so far (live) or those of the whole night (overnight). Not known is NaN.

One function, ``describe``, serves both: a live row is cut off at the present, an overnight row also looks ahead.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import COUNT_STEP_S, EPOCH_S, HEART_SERIES_STEP_S, Epoch

Floats = NDArray[np.float64]

HEARTS_PER_EPOCH = round(EPOCH_S / HEART_SERIES_STEP_S)
STEPS_PER_EPOCH = round(EPOCH_S / COUNT_STEP_S)
STEPS_PER_MIN = 2 * STEPS_PER_EPOCH
HEARTS_PER_STEP = HEARTS_PER_EPOCH // STEPS_PER_EPOCH
MEDIAN_OF = 5
SMOOTH_OVER = 2 * HEARTS_PER_STEP
HEART_TAIL = HEARTS_PER_EPOCH + (SMOOTH_OVER - HEARTS_PER_STEP) + (MEDIAN_OF - 1)
"""Heart values (5 s each) that the two smoothed steps of an epoch depend on."""

HEART_UNKNOWN: Floats = np.full(HEARTS_PER_EPOCH, np.nan)
COUNTS_UNKNOWN: Floats = np.full(STEPS_PER_EPOCH, np.nan)

BACK_STEPS = 30 * STEPS_PER_MIN
"""Steps of 15 s a row sees up to and with its own epoch: 30 minutes."""
AHEAD_STEPS = 20 * STEPS_PER_MIN
"""Steps of 15 s an overnight row sees after its epoch: 20 minutes."""

_LEVEL_LOW_BPM = 30.0
_LEVEL_STEP_BPM = 0.5
_LEVEL_BINS = 400
_CLOCK_CAP_MIN = 480.0

# Windows as (from, to) in minutes relative to the end of the epoch; negative is past.
_PAST = ((-1, 0), (-3, 0), (-5, 0), (-10, 0), (-20, 0), (-30, 0), (-10, -5), (-20, -10))
_AROUND = ((-2, 1.5), (-3, 2.5), (-5.5, 5), (-10.5, 10), (-20, 19.5), (0, 5), (0, 10), (5, 15), (0, 20))
_MOVED_COUNTS = (0.0, 30.0, 100.0)
CONTEXT_COLUMNS, OVERNIGHT_CONTEXT_COLUMNS = slice(-2, None), slice(-4, None)
"""Where a row has its context: minutes of the night and of stillness so far, overnight also those to come."""
STILL_COLUMNS = slice(-5, -2)
"""Where a live row has the log minutes since each of these movements: before the two minutes of its context."""


def epoch_arrays(epochs: Sequence[Epoch]) -> tuple[Floats, Floats]:
    """Heart rate (n, 6) in bpm and motion (n, 2) in counts of n epochs, NaN where not known."""
    heart = np.full((len(epochs), HEARTS_PER_EPOCH), np.nan)
    counts = np.full((len(epochs), STEPS_PER_EPOCH), np.nan)
    for row, epoch in enumerate(epochs):
        for column, bpm in enumerate(epoch.heart_series_bpm[:HEARTS_PER_EPOCH]):
            if bpm is not None and 25.0 <= bpm <= 240.0:
                heart[row, column] = bpm
        for column, count in enumerate(epoch.motion_counts[:STEPS_PER_EPOCH]):
            if count is not None and 0.0 <= count < 1e6:
                counts[row, column] = count
    return heart, counts


def smooth_heart(heart_bpm: Floats) -> Floats:
    """Whole bpm, trailing median of five, trailing mean of 30 s, one value each 15 s.

    ``heart_bpm``: (HEARTS_PER_EPOCH * k + 7,), one each 5 s, oldest first, led by the 7 values before. Returns (2 k,).
    """
    runs = np.sort(np.lib.stride_tricks.sliding_window_view(np.rint(heart_bpm), MEDIAN_OF), axis=1)  # NaN sorts last
    known = MEDIAN_OF - np.isnan(runs).sum(axis=1)
    middle = runs[np.arange(len(runs)), np.maximum(known - 1, 0) // 2]
    held = np.lib.stride_tricks.sliding_window_view(middle, SMOOTH_OVER)[::HEARTS_PER_STEP]
    valid = ~np.isnan(held)
    share = valid.sum(axis=1)
    total = np.where(valid, held, 0.0).sum(axis=1)
    return np.where(share > 0, total / np.maximum(share, 1), np.nan)


class Levels:
    """The night's own percentiles of heart rate and its quiet level of movement: histograms, so memory is bounded."""

    def __init__(self) -> None:
        self._heart = np.zeros(_LEVEL_BINS)
        self._log_counts = np.zeros(64)

    def add(self, heart_bpm: Floats, log_counts: Floats) -> None:
        """Take in any number of smoothed heart rates and log counts; NaN is left out."""
        known = heart_bpm[~np.isnan(heart_bpm)]
        bins = ((known - _LEVEL_LOW_BPM) / _LEVEL_STEP_BPM).astype(np.int64)
        np.add.at(self._heart, np.clip(bins, 0, _LEVEL_BINS - 1), 1.0)
        moved = log_counts[~np.isnan(log_counts)]
        np.add.at(self._log_counts, np.clip((moved * 4.0).astype(np.int64), 0, 63), 1.0)

    def row(self) -> tuple[float, float, float, float]:
        """5th, 50th and 90th percentile of heart rate in bpm (NaN when none was seen), median of log counts."""
        cumulated = np.cumsum(self._heart)
        quiet = (
            float(np.searchsorted(cumulated_counts := np.cumsum(self._log_counts), 0.5 * cumulated_counts[-1])) / 4.0
        )
        if cumulated[-1] == 0.0:
            return (np.nan, np.nan, np.nan, quiet)
        low, middle, high = np.searchsorted(cumulated, np.array([0.05, 0.5, 0.9]) * cumulated[-1])
        return (
            _LEVEL_LOW_BPM + _LEVEL_STEP_BPM * (float(low) + 0.5),
            _LEVEL_LOW_BPM + _LEVEL_STEP_BPM * (float(middle) + 0.5),
            _LEVEL_LOW_BPM + _LEVEL_STEP_BPM * (float(high) + 0.5),
            quiet,
        )


def describe(heart_bpm: Floats, log_counts: Floats, levels: Floats, context: Floats, *, ahead: bool) -> Floats:
    """Features of n epochs, (n, F).

    ``heart_bpm`` and ``log_counts``: (n, BACK_STEPS) or, with ``ahead``, (n, BACK_STEPS + AHEAD_STEPS), one value each
    15 s; the epoch ends after column BACK_STEPS - 1. ``levels``: (n, 4) as ``Levels.row``. ``context``: (n, C),
    appended as it is.
    """
    now = BACK_STEPS
    windows = _PAST + _AROUND if ahead else _PAST
    first = np.array([now + round(a * STEPS_PER_MIN) for a, _ in windows])
    last = np.array([now + round(b * STEPS_PER_MIN) for _, b in windows])
    low, middle, high, quiet = (levels[:, i : i + 1] for i in range(4))

    relative = heart_bpm / middle * 100.0 - 100.0
    mean, spread, known = _moments(relative, first, last)
    jitter = _moments(np.abs(np.diff(relative, axis=1, prepend=np.nan)), first, last)[0]
    log_spread, log_jitter = np.log(spread + 0.3), np.log(jitter + 0.1)
    low_pct, high_pct = low / middle * 100.0 - 100.0, high / middle * 100.0 - 100.0
    moved = np.maximum(log_counts - quiet, 0.0)
    motion, _, motion_known = _moments(moved, first, last)
    stirred = _moments(np.where(np.isnan(moved), np.nan, moved > 0.5), first, last)[0]

    columns = [mean, log_spread, log_jitter[:, 2:], motion, stirred[:, 2:], known[:, 2:4], motion_known[:, 2:3]]
    columns.append(np.hstack([mean[:, i : i + 1] - mean[:, j : j + 1] for i, j in ((0, 2), (1, 3), (2, 4), (3, 5))]))
    columns.append((mean[:, 0:4] - low_pct) / (high_pct - low_pct + 3.0))
    columns.append(np.hstack([low_pct, high_pct]))
    recent = relative[:, now - 5 * STEPS_PER_MIN : now]
    columns.append(np.hstack([_top(recent) - mean[:, 3:4], _top(-recent) + mean[:, 3:4]]))
    columns.append(np.hstack([_top(moved[:, now - round(m * STEPS_PER_MIN) : now]) for m in (1, 5, 20)]))
    columns.append(np.hstack([_minutes_since(log_counts[:, :now][:, ::-1], c) for c in _MOVED_COUNTS]))
    if ahead:
        columns.append(np.hstack([mean[:, 8 + 5 : 8 + 7] - mean[:, 2:4], log_spread[:, 13:15] - log_spread[:, 2:4]]))
        columns.append(np.hstack([_minutes_since(log_counts[:, now:], c) for c in _MOVED_COUNTS]))
    columns.append(context)
    return np.hstack(columns)


def _moments(values: Floats, first: NDArray[np.int64], last: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Mean, standard deviation and known share of ``values`` (n, W) over windows [first, last), each (n, windows)."""
    valid = ~np.isnan(values)
    kept = np.where(valid, values, 0.0)
    sums = np.zeros((3, len(values), values.shape[1] + 1))
    np.cumsum(valid, axis=1, out=sums[0, :, 1:])
    np.cumsum(kept, axis=1, out=sums[1, :, 1:])
    np.cumsum(kept * kept, axis=1, out=sums[2, :, 1:])
    number, total, squares = sums[:, :, last] - sums[:, :, first]
    enough = number > 0
    number_1 = np.maximum(number, 1.0)
    mean = np.where(enough, total / number_1, np.nan)
    variance = np.where(number > 1, squares / number_1 - (total / number_1) ** 2, np.nan)
    return mean, np.sqrt(np.maximum(variance, 0.0)), number / (last - first)


def _top(values: Floats) -> Floats:
    """Largest known value of each row, NaN when none, (n, 1)."""
    best = np.where(np.isnan(values), -np.inf, values).max(axis=1, keepdims=True)
    return np.where(np.isinf(best), np.nan, best)


def _minutes_since(log_counts: Floats, counts: float) -> Floats:
    """Log minutes along each row until movement exceeds ``counts``, at most the row's length; NaN: motion not known."""
    seen = log_counts > np.log1p(counts)
    steps = np.where(seen.any(axis=1), seen.argmax(axis=1), log_counts.shape[1])
    unknown = np.isnan(log_counts).mean(axis=1) > 0.9
    return np.asarray(np.where(unknown, np.nan, np.log1p(steps / STEPS_PER_MIN))[:, None])


class FeatureStream:
    """Live features, one row per epoch, bounded memory: 30 minutes of history and two histograms."""

    def __init__(self) -> None:
        self._hearts = np.full(HEART_TAIL, np.nan)
        self._steps = np.full(BACK_STEPS, np.nan)
        self._log_counts = np.full(BACK_STEPS, np.nan)
        self._levels = Levels()
        self._epochs = 0
        self._still_epochs = 0.0

    def push(self, heart_bpm: Floats, counts: Floats) -> Floats:
        """Take in one epoch, (6,) bpm and (2,) counts with NaN for not known; its features, (F,)."""
        self._hearts = np.concatenate([self._hearts[HEARTS_PER_EPOCH:], heart_bpm])
        steps, log_counts = smooth_heart(self._hearts), np.log1p(counts)
        self._steps = np.concatenate([self._steps[STEPS_PER_EPOCH:], steps])
        self._log_counts = np.concatenate([self._log_counts[STEPS_PER_EPOCH:], log_counts])
        self._levels.add(steps, log_counts)
        self._epochs += 1
        self._still_epochs += float(np.nanmax(self._log_counts[-5 * STEPS_PER_MIN :], initial=0.0) < np.log1p(30.0))
        minutes = np.minimum(np.array([self._epochs, self._still_epochs]) / 2.0, _CLOCK_CAP_MIN)
        levels = np.array([self._levels.row()])
        row = describe(self._steps[None], self._log_counts[None], levels, minutes[None], ahead=False)
        return np.asarray(row[0])


def live_features(heart_bpm: Floats, counts: Floats) -> Floats:
    """What ``FeatureStream`` says at each of n epochs, (n, F); for training."""
    stream = FeatureStream()
    return np.array([stream.push(h, c) for h, c in zip(heart_bpm, counts, strict=True)])


def overnight_features(heart_bpm: Floats, counts: Floats) -> Floats:
    """Features of a whole night of n epochs with all of it known, (n, F): (n, 6) bpm and (n, 2) counts, NaN unknown."""
    n = len(heart_bpm)
    lead = np.full(HEART_TAIL - HEARTS_PER_EPOCH, np.nan)
    steps = smooth_heart(np.concatenate([lead, heart_bpm.ravel()]))
    log_counts = np.log1p(counts).ravel()
    levels = Levels()
    levels.add(steps, log_counts)
    padding = (BACK_STEPS - STEPS_PER_EPOCH, AHEAD_STEPS)
    rows = [
        np.lib.stride_tricks.sliding_window_view(
            np.pad(grid, padding, constant_values=np.nan), BACK_STEPS + AHEAD_STEPS
        )[::STEPS_PER_EPOCH]
        for grid in (steps, log_counts)
    ]
    loud = np.convolve(log_counts > np.log1p(30.0), np.ones(5 * STEPS_PER_MIN))[: len(log_counts)]
    still = np.cumsum(loud[1::STEPS_PER_EPOCH] < 0.5)
    minutes = np.stack([np.arange(1, n + 1), still, np.arange(n, 0, -1), still[-1] - still], axis=1) / 2.0
    level_rows = np.broadcast_to(np.array(levels.row()), (n, 4))
    return describe(rows[0], rows[1], level_rows, np.minimum(minutes, _CLOCK_CAP_MIN), ahead=True)
