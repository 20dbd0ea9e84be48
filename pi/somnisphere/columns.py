"""Files of named columns (.npz, .csv) as numpy arrays, with errors a person can act on."""

import csv
import gzip
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from somnisphere.errors import UserError

Columns = dict[str, NDArray[Any]]


class RecordingError(UserError):
    """A recording that cannot be used: which file, what is wrong with it, how to mend it."""

    def __init__(self, path: Path, wrong: str, mend: str) -> None:
        super().__init__(f"{path}: {wrong}. {mend}")
        self.path = path
        self.wrong = wrong
        self.mend = mend


def read_npz(path: Path) -> Columns:
    """All arrays of a .npz file. Pickled objects are refused: a recording is data, not code."""
    try:
        # Opened here, not by numpy: it leaves a file open that turns out to be broken.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except FileNotFoundError:
        raise RecordingError(path, "there is no such file", "Check the path.") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile, AttributeError) as problem:
        raise RecordingError(
            path, f"it is not a readable .npz file ({problem})", "Copy it again, or write it with numpy.savez."
        ) from problem


def read_csv(path: Path, wanted: Iterable[str], *, needed: Iterable[str]) -> Columns:
    """The ``wanted`` columns of a CSV file with a header, as float64 of equal length; an empty cell is NaN.

    ``needed`` columns must be there. Text that is not a number names its line.
    """
    try:
        with _open_text(path) as file:
            rows = csv.reader(file)
            header = [cell.strip().lower() for cell in next(rows, [])]
            for name in needed:
                if name not in header:
                    found = ", ".join(header) or "nothing"
                    raise RecordingError(
                        path, f"column {name!r} is missing (the first line names {found})", "Name it in the first line."
                    )
            places = {name: header.index(name) for name in wanted if name in header}
            values: dict[str, list[float]] = {name: [] for name in places}
            for row in rows:
                if not any(cell.strip() for cell in row):
                    continue
                for name, place in places.items():
                    values[name].append(_number(path, rows.line_num, name, row[place] if place < len(row) else ""))
    except FileNotFoundError:
        raise RecordingError(path, "there is no such file", "Check the path.") from None
    except (OSError, UnicodeDecodeError, csv.Error, EOFError) as problem:
        raise RecordingError(path, f"it cannot be read as CSV text ({problem})", "Save it as UTF-8 CSV.") from problem
    return {name: np.array(column, dtype=np.float64) for name, column in values.items()}


def _open_text(path: Path) -> Any:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _number(path: Path, line: int, column: str, cell: str) -> float:
    cell = cell.strip()
    if not cell:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        raise RecordingError(
            path, f"line {line}, column {column!r}: {cell!r} is not a number", "Write a number, or leave it empty."
        ) from None
