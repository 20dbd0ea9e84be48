"""The stager's learned part: small networks over epochs and a chain of four stages. Data and arithmetic.

What is called the network is the average of several: dilated convolutions over the features of a night's epochs, each
fitted without a share of the subjects. The chain is a hidden Markov model: transitions counted from scored nights,
flattened by an exponent because neighbouring epochs share most of their evidence; awake never goes straight to deep or
REM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from somnisphere.sleep.features import OVERNIGHT_CONTEXT_COLUMNS, Floats

WEIGHTS_PATH = Path(__file__).with_name("weights.npz")
FEATURE_LIMIT = 4.0
"""Standard scores beyond this say no more than this."""
DILATIONS = (1, 2, 4, 8, 16)
"""Epochs between the taps of each layer; together they reach back half an hour, or a quarter of an hour either way."""
TAPS = (0, 1, 2)
HIDDEN = 24
WARM_AFTER_EPOCHS = 10
_FLOOR = 1e-4

Weights = NDArray[np.float32]


CENTRED = 0.5
"""Share of the distance between a night's own middle and that of all nights which is taken from an overnight row: half
of what tells people (and sensors) apart tells nothing about stages."""


def standard_scores(features: Floats | Weights, mean: Weights, scale: Weights, *, whole: bool) -> Weights:
    """(n, F) with NaN for not known -> (n, F) in standard deviations, not known becoming the middle. ``whole``: these
    rows are a whole night's, with overnight features; they are moved towards the middle of all nights."""
    scores = (features - mean) / scale
    if whole:
        known = ~np.isnan(scores)
        middle = np.where(known, scores, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        middle[OVERNIGHT_CONTEXT_COLUMNS] = 0.0  # how long a night is does not depend on who sleeps
        scores = scores - CENTRED * middle
    return np.nan_to_num(np.clip(scores, -FEATURE_LIMIT, FEATURE_LIMIT), nan=0.0).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """M networks of H units over F features. Probabilities follow ``STAGES``. Whole nights by ``__call__``, one epoch
    after the other by ``Listening``."""

    mean: Weights
    """(F,)"""
    scale: Weights
    """(F,)"""
    entry: Weights
    """(M, F, H)"""
    entry_bias: Weights
    """(M, 1, H)"""
    mix: Weights
    """(L, 3, M, H, H), for each dilation and tap, oldest tap first."""
    mix_bias: Weights
    """(L, M, 1, H)"""
    output: Weights
    """(M, H, 4)"""
    output_bias: Weights
    """(M, 1, 4)"""
    ahead: bool
    """Whether the newest tap lies in the future (overnight) or the newest is the present (live)."""

    def standardize(self, features: Floats | Weights) -> Weights:
        """(n, F) -> standard scores"""
        return standard_scores(features, self.mean, self.scale, whole=self.ahead)

    def enter(self, features: Floats | Weights) -> Weights:
        """(n, F) -> (M, n, H)"""
        return np.asarray(np.maximum(self.standardize(features) @ self.entry + self.entry_bias, np.float32(0.0)))

    def leave(self, state: Weights) -> Floats:
        """(M, n, H) -> (M, n, 4), each row summing to 1."""
        logits = (state @ self.output + self.output_bias).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=2, keepdims=True))
        return np.asarray(powers / powers.sum(axis=2, keepdims=True))

    def members(self, features: Floats | Weights) -> Floats:
        """(n, F) of a night's epochs in order -> (M, n, 4): what each network says."""
        state = self.enter(features)
        n = state.shape[1]
        for layer, dilation in enumerate(DILATIONS):
            lead = dilation if self.ahead else 2 * dilation
            padded = np.pad(state, ((0, 0), (lead, 2 * dilation - lead), (0, 0)))
            mixed = self.mix_bias[layer]
            for tap in TAPS:
                mixed = mixed + padded[:, tap * dilation : tap * dilation + n] @ self.mix[layer, tap]
            state = state + np.maximum(mixed, np.float32(0.0))
        return self.leave(state)

    def __call__(self, features: Floats | Weights) -> Floats:
        """(n, F) of a night's epochs in order -> (n, 4): the networks' mean."""
        return np.asarray(self.members(features).mean(axis=0))


