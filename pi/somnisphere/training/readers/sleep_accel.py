"""Motion and heart rate of an Apple Watch beside polysomnography: PhysioNet ``sleep-accel`` 1.0.0 (Walch 2019,
doi 10.13026/hmhs-py35), as unpacked.

- ``heart_rate/<id>_heartrate.txt``: ``t,bpm``, about every 5 s. Some files hold every row more than once.
- ``motion/<id>_acceleration.txt``: ``t x y z``, about 50 Hz, in g.
- ``labels/<id>_labeled_sleep.txt``: ``t stage``, every 30 s: 0 wake, 1 N1, 2 N2, 3 and 4 N3, 5 REM, -1 not scored.

t is in seconds from the start of the polysomnography and negative before it. Counts take the axis that moves most, as
at the bedside; Walch took the one across the watch's face. As in Walch et al. 2019, an epoch without a heart rate or
without movement is not scored.
"""

from functools import partial
from pathlib import Path

import numpy as np

from somnisphere.columns import RecordingError
from somnisphere.night import EPOCH_S
from somnisphere.training.readers.movement import MovementCounter
from somnisphere.training.readers.night_set import MOST_EPOCHS, NightSet, labels_of, night_of_readings
from somnisphere.training.readers.number_lines import all_numbers, number_pieces
from somnisphere.training.spoil import UNLABELLED, LabelledNight

NAME = "walch"
RATE_HZ = 50.0
_LABELS = "_labeled_sleep.txt"


def find(folder: Path) -> NightSet | None:
    nights = sorted(path.name.removesuffix(_LABELS) for path in folder.glob(f"labels/*{_LABELS}"))
    if not nights:
        return None
    return NightSet(NAME, "PhysioNet sleep-accel", folder, tuple(nights), "watch nights", partial(read, folder))


def read(folder: Path, subject: str) -> LabelledNight:
    labels_path = folder / "labels" / f"{subject}{_LABELS}"
    labels = all_numbers(labels_path, 2)
    place = np.round(labels[:, 0] / EPOCH_S)
    there = (place >= 0) & (place < MOST_EPOCHS)
    if not there.any():
        raise RecordingError(labels_path, "no label lies after the start", "Download it again.")
    codes = np.full(int(place[there].max()) + 1, UNLABELLED, dtype=np.int64)
    codes[place[there].astype(np.intp)] = labels[there, 1].astype(np.int64)

    heart = all_numbers(folder / "heart_rate" / f"{subject}_heartrate.txt", 2)
    movement = MovementCounter(RATE_HZ)
    for piece in number_pieces(folder / "motion" / f"{subject}_acceleration.txt", 4):
        movement.add(piece[:, 0], piece[:, 1:])
    stage = labels_of(codes)
    counts = movement.counts(2 * len(stage))
    night = night_of_readings(NAME, subject, stage, heart[:, 0], heart[:, 1], beats=False, counts=counts)
    seen = np.isfinite(night.heart_bpm).any(axis=1) & np.isfinite(night.counts).any(axis=1)
    stage[~seen] = UNLABELLED
    return night
