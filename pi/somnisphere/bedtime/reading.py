"""Where the story was, at any moment of the evening: a few stretches instead of a log line each second. Pure.

While a story plays, its position is a straight line over time; only where the line breaks (a pause, a seek, another
story) does a new stretch begin. So an evening is a handful of stretches, small enough to be kept in the journal, and
still tells which word was spoken when sleep came, though that is known only minutes later.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

BREAK_S = 0.75
"""A position this far off the line begins a new stretch (players report to about a tenth of a second)."""

STRETCHES = 64
"""As many are kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """``story_key`` was heard from ``from_s`` to ``until_s`` (monotonic), beginning at ``position_s`` of the story."""

    story_key: str
    from_s: float
    until_s: float
    position_s: float

    def position_at(self, at_s: float) -> float:
        return self.position_s + min(max(at_s, self.from_s), self.until_s) - self.from_s


class Reading:
    """The stretches of one evening, oldest first."""

    def __init__(self, stretches: Iterable[Stretch] = ()) -> None:
        self.stretches: tuple[Stretch, ...] = tuple(stretches)

    def heard(self, story_key: str, at_s: float, position_s: float) -> None:
        """The story plays, and is at ``position_s`` now."""
        if self.stretches:
            last = self.stretches[-1]
            expected_s = last.position_s + at_s - last.from_s
            if last.story_key == story_key and at_s >= last.until_s and abs(expected_s - position_s) <= BREAK_S:
                self.stretches = (*self.stretches[:-1], replace(last, until_s=at_s))
                return
        self.stretches = (*self.stretches, Stretch(story_key, at_s, at_s, position_s))[-STRETCHES:]

    def interrupted(self, at_s: float) -> None:
        """Nothing plays from now on; what plays next begins a stretch of its own."""
        if self.stretches and self.stretches[-1].until_s < at_s:
            self.stretches = (*self.stretches[:-1], replace(self.stretches[-1], until_s=at_s))

    def place_at(self, at_s: float) -> tuple[str, float] | None:
        """Story and position heard at ``at_s``, or last before it; the evening's beginning when that was later."""
        if not self.stretches:
            return None
        before = [stretch for stretch in self.stretches if stretch.from_s <= at_s]
        stretch = before[-1] if before else self.stretches[0]
        return stretch.story_key, stretch.position_at(at_s)

    def forget(self) -> None:
        self.stretches = ()
