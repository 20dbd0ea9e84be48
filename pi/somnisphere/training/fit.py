"""From labelled nights to a ``StageModel``: spoiled copies, features, networks fitted without a share of the subjects
each, a chain and a temperature chosen on what the networks said of the subjects they had not seen.

Nothing is random but by the seed, and everything runs on one thread: the same nights and seed give the same bytes.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from somnisphere.sleep.features import Floats, live_features, overnight_features
from somnisphere.sleep.model import FEATURE_LIMIT, Chain, Network, StageModel
from somnisphere.training.figures import kappa
from somnisphere.training.spoil import AWAKE, LabelledNight, training_copies, with_random_start

Labels = NDArray[np.int64]
Answer = str
ANSWERS: dict[Answer, Callable[[Floats, Floats], Floats]] = {"live": live_features, "overnight": overnight_features}

FOLDS = 5
SEEDS_PER_FOLD = 2
HIDDEN_UNITS = 24
PENALTY = 3.0
PASSES = 6
_SPOILED_EVERY = 2
_ADDED_EVERY = 3
_FLATTEN = (0.4, 0.7)
_EVIDENCE = (0.6, 0.8, 1.1)
_PRIOR = (0.0, 0.15, 0.3, 0.45)
_TEMPERATURES = np.round(np.arange(0.5, 3.01, 0.1), 2)


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """Features (n, F) and labels (n,) of one copy of a night, whose first ``added`` epochs were put before it."""

    features: NDArray[np.float32]
    stage: Labels
    added: int


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What one night gives to one answer: its copies, the first as recorded, and one more with a random start."""

    subject: str
    copies: tuple[Copy, ...]
    random_start: Copy


def prepare(night: LabelledNight, answer: Answer, seed: int) -> Prepared:
    """Features of a night and its spoiled copies. The generator depends on seed and subject alone."""

    def copy(of: LabelledNight) -> Copy:
        return Copy(ANSWERS[answer](of.heart_bpm, of.counts).astype(np.float32), of.stage, of.added)

    rng = np.random.default_rng([seed, crc32(night.subject.encode())])
    copies = tuple(copy(spoiled) for spoiled in training_copies(night, rng))
    return Prepared(night.subject, copies, copy(with_random_start(night, rng)))


def fit(nights: Sequence[Prepared], answer: Answer, seed: int) -> StageModel:
    """One answer's model from prepared nights of several subjects."""
    if len(nights) < FOLDS:
        raise SystemExit(f"Only {len(nights)} nights to learn from; at least {FOLDS} are needed.")
    with threadpool_limits(1):
        return _fit(nights, answer, seed)


def _fit(nights: Sequence[Prepared], answer: Answer, seed: int) -> StageModel:
    everything = np.concatenate([_rows(night)[0] for night in nights])
    mean = np.nanmean(everything, axis=0)
    scale = np.nanstd(everything, axis=0) + 1e-3
    members: list[MLPClassifier] = []
    unseen: list[tuple[list[int], list[int]]] = []
    for fold in range(FOLDS):
        learned = [night for i, night in enumerate(nights) if i % FOLDS != fold]
        held_out = [i for i in range(len(nights)) if i % FOLDS == fold]
        features, stage = (np.concatenate(part) for part in zip(*map(_rows, learned), strict=True))
        scores = np.nan_to_num(np.clip((features - mean) / scale, -FEATURE_LIMIT, FEATURE_LIMIT)).astype(np.float32)
        unseen.append((held_out, list(range(len(members), len(members) + SEEDS_PER_FOLD))))
        members += [_network(scores, stage, seed * 100 + fold * SEEDS_PER_FOLD + k) for k in range(SEEDS_PER_FOLD)]
    network = Network(
        mean=mean.astype(np.float32),
        scale=scale.astype(np.float32),
        hidden=np.hstack([m.coefs_[0] for m in members]).astype(np.float32),
        hidden_bias=np.hstack([m.intercepts_[0] for m in members]).astype(np.float32),
        output=np.stack([m.coefs_[1] for m in members]).astype(np.float32),
        output_bias=np.stack([m.intercepts_[1] for m in members]).astype(np.float32),
    )
    labels = np.concatenate([_rows(night)[1] for night in nights])
    prior = np.bincount(labels, minlength=4) / len(labels)
    honest = [
        (network.members(copy.features)[voices].mean(axis=0), copy)
        for held_out, voices in unseen
        for i in held_out
        for copy in (nights[i].copies[0], nights[i].random_start)
    ]
    return StageModel(network, _best_chain(honest, prior, live=answer == "live"))


