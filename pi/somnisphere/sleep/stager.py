"""The live stager: one epoch in, what it thinks of it out, at once and from the past alone.

It is honest about doubt: a stage is None, with the reason, when nobody is in bed, when five minutes have brought
neither heart rate nor motion, or when no stage stands out. Memory is bounded; an epoch costs well under a millisecond
on a desktop processor, so a restarted daemon rebuilds a night by passing its epochs through ``step`` again.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from somnisphere.night import EPOCH_S, STAGES, Epoch, StageEstimate
from somnisphere.sleep.drowsiness import Drowsiness
from somnisphere.sleep.features import (
    COUNTS_UNKNOWN,
    HEART_UNKNOWN,
    STILL_COLUMNS,
    FeatureStream,
    Floats,
    epoch_arrays,
)
from somnisphere.sleep.model import Listening, load_model, warmth
from somnisphere.sleep.rhythm import RHYTHM_UNKNOWN, rhythm_array
from somnisphere.sleep.rhythm_answer import RhythmListener

BLIND_AFTER_EPOCHS = 10
"""Five minutes without any signal: the stage is not known any more."""
NEW_NIGHT_AFTER_EPOCHS = 60
"""Half an hour of empty bed or of nothing at all: what comes next is another night."""
FLAT_BELOW = 0.36
"""No stage is named when the likeliest has less than this (four equal ones have 0.25)."""

NOBODY = "nobody in bed"
NOT_YET = "no pulse or movement seen yet"
BLIND = "no pulse and no movement data for 5 minutes"
MIXED = "the signs are mixed"


class SleepStager:
    """Stages one night live; use a new one for another night (or leave the bed empty for half an hour)."""

    def __init__(self, weights: Path | None = None, shift: Floats | None = None) -> None:
        """``shift``: (F,) to take from every row of features, as ``Person.shift`` says."""
        self._model = load_model("live", weights)
        self._shift = 0.0 if shift is None else shift
        self._begin()

    def _begin(self) -> None:
        self._stream = FeatureStream()
        self._network = Listening(self._model.network)
        self._drowsiness = self._new_drowsiness()
        rhythm = self._model.rhythm
        self._listener = None if rhythm is None else RhythmListener(rhythm)
        self._belief: Floats = self._model.chain.START
        self._last_start_s: float | None = None
        self._age_epochs = 0
        self._empty_epochs = 0
        self._blind_epochs = 0
        self._ever_seen = False

    def _new_drowsiness(self) -> Drowsiness | None:
        weights = self._model.drowsiness
        return None if weights is None else Drowsiness(weights)

    def step(self, epoch: Epoch) -> StageEstimate:
        """What this epoch was. Epochs come in order; those left out count as not known."""
        if self._last_start_s is not None:
            left_out = round((epoch.start_s - self._last_start_s) / EPOCH_S) - 1
            if left_out >= NEW_NIGHT_AFTER_EPOCHS:
                self._begin()
            else:
                for _ in range(left_out):
                    self._take(HEART_UNKNOWN, COUNTS_UNKNOWN, RHYTHM_UNKNOWN)
        self._last_start_s = epoch.start_s
        if epoch.in_bed is False:
            self._leave_empty()
            return StageEstimate(epoch.index, epoch.start_s, None, None, NOBODY)
        self._empty_epochs = 0
        hearts, counts = epoch_arrays([epoch])
        probabilities = self._take(hearts[0], counts[0], rhythm_array([epoch.rhythm])[0])
        if self._blind_epochs >= BLIND_AFTER_EPOCHS or not self._ever_seen:
            return StageEstimate(epoch.index, epoch.start_s, None, None, BLIND if self._ever_seen else NOT_YET)
        estimate = named(epoch, probabilities)
        return replace(estimate, drowsiness=self._drowsiness.value) if self._drowsiness is not None else estimate

    def _take(self, heart_bpm: Floats, counts: Floats, rhythm: Floats) -> Floats:
        """Move on by an epoch; the calibrated probabilities, (4,)."""
        features = self._stream.push(heart_bpm, counts)
        heard = self._network.step(features - self._shift)
        seen = not (np.isnan(heart_bpm).all() and np.isnan(counts).all())
        self._ever_seen |= seen
        self._blind_epochs = 0 if seen else self._blind_epochs + 1
        blind = self._blind_epochs >= BLIND_AFTER_EPOCHS or not self._ever_seen
        said = np.full(4, np.nan) if blind else heard
        if self._drowsiness is not None and self._ever_seen:
            self._drowsiness.step(said, features[STILL_COLUMNS])
        chain = self._model.chain
        self._age_epochs += 1
        self._belief = chain.follow(self._belief, chain.likelihood(said), warmth(self._age_epochs))
        probabilities = chain.calibrate(self._belief)
        if not np.isnan(counts).all():
            self._listener = None  # movement is known tonight: the beats are not asked any more (see rhythm_answer)
        if self._listener is None:
            return probabilities
        self._listener.step(rhythm)
        return self._listener.join(probabilities)

    def _leave_empty(self) -> None:
        """Somebody up is awake; half an hour later the night is forgotten."""
        self._empty_epochs += 1
        if self._empty_epochs == NEW_NIGHT_AFTER_EPOCHS:
            self._begin()
        elif self._empty_epochs < NEW_NIGHT_AFTER_EPOCHS and self._ever_seen:
            self._network.step(self._stream.push(HEART_UNKNOWN, COUNTS_UNKNOWN) - self._shift)
            if self._listener is not None:
                self._listener.step(RHYTHM_UNKNOWN)
        if self._listener is not None:
            self._listener.lie_down()
        self._age_epochs = 0
        self._belief = self._model.chain.START
        self._drowsiness = self._new_drowsiness()


def named(epoch: Epoch, probabilities: Floats) -> StageEstimate:
    """The estimate with its likeliest stage, or with none when no stage stands out. ``probabilities``: (4,), sum 1."""
    awake, light, deep, rem = (float(p) for p in probabilities)
    best = int(probabilities.argmax())
    clear = probabilities[best] >= FLAT_BELOW
    return StageEstimate(
        epoch.index, epoch.start_s, STAGES[best] if clear else None, (awake, light, deep, rem), "" if clear else MIXED
    )
