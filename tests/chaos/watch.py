"""What must hold in every chaos night. Each watch is fed moments and says in sentences what was broken."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.faults import Kind

from somnisphere.bedtime.phases import Phase

QUIET_PHASES = (Phase.IDLE, Phase.MORNING)
DARK_PHASES = (Phase.IDLE, Phase.ASLEEP)


@dataclass(frozen=True, slots=True)
class Moment:
    """One second of the bed. ``phase`` None: no daemon runs. ``going_on``: faults that last now."""

    at_s: float
    phase: Phase | None
    sounding: bool = False
    lamp: float = 0.0
    lamp_wanted: float = 0.0
    """Where the ritual sent it."""
    lamp_by_hand: bool = False
    pulse_ok: bool = False
    night_open: bool = True
    going_on: frozenset[Kind] = frozenset()


class Silence:
    """No story stuck on: silent where nobody asked for it, and never longer than the parent's limit and a fade."""

    AFTER_S = 8.0
    PER_START_S = 40.0

    def __init__(self, limit_s: float, fade_s: float, tell: Callable[[str], None]) -> None:
        self.limit_s = limit_s + fade_s + 30.0
        self._fade_s = fade_s
        self._tell = tell
        self._heard_s = 0.0
        self._at_s: float | None = None
        self._quiet_since_s: float | None = None
        self._asleep_since_s: float | None = None
        self._said: set[str] = set()

    def renew(self) -> None:
        """A new evening, or awake for good: the limit begins anew."""
        self._heard_s = 0.0

    def started(self) -> None:
        """A restart after a kill may not know the last seconds that were heard."""
        self._heard_s = max(0.0, self._heard_s - self.PER_START_S)

    def look(self, now: Moment) -> None:
        passed_s = 0.0 if self._at_s is None else now.at_s - self._at_s
        self._at_s = now.at_s
        if now.phase is Phase.MORNING:
            self.renew()
        if now.sounding:
            self._heard_s += passed_s
        if self._heard_s > self.limit_s:
            self._once("limit", f"{now.at_s:.0f} s: a story is heard for {self._heard_s:.0f} s, limit and fade over")
        excused = bool(now.going_on & {Kind.HOME_KILLED, Kind.HOME_HUNG, Kind.MPV_HUNG, Kind.STALL})
        should = now.phase in QUIET_PHASES or now.phase is None
        if not should or not now.sounding or excused:
            self._quiet_since_s = None
        elif self._quiet_since_s is None:
            self._quiet_since_s = now.at_s
        elif now.at_s - self._quiet_since_s > self.AFTER_S:
            self._once("quiet", f"{now.at_s:.0f} s: a story sounds in phase {now.phase or 'none: no daemon'}")

    def _once(self, what: str, sentence: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._tell(sentence)


class Darkness:
    """The lamp is never left on: dark after evening, stop, sleep, clean exit; after a kill with the next start."""

    SENT_S, DARK_S = 10.0, 330.0
    """So soon it is sent to darkness, and so late it is there: the longest way is five minutes."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._since_s: float | None = None
        self._said = False

    def look(self, now: Moment) -> None:
        excused = bool(now.going_on & {Kind.HOME_KILLED, Kind.HOME_HUNG, Kind.STALL})
        should = now.phase in DARK_PHASES and not now.lamp_by_hand
        if not should or now.lamp <= 0.0 or excused:
            self._since_s, self._said = None, False
            return
        if self._since_s is None:
            self._since_s = now.at_s
        lit_s = now.at_s - self._since_s
        if (lit_s > self.DARK_S or (lit_s > self.SENT_S and now.lamp_wanted > 0.0)) and not self._said:
            self._said = True
            self._tell(f"{now.at_s:.0f} s: the lamp is left on ({now.lamp:.3f}) in phase {now.phase}")

    def stopped(self, at_s: float, lamp: float) -> None:
        """The daemon ended cleanly."""
        if lamp > 0.0:
            self._tell(f"{at_s:.0f} s: the lamp burns ({lamp:.3f}) after a clean end")


class Honesty:
    """No "ok" while broken, and a night is open while an evening goes on."""

    LATEST_S = 20.0
    BROKEN = frozenset((Kind.STUCK_HIGH, Kind.STUCK_LOW, Kind.CABLE_OUT, Kind.PULSE_OUT))

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._broken_since_s: float | None = None
        self._closed_since_s: float | None = None
        self._said = False

    def look(self, now: Moment) -> None:
        if now.phase is None or not now.going_on & self.BROKEN or Kind.STALL in now.going_on:
            self._broken_since_s = None
        elif self._broken_since_s is None:
            self._broken_since_s, self._said = now.at_s, False
        elif now.pulse_ok and now.at_s - self._broken_since_s > self.LATEST_S and not self._said:
            self._said = True
            self._tell(f"{now.at_s:.0f} s: the pulse sensor is said to be well, but: {', '.join(now.going_on)}")
        if now.phase in (None, *QUIET_PHASES) or now.night_open:
            self._closed_since_s = None
        elif self._closed_since_s is None:
            self._closed_since_s = now.at_s
        elif now.at_s - self._closed_since_s > 5.0:
            self._closed_since_s = float("inf")
            self._tell(f"{now.at_s:.0f} s: phase {now.phase}, and no night is open")
