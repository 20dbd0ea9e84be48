"""Labelled nights from a folder, as arrays."""

from pathlib import Path

import numpy as np

from somnisphere.night import STAGES
from somnisphere.recordings import read_night
from somnisphere.sleep.features import epoch_arrays
from somnisphere.training.spoil import UNLABELLED, LabelledNight


def read_nights(folder: Path) -> list[LabelledNight]:
    """All nights (``*.npz``) of a folder, by name. An epoch not to be scored has no label."""
    nights = []
    for path in sorted(folder.glob("*.npz")):
        recording = read_night(path)
        heart, counts = epoch_arrays(recording.epochs)
        stage = [
            STAGES.index(stage) if counted and stage is not None else UNLABELLED
            for stage, counted in zip(recording.reference, recording.score, strict=True)
        ]
        nights.append(LabelledNight(recording.dataset, recording.subject, heart, counts, np.array(stage)))
    if not nights:
        raise SystemExit(f"{folder}: no .npz night there. Give the folder that holds sleep/train/walch as --data.")
    return nights
