"""The plain form that any tracker's nights can be brought into: a CSV with a span a line.

    start,end,stage
    2026-03-14T23:05:00+01:00,2026-03-14T23:20:00+01:00,awake
    2026-03-14T23:20:00+01:00,2026-03-15T00:40:00+01:00,light

Times are ISO 8601; without an offset they are local. Stages: awake, light (or n1, n2), deep (or n3), rem, and unknown
or nothing. A column ``source`` names the tracker; other columns are not looked at. Spans further apart than three
hours are of two nights.
"""

from collections.abc import Iterator

from somnisphere.exchange.imported import ImportedNight, Span
from somnisphere.exchange.tracker_rows import Table, TrackerError, at, nights_of, seconds_of
from somnisphere.night import Stage

NEEDED = ("start", "end", "stage")
STAGES = {
    **dict.fromkeys(("awake", "wake", "w"), Stage.AWAKE),
    **dict.fromkeys(("light", "n1", "n2"), Stage.LIGHT),
    **dict.fromkeys(("deep", "n3"), Stage.DEEP),
    **dict.fromkeys(("rem", "r"), Stage.REM),
    **dict.fromkeys(("", "unknown", "?"), None),
}


def matches(table: Table) -> bool:
    return set(NEEDED) <= set(table.header)


def read(table: Table) -> Iterator[ImportedNight]:
    header = table.header
    start, end, stage = (header.index(name) for name in NEEDED)
    source = header.index("source") if "source" in header else None
    found = dict[str, list[tuple[int, Span]]]()
    for row, line in zip(table.rows[1:], table.lines[1:], strict=True):
        if len(row) != len(header):
            raise at(line, f"it has {len(row)} columns, the first line has {len(header)}.")
        word = row[stage].strip().casefold()
        if word not in STAGES:
            raise at(line, f"{row[stage][:40]!r} is no stage: awake, light, deep, rem or unknown.")
        span = Span(seconds_of(row[start], line), seconds_of(row[end], line), STAGES[word])
        named = "csv" if source is None else " ".join(row[source].split())[:40] or "csv"
        if named.casefold() == "somnisphere":
            raise TrackerError("nights of Somnisphere itself come back by `somnisphere restore`, not by import.")
        found.setdefault(named, []).append((line, span))
    for named, spans in found.items():
        yield from nights_of(named, spans)