def _network(scores: NDArray[np.float32], stage: Labels, seed: int) -> MLPClassifier:
    member = MLPClassifier(
        (HIDDEN_UNITS,), alpha=PENALTY, batch_size=256, learning_rate_init=2e-3, max_iter=PASSES, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is meant: it keeps the network humble
        return member.fit(scores, stage)


def _rows(night: Prepared) -> tuple[NDArray[np.float32], Labels]:
    """Labelled rows of all copies: every one of the recording itself, fewer of its copies, fewest of added waking."""
    features, stage = [], []
    for number, copy in enumerate(night.copies):
        every = 1 if number == 0 else _SPOILED_EVERY
        rows = np.arange(number % every, len(copy.stage), every)
        rows = rows[(copy.stage[rows] >= 0) & ((rows >= copy.added) | (rows % _ADDED_EVERY == 0))]
        features.append(copy.features[rows])
        stage.append(copy.stage[rows])
    return np.concatenate(features), np.concatenate(stage)


def _best_chain(honest: Sequence[tuple[Floats, Copy]], prior: Floats, *, live: bool) -> Chain:
    """The chain with the highest kappa on out-of-fold answers, at the temperature with the likeliest probabilities."""
    counted = np.full((4, 4), 0.5)
    for _, copy in honest:
        after, before = copy.stage[copy.added + 1 :], copy.stage[copy.added : -1]
        both = (after >= 0) & (before >= 0)
        np.add.at(counted, (before[both], after[both]), 1.0)
    counted[AWAKE, 2:] = 0.0
    width = max(len(said) for said, _ in honest)
    padded = np.full((width, len(honest), 4), np.nan)
    for i, (said, _) in enumerate(honest):
        padded[: len(said), i] = said
    truth = np.concatenate([copy.stage for _, copy in honest])
    judged = np.concatenate([(c.stage >= 0) & (np.arange(len(c.stage)) >= c.added) for _, c in honest])

    def answers(chain: Chain) -> Floats:
        beliefs = chain.forward(padded) if live else chain.both_ways(padded)
        return np.concatenate([beliefs[: len(said), i] for i, (said, _) in enumerate(honest)])

    def scored(chain: Chain) -> float:
        return kappa(truth[judged], answers(chain)[judged].argmax(axis=1))

    best = max(_chains(counted, prior), key=scored)
    logs = np.log(np.maximum(answers(best)[judged], 1e-9))
    right = np.arange(len(logs)), truth[judged]

    def surprise(temperature: float) -> float:
        cooled = logs / temperature
        return float((np.logaddexp.reduce(cooled, axis=1) - cooled[right]).mean())

    temperature = min(_TEMPERATURES.tolist(), key=surprise)
    return Chain(best.transition, best.prior, best.evidence, best.prior_exponent, temperature)


def _chains(counted: Floats, prior: Floats) -> Iterator[Chain]:
    for flatten in _FLATTEN:
        flat = (counted / counted.sum(axis=1, keepdims=True)) ** flatten
        transition = flat / flat.sum(axis=1, keepdims=True)
        for evidence in _EVIDENCE:
            for exponent in _PRIOR:
                yield Chain(transition, prior, evidence, exponent, 1.0)


def save_weights(path: Path, models: dict[Answer, StageModel]) -> None:
    """Write one weights file; numpy's archives carry no time stamp, so equal models give equal bytes."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for answer, model in models.items():
        arrays |= model.arrays(answer)
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
