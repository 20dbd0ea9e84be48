"""The phases of a night, and the one table that says how a cue leads from one to the next.

Rules of this file
    1. A phase says what lamp and story are doing, never how well anybody sleeps.
    2. A cue is something that happened (a hand, a clock, a body); it is never an order to be in a phase.
    3. All moves are rows of ``TRANSITIONS``. A pair without a row is not a mistake: cues come from a noisy body and
       from hands in the dark. It changes nothing and is said in the log.
    4. The same cue in the same phase always leads to the same phase. Whatever depends on time or loudness is decided in
       ``ritual.py``, before a cue is made of it.

Theory of operation
    An evening is *idle* until somebody begins it. *Wind-down* is light alone; then the *story* plays. As the listener
    grows drowsy the page falls (``fades.py``) and the evening is *drifting*: quieter and darker, or already silent
    because the story or its time is over. *Asleep* is dark, and the story is laid aside with a bookmark. Whoever wakes
    for a moment is *stirring*: nothing is lit and nothing is played, we only wait; a hand on the button asks for
    one more page and gets it, at any hour. *Morning* begins when somebody is awake for good and ends with the night.

    Sleep may come without a story, and without an evening: sleep seen from *idle*, *wind-down* or even *morning* (for
    whoever turned over once more) is *asleep*. A begin while somebody sleeps, or is between two sleeps, is ignored:
    the clock that sends it cannot see the bed.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Phase(StrEnum):
    """Where the night is."""

    IDLE = "idle"
    WIND_DOWN = "wind_down"
    STORY = "story"
    DRIFTING = "drifting"
    ASLEEP = "asleep"
    STIRRING = "stirring"
    MORNING = "morning"


class Cue(StrEnum):
    """What happened."""

    BEGIN = "begin"  # a person or the configured time begins the evening
    SETTLED = "settled"  # the time of winding down is over, or a person wants the story now
    PAGE = "page"  # a person asks for one more page
    TIME_UP = "time_up"  # the sleep timer or the parent's limit is reached
    STORY_OVER = "story_over"  # the story came to its end, or cannot be played
    DROWSY = "drowsy"  # sleep grows likely
    ROUSED = "roused"  # ... and unlikely again, before it came or while the story still plays
    SLEPT = "slept"  # asleep, and settled
    STIRRED = "stirred"  # awake for a moment in the night
    RESETTLED = "resettled"  # asleep again
    DISTRESSED = "distressed"  # asleep with a quick heart and much movement; a guess
    WOKE = "woke"  # awake for good
    ROSE = "rose"  # left the bed
    STOP = "stop"  # a person ends the evening
    NIGHT_OVER = "night_over"  # the night is closed


OF_THE_BODY = frozenset(
    (Cue.DROWSY, Cue.ROUSED, Cue.SLEPT, Cue.STIRRED, Cue.RESETTLED, Cue.DISTRESSED, Cue.WOKE, Cue.ROSE)
)
"""Cues that tell of the sleeper; the others are a hand's, a clock's or a story's."""


def _table() -> dict[tuple[Phase, Cue], Phase]:
    idle, wind_down, story = Phase.IDLE, Phase.WIND_DOWN, Phase.STORY
    drifting, asleep, stirring, morning = Phase.DRIFTING, Phase.ASLEEP, Phase.STIRRING, Phase.MORNING
    rows: dict[Phase, dict[Cue, Phase]] = {
        idle: {
            Cue.BEGIN: wind_down,
            Cue.PAGE: story,
            Cue.SLEPT: asleep,
            Cue.RESETTLED: asleep,
            Cue.WOKE: morning,
            Cue.ROSE: idle,
        },
        wind_down: {
            Cue.SETTLED: story,
            Cue.PAGE: story,
            Cue.SLEPT: asleep,
            Cue.RESETTLED: asleep,
            Cue.ROSE: wind_down,
        },
        story: {
            Cue.PAGE: story,
            Cue.DROWSY: drifting,
            Cue.SLEPT: asleep,
            Cue.RESETTLED: asleep,
            Cue.STORY_OVER: drifting,
            Cue.TIME_UP: drifting,
            Cue.ROSE: story,
        },
        drifting: {
            Cue.PAGE: story,
            Cue.ROUSED: story,
            Cue.SLEPT: asleep,
            Cue.RESETTLED: asleep,
            Cue.STORY_OVER: drifting,
            Cue.TIME_UP: drifting,
            Cue.WOKE: morning,
            Cue.ROSE: drifting,
        },
        asleep: {
            Cue.PAGE: story,
            Cue.STORY_OVER: asleep,
            Cue.TIME_UP: asleep,
            Cue.STIRRED: stirring,
            Cue.DISTRESSED: asleep,
            Cue.ROUSED: drifting,
            Cue.ROSE: stirring,
            Cue.WOKE: morning,
        },
        stirring: {
            Cue.PAGE: story,
            Cue.RESETTLED: asleep,
            Cue.SLEPT: asleep,
            Cue.STORY_OVER: stirring,
            Cue.TIME_UP: stirring,
            Cue.ROSE: stirring,
            Cue.WOKE: morning,
        },
        morning: {
            Cue.BEGIN: wind_down,
            Cue.PAGE: story,
            Cue.SLEPT: asleep,
            Cue.RESETTLED: asleep,
            Cue.ROSE: morning,
        },
    }
    table = {(phase, cue): to for phase, row in rows.items() for cue, to in row.items()}
    table |= {(phase, cue): idle for phase in Phase if phase is not idle for cue in (Cue.STOP, Cue.NIGHT_OVER)}
    return table


TRANSITIONS: Mapping[tuple[Phase, Cue], Phase] = MappingProxyType(_table())


def diagram() -> str:
    """The table as a Mermaid state diagram; arrows between the same two phases are drawn as one."""
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for (phase, cue), to in TRANSITIONS.items():
        arrows.setdefault((phase, to), []).append(cue.value)
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.IDLE}"]
    lines += [f"    {phase} --> {to}: {', '.join(cues)}" for (phase, to), cues in arrows.items()]
    return "\n".join(lines) + "\n"
