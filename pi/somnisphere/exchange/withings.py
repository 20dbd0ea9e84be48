"""Withings' ``raw_…_sleep-state.csv``: lists of lengths in seconds and of states, from a start on.

Documented at https://biopsykit.readthedocs.io (``biopsykit.io.sleep_analyzer``) and, for the states, in Withings' own
developer's pages (Sleep v2): 0 awake, 1 light, 2 deep, 3 REM, 4 entered by hand, 5 not said which.
"""

import json
from collections.abc import Iterator

from somnisphere.exchange.imported import ImportedNight, Span
from somnisphere.exchange.tracker_rows import Table, at, in_range, nights_of, seconds_of
from somnisphere.night import Stage

SOURCE = "withings"
HEADER = ("start", "duration", "value")
STATES = {0: Stage.AWAKE, 1: Stage.LIGHT, 2: Stage.DEEP, 3: Stage.REM, 4: None, 5: None}


def matches(table: Table) -> bool:
    return table.header == HEADER


def read(table: Table) -> Iterator[ImportedNight]:
    spans = [
        (line, span) for row, line in zip(table.rows[1:], table.lines[1:], strict=True) for span in _spans(row, line)
    ]
    yield from nights_of(SOURCE, spans)


def _spans(row: tuple[str, ...], line: int) -> Iterator[Span]:
    if len(row) != len(HEADER):
        raise at(line, f"it has {len(row)} columns, not start, duration and value.")
    start_s = seconds_of(row[0], line)
    lengths_s, states = _list(row[1], line), _list(row[2], line)
    if len(lengths_s) != len(states):
        raise at(line, f"it has {len(lengths_s)} lengths and {len(states)} states.")
    for length_s, state in zip(lengths_s, states, strict=True):
        if not 0.0 < length_s <= 86400.0:
            raise at(line, f"{length_s:g} is no length of a span in seconds.")
        if state not in STATES:
            raise at(line, f"{state:g} is no state of sleep (0 to 5). The file wanted is raw_…_sleep-state.csv.")
        yield Span(start_s, in_range(start_s + length_s, line), STATES[int(state)])
        start_s += length_s


def _list(text: str, line: int) -> list[float]:
    try:
        found = json.loads(text)
        if isinstance(found, list) and all(type(one) in (int, float) for one in found):
            return found
    except (ValueError, RecursionError):
        pass
    raise at(line, f"{text[:40]!r} is no list of numbers such as [60,60].")
