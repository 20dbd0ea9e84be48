"""The morning's answer: the whole night at once, each epoch judged by what came before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from somnisphere.night import EPOCH_S, STAGES, Epoch, Stage, StageEstimate
from somnisphere.sleep.features import overnight_features
from somnisphere.sleep.grid import Flags, in_long_runs, night_grid
from somnisphere.sleep.model import load_model
from somnisphere.sleep.stager import BLIND, BLIND_AFTER_EPOCHS, NOBODY, named

ONSET_WINDOW_EPOCHS = 10
ONSET_SLEEP_EPOCHS = 8
"""Sleep begins with the first sleeping epoch that opens five minutes of which at least four are asleep: a nod is not
yet sleep."""
AWAKENING_EPOCHS = 2
"""Waking of a minute or more counts as an awakening; shorter ones nobody remembers."""


def revise(epochs: Sequence[Epoch], weights: Path | None = None) -> list[StageEstimate]:
    """One estimate for each of a night's epochs, in order. Epochs left out between them count as not known."""
    if not epochs:
        return []
    grid, rows = night_grid(epochs)
    model = load_model("overnight", weights)
    said = model.network(overnight_features(grid.hearts, grid.counts))
    blind = in_long_runs(grid.unseen, BLIND_AFTER_EPOCHS)
    said[blind] = np.nan
    said[grid.up] = (1.0, 0.0, 0.0, 0.0)
    beliefs = model.chain.calibrate(model.chain.both_ways(said))

    def estimate(epoch: Epoch, k: int) -> StageEstimate:
        if grid.up[k] or blind[k]:
            return StageEstimate(epoch.index, epoch.start_s, None, None, NOBODY if grid.up[k] else BLIND)
        return named(epoch, beliefs[k])

    return [estimate(epoch, int(k)) for epoch, k in zip(epochs, rows, strict=True)]


@dataclass(frozen=True, slots=True)
class NightFacts:
    """What happened in one night. Seconds are ``Epoch.start_s`` seconds; None: it did not happen or is not known."""

    onset_s: float | None
    """Start of sleep."""
    final_waking_s: float | None
    """End of the last sleeping epoch."""
    sleep_min: float
    """Total sleep time: minutes in light, deep or REM, from onset to the final waking."""
    waso_min: float
    """Wake after sleep onset, before the final waking."""
    awakenings: int
    """Wakings of a minute or more between onset and the final waking."""
    stage_min: dict[Stage, float]
    """Minutes of each stage over the whole record."""
    unknown_min: float
    """Minutes of the record whose stage is not known."""


def summarize(estimates: Sequence[StageEstimate]) -> NightFacts:
    """The facts of a staged night. Time between estimates that are missing counts as nothing."""
    stages = [estimate.stage for estimate in estimates]
    minutes = EPOCH_S / 60.0
    asleep = np.array([stage is not None and stage is not Stage.AWAKE for stage in stages], dtype=bool)
    awake = np.array([stage is Stage.AWAKE for stage in stages], dtype=bool)
    stage_min = {stage: stages.count(stage) * minutes for stage in STAGES}
    unknown_min = stages.count(None) * minutes
    onset = onset_of(asleep)
    if onset is None:
        return NightFacts(None, None, 0.0, 0.0, 0, stage_min, unknown_min)
    last = int(np.flatnonzero(asleep)[-1])
    within = slice(onset, last + 1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], awake[within].astype(np.int8), [0]])))
    return NightFacts(
        onset_s=estimates[onset].start_s,
        final_waking_s=estimates[last].start_s + EPOCH_S,
        sleep_min=float(asleep[within].sum()) * minutes,
        waso_min=float(awake[within].sum()) * minutes,
        awakenings=int((np.diff(edges)[::2] >= AWAKENING_EPOCHS).sum()),
        stage_min=stage_min,
        unknown_min=unknown_min,
    )


def onset_of(asleep: Flags) -> int | None:
    """Index of the epoch in which sleep began, of sleeping epochs (n,); None: it did not."""
    for k in np.flatnonzero(asleep):
        if asleep[k : k + ONSET_WINDOW_EPOCHS].sum() >= ONSET_SLEEP_EPOCHS:
            return int(k)
    return None