class Listening:
    """A live network on its way through a night: it keeps what the taps of each layer still need, the last 33
    epochs for the widest."""

    def __init__(self, network: Network) -> None:
        assert not network.ahead, "only a network that looks back can follow a night"
        self._network = network
        members, _, hidden = network.entry.shape
        # One product for the three taps of a layer, (M, 3 H, H): small arrays cost their calls.
        self._mix = [np.concatenate(list(taps), axis=1) for taps in network.mix]
        self._past = [np.zeros((2 * d + 1, members, 1, hidden), dtype=np.float32) for d in DILATIONS]
        self._at = 0

    def step(self, features: Floats) -> Floats:
        """(F,) of the next epoch -> (4,)"""
        network = self._network
        state = network.enter(features[None])
        for layer, (dilation, ring) in enumerate(zip(DILATIONS, self._past, strict=True)):
            ring[self._at % len(ring)] = state
            heard = np.concatenate([ring[(self._at - (2 - tap) * dilation) % len(ring)] for tap in TAPS], axis=2)
            state = state + np.maximum(heard @ self._mix[layer] + network.mix_bias[layer], np.float32(0.0))
        self._at += 1
        return np.asarray(network.leave(state).mean(axis=0)[0])


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
class Softmax:
    """Regression of the four stages on F features."""

    mean: Weights
    """(F,)"""
    scale: Weights
    """(F,)"""
    weights: Weights
    """(F, 4)"""
    bias: Weights
    """(4,)"""

    def __call__(self, features: Floats) -> Floats:
        """(n, F) -> (n, 4), rows summing to 1; what is not known becomes the middle."""
        scores = np.nan_to_num(np.clip((features - self.mean) / self.scale, -FEATURE_LIMIT, FEATURE_LIMIT), nan=0.0)
        logits = scores @ self.weights + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class RhythmModel:
    """What the intervals between beats say, with a chain of its own."""

    regression: Softmax
    chain: Chain


@dataclass(frozen=True, slots=True, eq=False)
class StageModel:
    """One answer's network and chain: the live one or the overnight one."""

    network: Network
    chain: Chain
    drowsiness: Floats | None = None
    """Weights for ``Drowsiness``; the live answer alone has them."""
    rhythm: RhythmModel | None = None
    """Waking by beat intervals; None where too few nights with beats were learned from."""

    def arrays(self, name: str) -> dict[str, NDArray[np.generic]]:
        """Everything as named arrays, for a file."""
        found: dict[str, NDArray[np.generic]] = {}
        if self.drowsiness is not None:
            found[f"{name}.drowsiness"] = self.drowsiness
        parts: list[tuple[str, Network | Chain | Softmax]] = [("network", self.network), ("chain", self.chain)]
        if self.rhythm is not None:
            parts += [("rhythm.regression", self.rhythm.regression), ("rhythm.chain", self.rhythm.chain)]
        for part, holder in parts:
            for field in fields(holder):
                value = np.asarray(getattr(holder, field.name))
                found[f"{name}.{part}.{field.name}"] = value.astype(np.float16) if value.dtype == np.float32 else value
        return found


def load_model(name: str, path: Path | None = None) -> StageModel:
    """The model called ``name`` ("live" or "overnight") from a weights file; None: the one that comes with the code."""
    with np.load(path or WEIGHTS_PATH, allow_pickle=False) as stored:
        network = {field.name: stored[f"{name}.network.{field.name}"].astype(np.float32) for field in fields(Network)}
        chain = _load_chain(stored, f"{name}.chain")
        drowsiness = stored.get(f"{name}.drowsiness")
        rhythm = None
        if (place := f"{name}.rhythm.regression") + ".weights" in stored:
            parts = {field.name: stored[f"{place}.{field.name}"].astype(np.float32) for field in fields(Softmax)}
            rhythm = RhythmModel(Softmax(**parts), _load_chain(stored, f"{name}.rhythm.chain"))
    return StageModel(Network(**network | {"ahead": bool(network["ahead"])}), chain, drowsiness, rhythm)


def _load_chain(stored: Mapping[str, NDArray[Any]], place: str) -> Chain:
    return Chain(
        transition=stored[f"{place}.transition"],
        prior=stored[f"{place}.prior"],
        evidence=float(stored[f"{place}.evidence"]),
        prior_exponent=float(stored[f"{place}.prior_exponent"]),
        temperature=float(stored[f"{place}.temperature"]),
    )
