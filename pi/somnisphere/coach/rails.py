"""The rails: at most one suggestion a week, never beside a running one, never where a person is needed. Pure.

``suggest`` decides about a new one; ``running`` finds the one that is there. Whoever keeps the history (``store.py``)
asks both within one transaction. A clock set back only ever makes the coach wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from somnisphere.coach.diary_row import DiaryRow
from somnisphere.coach.programmes import PROGRAMMES, Programme, Whom
from somnisphere.coach.signs import signs
from somnisphere.sleep.regularity import Regularity

APART_DAYS = 7
"""From the beginning of one suggestion to the beginning of the next, at the least."""
FEWEST_TOLD = 5
"""Mornings of two weeks below which nothing is suggested: it would be about nobody."""
RESTS_DAYS = 90
"""One that ran to its end may come again after this."""
IGNORED_DAYS = 365
"""One that was ignored may come again after this: people change, but not by being asked again. Ignored twice: never."""
CHILD_MONTHS = (12, 11 * 12)
"""Between these ages (up to, not with, the second) a child's programmes are for its parents."""
ADULT_MONTHS = 18 * 12


@dataclass(frozen=True, slots=True)
class Given:
    """One suggestion of the past or present."""

    programme: str
    given_on: date
    ends_on: date
    """The last day on which it is shown."""
    ignored_on: date | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    programme: Programme
    given_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class ForAPerson:
    """Nothing is suggested: this is one for a person (see ``red_flags.py``)."""


def whom(age_months: int | None) -> Whom | None:
    """Whose programmes fit an age; None (not known) is an adult's box. Neither child nor adult: None."""
    if age_months is None or age_months >= ADULT_MONTHS:
        return "adult"
    return "child" if CHILD_MONTHS[0] <= age_months < CHILD_MONTHS[1] else None


def running(history: Sequence[Given], today: date) -> Given | None:
    """The suggestion that is shown today."""
    return next((given for given in history if given.ignored_on is None and today <= given.ends_on), None)


def suggest(
    diary: Sequence[DiaryRow],
    rising: Regularity | None,
    history: Sequence[Given],
    today: date,
    *,
    sleeper: Whom | None,
    red_flag: bool,
    programmes: Sequence[Programme] = PROGRAMMES,
) -> Suggestion | ForAPerson | None:
    """A new suggestion for ``today``, or none. ``history``: every one that was ever given to this sleeper."""
    if red_flag or sleeper is None:
        return ForAPerson()
    if running(history, today) is not None:
        return None
    if any(given.given_on > today - timedelta(days=APART_DAYS) for given in history):
        return None
    seen = signs(diary, rising, today)
    if seen.told < FEWEST_TOLD:
        return None
    for programme in programmes:
        if programme.whom == sleeper and programme.fits(seen) and not _rests(programme.key, history, today):
            return Suggestion(programme, today, today + timedelta(days=programme.days - 1))
    return None


def _rests(key: str, history: Sequence[Given], today: date) -> bool:
    ignored = [given.ignored_on for given in history if given.programme == key and given.ignored_on is not None]
    ended = [given.ends_on for given in history if given.programme == key and given.ignored_on is None]
    return (
        len(ignored) > 1
        or any(on > today - timedelta(days=IGNORED_DAYS) for on in ignored)
        or any(on > today - timedelta(days=RESTS_DAYS) for on in ended)
    )
