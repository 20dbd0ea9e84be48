"""Where the story was, at any moment of the evening: a few stretches instead of a log line each second. Pure.

While a story plays, its position is nearly a straight line over time: flatter where the pauses between sentences grow.
Only where the line breaks (a pause, a seek, another story) or has run for long does a new stretch begin. So an evening
is a handful of stretches, small enough to be kept in the journal, and still tells which sentence was spoken when sleep
came, though that is known only minutes later.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

BREAK_S = 0.75
"""A position this far off the line begins a new stretch (players report to about a tenth of a second)."""
LONGEST_S = 120.0
"""No stretch that was slowed by pauses is longer, so that a line which bends slowly is still followed."""

STRETCHES = 128
"""As many are kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """``story_key`` was heard from ``from_s`` to ``until_s`` (monotonic), from ``position_s`` of the story to
    ``until_position_s``."""

    story_key: str
    from_s: float
    until_s: float
    position_s: float
    until_position_s: float

    def position_at(self, at_s: float) -> float:
        if self.until_s <= self.from_s:
            return self.position_s
        share = (min(max(at_s, self.from_s), self.until_s) - self.from_s) / (self.until_s - self.from_s)
        return self.position_s + share * (self.until_position_s - self.position_s)


class Reading:
    """The stretches of one evening, oldest first."""

    def __init__(self, stretches: Iterable[Stretch] = ()) -> None:
        self.stretches: tuple[Stretch, ...] = tuple(stretches)

    def heard(self, story_key: str, at_s: float, position_s: float) -> None:
        """The story plays, and is at ``position_s`` now."""
        if self.stretches and (longer := _lengthened(self.stretches[-1], story_key, at_s, position_s)) is not None:
            self.stretches = (*self.stretches[:-1], longer)
            return
        self.stretches = (*self.stretches, Stretch(story_key, at_s, at_s, position_s, position_s))[-STRETCHES:]

    def interrupted(self, at_s: float) -> None:
        """Nothing plays from now on; what plays next begins a stretch of its own."""
        if self.stretches and self.stretches[-1].until_s < at_s:
            last = self.stretches[-1]
            self.stretches = (
                *self.stretches[:-1],
                replace(last, until_s=at_s, until_position_s=last.until_position_s + at_s - last.until_s),
            )

    @property
    def ended_s(self) -> float | None:
        """When the story was last heard."""
        return self.stretches[-1].until_s if self.stretches else None

    def place_at(self, at_s: float) -> tuple[str, float] | None:
        """Story and position heard at ``at_s``, or last before it; the evening's beginning when that was later."""
        if not self.stretches:
            return None
        before = [stretch for stretch in self.stretches if stretch.from_s <= at_s]
        stretch = before[-1] if before else self.stretches[0]
        return stretch.story_key, stretch.position_at(at_s)

    def forget(self) -> None:
        self.stretches = ()


def _lengthened(last: Stretch, story_key: str, at_s: float, position_s: float) -> Stretch | None:
    """``last`` with one more point; None when that does not lie on its line."""
    if last.story_key != story_key or at_s < last.until_s:
        return None
    straight_on_s = last.until_position_s + at_s - last.until_s
    longer = replace(last, until_s=at_s, until_position_s=position_s)
    slowed = position_s - last.position_s < at_s - last.from_s - BREAK_S
    if slowed and at_s - last.from_s > LONGEST_S:
        return None
    held = position_s >= last.until_position_s - BREAK_S  # a pause between sentences stands still, never goes back
    jumped = position_s - straight_on_s > BREAK_S
    bent = abs(longer.position_at(last.until_s) - last.until_position_s) > BREAK_S
    return longer if held and not jumped and not bent else None
