"""Sleep as Android's ``sleep-export.csv``: two or three lines a night, the first of them its names.

Documented by its maker: https://docs.sleep.urbandroid.org/devs/csv.html and, for the events,
https://docs.sleep.urbandroid.org/devs/sleepcloud_api.html (event labels). As https://sleepdiary.github.io/core/src/
SleepAsAndroid says, a night begins at ``Id`` and lasts ``Hours``: the written times are of no use when clocks change.
Rating, comment, snoring, cycles, the share of deep sleep and the place are left.
"""

from collections.abc import Iterator

from somnisphere.exchange.imported import ImportedNight, Span
from somnisphere.exchange.tracker_rows import LONGEST_S, Table, a_night, at, in_range
from somnisphere.night import Stage

SOURCE = "sleep as android"
HEAD = ("id", "tz", "from", "to", "sched", "hours")
LABELS = {"AWAKE": Stage.AWAKE, "LIGHT": Stage.LIGHT, "DEEP": Stage.DEEP, "REM": Stage.REM}


def matches(table: Table) -> bool:
    return table.header[: len(HEAD)] == HEAD


def read(table: Table) -> Iterator[ImportedNight]:
    names: tuple[str, ...] = ()
    for row, line in zip(table.rows, table.lines, strict=True):
        if row[0].strip().casefold() == "id":
            names = tuple(cell.strip().casefold() for cell in row)
        elif row[0].strip():  # the third line of a night is of noise, and begins with nothing
            yield _night(dict(zip(names, row, strict=False)), names, row, line)


def _night(said: dict[str, str], names: tuple[str, ...], row: tuple[str, ...], line: int) -> ImportedNight:
    began_s = in_range(_number(said.get("id", ""), line) / 1000.0, line)
    length_s = _number(said.get("hours", ""), line) * 3600.0
    if not 0.0 < length_s <= LONGEST_S:
        raise at(line, f"{said.get('hours', '')[:20]!r} are no hours of a night.")
    ended_s = began_s + length_s
    events = [cell for name, cell in zip(names, row, strict=False) if name == "event"]
    return a_night(SOURCE, began_s, ended_s, line, _spans(events, began_s, ended_s, line))


def _spans(events: list[str], began_s: float, ended_s: float, line: int) -> list[Span]:
    """Each stage begins with an event and lasts to its own end, to the next beginning, or to the night's end."""
    marks = list[tuple[float, bool, Stage]]()
    for event in events:
        label, _, rest = event.partition("-")
        kind, _, edge = label.rpartition("_")
        if kind in LABELS and edge in ("START", "END"):
            at_s = min(max(_number(rest.partition("-")[0], line) / 1000.0, began_s), ended_s)
            marks.append((at_s, edge == "START", LABELS[kind]))
    spans, now, since_s = list[Span](), None, began_s
    for at_s, begins, stage in sorted(marks, key=lambda mark: mark[:2]):  # at the same time an end comes first
        if not begins and stage is not now:
            continue
        if now is not None and at_s > since_s:
            spans.append(Span(since_s, at_s, now))
        now, since_s = (stage, at_s) if begins else (None, at_s)
    if now is not None and ended_s > since_s:
        spans.append(Span(since_s, ended_s, now))
    return spans


def _number(text: str, line: int) -> float:
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not -1e15 < found < 1e15:
        raise at(line, f"{text[:40]!r} is no number.")
    return found
