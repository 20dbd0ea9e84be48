"""What a coach's books can do, whatever they are kept in. Two kinds: ``ledger_sqlite.py``, ``ledger_postgres.py``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from somnisphere.coach.summary import Summary, Withdrawn
from somnisphere.errors import UserError


class LedgerError(UserError):
    """The books cannot be read or written just now; the text says which and why. Nothing of a batch was taken."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One household as the coach's list needs it. Nothing of its sleep is in here, so nothing can be sorted by it."""

    id: str
    called: str
    until: str
    asked_on: str | None
    """An ISO date; None: it did not ask for a word, or was answered."""
    message: str = ""


class Ledger(Protocol):
    """Everything in one call is done whole or not at all. Raises ``LedgerError`` for trouble in the world."""

    def take(self, summaries: Sequence[Summary], withdrawn: Sequence[Withdrawn]) -> int:
        """Keep these, but nothing of whoever took consent back, now or earlier; returns how many households went.
        Doing it twice changes nothing; an older message never replaces a newer one."""
        ...

    def sweep(self, today: date) -> int:
        """Remove whose consent is over; returns how many households went."""
        ...

    def standings(self) -> list[Standing]: ...

    def weeks(self, household: str) -> list[str]:
        """Its summaries as JSON, the latest first."""
        ...

    def answered(self, household: str) -> None:
        """The coach has given the word. Asked again, with another word or on another day, it is asked again."""
        ...

    def rows(self) -> tuple[int, int]:
        """How many households, and how many rows in all."""
        ...

    def close(self) -> None: ...


def newest(summaries: Iterable[Summary]) -> tuple[list[Summary], list[Summary]]:
    """The newest of each household, and of each household's week; in one order, so that two collectors never wait for
    each other in a circle."""
    by_household: dict[str, Summary] = {}
    by_week: dict[tuple[str, str], Summary] = {}
    for summary in summaries:
        held = by_household.get(summary.household)
        if held is None or summary.number >= held.number:
            by_household[summary.household] = summary
        key = (summary.household, summary.week)
        if key not in by_week or summary.number >= by_week[key].number:
            by_week[key] = summary
    return [by_household[key] for key in sorted(by_household)], [by_week[key] for key in sorted(by_week)]
