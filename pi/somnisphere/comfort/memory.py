"""What comfort remembers over nights: which steps came together with waking, and what was done. Pure.

That a step came shortly before a waking proves nothing about that night. Twice is enough to leave it out all the same:
it is a guess that it helps, and nobody is to be woken by a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STRIKES = 2
"""So many wakings together with a step, and it retires itself."""
MOST_NOTES = 200
STEPS = frozenset(("note", "glow", "sound", "word"))


@dataclass(frozen=True, slots=True)
class Note:
    """``wall_s``: Unix seconds. ``what``: a step, or ``woke`` after one."""

    wall_s: float
    step: str
    what: str


@dataclass(frozen=True, slots=True)
class ComfortMemory:
    """Immutable: each thing that happens makes a new one. ``lit``: the glow was on when last heard of."""

    strikes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    lit: bool = False

    def retired(self, step: str) -> bool:
        return self.strikes.get(step, 0) >= STRIKES

    def noted(self, note: Note) -> "ComfortMemory":
        """``woke`` counts against its step."""
        strikes = dict(self.strikes)
        if note.what == "woke":
            strikes[note.step] = strikes.get(note.step, 0) + 1
        lit = {"lit": True, "dark": False}.get(note.what, self.lit)
        return ComfortMemory(strikes, (*self.notes, note)[-MOST_NOTES:], lit)

    def to_dict(self) -> dict[str, Any]:
        notes = [[note.wall_s, note.step, note.what] for note in self.notes]
        return {"strikes": dict(self.strikes), "notes": notes, "lit": self.lit}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "ComfortMemory":
        """``ValueError``: this is no such thing."""
        try:
            strikes = {str(step): int(count) for step, count in plain["strikes"].items()}
            notes = tuple(Note(float(wall_s), str(step), str(what)) for wall_s, step, what in plain["notes"])
            if not {note.step for note in notes} | set(strikes) <= STEPS:
                raise ValueError("a step that does not exist")
            return cls(strikes, notes[-MOST_NOTES:], bool(plain["lit"]))
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not what comfort remembers: {error!r}") from None
