"""What two weeks of told mornings show of themselves: the only thing that a suggestion is chosen by. Pure.

Thirty minutes of lying awake are where research begins to count a night (Lichstein et al. 2003, Behaviour Research and
Therapy 41(4), 427-445). Nobody is told of that border; it only chooses which suggestion is thought of first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from somnisphere.coach.diary_row import DiaryRow, width_min
from somnisphere.sleep.regularity import Regularity

LOOKED_AT_DAYS = 14
LONG_MIN = 30.0


@dataclass(frozen=True, slots=True)
class Signs:
    """None: too little was told."""

    told: int
    slow_onset_nights: int
    long_awake_nights: int
    bed_apart_min: float | None
    rising_apart_min: float | None


def signs(diary: Sequence[DiaryRow], rising: Regularity | None, today: date) -> Signs:
    """Of the fortnight up to ``today``. ``rising``: how regular rising is, where more than the diary knows it."""
    earliest = today - timedelta(days=LOOKED_AT_DAYS - 1)
    rows = {row.morning: row for row in diary if row.is_told and earliest <= row.morning <= today}.values()
    apart = width_min([row.rose_at_s for row in rows if row.rose_at_s is not None])
    if rising is not None:
        apart = max(apart or 0.0, 2.0 * rising.spread_min)  # two standard deviations: where most mornings lie
    return Signs(
        told=len(rows),
        slow_onset_nights=sum(row.onset_min is not None and row.onset_min >= LONG_MIN for row in rows),
        long_awake_nights=sum(row.waso_min is not None and row.waso_min >= LONG_MIN for row in rows),
        bed_apart_min=width_min([row.bed_at_s for row in rows if row.bed_at_s is not None]),
        rising_apart_min=apart,
    )
