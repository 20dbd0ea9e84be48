"""Leave one subject out: each subject staged by a model that nothing of that subject has touched, in fitting, tuning
or normalising. As recorded, with a random start, and with the signals spoiled."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

import numpy as np

from somnisphere.sleep.drowsiness import Drowsiness
from somnisphere.sleep.features import STILL_COLUMNS, Floats
from somnisphere.sleep.model import StageModel
from somnisphere.sleep.rhythm_answer import RhythmListener, join_overnight
from somnisphere.training import spoil
from somnisphere.training.fit import ANSWERS, FOLDS, Answer, Prepared, fit, person_of, prepare
from somnisphere.training.judged import COLUMNS, Judged, figures_row, moments_line, ranges_line
from somnisphere.training.readers.found import check_enough, find_sets, read_sets
from somnisphere.training.readers.night_set import NightSet
from somnisphere.training.rhythmic import rhythm_of_night
from somnisphere.training.spoil import LabelledNight
from somnisphere.training.stirring import stirring_line

Say = Callable[[str], object]
Spoil = Callable[[LabelledNight, np.random.Generator], LabelledNight]
AS_RECORDED = "as recorded"
RANDOM_START = "random start"
FACTS_OF = (AS_RECORDED, RANDOM_START, "gaps", "no motion")
VARIANTS: dict[str, Spoil] = {
    AS_RECORDED: lambda night, _: night,
    RANDOM_START: spoil.with_random_start,
    "gaps": spoil.with_gaps,
    "spikes": spoil.with_spikes,
    "heart rate once a minute": lambda night, _: spoil.heart_once_a_minute(night),
    "every second minute missing": lambda night, _: spoil.every_second_minute_missing(night),
    "counts x 3": lambda night, _: spoil.with_counts_times(night, 3.0),
    "counts / 3": lambda night, _: spoil.with_counts_times(night, 1 / 3),
    "no motion": lambda night, _: spoil.without_motion(night),
    "no heart rate": lambda night, _: spoil.without_heart(night),
    "begun 90 min late": lambda night, _: spoil.begun_late(night, 90.0),
}
_JUDGING_SEED = 99


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One subject's turn: learn from ``learned``, answer for ``nights``."""

    answer: Answer
    learned: tuple[Prepared, ...]
    nights: tuple[LabelledNight, ...]
    variants: tuple[str, ...]
    seed: int


def answer_for(model: StageModel, answer: Answer, night: LabelledNight) -> Judged:
    """What a model says of a whole night, by the run-time features and chain."""
    features = ANSWERS[answer](night.heart_bpm, night.counts)
    said, chain = model.network(features), model.chain
    beliefs = chain.forward(said) if answer == "live" else chain.both_ways(said)
    drowsy = None
    if model.drowsiness is not None:
        stream = Drowsiness(model.drowsiness)
        steps = zip(said, features[:, STILL_COLUMNS], strict=True)
        drowsy = np.array([stream.step(probabilities, still) for probabilities, still in steps], dtype=np.float64)
    answered = chain.calibrate(beliefs)
    if model.rhythm is not None and night.beats is not None and np.isnan(night.counts).all():
        rhythms = rhythm_of_night(night)
        if answer == "live":
            answered = _heard_live(RhythmListener(model.rhythm), answered, rhythms)
        else:
            answered = join_overnight(model.rhythm, answered, rhythms, np.zeros(len(rhythms), dtype=bool))
    return Judged(night.subject, night.stage, answered, night.added, drowsy)


def _heard_live(listener: RhythmListener, probabilities: Floats, rhythms: Floats) -> Floats:
    """As the stager goes through a night."""
    answered = np.empty_like(probabilities)
    for k, rhythm in enumerate(rhythms):
        listener.step(rhythm)
        answered[k] = listener.join(probabilities[k])
    return answered


def judge(model: StageModel, answer: Answer, night: LabelledNight, variants: Sequence[str]) -> dict[str, Judged]:
    """What a model says of a night in each variant, at the epochs that are to be scored."""
    found = {}
    for name in variants:
        rng = np.random.default_rng([_JUDGING_SEED, crc32(night.subject.encode())])
        spoiled = VARIANTS[name](night, rng)
        found[name] = answer_for(model, answer, spoiled)
    return found


def take_turn(task: Task) -> list[dict[str, Judged]]:
    model = fit(task.learned, task.answer, task.seed)
    return [judge(model, task.answer, night, task.variants) for night in task.nights]


def leave_one_out(
    nights: Sequence[LabelledNight],
    also: Sequence[LabelledNight],
    answer: Answer,
    seed: int,
    variants: Sequence[str],
) -> dict[str, list[Judged]]:
    """Every night of ``nights`` judged by a model of all others and of ``also``, by variant."""
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        everything = [*nights, *also]
        prepared = list(pool.map(prepare, everything, [answer] * len(everything), [seed] * len(everything)))
        tasks = [
            Task(
                answer,
                tuple(p for p in prepared if person_of(p) != person),
                tuple(night for night in nights if person_of(night) == person),
                tuple(variants),
                seed,
            )
            for person in sorted({person_of(night) for night in nights})
        ]
        turns = [judged for turn in pool.map(take_turn, tasks) for judged in turn]
    return {name: [turn[name] for turn in turns] for name in variants}


def table(folder: Path, seed: int, at_most: int | None = None, say: Say = lambda _: None) -> Iterator[str]:
    """All figures of all sets in ``folder`` as lines of Markdown, each as soon as it is there. Of each set ``at_most``
    so many nights; ``say`` gets what was found."""
    sets = read_sets(find_sets(folder, at_most), say)
    check_enough([person_of(night) for _, nights in sets for night in nights], FOLDS)
    moving = [found for found in sets if any(not np.isnan(night.counts).all() for night in found[1])]
    for found, nights in moving:
        yield from (f"Leave one subject out, {len(nights)} {found.words}.", "", *heading())
        moments, facts = list[str](), list[str]()
        for answer in ANSWERS:
            judged_by_name = leave_one_out(nights, _others(sets, found), answer, seed, list(VARIANTS))
            for name, judged in judged_by_name.items():
                yield _row(f"{answer}, {name}", judged)
                if answer == "live" and name in (AS_RECORDED, RANDOM_START):
                    moments.append(f"- {name}: {moments_line(judged)} {stirring_line(judged)}")
                elif answer == "overnight" and name in FACTS_OF:
                    facts.append(f"- {name}: {ranges_line(judged)}")
        yield from ("", "Moments, live:", "", *moments, "")
        yield from ("Facts of the night, share of nights whose truth lay in the range said (median width, min):", "")
        yield from (*facts, "")
    for found, nights in sets:
        if any(found is other for other, _ in moving):
            continue
        yield from (f"{len(nights)} {found.words}.", "", *heading())
        for answer in ANSWERS:
            for name, judged in leave_one_out(nights, _others(sets, found), answer, seed, [AS_RECORDED]).items():
                yield _row(f"{answer}, {name}", judged)


def _others(sets: Sequence[tuple[NightSet, list[LabelledNight]]], but: NightSet) -> list[LabelledNight]:
    return [night for found, nights in sets if found is not but for night in nights]


def heading() -> list[str]:
    names = ("answer, data", *COLUMNS)
    return [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]


def _row(name: str, judged: Sequence[Judged]) -> str:
    return f"| {' | '.join((name, *figures_row(judged)))} |"
