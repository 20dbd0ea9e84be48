"""The morning's answer: the whole night at once, each epoch judged by what came before and after it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from somnisphere.night import Epoch, StageEstimate
from somnisphere.sleep.features import overnight_features
from somnisphere.sleep.grid import in_long_runs, night_grid
from somnisphere.sleep.model import load_model
from somnisphere.sleep.rhythm_answer import join_overnight
from somnisphere.sleep.stager import BLIND, BLIND_AFTER_EPOCHS, NOBODY, named


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
    if model.rhythm is not None and np.isnan(grid.counts).all():  # why: see rhythm_answer
        beliefs = join_overnight(model.rhythm, beliefs, grid.rhythms, grid.up)

    def estimate(epoch: Epoch, k: int) -> StageEstimate:
        if grid.up[k] or blind[k]:
            return StageEstimate(epoch.index, epoch.start_s, None, None, NOBODY if grid.up[k] else BLIND)
        return named(epoch, beliefs[k])

    return [estimate(epoch, int(k)) for epoch, k in zip(epochs, rows, strict=True)]
