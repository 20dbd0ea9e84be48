"""Sleep moments on their way out: into the journal, and in the words that the home is told."""

from typing import Any

from somnisphere.events import Announce, Tick
from somnisphere.journal import Journal


class Moments:
    """``last``: when each kind of moment happened last, as Unix seconds; it outlives restarts."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.last: dict[str, float] = {moment.type: moment.wall_s for moment in journal.last_moments()}

    def keep(self, moment: Announce, tick: Tick, night_id: str | None) -> dict[str, Any]:
        """Attributes of the event. ``latency_s``: how long after ``at`` it is said: sleep is seen late."""
        wall_s = tick.wall_at(moment.at_s)
        self._journal.add_moment(night_id, wall_s, moment.type, moment.confidence)
        self.last[moment.type] = wall_s
        return {
            "night_id": night_id,
            "at": tick.local_time(moment.at_s).isoformat(timespec="seconds"),
            "confidence": None if moment.confidence is None else round(moment.confidence, 2),
            "latency_s": round(max(0.0, tick.at_s - moment.at_s)),
        }
