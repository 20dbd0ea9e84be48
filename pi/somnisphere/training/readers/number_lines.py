"""Large text files of numbers, a piece at a time, so that memory does not grow with the file."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from somnisphere.columns import RecordingError
from somnisphere.sleep.features import Floats

LINES_AT_ONCE = 65536


def number_pieces(path: Path, columns: int) -> Iterator[Floats]:
    """Pieces (k, ``columns``) of a file of numbers without a header, split by commas or by white space."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            before = 0
            while lines := list(islice(file, LINES_AT_ONCE)):
                piece = _numbers(path, lines, before, columns)
                before += len(lines)
                if len(piece):
                    yield piece
    except FileNotFoundError:
        raise RecordingError(path, "there is no such file", "Unpack or download the whole set again.") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise RecordingError(path, f"it cannot be read as text ({problem})", "Download it again.") from problem


def all_numbers(path: Path, columns: int) -> Floats:
    """The whole file, (n, ``columns``)."""
    pieces = list(number_pieces(path, columns))
    if not pieces:
        raise RecordingError(path, "it is empty", "Download it again.")
    return np.concatenate(pieces)


def _numbers(path: Path, lines: list[str], before: int, columns: int) -> Floats:
    lines = [line.replace(",", " ") for line in lines]
    if not any(map(str.strip, lines)):
        return np.zeros((0, columns))
    try:
        piece = np.loadtxt(lines, ndmin=2, comments=None, usecols=range(columns))
    except ValueError:
        for number, line in enumerate(lines, before + 1):
            _check(path, number, line, columns)
        raise
    return np.asarray(piece, dtype=np.float64)


def _check(path: Path, number: int, line: str, columns: int) -> None:
    cells = line.split()
    if cells and len(cells) < columns:
        raise RecordingError(path, f"line {number} has {len(cells)} numbers, not {columns}", "Download it again.")
    for cell in cells[:columns]:
        try:
            float(cell)
        except ValueError:
            raise RecordingError(path, f"line {number}: {cell!r} is not a number", "Download it again.") from None
