"""What a collector does with what arrives: reads, refuses and counts, keeps, and only then acknowledges. No thread, no
socket: the ledger and the way to acknowledge are given.

Summaries come through a shared subscription, each to one of the collectors of a group. Withdrawals come through a plain
one, each to every collector: each may hold something of that household in books of its own.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from somnisphere.coach.consent import COACH
from somnisphere.coach.summary import Summary, UnusableError, Withdrawn, decode
from somnisphere.coach_desk.ledger import Ledger
from somnisphere.errors import UserError
from somnisphere_home.sure_link import Parcel


def subscriptions(coach: str, group: str) -> tuple[str, str]:
    """The shared one of summaries, and the collector's own of withdrawals."""
    for name, what in ((coach, "--coach"), (group, "--group")):
        if not COACH.fullmatch(name):
            raise UserError(f"{what} {name!r}: 1 to 32 of a-z, 0-9 and _ are needed, for it is a part of topics")
    return f"$share/{group}/somnisphere/coach/{coach}/summary/+", f"somnisphere/coach/{coach}/withdrawn/+"


@dataclass(slots=True)
class Counts:
    """Since the start."""

    taken: int = 0
    withdrawn: int = 0
    """Messages that took consent back; the same one may come more than once."""
    removed: int = 0
    """Households of which something was held and is no more."""
    refused: Counter[str] = field(default_factory=Counter)
    """By reason."""

    def __str__(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.refused.items()))
        refused = f"; refused: {reasons}" if reasons else ""
        return f"{self.taken} summaries taken, {self.withdrawn} withdrawals, {self.removed} households removed{refused}"


class Collector:
    """``acknowledge`` is called with a batch once its books are closed on it."""

    def __init__(self, ledger: Ledger, acknowledge: Callable[[Sequence[Parcel]], None]) -> None:
        self._ledger = ledger
        self._acknowledge = acknowledge
        self.counts = Counts()

    def take(self, parcels: Sequence[Parcel], today: date) -> None:
        """``LedgerError``: nothing was kept nor acknowledged; the same parcels may be given again."""
        summaries: list[Summary] = []
        withdrawn: list[Withdrawn] = []
        refused = Counter[str]()
        for parcel in parcels:
            try:
                message = decode(parcel.topic, parcel.payload, today)
            except UnusableError as problem:
                refused[str(problem)] += 1
                continue
            if isinstance(message, Summary):
                summaries.append(message)
            else:
                withdrawn.append(message)
        removed = self._ledger.take(summaries, withdrawn) if summaries or withdrawn else 0
        self._acknowledge(parcels)
        counts = self.counts
        counts.taken += len(summaries)
        counts.withdrawn += len(withdrawn)
        counts.removed += removed
        counts.refused += refused

    def sweep(self, today: date) -> None:
        self.counts.removed += self._ledger.sweep(today)
