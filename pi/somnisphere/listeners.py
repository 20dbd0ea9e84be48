"""Who listens at this bedside: each with stories, rules for loudness, a limit and an evening of their own. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from somnisphere.bedtime.ritual import Ritual
from somnisphere.bedtime.shelf import EVERYBODY, Shelf
from somnisphere.bedtime.state import RitualSettings
from somnisphere.events import Action, Say, Tick
from somnisphere.night import DAY_S

BEGIN_LATE_S = 1.5 * 3600.0
"""The evening still begins by itself so long after its time: enough for an hour that the clock leaves out in spring.
Later than that it does not: a clock that was wrong and is put right must not wake anybody."""


@dataclass(frozen=True, slots=True)
class Listener:
    """``name`` "" is the household that named nobody. ``folder``: below the shelf's, whose stories are theirs; "" is
    all. ``begin_at_s``: seconds after local midnight at which their evening begins by itself, None: it does not."""

    name: str = EVERYBODY
    settings: RitualSettings = field(default_factory=RitualSettings)
    folder: str = ""
    begin_at_s: float | None = None


class BeginClock:
    """Tells when the household's clock comes to a time of day. Once a day, even where an hour comes twice."""

    def __init__(self, begin_at_s: float | None) -> None:
        self._begin_at_s = begin_at_s
        self._day: int | None = None
        self._begun_day: int | None = None

    def is_due(self, tick: Tick) -> bool:
        if self._begin_at_s is None:
            return False
        since_s = tick.wall_s + tick.utc_offset_s - self._begin_at_s
        day = int(since_s // DAY_S)
        was, self._day = self._day, day
        if was is None or day <= was or day == self._begun_day or since_s % DAY_S > BEGIN_LATE_S:
            return False
        self._begun_day = day
        return True


class Listeners:
    """All of them, and whose evening it is."""

    def __init__(
        self, ritual: Ritual, shelf: Shelf, listeners: Sequence[Listener] = (), begin_waits_s: float = 0.0
    ) -> None:
        self._ritual = ritual
        self._shelf = shelf
        self._all = {listener.name: listener for listener in listeners}
        self._clocks = [(listener.name, BeginClock(listener.begin_at_s)) for listener in listeners]
        self._begin_waits_s = begin_waits_s
        self._waiting: tuple[str, float] | None = None  # whose evening waits, and until when at the latest
        if self._all:
            self.choose(next(iter(self._all)), 0.0)

    @property
    def names(self) -> tuple[str, ...]:
        """Those a person can choose from; none where the household named nobody."""
        return tuple(name for name in self._all if name)

    @property
    def name(self) -> str:
        return self._shelf.listener

    def choose(self, name: str, at_s: float) -> list[Action]:
        """It is this listener's evening from now on."""
        listener = self._all.get(name)
        if listener is None:
            known = ", ".join(self.names) or "nobody"
            return [Say(f"There is no listener “{name}” here; the configuration names {known}.", "warning")]
        return list(self._ritual.listen(name, listener.settings, listener.folder, at_s))

    def take_up(self, name: str, at_s: float) -> None:
        """After a restart: the listener of the saved evening, if the configuration still names them."""
        if name in self._all:
            self.choose(name, at_s)

    def begins(self, tick: Tick, *, free: bool, up: bool) -> tuple[str | None, list[Action]]:
        """Whose evening begins by the clock now. ``free``: none is under way. While somebody is still ``up`` it waits,
        where the household wishes that, and no longer than it wishes. By a clock that is not set none begins."""
        due = [name for name, clock in self._clocks if clock.is_due(tick) and not tick.clock_problem]
        if not free:
            self._waiting = None  # it was begun by hand
            return None, []
        if due and self._waiting is None:
            self._waiting = (due[0], tick.at_s + self._begin_waits_s)
            if up and self._begin_waits_s > 0:
                return None, [Say("The evening waits, for somebody in the house is still up.")]
        if self._waiting is None or (up and tick.at_s < self._waiting[1]):
            return None, []
        name, self._waiting = self._waiting[0], None
        return name, []
