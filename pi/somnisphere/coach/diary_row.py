"""One told morning, as far as the coach needs it: the core of the Consensus Sleep Diary. Pure.

Carney et al. 2012, Sleep 35(2), 287-302, name the questions. Everything may be missing: nobody is made to answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class DiaryRow:
    """Clock times are seconds after local midnight; None: not told."""

    morning: date
    bed_at_s: float | None = None
    tried_at_s: float | None = None
    """When they tried to fall asleep."""
    onset_min: float | None = None
    """How long that took, by their own feeling."""
    awakenings: int | None = None
    waso_min: float | None = None
    """How long they were awake in the night, in all."""
    woke_at_s: float | None = None
    rose_at_s: float | None = None

    @property
    def is_told(self) -> bool:
        """Whether anything at all was told."""
        told = (self.bed_at_s, self.tried_at_s, self.onset_min, self.awakenings, self.waso_min, self.woke_at_s)
        return any(value is not None for value in (*told, self.rose_at_s))


def arc(clock_s: Sequence[float]) -> tuple[float, float] | None:
    """The shortest stretch of the day that holds all these clock times, as (from, to) in seconds after midnight.

    ``to`` is below ``from`` when midnight lies between. None: there are no times.
    """
    times = sorted({value % DAY_S for value in clock_s if math.isfinite(value)})
    if not times:
        return None
    gaps = [(after - before) % DAY_S for before, after in zip(times, [*times[1:], times[0]], strict=True)]
    if len(times) == 1:
        return times[0], times[0]
    widest = max(range(len(times)), key=gaps.__getitem__)
    return times[(widest + 1) % len(times)], times[widest]


def width_min(clock_s: Sequence[float]) -> float | None:
    """How far these clock times lie apart at most, in minutes. None: there are no times."""
    ends = arc(clock_s)
    return None if ends is None else ((ends[1] - ends[0]) % DAY_S) / 60.0
