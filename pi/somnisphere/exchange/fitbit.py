"""Fitbit's sleep CSV: a night a line, with minutes of each stage and no spans.

Documented at https://sleepdiary.github.io/core/src/Fitbit (there, too: the end and the minutes are to be believed, the
start is not, when clocks change; minutes may be "N/A"; two ways of writing a date). Its count of awakenings is left.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from somnisphere.exchange.imported import ImportedNight
from somnisphere.exchange.tracker_rows import Table, a_night, at, in_range
from somnisphere.night import Stage

SOURCE = "fitbit"
NEEDED = ("start time", "end time", "minutes asleep", "minutes awake")
MINUTES = {
    "minutes awake": Stage.AWAKE,
    "minutes light sleep": Stage.LIGHT,
    "minutes deep sleep": Stage.DEEP,
    "minutes rem sleep": Stage.REM,
}
FORMS = ("%Y-%m-%d %I:%M%p", "%d-%m-%Y %I:%M %p", "%Y-%m-%d %I:%M %p", "%d-%m-%Y %I:%M%p")


def matches(table: Table) -> bool:
    return set(NEEDED) <= set(_body(table).header)


def _body(table: Table) -> Table:
    """The file begins with a line that says Sleep."""
    starts = 1 if table.header == ("sleep",) and len(table.rows) > 1 else 0
    return Table(table.rows[starts:], table.lines[starts:])


def read(table: Table) -> Iterator[ImportedNight]:
    body = _body(table)
    for row, line in zip(body.rows[1:], body.lines[1:], strict=True):
        if len(row) != len(body.header):
            raise at(line, f"it has {len(row)} columns, the line of names has {len(body.header)}.")
        said = dict(zip(body.header, row, strict=True))
        minutes = {stage.value: _minutes(said.get(name, ""), line) for name, stage in MINUTES.items()}
        asleep, awake = (_minutes(said[name], line) for name in NEEDED[2:])
        ended_s = _seconds(said["end time"], line)
        known = asleep is not None and awake is not None
        began_s = ended_s - ((asleep or 0.0) + (awake or 0.0)) * 60.0 if known else _seconds(said["start time"], line)
        night = a_night(SOURCE, began_s, ended_s, line)
        yield replace(night, minutes={stage: found for stage, found in minutes.items() if found is not None})


def _seconds(text: str, line: int) -> float:
    for form in FORMS:
        try:
            return in_range(datetime.strptime(text.strip().upper(), form).astimezone().timestamp(), line)
        except (ValueError, OverflowError):
            continue
    raise at(line, f"{text[:40]!r} is no time such as 2026-03-14 11:05PM.")


def _minutes(text: str, line: int) -> float | None:
    if text.strip().upper() in ("N/A", ""):
        return None
    try:
        found = float(text.replace(",", ""))
    except ValueError:
        found = -1.0
    if not 0.0 <= found <= 1560.0:
        raise at(line, f"{text[:40]!r} are no minutes of a night.")
    return found
