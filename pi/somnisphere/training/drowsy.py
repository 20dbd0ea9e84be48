"""Fitting the drowsiness regression: by Newton's steps, on what networks said of people they had not seen."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from somnisphere.sleep.drowsiness import INPUTS, drowsiness_inputs
from somnisphere.sleep.facts import onset_of
from somnisphere.sleep.features import STILL_COLUMNS, Floats

AFTER_ONSET_EPOCHS = 20
"""Learned until ten minutes after sleep began; what comes later is another question."""
PENALTY = 10.0
_NEWTON_STEPS = 30


def fit_drowsiness(nights: Sequence[tuple[Floats, NDArray[np.float32], NDArray[np.int64]]]) -> Floats:
    """(INPUTS + 1,) weights from (probabilities (n, 4), live features (n, F), stages (n,)) of several nights."""
    rows, asleep = [], []
    for said, features, stage in nights:
        onset = onset_of(stage > 0)
        if onset is None:
            continue
        end = min(len(stage), onset + AFTER_ONSET_EPOCHS)
        rows.append(drowsiness_inputs(said[:end], features[:end, STILL_COLUMNS].astype(np.float64)))
        asleep.append(np.arange(end) >= onset)
    if not rows:
        return np.concatenate([[1.0], np.zeros(INPUTS)])  # nobody fell asleep: the network's own word
    inputs, truth = np.concatenate(rows), np.concatenate(asleep).astype(np.float64)
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    scores = np.column_stack([(inputs - mean) / scale, np.ones(len(inputs))])
    penalty = np.diag([PENALTY] * INPUTS + [0.0])
    weights = np.zeros(INPUTS + 1)
    for _ in range(_NEWTON_STEPS):
        chance = 1.0 / (1.0 + np.exp(-scores @ weights))
        slope = scores.T @ (chance - truth) + penalty @ weights
        bend = (scores * (chance * (1.0 - chance))[:, None]).T @ scores + penalty
        weights -= np.linalg.solve(bend, slope)
    plain = weights[:-1] / scale
    return np.concatenate([plain, [weights[-1] - float(plain @ mean)]])
