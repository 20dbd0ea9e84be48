"""When the dreams' page is open: by day, when nobody is going to bed. Pure."""

FROM_HOUR = 8
UNTIL_HOUR = 18
AWAKE_PHASES = frozenset((None, "idle", "morning"))
"""None: the box does not say."""


def is_open(local_hour: float, phase: str | None) -> bool:
    """``local_hour``: 0 to 24 by the household's clock."""
    return FROM_HOUR <= local_hour < UNTIL_HOUR and phase in AWAKE_PHASES
