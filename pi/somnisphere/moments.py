"""Sleep moments on their way out: into the journal, and in the words that the home is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from somnisphere.events import Announce, Tick
from somnisphere.journal import Journal, Told
from somnisphere.snapshot import Snapshot

Tell = Callable[[str, Mapping[str, Any]], None]
"""Takes the type of a moment and its attributes, and does not block."""


@dataclass(frozen=True, slots=True)
class LastMoment:
    """``night_id`` None: it belongs to no night."""

    wall_s: float
    night_id: str | None


class Moments:
    """``last``: when each kind of moment happened last, and in which night; it outlives restarts. ``sleeper``: whose
    they are, "" when the household named nobody; ``tell`` is told of each, too."""

    def __init__(self, journal: Journal, sleeper: str = "", tell: Tell | None = None) -> None:
        self._journal = journal
        self._sleeper = sleeper
        self._tell = tell
        self.last: dict[str, LastMoment] = {}
        self.reload()

    def reload(self) -> None:
        """As the journal has them, which was dated anew; as they were when it cannot be read."""
        self.last |= {
            moment.type: LastMoment(moment.wall_s, moment.night_id) for moment in self._journal.last_moments()
        }

    def keep(self, moment: Announce, tick: Tick, night_id: str | None, now: Snapshot | None = None) -> dict[str, Any]:
        """Attributes of the event. ``latency_s``: how long after ``at`` it is said: sleep is seen late."""
        wall_s = tick.wall_at(moment.at_s)
        if moment.type == "story_began" and now is not None and now.story is not None:
            self._journal.add_told(night_id, Told(wall_s, now.story_title or "", now.story.teller, now.listener))
        self._journal.add_moment(night_id, wall_s, moment.type, moment.confidence)
        self.last[moment.type] = LastMoment(wall_s, night_id)
        attributes = {
            "night_id": night_id,
            "at": tick.local_time(moment.at_s).isoformat(timespec="seconds"),
            "confidence": None if moment.confidence is None else round(moment.confidence, 2),
            "latency_s": round(max(0.0, tick.at_s - moment.at_s)),
        }
        if self._sleeper:
            attributes["sleeper"] = self._sleeper
        if self._tell is not None:
            self._tell(moment.type, attributes)
        return attributes
