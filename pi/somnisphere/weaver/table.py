"""A story on the table: who sits around it, and the lines so far. Pure; every change makes a new table."""

from collections.abc import Collection
from dataclasses import dataclass, replace

MOST_LINES = 300
MOST_CHARS = 600
MOST_TELLERS = 12


@dataclass(frozen=True, slots=True)
class Line:
    """``recording``: the file in which the teller says it, "" while nobody did; ``recorded_on``: that day, in ISO form;
    ``circle``: the teller allowed that other households hear it, too."""

    teller: str
    text: str
    recording: str = ""
    recording_s: float = 0.0
    recorded_on: str = ""
    circle: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the tellers of a table allowed of their voices: ``by`` whom, ``on`` which day at the latest (ISO), and
    whether all of them said that it may go to other households."""

    by: str
    on: str
    circle: bool


@dataclass(frozen=True, slots=True)
class Table:
    """``cards``: keys of ``cards.CARDS`` that lie on it."""

    title: str
    language: str = "en"
    tellers: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    cards: tuple[str, ...] = ()

    @property
    def turn(self) -> str:
        """Whose line is next: who sits after the last one who told; "" when nobody was named."""
        if not self.tellers:
            return ""
        last = next((line.teller for line in reversed(self.lines) if line.teller in self.tellers), None)
        return self.tellers[0 if last is None else (self.tellers.index(last) + 1) % len(self.tellers)]

    @property
    def is_recorded(self) -> bool:
        """Whether somebody said every line."""
        return bool(self.lines) and all(line.recording for line in self.lines)

    def added(self, teller: str, text: str) -> "Table":
        """One line more. ``TableError``: there is no room, or nothing in it."""
        if len(self.lines) >= MOST_LINES:
            raise TableError("full")
        return replace(self, lines=(*self.lines, Line(teller, _line(text))))

    def changed(self, number: int, text: str) -> "Table":
        """Line ``number`` (0 is the first) in other words; what was recorded of the old ones goes."""
        line = self.line(number)
        if _line(text) == line.text:
            return self
        return self._with(number, Line(line.teller, _line(text)))

    def taken_out(self, number: int) -> "Table":
        self.line(number)
        return replace(self, lines=self.lines[:number] + self.lines[number + 1 :])

    def recorded(
        self, number: int, recording: str, recording_s: float, *, on: str = "", circle: bool = False
    ) -> "Table":
        """Line ``number`` with a voice; "" takes it away."""
        line = self.line(number)
        return self._with(number, Line(line.teller, line.text, recording, recording_s, on, circle))

    @property
    def voices(self) -> frozenset[str]:
        """The recordings of its lines, by name."""
        return frozenset(line.recording for line in self.lines if line.recording)

    def heard_from(self, there: Collection[str]) -> "Table":
        """With the voices that are still ``there``: those that were taken away stay away, in earlier versions, too."""
        lines = (line if line.recording in there else Line(line.teller, line.text) for line in self.lines)
        return replace(self, lines=tuple(lines))

    @property
    def allowed(self) -> Allowed | None:
        """None as long as not every line has a voice."""
        if not self.is_recorded:
            return None
        tellers = ", ".join(dict.fromkeys(line.teller for line in self.lines if line.teller))
        return Allowed(tellers, max(line.recorded_on for line in self.lines), all(line.circle for line in self.lines))

    def joined(self, teller: str) -> "Table":
        """Somebody more sits down, to the left of the first."""
        if not teller or teller in self.tellers or len(self.tellers) >= MOST_TELLERS:
            return self
        return replace(self, tellers=(*self.tellers, teller))

    def line(self, number: int) -> Line:
        """0 is the first. ``TableError``: there is none of that number."""
        if not 0 <= number < len(self.lines):
            raise TableError("gone")
        return self.lines[number]

    def _with(self, number: int, line: Line) -> "Table":
        return replace(self, lines=(*self.lines[:number], line, *self.lines[number + 1 :]))


class TableError(Exception):
    """``full``, ``empty``, ``long``, ``gone`` or ``tables`` (too many of them): what is wrong with the wish."""


def _line(text: str) -> str:
    line = " ".join(text.split())
    if not line:
        raise TableError("empty")
    if len(line) > MOST_CHARS:
        raise TableError("long")
    return line
