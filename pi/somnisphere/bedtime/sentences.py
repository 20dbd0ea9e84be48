"""Where sentences begin and end in a story that is told. Pure; ``marks`` are in order (``story.Mark``)."""

from bisect import bisect_right
from collections.abc import Sequence

from somnisphere.story import Mark

LEAD_S = 0.2
"""A story that goes on begins this much before the sentence: in the silence, not on its first sound."""
LONGEST_S = 120.0
"""A "sentence" longer than this is a stretch whose silences were not found; nothing is snapped to its beginning."""
LAST_WORDS_S = 20.0
"""No last sentence keeps a story from falling silent for longer."""


def number_at(marks: Sequence[Mark], position_s: float) -> int:
    """Index of the sentence spoken at ``position_s``, in a silence of the one before; -1 before the first."""
    return bisect_right(marks, position_s, key=lambda mark: mark.begin_s) - 1


def begin_of(marks: Sequence[Mark], position_s: float) -> float:
    """Where the sentence spoken at ``position_s`` begins; ``position_s`` itself where no sentence is known. Asked again
    about its own answer it says the same."""
    number = number_at(marks, position_s + LEAD_S)
    if number < 0:
        return position_s if not marks else 0.0
    begin_s = max(0.0, marks[number].begin_s - LEAD_S)
    return begin_s if position_s - begin_s <= LONGEST_S else position_s


def end_after(marks: Sequence[Mark], position_s: float, count: int = 1) -> float | None:
    """Where the ``count``-th sentence to end after ``position_s`` ends; None when there are not so many."""
    number = number_at(marks, position_s)
    if number >= 0 and marks[number].end_s <= position_s:
        number += 1
    number = max(number, 0) + count - 1
    return marks[number].end_s if number < len(marks) else None


def last_word_s(marks: Sequence[Mark], position_s: float, count: int) -> float:
    """Where the last of ``count`` sentences ends that are told before silence; here, where no sentence is known."""
    latest_s = position_s + count * LAST_WORDS_S
    ends_s = [end_after(marks, position_s, number) for number in range(count, 0, -1)]
    soon = (end_s for end_s in ends_s if end_s is not None and end_s <= latest_s)
    return next(soon, latest_s if marks else position_s)
