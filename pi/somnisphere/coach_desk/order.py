"""In which order a coach sees households: who asked for a word, the longest waiting first; then by name. Pure.

Nobody is listed by how they sleep. The order is taken from ``Standing``, which holds nothing of sleep.
"""

from collections.abc import Iterable

from somnisphere.coach_desk.ledger import Standing


def by_who_asks(standings: Iterable[Standing]) -> list[Standing]:
    return sorted(standings, key=lambda one: (one.asked_on is None, one.asked_on or "", one.called.casefold(), one.id))
