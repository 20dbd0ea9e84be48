"""From labelled nights to a ``StageModel``: spoiled copies, features, networks fitted without a share of the subjects
each, a chain and a temperature chosen on what the networks said of the subjects they had not seen.

Nothing is random but by the seed, and everything runs on one thread: the same nights and seed give the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from somnisphere.sleep.features import Floats, live_features, overnight_features
from somnisphere.sleep.model import Chain, Network, RhythmModel, StageModel, standard_scores
from somnisphere.training.convolution import fit_network
from somnisphere.training.drowsy import fit_drowsiness
from somnisphere.training.figures import kappa
from somnisphere.training.rhythmic import RhythmRows, fit_softmax, prepare_rhythm
from somnisphere.training.spoil import AWAKE, UNLABELLED, LabelledNight, training_copies, with_random_start

Labels = NDArray[np.int64]
Answer = str
ANSWERS: dict[Answer, Callable[[Floats, Floats], Floats]] = {"live": live_features, "overnight": overnight_features}

FOLDS = 5
DROWSY_COPIES = 4
"""The night itself, rounded otherwise, with gaps and with spikes: falling asleep is learned from these."""
_ADDED_EVERY = 3
_FLATTEN = (0.0, 0.2, 0.5)
_EVIDENCE = (0.7, 1.0, 1.3)
_PRIOR = (0.0, 0.15, 0.3)
_SURPRISE = 0.5
"""What a nat of surprise weighs against kappa."""
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
    moving: bool
    """Whether its movement was recorded."""
    rhythm: RhythmRows | None
    """None: its beat intervals were not."""


def prepare(night: LabelledNight, answer: Answer, seed: int) -> Prepared:
    """Features of a night and its spoiled copies. The generator depends on seed and subject alone."""

    def copy(of: LabelledNight) -> Copy:
        return Copy(ANSWERS[answer](of.heart_bpm, of.counts).astype(np.float32), of.stage, of.added)

    rng = np.random.default_rng([seed, crc32(night.subject.encode())])
    copies = tuple(copy(spoiled) for spoiled in training_copies(night, rng))
    moving = not bool(np.isnan(night.counts).all())
    early = copy(with_random_start(night, rng))
    return Prepared(night.subject, copies, early, moving, prepare_rhythm(night, answer, seed))


def person_of(night: LabelledNight | Prepared) -> str:
    """slpdb's 01a and 01b, 02a and 02b are two records of one man each."""
    return night.subject.removesuffix("a").removesuffix("b") if night.subject.startswith("slp") else night.subject


def fit(nights: Sequence[Prepared], answer: Answer, seed: int) -> StageModel:
    """One answer's model from prepared nights of several subjects. Every network learns from the nights without
    movement; chain and drowsiness are chosen on the nights with movement, if there are enough: a bedside has both."""
    if len(nights) < FOLDS:
        raise SystemExit(f"Only {len(nights)} nights to learn from; at least {FOLDS} are needed.")
    moving = [night for night in nights if night.moving]
    chosen_on, always = (moving, [n for n in nights if not n.moving]) if len(moving) >= FOLDS else (list(nights), [])
    everything = np.concatenate([copy.features for night in nights for copy in night.copies])
    # Half precision as kept: what is judged must be what runs.
    mean = np.asarray(np.nanmean(everything, axis=0, dtype=np.float64)).astype(np.float16).astype(np.float32)
    scale = np.asarray(np.nanstd(everything, axis=0, dtype=np.float64) + 1e-3).astype(np.float16).astype(np.float32)
    members: list[dict[str, NDArray[np.float32]]] = []
    unseen: list[list[Prepared]] = []
    for fold in range(FOLDS):
        learned = [
            (standard_scores(copy.features, mean, scale, whole=answer == "overnight"), _counted(copy))
            for night in [night for i, night in enumerate(chosen_on) if i % FOLDS != fold] + always
            for copy in night.copies
        ]
        unseen.append(chosen_on[fold::FOLDS])
        members.append(fit_network(learned, seed * 100 + fold, ahead=answer == "overnight"))

    def stacked(name: str, axis: int) -> NDArray[np.float32]:
        # What is kept is half precision; what is judged must be what is kept.
        return np.stack([m[name] for m in members], axis).astype(np.float16).astype(np.float32)

    network = Network(
        mean=mean,
        scale=scale,
        entry=stacked("entry", 0),
        entry_bias=stacked("entry_bias", 0)[:, None],
        mix=stacked("mix", 2),
        mix_bias=stacked("mix_bias", 1)[:, :, None],
        output=stacked("output", 0),
        output_bias=stacked("output_bias", 0)[:, None],
        ahead=answer == "overnight",
    )
    labels = np.concatenate([stage[stage >= 0] for night in chosen_on for stage in map(_counted, night.copies)])
    prior = np.bincount(labels, minlength=4) / len(labels)
    live = answer == "live"

    def honest(copies: int) -> list[tuple[Floats, Copy]]:
        """What was said of the first copies and the random start by the one network that had not seen the night."""
        return [
            (network.members(copy.features)[fold], copy)
            for fold, held_out in enumerate(unseen)
            for night in held_out
            for copy in (*night.copies[:copies], night.random_start)
        ]

    drowsiness = None
    if live:
        first_hours = honest(DROWSY_COPIES)
        drowsiness = fit_drowsiness([(said, copy.features, copy.stage) for said, copy in first_hours])
    return StageModel(network, _best_chain(honest(1), prior, live=live), drowsiness, fit_rhythm(nights, answer))


