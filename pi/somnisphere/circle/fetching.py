"""One story on its way to us: which pieces are there, which were asked for, whom to ask next. Time is an argument."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from somnisphere.circle.known import HeldOffer

WINDOW = 4
"""Pieces asked for at once: a quarter of a megabyte on its way at the most."""

PATIENCE_S = 10.0
"""When no piece came for so long, those that were asked for are asked for again."""

MOST_PATIENCE_S = 300.0
"""When nobody answers, questions grow as rare as this."""

BAD_BEFORE_ANOTHER = 3


@dataclass(slots=True)
class Fetching:
    held: HeldOffer
    patience_s: float = PATIENCE_S
    had: set[int] | None = None
    """None: nobody looked yet."""
    asked_at_s: dict[int, float] = field(default_factory=dict)
    finishing: bool = False
    _turn: int = 0
    _good: str = ""
    """Who sent the last piece."""
    _heard_at_s: float = 0.0
    _silent_rounds: int = 0
    _bad: int = 0
    _not_before_s: float = 0.0

    @property
    def is_whole(self) -> bool:
        return self.had is not None and len(self.had) == self.held.offer.count

    def cut(self) -> None:
        """The connection is gone or back: what was asked for will not come, and nothing has to be waited for."""
        self.asked_at_s.clear()
        self._silent_rounds = 0
        self._not_before_s = 0.0

    def take(self, index: int, data: bytes, sender: str, at_s: float) -> bool:
        """Whether this is a piece that was promised and is wanted. A wrong one is asked for again, at once but not
        more than once a second, and after a few of them of somebody else."""
        if self.had is None or index in self.had:
            return False
        if self.held.offer.fits(index, data):
            self.had.add(index)
            self.asked_at_s.pop(index, None)
            self._silent_rounds = self._bad = self._turn = 0
            self._good, self._heard_at_s = sender, at_s
            return True
        self._bad += 1
        if self._bad % BAD_BEFORE_ANOTHER == 0:
            self._turn += 1
            self._good = ""
        self.asked_at_s.pop(index, None)
        self._not_before_s = max(self._not_before_s, at_s + 1.0)
        return False

    def next_ask(self, others: Sequence[str], at_s: float) -> tuple[str, tuple[int, ...]] | None:
        """(whom, which pieces) to ask for now. ``others``: members beside the one that offers it."""
        if self.had is None or self.is_whole:
            return None
        late = [
            index for index, since_s in self.asked_at_s.items() if at_s - max(since_s, self._heard_at_s) >= self._wait_s
        ]
        if late:
            for index in late:
                del self.asked_at_s[index]
            self._silent_rounds += 1
            self._turn += 1
        free = WINDOW - len(self.asked_at_s)
        if free <= 0 or at_s < self._not_before_s:
            return None
        missing = (n for n in range(self.held.offer.count) if n not in self.had and n not in self.asked_at_s)
        pieces = tuple(index for _, index in zip(range(free), missing, strict=False))
        if not pieces:
            return None
        self.asked_at_s |= dict.fromkeys(pieces, at_s)
        return self._whom(others), pieces

    def _whom(self, others: Sequence[str]) -> str:
        """In turn; between two others always again the one who last sent a piece, else whose offer it is."""
        likely = self._good if self._good in others else self.held.household
        rest = [other for other in (self.held.household, *others) if other != likely]
        if not rest or self._turn % 2 == 0:
            return likely
        return rest[self._turn // 2 % len(rest)]

    @property
    def _wait_s(self) -> float:
        """Grows when a whole round of households was silent."""
        doublings = min(8, self._silent_rounds // 4)
        return min(MOST_PATIENCE_S, self.patience_s * float(1 << doublings))
