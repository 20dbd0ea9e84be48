"""Why an epoch got its stage: what was known, and what the answer becomes when one signal is taken away.

It asks the same models again and looks at nothing inside them, so it stays true whatever they are made of: the signal
is replaced for half an hour either side (``AROUND_EPOCHS``), the whole answer is computed anew, and the difference is
that signal's share. Shares do not add up: signals that say the same thing stand in for each other. The neighbours'
share is the difference between the network's own answer and the chain's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import COUNT_STEP_S, EPOCH_S, HEART_SERIES_STEP_S, STAGES, Epoch, Stage, StageEstimate
from somnisphere.sleep.features import Floats, live_features, overnight_features
from somnisphere.sleep.grid import Flags, NightGrid, in_long_runs, night_grid
from somnisphere.sleep.model import StageModel, load_model
from somnisphere.sleep.overnight import revise
from somnisphere.sleep.rhythm_answer import SHARE, joined
from somnisphere.sleep.stager import BLIND_AFTER_EPOCHS, NEW_NIGHT_AFTER_EPOCHS, SleepStager

AROUND_EPOCHS = 60
"""Epochs either side in which a signal is replaced: the half hour that a row of features looks back over."""
SLOW_VALUES = 61
"""Heart values (5 s each) whose median is the level, five minutes: what is faster is variability."""
_SAME = 1e-4
"""Probabilities nearer than this are one answer, computed by the epoch and by the night."""
MOVED_COUNTS = 30.0
"""A count above this in 15 s is movement."""


class Signal(StrEnum):
    """What can be taken away."""

    HEART_LEVEL = "heart rate level"
    HEART_VARIABILITY = "heart rate variability"
    MOVEMENT = "movement"
    TIME = "time in bed"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was known around an epoch; None: not known."""

    heart_bpm: float | None
    """Median of the five minutes up to the epoch's end."""
    night_heart_bpm: float | None
    """Median of the whole record."""
    heart_spread_bpm: float | None
    """Standard deviation of the heart rate, one value each 5 s, over the same five minutes."""
    spread_rank: float | None
    """Share of the record's five-minute stretches that were steadier, 0..1."""
    counts: float | None
    """Largest motion count of the epoch, per 15 s."""
    still_min: float | None
    """Minutes from the last movement (above ``MOVED_COUNTS``) to the epoch's end; None: none seen in this record, or
    movement not known."""
    in_bed_min: float
    """Minutes from the start of the record, or from the last time the bed was empty, to the epoch's end."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one signal contributed."""

    signal: Signal
    without: tuple[float, float, float, float]
    """Probabilities (``STAGES``) with the signal taken away."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer taken apart. ``alone`` and ``shares`` are empty when the stage was not looked for."""

    estimate: StageEstimate
    alone: tuple[float, float, float, float] | None
    """The network's own probabilities, before the neighbours have their say."""
    shares: tuple[Share, ...]

    @property
    def likeliest(self) -> Stage | None:
        """The stage with the greatest probability, whether or not it stands out enough to be named."""
        chances = self.estimate.probabilities
        return None if chances is None else STAGES[int(np.argmax(chances))]


def explain_overnight(epochs: Sequence[Epoch], place: int) -> Explanation:
    """The morning's answer about ``epochs[place]``."""
    estimate = revise(epochs)[place]
    grid, rows = night_grid(epochs)
    if estimate.probabilities is None:
        return Explanation(estimate, None, ())
    return _taken_apart(estimate, load_model("overnight"), grid, int(rows[place]), ahead=True)


def explain_live(epochs: Sequence[Epoch], place: int) -> Explanation:
    """The live answer about ``epochs[place]``, from what came before it."""
    stager = SleepStager()
    estimate = [stager.step(epoch) for epoch in epochs[: place + 1]][-1]
    if estimate.probabilities is None:
        return Explanation(estimate, None, ())
    grid, rows = night_grid(epochs[: place + 1])
    first, end = _night_begins(grid), int(rows[place]) + 1
    return _taken_apart(estimate, load_model("live"), grid.cut(first, end), end - first - 1, ahead=False)


