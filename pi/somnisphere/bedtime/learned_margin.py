"""By how much tellings moved the bookmark: set by the daemon when somebody told a night, read when sleep is dated."""

from dataclasses import dataclass


@dataclass(slots=True)
class LearnedMargin:
    """Seconds further back (+) or less far (-) than the household set it."""

    further_back_s: float = 0.0
