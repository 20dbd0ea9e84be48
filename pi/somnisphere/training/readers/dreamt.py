"""DREAMT (Wang et al. 2024, PhysioNet, doi 10.13026/62an-cb28 and later versions): an Empatica E4 watch beside
polysomnography, 100 people, many with sleep disorders.

One CSV a participant: ``data_64Hz/<SID>_whole_df.csv`` (the watch), ``data_100Hz/<SID>_whole_df.csv`` or
``<SID>_PSG_df_updated.csv`` (the same with laboratory signals; read only where 64 Hz is not there). Columns used:

- ``TIMESTAMP``: s;
- ``ACC_X``, ``ACC_Y``, ``ACC_Z``: 1/64 g, 32 Hz held over the rows between;
- ``HR``: the watch's own average in 1/min, one a second, held;
- ``Sleep_Stage``: P (preparation), W, N1, N2, N3, R or Missing.

From the authors' code (github.com/WillKeWang/DREAMT_FE, read_raw_e4.py), which also says that rows are held; the rates
and 1/64 g are Empatica's. Epoch 0 begins with the first row that is not P; what comes before is left out. An epoch has
the stage that most of its rows have. The beat intervals (``IBI``) are not used: the watch leaves many out.
"""

import csv
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from somnisphere.columns import RecordingError
from somnisphere.night import EPOCH_S
from somnisphere.sleep.features import Floats
from somnisphere.training.readers.movement import MovementCounter
from somnisphere.training.readers.night_set import MOST_EPOCHS, NightSet, labels_of, night_of_readings
from somnisphere.training.readers.number_lines import LINES_AT_ONCE
from somnisphere.training.spoil import LabelledNight

NAME = "dreamt"
ACCEL_RATE_HZ = 32.0
STEPS_PER_G = 64.0
NUMBERS = ("TIMESTAMP", "ACC_X", "ACC_Y", "ACC_Z", "HR")
STAGE = "Sleep_Stage"
PREPARATION = "P"
CODES = {"W": 0, "N1": 1, "N2": 2, "N3": 3, "R": 5}
_NOT_SCORED = 6
_ENDINGS = ("_whole_df.csv", "_PSG_df_updated.csv")
_AGAIN = "Download it again, or take it out of the folder."


def find(folder: Path) -> NightSet | None:
    files = {path.name.removesuffix(end): path for end in _ENDINGS for path in sorted(folder.glob(f"S*{end}"))}
    if folder.name == "data_100Hz":
        files = {
            sid: path
            for sid, path in files.items()
            if not (folder.parent / "data_64Hz" / f"{sid}{_ENDINGS[0]}").exists()
        }
    if not files:
        return None
    words = "nights of a research watch (DREAMT)"
    return NightSet(NAME, "participants' CSV", folder, tuple(sorted(files)), words, partial(_read_of, files))


def _read_of(files: dict[str, Path], sid: str) -> LabelledNight:
    return read(files[sid], sid)


def read(path: Path, sid: str) -> LabelledNight:
    zero_s: float | None = None
    tally = np.zeros((MOST_EPOCHS, _NOT_SCORED + 1), dtype=np.int64)
    movement = MovementCounter(ACCEL_RATE_HZ)
    hearts: list[Floats] = []
    slot = second = -1
    for numbers, stages in _pieces(path):
        if zero_s is None:
            begun = np.flatnonzero(stages != PREPARATION)
            if not len(begun):
                continue
            zero_s = float(numbers[begun[0], 0])
        time_s = numbers[:, 0] - zero_s
        inside = (time_s >= 0) & (time_s < MOST_EPOCHS * EPOCH_S)
        time_s, numbers, stages = time_s[inside], numbers[inside], stages[inside]
        codes = np.full(len(stages), _NOT_SCORED)
        for name, code in CODES.items():
            codes[stages == name] = code
        np.add.at(tally, ((time_s // EPOCH_S).astype(np.intp), codes), 1)

        known = np.isfinite(numbers)
        first, slot = _first_of_each(time_s * ACCEL_RATE_HZ, known[:, 1] & known[:, 2] & known[:, 3], slot)
        at_s = np.floor(time_s[first] * ACCEL_RATE_HZ + 1e-6) / ACCEL_RATE_HZ
        movement.add(at_s, numbers[first, 1:4] / STEPS_PER_G)
        first, second = _first_of_each(time_s, known[:, 4], second)
        hearts.append(np.stack([time_s[first], numbers[first, 4]], axis=1))
    if not tally[:, :_NOT_SCORED].any():
        raise RecordingError(path, f"column {STAGE!r} holds no stage", _AGAIN)
    count = int(np.flatnonzero(tally.any(axis=1)).max()) + 1
    stage = labels_of(tally[:count].argmax(axis=1))
    heart = np.concatenate(hearts)
    counts = movement.counts(2 * count)
    return night_of_readings(NAME, sid, stage, heart[:, 0], heart[:, 1], beats=False, counts=counts)


def _first_of_each(place: Floats, there: NDArray[np.bool_], last: int) -> tuple[NDArray[np.intp], int]:
    """Where each whole step of ``place`` is first known, for steps after ``last``; and the last of them."""
    rows = np.flatnonzero(there)
    steps = np.floor(place[rows] + 1e-6).astype(np.int64)
    found, first = np.unique(steps, return_index=True)
    first = first[found > last]
    return rows[first], max(last, int(found[-1])) if len(found) else last


def _pieces(path: Path) -> Iterator[tuple[Floats, NDArray[np.str_]]]:
    """Rows (k, 5) of NUMBERS, NaN where a cell is empty, and their stages (k,)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = [cell.strip() for cell in next(csv.reader(file), [])]
            for name in (*NUMBERS, STAGE):
                if name not in header:
                    raise RecordingError(path, f"column {name!r} is missing", _AGAIN)
            places = [header.index(name) for name in (*NUMBERS, STAGE)]
            before = 1
            while lines := list(islice(file, LINES_AT_ONCE)):
                yield _rows(path, lines, places, before)
                before += len(lines)
    except FileNotFoundError:
        raise RecordingError(path, "there is no such file", "Check the path.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise RecordingError(path, f"it cannot be read as CSV text ({problem})", _AGAIN) from problem


def _rows(path: Path, lines: list[str], places: list[int], before: int) -> tuple[Floats, NDArray[np.str_]]:
    try:
        numbers = np.loadtxt(lines, delimiter=",", usecols=places[:-1], ndmin=2, comments=None)
        stages = np.loadtxt(lines, dtype="U8", delimiter=",", usecols=places[-1], ndmin=1, comments=None)
        return np.asarray(numbers, dtype=np.float64), np.char.strip(stages)
    except ValueError:
        pass  # an empty cell, or a broken one: slower, and by line
    rows, names = [], []
    for number, cells in enumerate(csv.reader(lines), before + 1):
        if not cells:
            continue
        if len(cells) <= max(places):
            raise RecordingError(path, f"line {number} is cut off", _AGAIN)
        try:
            rows.append([float(cells[place].strip() or "nan") for place in places[:-1]])
        except ValueError as problem:
            raise RecordingError(path, f"line {number}: {problem}", _AGAIN) from None
        names.append(cells[places[-1]].strip())
    return np.array(rows, dtype=np.float64).reshape(-1, len(NUMBERS)), np.array(names, dtype="U8")