def facts_at(epochs: Sequence[Epoch], place: int) -> Facts:
    """What was known around ``epochs[place]``."""
    grid, rows = night_grid(epochs)
    row = int(rows[place])
    hearts = np.where(grid.up[:, None], np.nan, grid.hearts).ravel()
    per_epoch, window = round(EPOCH_S / HEART_SERIES_STEP_S), SLOW_VALUES - 1
    stretches = np.lib.stride_tricks.sliding_window_view(
        np.pad(hearts, (window - 1, 0), constant_values=np.nan), window
    )
    ends = stretches[per_epoch - 1 :: per_epoch]
    known = ~np.isnan(ends)
    number = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, ends, 0.0).sum(axis=1) / number
    spread = np.sqrt((np.where(known, ends - mean[:, None], 0.0) ** 2).sum(axis=1) / number)
    spread[known.sum(axis=1) < window // 2] = np.nan
    recent, whole = ends[row][known[row]], hearts[~np.isnan(hearts)]
    others = spread[~np.isnan(spread)]
    has_spread = not np.isnan(spread[row])
    counts = grid.counts[: row + 1].ravel()
    moved = np.flatnonzero(counts > MOVED_COUNTS)
    here = grid.counts[row][~np.isnan(grid.counts[row])]
    ups = np.flatnonzero(grid.up[: row + 1])
    began = int(ups[-1]) + 1 if len(ups) else 0
    return Facts(
        heart_bpm=float(np.median(recent)) if len(recent) else None,
        night_heart_bpm=float(np.median(whole)) if len(whole) else None,
        heart_spread_bpm=float(spread[row]) if has_spread else None,
        spread_rank=float((others < spread[row]).mean()) if has_spread else None,
        counts=float(here.max()) if len(here) else None,
        still_min=float((len(counts) - 1 - moved[-1]) * COUNT_STEP_S / 60.0) if len(here) and len(moved) else None,
        in_bed_min=(row + 1 - began) * EPOCH_S / 60.0,
    )


def _night_begins(grid: NightGrid) -> int:
    """First row the live stager still remembers: it forgets after half an hour of empty bed, or of nothing told."""
    begins = empty = silent = 0
    for row in range(len(grid.up)):
        empty = empty + 1 if grid.up[row] else 0
        silent = 0 if grid.told[row] else silent + 1
        if max(empty, silent) >= NEW_NIGHT_AFTER_EPOCHS:
            begins = row + 1
    while begins < len(grid.up) - 1 and grid.up[begins]:
        begins += 1
    return begins


def _taken_apart(estimate: StageEstimate, model: StageModel, grid: NightGrid, row: int, *, ahead: bool) -> Explanation:
    blind = _blind(grid, ahead=ahead)
    alone, whole = _answer(model, grid, blind, row, None, ahead=ahead)
    has_heart, has_motion = not np.isnan(grid.hearts).all(), not np.isnan(grid.counts).all()
    signals = [s for s in Signal if {Signal.MOVEMENT: has_motion, Signal.TIME: True}.get(s, has_heart)]
    shares = tuple(
        Share(s, _four(_beside_rhythm(estimate, whole, _answer(model, grid, blind, row, s, ahead=ahead)[1])))
        for s in signals
    )
    return Explanation(estimate, None if np.isnan(alone).any() else _four(alone), shares)


def _beside_rhythm(estimate: StageEstimate, whole: Floats, without: Floats) -> Floats:
    """The stager's (4,) without a signal, where beat intervals had a voice: theirs is left as it was."""
    said = np.array(estimate.probabilities)
    if np.abs(said - whole).max() < _SAME:
        return without
    by_rhythm = (said - (1.0 - SHARE) * whole) / SHARE
    return np.asarray(joined(without[None], by_rhythm[None])[0])


def _answer(
    model: StageModel, grid: NightGrid, blind: Flags, row: int, without: Signal | None, *, ahead: bool
) -> tuple[Floats, Floats]:
    """(4,) of the network alone and (4,) of the whole stager about one row, one signal taken away around it."""
    around = slice(max(0, row - AROUND_EPOCHS), row + AROUND_EPOCHS + 1)
    hearts, counts = grid.hearts.copy(), grid.counts.copy()
    describe = overnight_features if ahead else live_features
    if without in (Signal.HEART_LEVEL, Signal.HEART_VARIABILITY):
        values, slow = hearts[around], _slow(hearts)[around]
        middle = float(np.median(grid.hearts[~np.isnan(grid.hearts)]))
        level_gone, flat = values - slow + middle, np.where(np.isnan(values), np.nan, slow)
        hearts[around] = level_gone if without is Signal.HEART_LEVEL else flat
    elif without is Signal.MOVEMENT:
        counts[around] = np.nan
    features = describe(hearts, counts)
    if without is Signal.TIME:
        features[around, _time_columns(hearts, counts, ahead=ahead)] = np.nan
    said = np.array(model.network(features))
    said[blind] = np.nan
    if ahead:
        said[grid.up] = (1.0, 0.0, 0.0, 0.0)
        return said[row], model.chain.calibrate(model.chain.both_ways(said))[row]
    ups = np.flatnonzero(grid.up)
    fresh = int(ups[-1]) + 1 if len(ups) else 0  # who lies down again begins anew
    return said[row], model.chain.calibrate(model.chain.forward(said[fresh:]))[row - fresh]


def _time_columns(hearts: Floats, counts: Floats, *, ahead: bool) -> NDArray[np.intp]:
    """Columns that tell the time in bed: those that change when nothing but unknown epochs are put around the night.

    Both nights compared end in unknown epochs, for the last heart rates are smoothed into what follows them."""
    describe, more, after = (overnight_features if ahead else live_features), 7, AROUND_EPOCHS if ahead else 0

    def described(before: int, behind: int) -> Floats:
        edges = ((before, behind), (0, 0))
        rows = describe(np.pad(hearts, edges, constant_values=np.nan), np.pad(counts, edges, constant_values=np.nan))
        return rows[before : before + len(hearts)]

    short, long = described(0, after), described(more, after + more if ahead else 0)
    return np.flatnonzero((~np.isclose(long, short, rtol=1e-6, atol=1e-6, equal_nan=True)).any(axis=0))


def _slow(hearts: Floats) -> Floats:
    """(n, 6) bpm -> (n, 6) median of the five minutes around each value, NaN where nothing is known."""
    half = SLOW_VALUES // 2
    padded = np.pad(hearts.ravel(), half, constant_values=np.nan)
    runs = np.sort(np.lib.stride_tricks.sliding_window_view(padded, SLOW_VALUES), axis=1)  # NaN sorts last
    known = SLOW_VALUES - np.isnan(runs).sum(axis=1)
    return np.asarray(runs[np.arange(len(runs)), np.maximum(known - 1, 0) // 2].reshape(hearts.shape))


def _blind(grid: NightGrid, *, ahead: bool) -> Flags:
    """Rows at which the stager takes no evidence: in the morning whole stretches, live from their fifth minute on."""
    if ahead:
        return in_long_runs(grid.unseen, BLIND_AFTER_EPOCHS)
    unseen, blind, run = grid.unseen, np.zeros(len(grid.up), dtype=bool), 0
    for row in range(len(unseen)):
        run = run + 1 if unseen[row] else 0
        blind[row] = run >= BLIND_AFTER_EPOCHS
    blind[: int(np.argmin(unseen))] = True
    return blind


def _four(probabilities: Floats) -> tuple[float, float, float, float]:
    awake, light, deep, rem = (float(p) for p in probabilities)
    return awake, light, deep, rem
