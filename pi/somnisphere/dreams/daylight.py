"""When the dreams' page is open: by day, when nobody is going to bed; and when a rewoven dream is offered. Pure."""

FROM_HOUR = 8
UNTIL_HOUR = 18
AWAKE_PHASES = frozenset((None, "idle", "morning"))
"""None: the box does not say."""


def is_open(local_hour: float, phase: str | None) -> bool:
    """``local_hour``: 0 to 24 by the household's clock."""
    return FROM_HOUR <= local_hour < UNTIL_HOUR and phase in AWAKE_PHASES


def is_offered(local_hour: float, phase: str | None) -> bool:
    """Whether it may be asked now if a rewoven dream is to be the evening's story: before the evening and while the
    light goes down, never once a story is told, and not where the bedside could not tell it anyway."""
    return phase == "wind_down" or (phase == "idle" and local_hour >= UNTIL_HOUR)
