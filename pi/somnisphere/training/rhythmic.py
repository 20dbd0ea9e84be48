"""Fitting the answer from beat intervals: softmax regression by Newton's steps, on nights whose intervals are known.

Each night is learned from twice, once as the ECG gave it and once with beats that jitter as a pulse at the skin makes
them: a few milliseconds are as much as the breath moves in a stiff heart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from somnisphere.sleep.features import Floats
from somnisphere.sleep.model import FEATURE_LIMIT, Softmax
from somnisphere.sleep.rhythm import live_rhythm_features, overnight_rhythm_features, rhythm_rows
from somnisphere.training.spoil import LabelledNight

Labels = NDArray[np.int64]
JITTER_S = 0.010
"""Standard deviation of a beat's time in the pulse against the ECG (MAX30102 at the finger: 5 to 20 ms)."""
PENALTY = 330.0
_NEWTON_STEPS = 12
_STAGES = 4
DESCRIBE: dict[str, Callable[[Floats], Floats]] = {
    "live": live_rhythm_features,
    "overnight": overnight_rhythm_features,
}


@dataclass(frozen=True, slots=True, eq=False)
class RhythmRows:
    """Features (n, F) of a night's beats and labels (n,): ``clean`` and ``jittered``."""

    clean: Floats
    jittered: Floats
    stage: Labels


def rhythm_of_night(night: LabelledNight) -> Floats:
    """(n, 9), NaN where not known."""
    beats = np.zeros((0, 2)) if night.beats is None else night.beats
    return rhythm_rows(beats[:, 0], beats[:, 1], len(night.stage))


def prepare_rhythm(night: LabelledNight, answer: str, seed: int) -> RhythmRows | None:
    """None: the night has no beat intervals. The generator depends on seed and subject alone."""
    if night.beats is None:
        return None
    at_s, interval_s = night.beats.T
    late_s = np.random.default_rng([seed, 7, crc32(night.subject.encode())]).normal(0.0, JITTER_S, len(at_s))
    jittered = rhythm_rows(at_s, interval_s + np.diff(late_s, prepend=0.0), len(night.stage))
    describe = DESCRIBE[answer]
    return RhythmRows(describe(rhythm_of_night(night)), describe(jittered), night.stage)


def fit_softmax(nights: Sequence[RhythmRows]) -> Softmax:
    """Fitted on the scored epochs of these nights; in half precision, as it is kept."""
    rows = np.concatenate([part[n.stage >= 0] for n in nights for part in (n.clean, n.jittered)])
    stage = np.concatenate([n.stage[n.stage >= 0] for n in nights for _ in range(2)])
    mean, scale = _kept(np.nanmean(rows, axis=0)), _kept(np.nanstd(rows, axis=0) + 1e-3)
    scores = np.nan_to_num(np.clip((rows - mean) / scale, -FEATURE_LIMIT, FEATURE_LIMIT), nan=0.0)
    inputs = np.column_stack([scores, np.ones(len(scores))])
    width = inputs.shape[1]
    wanted = np.eye(_STAGES)[stage]
    weights = np.zeros((width, _STAGES))
    # Stages' biases are free but for a trace that keeps the equations soluble: only differences between stages count.
    penalty = np.append(np.full(width - 1, PENALTY), 1e-3)
    for _ in range(_NEWTON_STEPS):
        logits = inputs @ weights
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        chance = powers / powers.sum(axis=1, keepdims=True)
        slope = inputs.T @ (chance - wanted) + penalty[:, None] * weights
        bend = np.zeros((_STAGES, width, _STAGES, width))
        for a in range(_STAGES):
            for b in range(a, _STAGES):
                weight = chance[:, a] * (float(a == b) - chance[:, b])
                bend[a, :, b] = bend[b, :, a] = (inputs * weight[:, None]).T @ inputs
            bend[a, np.arange(width), a, np.arange(width)] += penalty
        step = np.linalg.solve(bend.reshape(_STAGES * width, -1), slope.T.ravel())
        weights -= step.reshape(_STAGES, width).T
    return Softmax(mean, scale, _kept(weights[:-1]), _kept(weights[-1]))


def _kept(values: Floats) -> NDArray[np.float32]:
    return np.asarray(values).astype(np.float16).astype(np.float32)
