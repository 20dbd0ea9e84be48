"""Any diary at all, for the coach's property tests."""

from datetime import date, timedelta

from hypothesis import strategies as st

from somnisphere.coach.diary_row import DAY_S, DiaryRow

FIRST = date(2026, 1, 1)

clock_s = st.none() | st.floats(0.0, DAY_S, exclude_max=True)
minutes = st.none() | st.floats(0.0, 900.0)


def rows(first: date = FIRST, days: int = 60) -> st.SearchStrategy[DiaryRow]:
    return st.builds(
        DiaryRow,
        morning=st.integers(0, days).map(lambda n: first + timedelta(days=n)),
        bed_at_s=clock_s,
        tried_at_s=clock_s,
        onset_min=minutes,
        awakenings=st.none() | st.integers(0, 40),
        waso_min=minutes,
        woke_at_s=clock_s,
        rose_at_s=clock_s,
    )


def bad_fortnight(today: date) -> list[DiaryRow]:
    """Everything a programme could fit: late sleep, long waking, different hours."""
    return [
        DiaryRow(
            today - timedelta(days=n),
            bed_at_s=(79_000.0 + 3600.0 * (n % 4)) % DAY_S,
            onset_min=70.0,
            waso_min=80.0,
            rose_at_s=21_600.0 + 5400.0 * (n % 3),
        )
        for n in range(14)
    ]
