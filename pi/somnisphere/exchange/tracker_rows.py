"""What the readers of other trackers' files share: errors with a line, times, and spans that make nights. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from somnisphere.errors import UserError
from somnisphere.exchange.imported import ImportedNight, Span
from somnisphere.night import Stage

GAP_S = 3 * 3600.0
"""Spans further apart than this are of two nights."""
LONGEST_S = 26 * 3600.0
EARLIEST_S, LATEST_S = 631_152_000.0, 4_102_444_800.0
"""From 1990 to 2100."""


class TrackerError(UserError):
    """The file cannot be taken in. The text names the line where there is one."""


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a CSV file, empty ones left out. ``lines``: of each row, as an editor counts them."""

    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(cell.strip().casefold() for cell in self.rows[0])


def at(line: int, said: str) -> TrackerError:
    return TrackerError(f"line {line}: {said}")


def seconds_of(text: str, line: int) -> float:
    """ISO 8601; without an offset it is local time."""
    try:
        return in_range(datetime.fromisoformat(text.strip()).timestamp(), line)
    except (ValueError, OverflowError, OSError):
        raise at(line, f"{text[:60]!r} is no time such as 2026-03-14T23:05:00+01:00.") from None


def in_range(wall_s: float, line: int) -> float:
    if not EARLIEST_S <= wall_s <= LATEST_S:
        raise at(line, "its time lies before 1990 or after 2100.")
    return wall_s


def a_night(source: str, began_s: float, ended_s: float, line: int, spans: Iterable[Span] = ()) -> ImportedNight:
    """``minutes`` are those of its spans."""
    if not began_s < ended_s:
        raise at(line, "a night ends after it begins.")
    if ended_s - began_s > LONGEST_S:
        raise at(line, "this night is longer than a day.")
    kept = tuple(spans)
    minutes = {
        stage.value: round(sum(span.end_s - span.start_s for span in kept if span.stage is stage) / 60.0, 1)
        for stage in Stage
        if any(span.stage is stage for span in kept)
    }
    return ImportedNight(source, evening_of(began_s), began_s, ended_s, kept, minutes)


def evening_of(began_s: float) -> str:
    """A night that begins at one in the morning belongs to the day before, by the clock of this box."""
    return (datetime.fromtimestamp(began_s).astimezone() - timedelta(hours=12)).date().isoformat()


def nights_of(source: str, spans: Iterable[tuple[int, Span]]) -> Iterator[ImportedNight]:
    """Spans with their lines, in any order, parted where nothing was said for long."""
    night, first, ended_s = list[Span](), 0, 0.0
    for line, span in sorted(spans, key=lambda one: one[1].start_s):
        if span.end_s <= span.start_s:
            raise at(line, "a span ends after it begins.")
        if night and span.start_s < ended_s - 0.5:
            raise at(line, "it lies over another span.")
        if night and span.start_s - ended_s > GAP_S:
            yield a_night(source, night[0].start_s, ended_s, first, night)
            night = []
        first = first if night else line
        night.append(span)
        ended_s = span.end_s
    if night:
        yield a_night(source, night[0].start_s, ended_s, first, night)
