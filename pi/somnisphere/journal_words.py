"""What the journal gives back: a night as it was kept, its moments and tellings, the evening that was under way."""

from dataclasses import dataclass
from typing import Any

from somnisphere.night import Epoch, NightTimes, StageEstimate

_LATEST_S = 1e11
"""Later is no time of any run."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A sleep moment that was announced."""

    type: str
    wall_s: float
    confidence: float | None = None
    night_id: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A story that was begun in a night's evening: which, who tells it, and who listened ("": nobody was named)."""

    wall_s: float
    title: str
    teller: str = ""
    listener: str = ""


@dataclass(frozen=True, slots=True)
class KeptNight:
    """One night as it is kept. Epochs and estimates are parallel; their times are what the reader asked for."""

    times: NightTimes
    began_wall_s: float
    ended_wall_s: float | None
    epochs: tuple[Epoch, ...]
    estimates: tuple[StageEstimate, ...]
    """The overnight revision where there is one, else the live answer."""
    live: tuple[StageEstimate, ...]
    moments: tuple[Moment, ...]
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedRitual:
    """What ``Ritual.to_dict`` said, and by how much its times must be moved to be this run's."""

    state: dict[str, Any]
    shift_s: float

    @property
    def last_s(self) -> float:
        """When it was last so, in this run's time."""
        inner = self.state.get("state")
        at_s = inner.get("at_s") if isinstance(inner, dict) else None
        if isinstance(at_s, int | float) and abs(at_s) < _LATEST_S:  # what a disk makes of a number may be any
            return float(at_s) + self.shift_s
        return float("-inf")
