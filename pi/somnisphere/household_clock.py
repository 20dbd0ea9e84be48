"""The household's clock: ticks whose wall time can be believed, or that say why not.

A Raspberry Pi without a battery clock starts at the time of its last shutdown, or in 1970, until the network has set
its clock. Until then:

- a time that lies before this program was written is never used; the time goes on from when the journal last saw it,
  so that nights stay in order and none is filed under 1970;
- a time that nobody vouches for (no network time yet, no clock with a battery) is used, but never one that lies before
  what the journal has seen;
- every tick says so (``Tick.clock_problem``), and nothing that is to happen at an hour of the day happens by it.

When the clock is then set, the next tick's time jumps, and what was dated meanwhile is dated anew (``redating.py``).
Once a time could be believed, a clock that goes astray later is not followed: monotonic time goes on from it.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from somnisphere.clock import Clock, utc_offset_s
from somnisphere.events import Tick
from somnisphere.redating import STEP_S

EARLIEST_S = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
"""No night was recorded before: a clock that shows less was not set."""
LOOK_EVERY_S = 10.0
NEAR_S = 120.0
"""A battery clock that is further off than this did not set the system's."""


class ClockSetter:
    """Who vouches for the system's clock. ``root``: "/" on a real machine.

    systemd-timesyncd touches ``/run/systemd/timesync/synchronized`` whenever it has set the clock
    (systemd-timesyncd.service(8)). A battery clock shows its time in ``since_epoch``; that of a Raspberry Pi 5 without
    a battery is there, too, and starts in 1970.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._network = root / "run/systemd/timesync"
        self._batteries = root / "sys/class/rtc"

    def vouches(self, wall_s: float) -> bool:
        """Also where nothing is known of who sets the clock: then somebody else does."""
        if not self._network.is_dir() or (self._network / "synchronized").exists():
            return True
        for clock in self._batteries.glob("rtc*/since_epoch"):
            try:
                if abs(int(clock.read_text()) - wall_s) < NEAR_S:
                    return True
            except (OSError, ValueError):
                continue
        return False


class Zone:
    """The household may move to another zone while the daemon runs: the file is looked at once in a while."""

    def __init__(self, file: Path = Path("/etc/localtime")) -> None:
        self._file = file
        self._seen = self._look()

    def _look(self) -> tuple[str, int, float] | None:
        try:
            state = self._file.stat()
            return os.path.realpath(self._file), state.st_ino, state.st_mtime
        except OSError:
            return None

    def follow(self) -> None:
        if (seen := self._look()) != self._seen:
            self._seen = seen
            time.tzset()


class HouseholdClock:
    """``last_seen_s``: the latest time that the journal knows, Unix seconds."""

    def __init__(
        self,
        clock: Clock,
        setter: ClockSetter | None = None,
        zone: Zone | None = None,
        last_seen_s: float | None = None,
    ) -> None:
        self._clock = clock
        self._setter = setter or ClockSetter()
        self._zone = zone or Zone()
        began_s = clock.now_s()
        self._least_minus_at_s = max(EARLIEST_S, last_seen_s or 0.0) - began_s
        self._believed_minus_at_s: float | None = None
        self._look_due_s = began_s
        self._seen_minus_at_s = 0.0
        self._problem = ""

    def now_s(self) -> float:
        return self._clock.now_s()

    def wall_s(self) -> float:
        """As it can be believed."""
        return self.tick().wall_s

    def tick(self) -> Tick:
        at_s, wall_s = self._clock.now_s(), self._clock.wall_s()
        stepped = abs(wall_s - at_s - self._seen_minus_at_s) > STEP_S
        if stepped or at_s >= self._look_due_s:
            self._look_due_s, self._seen_minus_at_s = at_s + LOOK_EVERY_S, wall_s - at_s
            self._problem = self._wrong_with(wall_s)
            self._zone.follow()
        if not self._problem:
            self._believed_minus_at_s = wall_s - at_s
        elif self._believed_minus_at_s is not None:
            wall_s = at_s + self._believed_minus_at_s
        else:
            wall_s = max(wall_s, at_s + self._least_minus_at_s)
        return Tick(at_s, wall_s, utc_offset_s(wall_s), self._problem)

    def _wrong_with(self, wall_s: float) -> str:
        if wall_s < EARLIEST_S:
            shown = datetime.fromtimestamp(max(0.0, wall_s), UTC)
            return (
                f"The clock is not set: it shows the year {shown:%Y}. Until the network sets it, times are counted on"
                " from when the box was last seen."
            )
        if self._believed_minus_at_s is None and not self._setter.vouches(wall_s):
            return (
                "The clock was not set since the box started, and no battery clock knows the time:"
                " until the network sets it, times may be too early."
            )
        return ""


def boot_id(file: Path = Path("/proc/sys/kernel/random/boot_id")) -> str:
    """Names this start of the machine, in all of which monotonic time means the same; "" when it cannot be known."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""
