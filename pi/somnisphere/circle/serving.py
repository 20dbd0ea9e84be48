"""Pieces that others asked for, in turn and slowly: lending must not be felt in the house. Time is an argument."""

from collections import deque

BYTES_PER_S = 200_000
MOST_WAITING = 64
"""Pieces that one household may wait for."""

Asked = tuple[str, str, int, int]
"""(household, sha256, index, its bytes)."""


class Serving:
    def __init__(self, bytes_per_s: float = BYTES_PER_S) -> None:
        self._bytes_per_s = bytes_per_s
        self._waiting: dict[str, deque[Asked]] = {}
        self._may_send_bytes = float(bytes_per_s)
        self._counted_at_s: float | None = None

    def asked(self, household: str, sha256: str, sizes_bytes: dict[int, int]) -> None:
        """Pieces by their numbers, with how many bytes each has."""
        waiting = self._waiting.setdefault(household, deque())
        for index, size_bytes in sizes_bytes.items():
            one = (household, sha256, index, size_bytes)
            if len(waiting) < MOST_WAITING and one not in waiting:
                waiting.append(one)

    def forget(self, sha256: str) -> None:
        for household, waiting in self._waiting.items():
            self._waiting[household] = deque(one for one in waiting if one[1] != sha256)

    def forget_all(self) -> None:
        self._waiting.clear()

    def due(self, at_s: float) -> list[Asked]:
        """What may be sent now, each household in its turn. What is not used is saved up for a second at the most, and
        a piece larger than that is lent and waited for afterwards."""
        since_s = 0.0 if self._counted_at_s is None else max(0.0, at_s - self._counted_at_s)
        self._counted_at_s = at_s
        self._may_send_bytes = min(self._bytes_per_s, self._may_send_bytes + since_s * self._bytes_per_s)
        found = list[Asked]()
        while self._may_send_bytes > 0 and (household := next((h for h, w in self._waiting.items() if w), None)):
            waiting = self._waiting.pop(household)
            found.append(waiting.popleft())
            if waiting:
                self._waiting[household] = waiting  # to the end of the queue
            self._may_send_bytes -= found[-1][3]
        return found