def fit_rhythm(nights: Sequence[Prepared], answer: Answer) -> RhythmModel | None:
    """From the nights whose beat intervals are known; the chain is chosen on what regressions said of people that they
    had not seen. None: too few people."""
    known = [(person_of(night), night.rhythm) for night in nights if night.rhythm is not None]
    people = sorted({person for person, _ in known})
    if len(people) < FOLDS:
        return None
    honest: list[tuple[Floats, Copy]] = []
    for fold in range(FOLDS):
        held_out = people[fold::FOLDS]
        regression = fit_softmax([rows for person, rows in known if person not in held_out])
        honest += [
            (regression(rows.clean), Copy(rows.clean.astype(np.float32), rows.stage, 0))
            for person, rows in known
            if person in held_out
        ]
    labels = np.concatenate([rows.stage[rows.stage >= 0] for _, rows in known])
    prior = np.bincount(labels, minlength=4) / len(labels)
    return RhythmModel(fit_softmax([rows for _, rows in known]), _best_chain(honest, prior, live=answer == "live"))


def _counted(copy: Copy) -> Labels:
    """The copy's labels, of added waking only every third: more would teach that people are mostly awake."""
    rows = np.arange(len(copy.stage))
    return np.where((rows >= copy.added) | (rows % _ADDED_EVERY == 0), copy.stage, UNLABELLED)


def _best_chain(honest: Sequence[tuple[Floats, Copy]], prior: Floats, *, live: bool) -> Chain:
    """The chain with the highest kappa less a share of its surprise on out-of-fold answers, each at the temperature
    with the likeliest probabilities. Kappa alone jumps about with twenty nights and takes chains that are too sure."""
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

    right = np.arange(int(judged.sum())), truth[judged]

    def tried(chain: Chain) -> tuple[float, Chain]:
        said = answers(chain)[judged]
        logs = np.log(np.maximum(said, 1e-9))
        surprises = [
            float((np.logaddexp.reduce(logs / warm, axis=1) - logs[right] / warm).mean()) for warm in _TEMPERATURES
        ]
        best = int(np.argmin(surprises))
        score = kappa(right[1], said.argmax(axis=1)) - _SURPRISE * surprises[best]
        return score, replace(chain, temperature=float(_TEMPERATURES[best]))

    return max((tried(chain) for chain in _chains(counted, prior)), key=lambda pair: pair[0])[1]


def _chains(counted: Floats, prior: Floats) -> Iterator[Chain]:
    for flatten in _FLATTEN:
        flat = np.where(counted > 0.0, (counted / counted.sum(axis=1, keepdims=True)) ** flatten, 0.0)
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
