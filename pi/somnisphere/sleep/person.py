"""What earlier nights teach about one sleeper: where the middle of their signals lies, beside that of the people the
stager learned from.

Live, every feature is moved towards the others' middle by a share of how far this person's lies from it. A share that
is not this person's does harm (a guest in the bed, a sensor worn elsewhere), so it has to earn its place: each morning
the past night's live answer is worked out with and without it and compared with the morning's own answer, which has
seen the whole night. Only when it has come closer on several nights, by more than chance, is it used the next evening;
until then, and whenever it stops, the stager is the one that everybody gets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np

from somnisphere.night import Epoch, StageEstimate
from somnisphere.sleep.features import CONTEXT_COLUMNS, Floats, live_features
from somnisphere.sleep.grid import in_long_runs, night_grid
from somnisphere.sleep.model import StageModel, load_model
from somnisphere.sleep.stager import BLIND_AFTER_EPOCHS

NIGHTS = 10
"""So many nights are remembered, the latest."""
SHARE = 0.25
"""Of the distance between this person's middle and that of others, after many nights."""
FEWEST_JUDGED = 3
"""Nights on which it must have come closer, on the whole, before it is used."""
LEAST_GAIN = 0.003
"""Nats an epoch by which it must have come closer, on average: less is not worth a different stager."""
LEAST_EPOCHS = 240
"""Two hours that are known, else a night teaches nothing."""
_FLOOR = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Immutable: each night makes a new one."""

    middles: tuple[Floats, ...] = ()
    """Mean standard score of each live feature, (F,), of the latest nights."""
    gains: tuple[float, ...] = ()
    """For each of them that could be judged: by how much less, in nats an epoch, the moved answer disagreed with the
    morning's."""

    @property
    def trusted(self) -> bool:
        """Whether moving has helped on earlier nights by more than its own scatter."""
        gains = np.array(self.gains)
        if len(gains) < FEWEST_JUDGED:
            return False
        return bool(gains.mean() > max(LEAST_GAIN, gains.std(ddof=1) / np.sqrt(len(gains))))

    def shift(self) -> Floats | None:
        """What to take from a row of live features, (F,); None: nothing."""
        return self._shift(load_model("live")) if self.trusted else None

    def after(self, epochs: Sequence[Epoch], revised: Sequence[StageEstimate]) -> "Person":
        """With one more night: its epochs, and the morning's answer about each."""
        shares = np.array([estimate.probabilities or (np.nan,) * 4 for estimate in revised])
        if (~np.isnan(shares).any(axis=-1)).sum() < LEAST_EPOCHS:
            return self
        model = load_model("live")
        grid, rows = night_grid(epochs)
        features = live_features(grid.hearts, grid.counts)
        blind = in_long_runs(grid.unseen, BLIND_AFTER_EPOCHS)
        gains = self.gains
        if self.middles:
            base, moved = (
                _disagreement(model, features - shift, blind, rows, shares) for shift in (0.0, self._shift(model))
            )
            gains = (*gains, base - moved)[-NIGHTS:]
        scores = (features[~blind] - model.network.mean) / model.network.scale
        known = ~np.isnan(scores)
        middle = np.where(known, scores, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        middle[CONTEXT_COLUMNS] = 0.0  # how long somebody lies in bed is no trait of theirs
        return replace(self, middles=(*self.middles, middle)[-NIGHTS:], gains=gains)

    def _shift(self, model: StageModel) -> Floats:
        share = SHARE * len(self.middles) / (len(self.middles) + 1)
        return np.asarray(share * np.mean(self.middles, axis=0) * model.network.scale)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a file."""
        middles = [np.round(middle, 3).tolist() for middle in self.middles]
        return {"weights": _fingerprint(), "middles": middles, "gains": list(self.gains)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Person":
        """What ``to_dict`` said. A new one where the stager has other weights than those it was learned with."""
        try:
            if plain["weights"] != _fingerprint():
                return cls()
            middles = tuple(np.array(middle, dtype=np.float64) for middle in plain["middles"])
            gains = tuple(float(gain) for gain in plain["gains"])
        except (KeyError, TypeError, ValueError):
            return cls()
        width = load_model("live").network.mean.shape
        return cls(middles, gains) if all(middle.shape == width for middle in middles) else cls()


def _disagreement(model: StageModel, features: Floats, blind: Any, rows: Any, shares: Floats) -> float:
    """Mean cross-entropy of the live answer to ``features`` (n, F) against the morning's ``shares``, in nats."""
    said = np.array(model.network(features))
    said[blind] = np.nan
    live = model.chain.calibrate(model.chain.forward(said))[rows]
    told = ~np.isnan(shares).any(axis=1)
    return float(-(shares[told] * np.log(np.maximum(live[told], _FLOOR))).sum(axis=1).mean())


@cache
def _fingerprint() -> str:
    network = load_model("live").network
    return sha256(network.mean.tobytes() + network.output.tobytes()).hexdigest()[:16]
