"""Memory that was freed goes back to the system.

A night's arrays come and go among small things that stay, and glibc keeps the holes between them: the process grew by a
megabyte a day though it held no more than before (``tests/bench/week.py``).
"""

import ctypes
from collections.abc import Callable


def _trim() -> Callable[[int], int] | None:
    """malloc_trim(3): glibc has it, other C libraries need none."""
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # no library can be named so here
        return None


_TRIM = _trim()


EVERY_S = 3600.0


class Heap:
    """For one daemon: gives back every hour, and not while it starts."""

    def __init__(self) -> None:
        self._due_s: float | None = None

    def tick(self, at_s: float) -> bool:
        """To be called with each tick. True when something may have been given back."""
        if self._due_s is not None and at_s < self._due_s:
            return False
        starts, self._due_s = self._due_s is None, at_s + EVERY_S
        return not starts and give_back()


def give_back() -> bool:
    """Some milliseconds. False: this C library cannot be asked."""
    if _TRIM is None:
        return False
    _TRIM(0)
    return True
