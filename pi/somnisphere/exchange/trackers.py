"""A file of another tracker: which one it is, by its first line, and what it holds."""

import csv
import io
import sys
from pathlib import Path

from somnisphere.exchange import fitbit, plain, sleep_as_android, withings
from somnisphere.exchange.imported import ImportedNight
from somnisphere.exchange.tracker_rows import Table, TrackerError

READERS = (sleep_as_android, fitbit, withings, plain)
LARGEST_BYTES = 50_000_000
LARGEST_CELL = 10_000_000
CONVERT = (
    "Known are Fitbit's sleep CSV, Sleep as Android's sleep-export.csv, Withings' raw_…_sleep-state.csv, and a plain "
    "CSV with the columns start, end, stage (times such as 2026-03-14T23:05:00+01:00; stages awake, light, deep, rem "
    "or unknown). Bring the file into that form."
)


def read_tracker(path: Path) -> list[ImportedNight]:
    """``TrackerError`` names the file, the line and the mend."""
    try:
        table = _table(path)
        reader = next((one for one in READERS if table.rows and one.matches(table)), None)
        if reader is None:
            found = ", ".join(cell[:30] for cell in table.rows[0][:12]) if table.rows else "nothing"
            raise TrackerError(f"its first line names {found!r:.300}, which no reader here knows. {CONVERT}")
        nights = list(reader.read(table))
    except TrackerError as problem:
        raise TrackerError(f"{path}: {problem}") from problem
    if not nights:
        raise TrackerError(f"{path}: there is no night in it.")
    return nights


def _table(path: Path) -> Table:
    rows, lines = list[tuple[str, ...]](), list[int]()
    csv.field_size_limit(LARGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(_content(path).decode("utf-8-sig"), newline=""))
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(tuple(row))
                lines.append(reader.line_num)
    except OSError as problem:
        raise TrackerError(f"cannot be read: {problem.strerror or problem}.") from problem
    except UnicodeDecodeError as problem:
        raise TrackerError(f"this is not text in UTF-8 (byte {problem.start}). {CONVERT}") from problem
    except csv.Error as problem:
        raise TrackerError(f"this is no CSV: {problem}. {CONVERT}") from problem
    return Table(tuple(rows), tuple(lines))


def _content(path: Path) -> bytes:
    """``-``: standard input."""
    if str(path) == "-":
        content = sys.stdin.buffer.read(LARGEST_BYTES + 1)
    else:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise TrackerError(f"it is larger than {LARGEST_BYTES // 10**6} MB. Cut it into pieces.")
    return content
