"""What the daemon costs its machine and what that has left: processor, memory, disk. Linux."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from somnisphere.events import Tick

EVERY_S = 60.0
CLOCK_SET_S = 10.0
"""A clock that jumps by more was set."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class MachineState:
    """None: not known. ``cpu_pct``: of one core, by this process, since the last look."""

    cpu_pct: float | None = None
    memory_mib: float | None = None
    disk_free_mb: float | None = None


NOT_LOOKED_AT = MachineState()


class Began:
    """When something began, as Unix seconds: steady while the clock is nudged, put right once the clock was set."""

    def __init__(self, at_s: float) -> None:
        self._at_s = at_s
        self._wall_s = 0.0

    def wall_s(self, tick: Tick) -> float:
        now_s = tick.wall_at(self._at_s)
        if abs(now_s - self._wall_s) > CLOCK_SET_S:
            self._wall_s = now_s
        return self._wall_s


class Machine:
    """``folder``: where the nights are kept; the disk below it is the one that must not fill up."""

    def __init__(self, folder: Path, statm: Path = Path("/proc/self/statm")) -> None:
        self._folder = folder
        self._statm = statm
        self._looked: tuple[float, float] | None = None
        self._state = MachineState()

    def look(self, at_s: float) -> MachineState:
        """As it was at most a minute before ``at_s``."""
        if self._looked is not None and at_s - self._looked[0] < EVERY_S:
            return self._state
        spent_s = sum(os.times()[:2])
        cpu_pct = None
        if self._looked is not None:
            cpu_pct = 100.0 * (spent_s - self._looked[1]) / (at_s - self._looked[0])
        self._looked = (at_s, spent_s)
        self._state = MachineState(cpu_pct, self._memory_mib(), self._disk_free_mb())
        return self._state

    def _memory_mib(self) -> float | None:
        try:
            return int(self._statm.read_text().split()[1]) * _PAGE_BYTES / 2**20
        except (OSError, ValueError, IndexError):
            return None

    def _disk_free_mb(self) -> float | None:
        try:
            return shutil.disk_usage(self._folder).free / 1e6
        except OSError:
            return None
