"""This project's own form: one ``.npz`` a night (pi/README.md, "Files")."""

from pathlib import Path

import numpy as np

from somnisphere.night import STAGES
from somnisphere.recordings import read_night
from somnisphere.sleep.features import epoch_arrays
from somnisphere.training.spoil import UNLABELLED, LabelledNight


def read(path: Path) -> LabelledNight:
    """One night (``.npz``). An epoch not to be scored has no label."""
    recording = read_night(path)
    heart, counts = epoch_arrays(recording.epochs)
    stage = [
        STAGES.index(stage) if counted and stage is not None else UNLABELLED
        for stage, counted in zip(recording.reference, recording.score, strict=True)
    ]
    return LabelledNight(recording.dataset, recording.subject, heart, counts, np.array(stage), beats=recording.beats)
