"""Sleep moments on their way out: into the journal, and in the words that the home is told."""

from collections.abc import Callable, Mapping
from typing import Any

from somnisphere.events import Announce, Tick
from somnisphere.journal import Journal

Tell = Callable[[str, Mapping[str, Any]], None]
"""Takes the type of a moment and its attributes, and does not block."""


class Moments:
    """``last``: when each kind of moment happened last, as Unix seconds; it outlives restarts. ``sleeper``: whose they
    are, "" when the household named nobody; ``tell`` is told of each, too."""

    def __init__(self, journal: Journal, sleeper: str = "", tell: Tell | None = None) -> None:
        self._journal = journal
        self._sleeper = sleeper
        self._tell = tell
        self.last: dict[str, float] = {moment.type: moment.wall_s for moment in journal.last_moments()}

    def keep(self, moment: Announce, tick: Tick, night_id: str | None) -> dict[str, Any]:
        """Attributes of the event. ``latency_s``: how long after ``at`` it is said: sleep is seen late."""
        wall_s = tick.wall_at(moment.at_s)
        self._journal.add_moment(night_id, wall_s, moment.type, moment.confidence)
        self.last[moment.type] = wall_s
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
