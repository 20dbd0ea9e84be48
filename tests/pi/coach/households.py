"""Simulated households that share summaries."""

import random
from datetime import date, timedelta

from somnisphere.coach.consent import Consent
from somnisphere.coach.diary_row import DiaryRow
from somnisphere.coach.summary import AskedForAWord, Summary, last_whole_week, summarise


def household_id(number: int) -> str:
    return f"{number:032x}"


def said(number: int, today: date, message: int = 1, *, asks: bool = False, weeks_ago: int = 0) -> Summary:
    """What household ``number`` says; another one another thing."""
    chance = random.Random(number)
    consent = Consent(
        household_id(number), "anna", "Anna", f"Family {number}", today - timedelta(days=60), today + timedelta(days=24)
    )
    then = today - timedelta(days=7 * weeks_ago)
    diary = [
        DiaryRow(
            last_whole_week(then) + timedelta(days=day),
            bed_at_s=79_000.0 + chance.randrange(5000),
            onset_min=float(chance.randrange(60)),
            waso_min=float(chance.randrange(60)),
            rose_at_s=23_000.0 + chance.randrange(6000),
        )
        for day in range(chance.randrange(8))
    ]
    word = AskedForAWord(today.isoformat(), f"A word, please: {number}") if asks else None
    return summarise(diary, consent, message, then, word)
