"""MIT-BIH Polysomnographic Database 1.0.0 (Ichimaru and Moody 1999, doi 10.13026/C23K5S) as WFDB records: of each,
``.hea`` (rate), ``.ecg`` (beats) and ``.st`` (stages) are read; the signals (``.dat``) are not needed.

Each annotation in ``.st`` speaks of the 30 s that follow; its text begins with W, 1 to 4 (Rechtschaffen & Kales), R or
MT (movement time, taken as not scored), and goes on with breathing and leg events. Beats are averaged over 10 s like a
watch's. There is no movement.
"""

from functools import partial
from pathlib import Path

import numpy as np

from somnisphere.columns import RecordingError
from somnisphere.night import EPOCH_S
from somnisphere.training.readers.mit_annotations import BEATS, NORMAL, rate_hz, read_annotations
from somnisphere.training.readers.night_set import MOST_EPOCHS, NightSet, intervals, labels_of, night_of_readings
from somnisphere.training.spoil import UNLABELLED, LabelledNight

NAME = "slpdb"
CODES = {"W": 0, "1": 1, "2": 2, "3": 3, "4": 4, "R": 5}
WORDS = "records of beat intervals without motion (sleep apnoea)"


def find(folder: Path) -> NightSet | None:
    records = sorted(path.stem for path in folder.glob("slp*.st"))
    return NightSet(NAME, "WFDB records", folder, tuple(records), WORDS, partial(read, folder)) if records else None


def read(folder: Path, record: str) -> LabelledNight:
    samples_hz = rate_hz(folder / f"{record}.hea")
    stages_path = folder / f"{record}.st"
    scored: dict[int, int] = {}
    for annotation in read_annotations(stages_path):
        words = annotation.text.split()
        place = round(annotation.sample / samples_hz / EPOCH_S)
        if words and not words[0].startswith("##") and 0 <= place < MOST_EPOCHS:
            scored[place] = CODES.get(words[0], UNLABELLED)
    if not any(code != UNLABELLED for code in scored.values()):
        raise RecordingError(stages_path, "it holds no sleep stage", "Download it again.")
    codes = np.full(max(scored) + 1, UNLABELLED, dtype=np.int64)
    codes[list(scored)] = list(scored.values())

    beats = [beat for beat in read_annotations(folder / f"{record}.ecg") if beat.code in BEATS]
    beat_s = np.array([beat.sample for beat in beats], dtype=np.float64) / samples_hz
    time_s, interval_s = intervals(beat_s, np.array([beat.code == NORMAL for beat in beats], dtype=bool))
    unknown = np.full(2 * len(codes), np.nan)
    return night_of_readings(NAME, record, labels_of(codes), time_s, interval_s, beats=True, counts=unknown)
