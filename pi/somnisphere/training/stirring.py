"""How soon, how often and how falsely waking in the night is said: the night's own watch over scored nights."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from somnisphere.bedtime.phases import Cue
from somnisphere.cues import SleepWatch
from somnisphere.night import EPOCH_S, StageEstimate, unknown_epoch
from somnisphere.sleep.facts import onset_of
from somnisphere.training.judged import Judged

LONG_EPOCHS = 10
"""Awakenings of five minutes or more are those that a household may want to answer."""
NEAR_EPOCHS = 4
"""Said within two minutes of somebody being awake is not false."""
_MIN = EPOCH_S / 60.0


def stirring_line(nights: Sequence[Judged]) -> str:
    """Live answers only. Of awakenings between the first sleep and the last that last five minutes or more."""
    delays, missed, false = list[float](), 0, 0
    for night in nights:
        said = np.array(_stirred(night), dtype=np.int64)
        runs = _awakenings(night)
        for first, end in (run for run in runs if run[1] - run[0] >= LONG_EPOCHS):
            within = said[(said >= first) & (said < end + NEAR_EPOCHS)]
            if len(within):
                delays.append(float(within[0] + 1 - first) * _MIN)
            else:
                missed += 1
        awake = np.convolve(night.stage <= 0, np.ones(2 * NEAR_EPOCHS + 1), mode="same") > 0
        false += int((~awake[said]).sum())
    wakings = len(delays) + missed
    middle = f"{np.median(delays):.1f}" if delays else "-"
    return (
        f"{len(delays)} of {wakings} wakings of five minutes or more said, {middle} min after they began (median); "
        f"{false / len(nights):.1f} a night said that nobody saw."
    )


def _stirred(night: Judged) -> list[int]:
    """Epochs at whose end the watch says that the sleeper stirs."""
    assert night.drowsiness is not None
    watch, said = SleepWatch(), []
    for k, (shares, drowsiness) in enumerate(zip(night.probabilities.tolist(), night.drowsiness, strict=True)):
        epoch = replace(unknown_epoch(k, 0.0), in_bed=True)
        estimate = StageEstimate(k, k * EPOCH_S, None, tuple(shares), drowsiness=float(drowsiness))
        cues = watch.step(epoch, estimate, is_morning=False)
        said += [k for given in cues if given.cue is Cue.STIRRED]
    return said


def _awakenings(night: Judged) -> list[tuple[int, int]]:
    """Runs of scored waking after the first sleep and before the last, as [first, end)."""
    asleep = night.stage > 0
    onset = onset_of(asleep)
    if onset is None:
        return []
    last = int(np.flatnonzero(asleep)[-1])
    awake = (night.stage == 0) & (np.arange(len(asleep)) > onset) & (np.arange(len(asleep)) < last)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], awake.astype(np.int8), [0]])))
    return [(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]
