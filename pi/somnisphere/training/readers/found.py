"""What a folder holds: this project's own ``.npz`` nights and public sets in their publishers' forms, side by side."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from somnisphere.errors import UserError
from somnisphere.training.readers import dreamt, mesa, own, sleep_accel, slpdb
from somnisphere.training.readers.night_set import NightSet
from somnisphere.training.spoil import LabelledNight

FORMS = (sleep_accel.find, slpdb.find, dreamt.find, mesa.find)
DEEPEST = 6
"""Folders below the given one that are looked into: a mirror of PhysioNet needs four."""
_OWN_WORDS = {"walch": "watch nights", "slpdb": slpdb.WORDS}
"""In the order in which nights are learned from: the same nights in the same order make the same weights."""

KNOWN = (
    "labels/*_labeled_sleep.txt with heart_rate and motion beside (PhysioNet sleep-accel), slp*.st with .ecg and .hea "
    "(slpdb), S*_whole_df.csv (DREAMT), polysomnography/annotations-rpoints (MESA), sleep/train/*/*.npz (this project)"
)


def find_sets(folder: Path, at_most: int | None = None) -> list[NightSet]:
    """All sets in and below ``folder``, none of whose nights is there twice; of each ``at_most`` so many nights.

    Of ``.npz`` nights only those in a folder named train: others may be kept for judging.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder. Give the one that holds the nights as --data.")
    found: list[NightSet] = []
    seen: set[tuple[str, str]] = set()
    for night_set in (*_own(folder), *_public(folder)):
        fresh = tuple(night for night in night_set.nights if (night_set.name, night) not in seen)
        seen.update((night_set.name, night) for night in fresh)
        if fresh:
            fewer = replace(night_set, nights=fresh)
            found.append(fewer if at_most is None else fewer.at_most(at_most))
    if not found:
        raise UserError(f"{folder}: no labelled nights are known in there. Looked for {KNOWN}.")
    return found


def read_sets(sets: list[NightSet], say: Callable[[str], object]) -> list[tuple[NightSet, list[LabelledNight]]]:
    """The nights of each set that hold a scored epoch; ``say`` gets one line a set."""
    read = []
    for night_set in sets:
        say(f"{night_set.name}: {len(night_set.nights)} nights, {night_set.form}, {night_set.folder}")
        nights = [night for night in night_set.all() if (night.stage >= 0).any()]
        if len(nights) < len(night_set.nights):
            say(f"{night_set.name}: {len(night_set.nights) - len(nights)} nights without a scored epoch left out")
        if nights:
            read.append((night_set, nights))
    if not read:
        raise UserError("None of the nights found holds an epoch that people scored. Download the labels again.")
    return read


def check_enough(persons: list[str], least: int) -> None:
    """Raises ``UserError`` when leaving one person out leaves fewer than ``least`` nights."""
    left = len(persons) - max(Counter(persons).values(), default=0)
    if left < least:
        raise UserError(
            f"{len(persons)} nights: without one person {left} are left to learn from, and {least} are needed. "
            "Give a folder with nights of more people."
        )


def _own(folder: Path) -> Iterator[NightSet]:
    train = folder if folder.name == "train" else folder / "sleep" / "train"
    if not train.is_dir():
        return
    places = {place.name: place for place in sorted(train.iterdir()) if place.is_dir()}
    for name in (*_OWN_WORDS, *(name for name in places if name not in _OWN_WORDS)):
        nights = tuple(path.stem for path in sorted(places[name].glob("*.npz"))) if name in places else ()
        if nights:
            words = _OWN_WORDS.get(name, f"nights ({name})")
            yield NightSet(name, "this project's .npz", places[name], nights, words, partial(_read_own, places[name]))


def _read_own(folder: Path, night: str) -> LabelledNight:
    return own.read(folder / f"{night}.npz")


def _public(folder: Path) -> Iterator[NightSet]:
    for place, below, _ in os.walk(folder):
        here = Path(place)
        deep = len(here.relative_to(folder).parts)
        below[:] = sorted(name for name in below if not name.startswith(".")) if deep < DEEPEST else []
        for find in FORMS:
            if (found := find(here)) is not None:
                yield found
