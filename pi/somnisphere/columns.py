"""Files of named columns (.npz, .csv) as numpy arrays, with errors a person can act on."""

import csv
import gzip
import struct
import tokenize
import zipfile
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from somnisphere.errors import UserError

Columns = dict[str, NDArray[Any]]

MOST_BYTES = 1_500_000_000
"""Of all arrays of a file: a night of eight signals at 256 Hz takes a third of it. A file says of itself how large its
arrays are, and is not believed."""

MOST_LINES = 20_000_000
LONGEST_LINE = 100_000

_NPZ_PROBLEMS = (
    *(OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error),
    *(NotImplementedError, RuntimeError, tokenize.TokenError, SyntaxError, TypeError, KeyError, MemoryError),
)
"""What zipfile and numpy raise over a broken file."""


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
        with zipfile.ZipFile(path) as archive:
            arrays = [entry.filename for entry in archive.infolist() if entry.filename.endswith(".npy")]
            if sum(_array_bytes(archive, name) for name in arrays) > MOST_BYTES:
                raise RecordingError(
                    path,
                    f"its arrays are longer than {MOST_BYTES // 1_000_000} MB",
                    "Split it into shorter recordings.",
                )
            return {name.removesuffix(".npy"): _array(archive, name) for name in arrays}
    except FileNotFoundError:
        raise RecordingError(path, "there is no such file", "Check the path.") from None
    except _NPZ_PROBLEMS as problem:
        said = " ".join(str(problem).split())[:200] or type(problem).__name__
        raise RecordingError(
            path, f"it is not a readable .npz file ({said})", "Copy it again, or write it with numpy.savez."
        ) from problem


def _array_bytes(archive: zipfile.ZipFile, name: str) -> int:
    """How much memory an array will take, as its header says."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    count = 1
    for length in shape:
        if not 0 <= length <= MOST_BYTES:
            raise ValueError(f"{name} has the shape {shape}")
        count *= length
    return count * dtype.itemsize


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def read_csv(path: Path, wanted: Iterable[str], *, needed: Iterable[str]) -> Columns:
    """The ``wanted`` columns of a CSV file with a header, as float64 of equal length; an empty cell is NaN.

    ``needed`` columns must be there. Text that is not a number names its line.
    """
    try:
        with _open_text(path) as file:
            rows = csv.reader(_lines(path, file))
            header = [cell.strip().lower() for cell in next(rows, [])]
            for name in needed:
                if name not in header:
                    found = ", ".join(header) or "nothing"
                    raise RecordingError(
                        path, f"column {name!r} is missing (the first line names {found})", "Name it in the first line."
                    )
            places = {name: header.index(name) for name in wanted if name in header}
            values = {name: array("d") for name in places}
            for row in rows:
                if not any(cell.strip() for cell in row):
                    continue
                for name, place in places.items():
                    values[name].append(_number(path, rows.line_num, name, row[place] if place < len(row) else ""))
    except FileNotFoundError:
        raise RecordingError(path, "there is no such file", "Check the path.") from None
    except (OSError, UnicodeDecodeError, csv.Error, EOFError, zlib.error) as problem:
        raise RecordingError(path, f"it cannot be read as CSV text ({problem})", "Save it as UTF-8 CSV.") from problem
    return {name: np.array(column, dtype=np.float64) for name, column in values.items()}


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    """None longer than ``LONGEST_LINE``: a small file may unpack to one without end."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE or number > MOST_LINES:
            wrong = f"line {number} is endless" if number <= MOST_LINES else f"it has more than {MOST_LINES:,} lines"
            raise RecordingError(path, wrong, "Save it as CSV with a line for each sample, and split what is too long.")
        yield line


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
            path, f"line {line}, column {column!r}: {cell[:60]!r} is not a number", "Write a number, or leave it empty."
        ) from None
