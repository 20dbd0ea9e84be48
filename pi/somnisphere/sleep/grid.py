"""A whole night on a grid of 30 s, as arrays; what was left out is not known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import EPOCH_S, Epoch
from somnisphere.sleep.features import Floats, epoch_arrays
from somnisphere.sleep.rhythm import RHYTHM, rhythm_array

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class NightGrid:
    """n epochs: ``hearts`` (n, 6) bpm and ``counts`` (n, 2), NaN where not known or where the bed is empty; ``up`` (n,)
    the bed is empty; ``told`` (n,) an epoch was there. ``rhythms`` (n, 9), likewise NaN."""

    hearts: Floats
    counts: Floats
    up: Flags
    told: Flags
    rhythms: Floats

    def cut(self, first: int, end: int) -> "NightGrid":
        part = slice(first, end)
        return NightGrid(self.hearts[part], self.counts[part], self.up[part], self.told[part], self.rhythms[part])

    @property
    def unseen(self) -> Flags:
        """(n,) neither heart rate nor movement is known."""
        return np.asarray(np.isnan(self.hearts).all(axis=1) & np.isnan(self.counts).all(axis=1))


def night_grid(epochs: Sequence[Epoch]) -> tuple[NightGrid, NDArray[np.int64]]:
    """At least one epoch, in order -> the grid, and the row of each epoch."""
    rows = np.array([round((epoch.start_s - epochs[0].start_s) / EPOCH_S) for epoch in epochs], dtype=np.int64)
    if (np.diff(rows) <= 0).any():  # a clock was set back between two starts: their number is their order
        rows = np.array([epoch.index - epochs[0].index for epoch in epochs], dtype=np.int64)
    length = int(rows[-1]) + 1
    hearts, counts = np.full((length, 6), np.nan), np.full((length, 2), np.nan)
    hearts[rows], counts[rows] = epoch_arrays(epochs)
    up, told = np.zeros(length, dtype=bool), np.zeros(length, dtype=bool)
    up[rows] = [epoch.in_bed is False for epoch in epochs]
    told[rows] = True
    rhythms = np.full((length, len(RHYTHM)), np.nan)
    rhythms[rows] = rhythm_array([epoch.rhythm for epoch in epochs])
    hearts[up], counts[up], rhythms[up] = np.nan, np.nan, np.nan
    return NightGrid(hearts, counts, up, told, rhythms), rows


def in_long_runs(flags: Flags, at_least: int) -> Flags:
    """True where ``flags`` is part of a run of ``at_least`` or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    long = np.zeros(len(flags), dtype=bool)
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        long[first:end] = end - first >= at_least
    return long
