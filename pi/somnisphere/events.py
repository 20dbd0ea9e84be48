"""What enters the core (Event) and what leaves it (Action). Data only: a test compares lists.

``at_s`` is monotonic seconds. Wall time enters with ``Tick`` alone, so a clock that jumps is one number that changes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from somnisphere.night import Epoch, NightTimes, StageEstimate
from somnisphere.story import Story
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock

# ---- in -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes. ``wall_s`` is Unix time at ``at_s``; the household's clock shows ``wall_s + utc_offset_s``."""

    at_s: float
    wall_s: float
    utc_offset_s: float = 0.0
    clock_problem: str = ""
    """Why ``wall_s`` is only a guess, in words for a person; "" when it can be believed."""
    late_s: float = 0.0
    """By how much it comes later than it was due: the loop was busy."""

    def wall_at(self, at_s: float) -> float:
        """Unix time at ``at_s``."""
        return self.wall_s + (at_s - self.at_s)

    def local_time(self, at_s: float) -> datetime:
        """By the household's clock, with its offset."""
        return datetime.fromtimestamp(self.wall_at(at_s), timezone(timedelta(seconds=self.utc_offset_s)))


class Press(StrEnum):
    """What a hand did to the button."""

    TAP = "tap"
    DOUBLE = "double"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    at_s: float
    press: Press


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A wish of the home, already decoded and checked: ``key`` names the entity, ``value`` is in its own type."""

    at_s: float
    key: str
    value: Any


PLAYER_TROUBLE_S = 180.0
"""So long a player that failed is said to be in trouble, unless it is tried again."""


@dataclass(frozen=True, slots=True)
class PlayerReported:
    """Where the speaker is. ``problem`` is a sentence for a person when ``state`` is ``failed``, else ""."""

    at_s: float
    state: Literal["playing", "paused", "stopped", "ended", "failed"]
    path: Path | None = None
    position_s: float = 0.0
    problem: str = ""

    def is_history(self, at_s: float) -> bool:
        """A failure that nobody tried to repeat: whether it would fail again is not known; the next story tries."""
        return self.state == "failed" and at_s - self.at_s > PLAYER_TROUBLE_S


@dataclass(frozen=True, slots=True)
class LampReported:
    """Where the lamp is on its way (sent while it fades, a few times a minute, and when it arrives)."""

    at_s: float
    lightness_pct: float


@dataclass(frozen=True, slots=True)
class BrokerReported:
    at_s: float
    connected: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ShelfChanged:
    """The story folder was read again."""

    at_s: float
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class HomeReported:
    """What Home Assistant knows of the house, where the household named its entities. ``reached`` False: it is away."""

    at_s: float
    reached: bool
    someone_up: bool | None = None
    bedroom_dark: bool | None = None


Event = (
    PulseBlock
    | MotionBlock
    | PartState
    | Tick
    | ButtonPressed
    | CommandReceived
    | PlayerReported
    | LampReported
    | BrokerReported
    | ShelfChanged
    | HomeReported
)

# ---- cards: made of a reader's signs by ``cards.py``, which turns them into wishes and presses -----------------------


@dataclass(frozen=True, slots=True)
class CardLaid:
    """A card was laid on the reader by a hand: said once, however long it lies there."""

    at_s: float
    card_id: str


@dataclass(frozen=True, slots=True)
class CardLifted:
    """A card was taken off and did not come back at once."""

    at_s: float
    card_id: str


@dataclass(frozen=True, slots=True)
class CardLinked:
    """From now on the card means this story."""

    at_s: float
    card_id: str
    story_key: str


# ---- out ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DimLamp:
    """Go to ``lightness_pct`` (CIE L*, 0..100; 0 is off) evenly in L* over ``over_s`` seconds."""

    lightness_pct: float
    over_s: float


@dataclass(frozen=True, slots=True)
class FreezeLamp:
    """Stop a fading lamp where it is."""


@dataclass(frozen=True, slots=True)
class LandLamp:
    """Let a lamp that was stopped on its way go on to where it was going."""


@dataclass(frozen=True, slots=True)
class PlayStory:
    path: Path
    position_s: float
    gain_db: float


@dataclass(frozen=True, slots=True)
class SetGain:
    """Loudness of the speaker, dB relative to full scale of its own (0 is loudest)."""

    gain_db: float


@dataclass(frozen=True, slots=True)
class HoldStory:
    """A pause between two sentences: when the story gets to ``position_s``, stand still for ``for_s`` seconds."""

    position_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class PauseStory:
    pass


@dataclass(frozen=True, slots=True)
class ResumeStory:
    gain_db: float


@dataclass(frozen=True, slots=True)
class StopStory:
    pass


@dataclass(frozen=True, slots=True)
class SetSensing:
    """Off: LEDs dark, chips asleep, nothing read, and kept so over restarts."""

    on: bool


@dataclass(frozen=True, slots=True)
class Announce:
    """A sleep moment, for events and device triggers. ``type`` is one of ``MOMENTS``."""

    type: str
    at_s: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class KeepComfort:
    """Remember what comfort did. ``what``: tried, lit, dark, or woke: the sleeper did, shortly after the step."""

    step: str
    what: Literal["tried", "lit", "dark", "woke"]
    at_s: float


@dataclass(frozen=True, slots=True)
class KeepBookmark:
    """Remember where ``story_key`` is to begin for ``listener`` next time. ``other_s``: a place nearly as likely."""

    story_key: str
    position_s: float
    listener: str = ""
    other_s: float | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """A line for the log that a person reads."""

    text: str
    level: Literal["detail", "info", "warning"] = "info"
    """``detail``: of the sleeping body, which no log keeps unless it is asked to say more."""

    @property
    def log_level(self) -> int:
        return {"detail": 10, "info": 20, "warning": 30}[self.level]


@dataclass(frozen=True, slots=True)
class BeginNight:
    """A night is opened in the journal. ``night_id``: the ISO date of its evening."""

    night_id: str
    at_s: float


@dataclass(frozen=True, slots=True)
class KeepEpoch:
    """One more epoch of the open night, with the live answer about it."""

    epoch: Epoch
    estimate: StageEstimate


@dataclass(frozen=True, slots=True)
class DateAnew:
    """The clock was set by ``by_s``. ``night_id``: the date of the night in progress by the clock that is right now;
    None: there is none. Its epochs from ``here`` on move, after ``missing`` ones of which nothing is known.
    ``apart``: from there on it is another night. ``estimates``: of all epochs, where they had to be made anew."""

    by_s: float
    night_id: str | None = None
    here: int = 0
    missing: tuple[tuple[Epoch, StageEstimate], ...] = ()
    apart: bool = False
    estimates: tuple[StageEstimate, ...] | None = None


@dataclass(frozen=True, slots=True)
class EndNight:
    """The open night is closed; ``estimates`` is the overnight revision of its epochs."""

    times: NightTimes
    epochs: tuple[Epoch, ...]
    estimates: tuple[StageEstimate, ...]


RitualAction = (
    DimLamp
    | FreezeLamp
    | LandLamp
    | PlayStory
    | SetGain
    | HoldStory
    | PauseStory
    | ResumeStory
    | StopStory
    | Announce
    | KeepBookmark
    | Say
)

Action = RitualAction | SetSensing | KeepComfort | BeginNight | KeepEpoch | DateAnew | EndNight

MOMENTS: tuple[str, ...] = (
    "in_bed",
    "lights_down",
    "story_began",
    "drifting",
    "fell_asleep",
    "stirred",
    "distress",
    "quiet_word",
    "woke_up",
    "left_bed",
    "morning",
)
