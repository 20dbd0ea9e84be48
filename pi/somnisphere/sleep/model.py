"""The stager's learned part: a small network for one epoch and a chain of four stages over epochs. Data and arithmetic.

The network is an average of small ones (one hidden layer of rectifiers), each fitted without a share of the subjects,
on features of ``features``. The chain is a hidden Markov model: transitions counted from scored nights, flattened by
an exponent because neighbouring epochs share most of their evidence; awake never goes straight to deep or REM.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from somnisphere.sleep.features import Floats

WEIGHTS_PATH = Path(__file__).with_name("weights.npz")
FEATURE_LIMIT = 4.0
"""Standard scores beyond this say no more than this."""
WARM_AFTER_EPOCHS = 10
_FLOOR = 1e-4

Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """M networks of H hidden units over F features. Probabilities follow ``STAGES``."""

    mean: Weights
    """(F,)"""
    scale: Weights
    """(F,)"""
    hidden: Weights
    """(F, M * H)"""
    hidden_bias: Weights
    """(M * H,)"""
    output: Weights
    """(M, H, 4)"""
    output_bias: Weights
    """(M, 4)"""

    def standardize(self, features: Floats | Weights) -> Weights:
        """(n, F) with NaN for not known -> standard scores, not known becoming the middle."""
        scores = np.clip((features - self.mean) / self.scale, -FEATURE_LIMIT, FEATURE_LIMIT)
        return np.nan_to_num(scores, nan=0.0).astype(np.float32)

    def members(self, features: Floats | Weights) -> Floats:
        """(n, F) -> (M, n, 4): what each network says."""
        active = np.maximum(self.standardize(features) @ self.hidden + self.hidden_bias, 0.0)
        number, width, _ = self.output.shape
        split = active.reshape(len(features), number, width).transpose(1, 0, 2)
        logits = (split @ self.output + self.output_bias[:, None, :]).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=2, keepdims=True))
        return np.asarray(powers / powers.sum(axis=2, keepdims=True))

    def __call__(self, features: Floats | Weights) -> Floats:
        """(n, F) -> (n, 4): the networks' mean."""
        return np.asarray(self.members(features).mean(axis=0))


def warmth(age_epochs: int) -> float:
    """How far the live belief is let go at the ``age_epochs``-th epoch since lying down, 0..1: the first rows have seen
    too little to say much, and who has just lain down is awake."""
    return min(age_epochs / WARM_AFTER_EPOCHS, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """How stages follow each other and how much one epoch's evidence weighs."""

    START: ClassVar[Floats] = np.array([0.97, 0.03, 0.0, 0.0])
    """Who lies down is awake."""

    transition: Floats
    """(4, 4), rows sum to 1."""
    prior: Floats
    """(4,), share of each stage in what the network learned from."""
    evidence: float
    """Exponent on the network's probabilities."""
    prior_exponent: float
    """Exponent on the prior they are divided by; more finds more of the rare stages."""
    temperature: float
    """Divides the logarithms of the answer; above 1 is humbler."""

    def likelihood(self, probabilities: Floats) -> Floats:
        """(..., 4) of the network -> what the chain multiplies by; a row of NaN is no evidence."""
        raised = np.maximum(probabilities, _FLOOR) ** self.evidence / self.prior**self.prior_exponent
        return np.where(np.isnan(raised), 1.0, raised)

    def follow(self, belief: Floats, likelihood: Floats, warm: float = 1.0) -> Floats:
        """One epoch on: (..., 4) belief and likelihood -> belief, of which only the share ``warm`` is moved."""
        moved = warm * (belief @ self.transition) + (1.0 - warm) * belief
        joint = moved * likelihood**warm
        return np.asarray(joint / joint.sum(axis=-1, keepdims=True))

    def forward(self, probabilities: Floats) -> Floats:
        """(n, ..., 4) -> the belief after each epoch, from ``START``; only the past counts."""
        return self._pass(self.likelihood(probabilities), [warmth(k + 1) for k in range(len(probabilities))])

    def both_ways(self, probabilities: Floats) -> Floats:
        """(n, ..., 4) -> the belief of each epoch given the whole night."""
        likelihood = self.likelihood(probabilities)
        beliefs = self._pass(likelihood, [1.0] * len(likelihood))
        after = np.ones(likelihood.shape[1:])
        for k in range(len(likelihood) - 2, -1, -1):
            after = (after * likelihood[k + 1]) @ self.transition.T
            after = after / after.sum(axis=-1, keepdims=True)
            beliefs[k] *= after
        return np.asarray(beliefs / beliefs.sum(axis=-1, keepdims=True))

    def _pass(self, likelihood: Floats, warm: Sequence[float]) -> Floats:
        beliefs = np.empty_like(likelihood)
        belief = np.broadcast_to(self.START, likelihood.shape[1:])
        for k in range(len(likelihood)):
            belief = beliefs[k] = self.follow(belief, likelihood[k], warm[k])
        return beliefs

    def calibrate(self, beliefs: Floats) -> Floats:
        """(..., 4) beliefs at the fitted temperature; they sum to 1."""
        cooled = np.maximum(beliefs, 1e-9) ** (1.0 / self.temperature)
        return np.asarray(cooled / cooled.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class StageModel:
    """One answer's network and chain: the live one or the overnight one."""

    network: Network
    chain: Chain

    def arrays(self, name: str) -> dict[str, NDArray[np.generic]]:
        """Everything as named arrays, for a file."""
        found: dict[str, NDArray[np.generic]] = {}
        for part, holder in (("network", self.network), ("chain", self.chain)):
            for field in fields(holder):
                found[f"{name}.{part}.{field.name}"] = np.asarray(getattr(holder, field.name))
        return found


def load_model(name: str, path: Path | None = None) -> StageModel:
    """The model called ``name`` ("live" or "overnight") from a weights file; None: the one that comes with the code."""
    with np.load(path or WEIGHTS_PATH, allow_pickle=False) as stored:
        network = {field.name: stored[f"{name}.network.{field.name}"] for field in fields(Network)}
        chain = {field.name: stored[f"{name}.chain.{field.name}"] for field in fields(Chain)}
    return StageModel(
        Network(**network),
        Chain(
            transition=chain["transition"],
            prior=chain["prior"],
            evidence=float(chain["evidence"]),
            prior_exponent=float(chain["prior_exponent"]),
            temperature=float(chain["temperature"]),
        ),
    )
