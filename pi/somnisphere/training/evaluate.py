"""Leave one subject out: each subject staged by a model that nothing of that subject has touched, in fitting, tuning
or normalising. As recorded, with a random start, and with the signals spoiled."""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from somnisphere.sleep.features import Floats
from somnisphere.sleep.model import StageModel
from somnisphere.training import spoil
from somnisphere.training.fit import ANSWERS, Answer, Prepared, fit, prepare
from somnisphere.training.judged import COLUMNS, Judged, figures_row, moments_line
from somnisphere.training.nights import read_nights
from somnisphere.training.spoil import LabelledNight

Spoil = Callable[[LabelledNight, np.random.Generator], LabelledNight]
AS_RECORDED = "as recorded"
RANDOM_START = "random start"
VARIANTS: dict[str, Spoil] = {
    AS_RECORDED: lambda night, _: night,
    RANDOM_START: spoil.with_random_start,
    "gaps": spoil.with_gaps,
    "spikes": spoil.with_spikes,
    "heart rate once a minute": lambda night, _: spoil.heart_once_a_minute(night),
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


def answer_for(model: StageModel, answer: Answer, night: LabelledNight) -> Floats:
    """Calibrated probabilities of a whole night, (n, 4), by the run-time features and chain."""
    said = model.network(ANSWERS[answer](night.heart_bpm, night.counts))
    chain = model.chain
    return chain.calibrate(chain.forward(said) if answer == "live" else chain.both_ways(said))


def judge(model: StageModel, answer: Answer, night: LabelledNight, variants: Sequence[str]) -> dict[str, Judged]:
    """What a model says of a night in each variant, at the epochs that are to be scored."""
    found = {}
    for name in variants:
        rng = np.random.default_rng([_JUDGING_SEED, crc32(night.subject.encode())])
        spoiled = VARIANTS[name](night, rng)
        found[name] = Judged(night.subject, spoiled.stage, answer_for(model, answer, spoiled), spoiled.added)
    return found


def take_turn(task: Task) -> list[dict[str, Judged]]:
    model = fit(task.learned, task.answer, task.seed)
    return [judge(model, task.answer, night, task.variants) for night in task.nights]


def person_of(night: LabelledNight | Prepared) -> str:
    """slpdb's 01a and 01b, 02a and 02b are two records of one man each."""
    return night.subject.removesuffix("a").removesuffix("b") if night.subject.startswith("slp") else night.subject


def leave_one_out(
    nights: Sequence[LabelledNight],
    also: Sequence[LabelledNight],
    answer: Answer,
    seed: int,
    variants: Sequence[str],
) -> dict[str, list[Judged]]:
    """Every night of ``nights`` judged by a model of all others and of ``also``, by variant."""
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
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


def print_table(folder: Path, seed: int) -> None:
    """All figures as Markdown on standard output, each as soon as it is there."""
    walch, slpdb = read_nights(folder / "walch"), read_nights(folder / "slpdb")
    _say(f"Leave one subject out, {len(walch)} watch nights.", "", *_heading())
    moments = []
    for answer in ANSWERS:
        for name, judged in leave_one_out(walch, [], answer, seed, list(VARIANTS)).items():
            _say(_row(f"{answer}, {name}", judged))
            if answer == "live" and name in (AS_RECORDED, RANDOM_START):
                moments.append(f"- {name}: {moments_line(judged)}")
    _say("", "The moment of sleep, live:", *moments)
    _say("", f"{len(slpdb)} records of beat intervals without motion (sleep apnoea).", "", *_heading())
    for answer in ANSWERS:
        model = fit([prepare(night, answer, seed) for night in walch], answer, seed)
        crossed = [judge(model, answer, night, [AS_RECORDED])[AS_RECORDED] for night in slpdb]
        _say(_row(f"{answer}, learned from watches alone", crossed))
        both = leave_one_out(slpdb, walch, answer, seed, [AS_RECORDED])[AS_RECORDED]
        _say(_row(f"{answer}, learned from watches and the other men", both))


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _heading() -> list[str]:
    names = ("answer, data", *COLUMNS)
    return [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]


def _row(name: str, judged: Sequence[Judged]) -> str:
    return f"| {' | '.join((name, *figures_row(judged)))} |"
