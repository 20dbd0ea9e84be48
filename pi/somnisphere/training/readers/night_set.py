"""A set of labelled nights that was found in a folder and is read one night at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import COUNT_STEP_S, STAGES
from somnisphere.sleep.features import Floats, epoch_arrays
from somnisphere.training.spoil import UNLABELLED, LabelledNight
from somnisphere.watch_nights import STAGE_OF_CODE, epochs_of_readings

Labels = NDArray[np.int64]

MOST_EPOCHS = 2 * 24 * 120
"""Two days of epochs: a night whose times say more is taken to be broken."""


@dataclass(frozen=True, slots=True)
class NightSet:
    """``name``: whose nights these are, the same in every form of the set. ``form``: how they are kept. ``nights``:
    their ids, unique among all nights of that name. ``words``: what the nights are called above a table of figures."""

    name: str
    form: str
    folder: Path
    nights: tuple[str, ...]
    words: str
    read: Callable[[str], LabelledNight]
    """The night of one id. Raises ``RecordingError``."""

    def all(self) -> Iterator[LabelledNight]:
        for night in self.nights:
            yield self.read(night)

    def at_most(self, count: int) -> "NightSet":
        """The same set with ``count`` nights, evenly spread, when it has more."""
        if count >= len(self.nights):
            return self
        places = np.linspace(0, len(self.nights) - 1, count).round().astype(int).tolist()
        return replace(self, nights=tuple(self.nights[place] for place in places))


def labels_of(codes: NDArray[np.int64]) -> Labels:
    """Indices into STAGES, -1 not scored, of codes 0 wake, 1 N1, 2 N2, 3 and 4 N3, 5 REM; any other is not scored."""
    labels = np.full(len(codes), UNLABELLED, dtype=np.int64)
    for code, stage in STAGE_OF_CODE.items():
        labels[codes == code] = STAGES.index(stage)
    return labels


def night_of_readings(
    dataset: str,
    subject: str,
    stage: Labels,
    time_s: Floats,
    value: Floats,
    *,
    beats: bool,
    counts: Floats,
) -> LabelledNight:
    """A night on the grid on which the daemon sees one. Time zero is the start of epoch 0 of ``stage`` (n,).

    ``time_s``, ``value``: heart rate in 1/min or, with ``beats``, intervals in s at their later beat; in any order,
    doubles are left out. ``counts``: (2 n,), one each 15 s, NaN not known.
    """
    time_s, first = np.unique(time_s, return_index=True)
    steps_s = np.arange(len(counts), dtype=np.float64) * COUNT_STEP_S
    value = value[first]
    epochs = epochs_of_readings(len(stage), time_s, value, beats, steps_s, counts)
    heart, motion = epoch_arrays(epochs)
    both = np.stack([time_s, value], axis=1) if beats else None
    return LabelledNight(dataset, subject, heart, motion, stage, beats=both)


def intervals(beat_s: Floats, normal: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Times (k,) and lengths (k,) in s of the intervals between two normal beats that follow each other."""
    both = normal[1:] & normal[:-1]
    return beat_s[1:][both], np.diff(beat_s)[both]
