"""A story on the table: who sits around it, and the lines so far. Pure; every change makes a new table."""

from dataclasses import dataclass, replace

MOST_LINES = 300
MOST_CHARS = 600
MOST_TELLERS = 12


@dataclass(frozen=True, slots=True)
class Line:
    """``recording``: the file in which the teller says it, "" while nobody did."""

    teller: str
    text: str
    recording: str = ""
    recording_s: float = 0.0


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
        line = self._line(number)
        if _line(text) == line.text:
            return self
        return self._with(number, replace(line, text=_line(text), recording="", recording_s=0.0))

    def taken_out(self, number: int) -> "Table":
        self._line(number)
        return replace(self, lines=self.lines[:number] + self.lines[number + 1 :])

    def recorded(self, number: int, recording: str, recording_s: float) -> "Table":
        return self._with(number, replace(self._line(number), recording=recording, recording_s=recording_s))

    def joined(self, teller: str) -> "Table":
        """Somebody more sits down, to the left of the first."""
        if not teller or teller in self.tellers or len(self.tellers) >= MOST_TELLERS:
            return self
        return replace(self, tellers=(*self.tellers, teller))

    def _line(self, number: int) -> Line:
        if not 0 <= number < len(self.lines):
            raise TableError("gone")
        return self.lines[number]

    def _with(self, number: int, line: Line) -> "Table":
        return replace(self, lines=(*self.lines[:number], line, *self.lines[number + 1 :]))


class TableError(Exception):
    """``full``, ``empty``, ``long`` or ``gone``: what is wrong with the wish."""


def _line(text: str) -> str:
    line = " ".join(text.split())
    if not line:
        raise TableError("empty")
    if len(line) > MOST_CHARS:
        raise TableError("long")
    return line
