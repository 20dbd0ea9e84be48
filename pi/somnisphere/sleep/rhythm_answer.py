"""Waking by the intervals between beats, for nights of which no movement is known.

The network learned waking from movement above all; where there is none it hears a watch's averaged rate alone, and
calls most of a restless night asleep. Intervals tell waking from sleep better, but the only scored nights that have
them are of a few men with apnoea: much waking, little deep sleep, hardly any REM. So they are heard with care:

- not at all once any movement is known: the network, which learned from healthy sleepers, then knows more;
- not unless most of the last five minutes had trusted intervals (a pulse that comes and goes has no rhythm);
- only about waking, and there with one voice of two. How sleep divides into light, deep and REM stays the network's
  word: what is learned from the sick must not take a healthy sleeper's deep sleep and REM away.
"""

import numpy as np
from numpy.typing import NDArray

from somnisphere.sleep.model import Chain, RhythmModel, warmth
from somnisphere.sleep.rhythm import Floats, RhythmStream, overnight_rhythm_features

SHARE = 0.5
"""Of the chance of waking, where intervals are good. More would suit the men learned from (at 1, kappa of four stages
is .03 higher), but no scored night of a healthy sleeper with intervals was at hand to say what it costs others."""
OVER_EPOCHS = 10
LEAST_KNOWN = 0.7
"""Share of the last ``OVER_EPOCHS`` that must have a rhythm."""


class RhythmListener:
    """The live answer, epoch by epoch, from the past alone."""

    def __init__(self, model: RhythmModel) -> None:
        self._model = model
        self._stream = RhythmStream()
        self._known = np.zeros(OVER_EPOCHS, dtype=bool)
        self.lie_down()

    def lie_down(self) -> None:
        """Who lies down (again) is awake."""
        self._belief: Floats = Chain.START
        self._age_epochs = 0

    def step(self, rhythm: Floats) -> None:
        """Take in the rhythm of the next epoch, (9,), NaN for not known."""
        known = not np.isnan(rhythm).all()
        self._known = np.append(self._known[1:], known)
        features = self._stream.push(rhythm)
        said = self._model.regression(features[None])[0] if known else np.full(4, np.nan)
        self._age_epochs += 1
        chain = self._model.chain
        self._belief = chain.follow(self._belief, chain.likelihood(said), warmth(self._age_epochs))

    def join(self, probabilities: Floats) -> Floats:
        """The network's (4,) with what the intervals say of waking; unchanged where they are not good."""
        if self._known.mean() < LEAST_KNOWN:
            return probabilities
        return np.asarray(joined(probabilities[None], self._model.chain.calibrate(self._belief)[None])[0])


def join_overnight(model: RhythmModel, probabilities: Floats, rhythms: Floats, up: NDArray[np.bool_]) -> Floats:
    """The network's (n, 4) about a whole night with what its intervals say, ``rhythms`` (n, 9); ``up`` (n,): the bed is
    empty. Good minutes before an epoch or after it will do."""
    known = np.asarray(~np.isnan(rhythms).all(axis=1))
    said = model.regression(overnight_rhythm_features(rhythms))
    said[~known] = np.nan
    said[up] = (1.0, 0.0, 0.0, 0.0)
    good = _mostly(known) | _mostly(known[::-1])[::-1]
    answer = joined(probabilities, model.chain.calibrate(model.chain.both_ways(said)))
    return np.where(good[:, None], answer, probabilities)


def joined(probabilities: Floats, by_rhythm: Floats) -> Floats:
    """(n, 4) of the network and (n, 4) of the intervals -> (n, 4): waking from both, the rest as the network has it."""
    awake = (1.0 - SHARE) * probabilities[:, :1] + SHARE * by_rhythm[:, :1]
    asleep = probabilities[:, 1:] / probabilities[:, 1:].sum(axis=1, keepdims=True)
    return np.concatenate([awake, (1.0 - awake) * asleep], axis=1)


def _mostly(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) -> (n,) whether enough of the epochs up to each are known."""
    padded = np.concatenate([np.zeros(OVER_EPOCHS - 1), known])
    heard = np.lib.stride_tricks.sliding_window_view(padded, OVER_EPOCHS).mean(axis=1)
    return np.asarray(heard >= LEAST_KNOWN)
