"""Told mornings as the coach reads them. Pure.

A child tells in pictures, without minutes: sleep that came slow as a snail, and waking as long as a snake, are read as
long; everything else a child tells is no sign of anything.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from somnisphere.coach.diary_row import DiaryRow
from somnisphere.coach.signs import LONG_MIN
from somnisphere.diary.telling import Telling

_WAKINGS = {"none": 0, "once": 1}


def rows(tellings: Mapping[str, Telling]) -> list[DiaryRow]:
    """``tellings``: by night, which is named by the date of its evening."""
    return [_row(date.fromisoformat(night[:10]) + timedelta(days=1), telling) for night, telling in tellings.items()]


def _row(morning: date, telling: Telling) -> DiaryRow:
    if telling.form == "child":
        return DiaryRow(
            morning,
            onset_min=LONG_MIN if telling.known("fell_asleep") == "snail" else None,
            awakenings=_WAKINGS.get(str(telling.known("wakings"))),
            waso_min=LONG_MIN if telling.known("awake_long") == "long" else None,
        )
    awake_min = _minutes(telling, "awake_min")
    return DiaryRow(
        morning,
        bed_at_s=_clock_s(telling, "into_bed"),
        tried_at_s=_clock_s(telling, "tried"),
        onset_min=_minutes(telling, "latency_min"),
        awakenings=_WAKINGS.get(str(telling.known("wakings"))),
        waso_min=0.0 if awake_min is None and telling.known("wakings") == "none" else awake_min,
        woke_at_s=_clock_s(telling, "woke"),
        rose_at_s=_clock_s(telling, "got_up"),
    )


def _minutes(telling: Telling, key: str) -> float | None:
    said = telling.known(key)
    return float(said) if isinstance(said, int) else None


def _clock_s(telling: Telling, key: str) -> float | None:
    said = telling.known(key)
    if not isinstance(said, str) or said.count(":") != 1:
        return None
    hours, minutes = said.split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0


def age_months(born: str, today: date) -> int | None:
    """``born``: "2019-05"; "" is not known, which is an adult's box."""
    if not born:
        return None
    year, month = (int(part) for part in born.split("-"))
    return (today.year - year) * 12 + today.month - month


def rising_clock_s(diary: Iterable[DiaryRow]) -> list[float]:
    """When they rose, oldest first, for ``sleep.regularity``."""
    return [row.rose_at_s for row in sorted(diary, key=lambda row: row.morning) if row.rose_at_s is not None]
