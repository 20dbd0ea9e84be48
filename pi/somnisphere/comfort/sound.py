"""How loud comfort's sound is while it lasts: up from near silence, and down to it again. Pure."""

RAMP_S = 6.0
FAR_DB = 30.0
"""So far below its level it begins and ends."""


def gain_at_db(level_db: float, since_s: float, lasts_s: float) -> float:
    """Gain ``since_s`` after its beginning; never above ``level_db``."""
    up = since_s / RAMP_S
    down = (lasts_s - since_s) / RAMP_S
    return level_db - FAR_DB * (1.0 - max(0.0, min(1.0, up, down)))
