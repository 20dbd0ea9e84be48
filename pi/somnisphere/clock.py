"""Where time comes from. Only the daemon asks; every room below it is told."""

import time
from typing import Protocol


class Clock(Protocol):
    def now_s(self) -> float:
        """Monotonic seconds; never jumps."""
        ...

    def wall_s(self) -> float:
        """Unix time; may jump, and is wrong until the network set it on a Pi without a battery clock."""
        ...


class SystemClock:
    """The clocks of the machine. ``CLOCK_MONOTONIC`` is the one the drivers stamp samples with."""

    def now_s(self) -> float:
        return time.monotonic()

    def wall_s(self) -> float:
        return time.time()


def utc_offset_s(wall_s: float) -> float:
    """How far the household's clock is ahead of UTC at ``wall_s``."""
    return float(time.localtime(wall_s).tm_gmtoff)
