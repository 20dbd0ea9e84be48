"""Where a told story is while time passes, and the pauses that grow between its sentences. Pure.

The position is a straight line over time, but for the holds: asked for shortly before a sentence ends, the player
stands still in the silence after it. Only stories with marks (``story.Mark``) are held.
"""

from collections.abc import Sequence
from dataclasses import replace

from somnisphere.bedtime.sentences import number_at
from somnisphere.bedtime.state import RitualState
from somnisphere.events import HoldStory
from somnisphere.story import Mark

LEAD_S = 2.0
"""A hold is asked for at most this long before it begins, and at least ..."""
SOON_S = 0.3
"""... this long: a player told later would cut into the next sentence."""
SHORTEST_S = 0.3
"""A pause that grew by less is not worth asking for."""
INTO_SILENCE_S = 0.15
"""So far behind the sentence's last sound the story stands still: players are right to about a tenth of a second."""
SILENCE_S = 0.3
"""Between two sentences that follow each other faster than this there is no room to stand still."""


def moved_on(state: RitualState, at_s: float) -> RitualState:
    """``state`` of a playing story at ``at_s``; positions only go forward."""
    assert state.position_s is not None
    from_s = max(state.position_at_s, min(state.held_until_s, at_s))
    position_s = state.position_s + max(0.0, at_s - from_s)
    hold_s = state.hold_position_s
    if hold_s is None or position_s < hold_s:
        return replace(state, position_s=position_s, position_at_s=at_s)
    reached_s = from_s + max(0.0, hold_s - state.position_s)
    until_s = reached_s + state.hold_for_s
    return replace(
        state,
        position_s=max(hold_s, state.position_s) + max(0.0, at_s - until_s),
        position_at_s=at_s,
        hold_position_s=None,
        held_until_s=until_s,
    )


def without_hold(state: RitualState) -> RitualState:
    """The player was told something else: no hold is waiting any more."""
    return replace(state, hold_position_s=None, held_until_s=0.0)


def next_hold(state: RitualState, marks: Sequence[Mark], for_s: float) -> HoldStory | None:
    """The hold to ask for now, if the end of a sentence is near."""
    position_s = state.position_s
    if position_s is None or state.hold_position_s is not None or for_s < SHORTEST_S:
        return None
    number = number_at(marks, position_s)
    if not 0 <= number < len(marks) - 1:
        return None
    end_s, begin_s = marks[number].end_s, marks[number + 1].begin_s
    if begin_s - end_s < SILENCE_S:
        return None
    hold_s = end_s + INTO_SILENCE_S
    return HoldStory(hold_s, for_s) if SOON_S <= hold_s - position_s <= LEAD_S else None
