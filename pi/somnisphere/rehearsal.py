"""A whole evening and night from simulated chips, stepped as fast as asked through the same ``Daemon`` a Pi runs.

Only the lowest seam is simulated: the I2C bus below the real smbus2, the GPIO pins below gpiozero, and a speaker that
keeps time without sound. Rehearsed time is its own ``at_s``: seconds since the rehearsed evening began.
"""

import logging
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass

from somnisphere.clock import utc_offset_s
from somnisphere.daemon import Daemon
from somnisphere.events import BrokerReported, ButtonPressed, Press, Tick
from somnisphere.live import Edge
from somnisphere.snapshot import Snapshot
from somnisphere_hardware.button import PressDecoder
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_home.mqtt import Connected, Disconnected, HomeLink, LinkEvent, Received

log = logging.getLogger(__name__)

Hand = tuple[float, Callable[[], None]]
"""What a person does, and when (``at_s``)."""

TICK_S = 1.0
EVENING_HOUR = 21


@dataclass(slots=True)
class RehearsalClock:
    """Rehearsed time: moved on by the rehearsal, read by whoever stamps an event."""

    at_s: float
    wall_start_s: float

    def now_s(self) -> float:
        return self.at_s

    def wall_s(self) -> float:
        return self.wall_start_s + self.at_s


def evening_of(wall_s: float) -> float:
    """Unix time of the evening that a rehearsal at ``wall_s`` plays: nine o'clock of the household's last evening."""
    local = time.localtime(wall_s)
    start_s = time.mktime((local.tm_year, local.tm_mon, local.tm_mday, EVENING_HOUR, 0, 0, 0, 0, -1))
    return start_s if start_s <= wall_s else start_s - 86400.0


BEHIND_S = 0.5


class Pacer:
    """Holds rehearsed time to ``speed`` seconds per second; 0 means as fast as it goes.

    A rehearsal that fell behind (the machine was asleep, the process was stopped) goes on from there at its speed: what
    was missed is not rushed through.
    """

    def __init__(self, speed: float, start_s: float) -> None:
        self._speed = speed
        self._start_s = start_s
        self._began_s = time.monotonic()

    def hold(self, at_s: float) -> None:
        if self._speed <= 0:
            return
        ahead_s = (at_s - self._start_s) / self._speed - (time.monotonic() - self._began_s)
        if ahead_s > 0.002:
            time.sleep(ahead_s)
        elif ahead_s < -BEHIND_S:
            self._start_s, self._began_s = at_s, time.monotonic()


class Rehearsal:
    """``hands``, in order of time: what a person does during the night (press the button, say)."""

    def __init__(
        self,
        daemon: Daemon,
        bus: SimulatedBus,
        clock: RehearsalClock,
        *,
        speed: float = 0.0,
        link: HomeLink | None = None,
        inbox: "queue.SimpleQueue[LinkEvent | Edge] | None" = None,
        hands: tuple[Hand, ...] = (),
        show: Callable[[Snapshot], None] | None = None,
    ) -> None:
        self._daemon = daemon
        self._bus = bus
        self._clock = clock
        self._speed = speed
        self._link = link
        self._inbox: queue.SimpleQueue[LinkEvent | Edge] = inbox or queue.SimpleQueue()
        self._hands = list(hands)
        self._show = show
        self._decoder = PressDecoder()

    def run(self, until_s: float) -> None:
        """Step the night to ``until_s``."""
        clock, daemon = self._clock, self._daemon
        pacer = Pacer(self._speed, clock.at_s)
        tick_due_s = poll_due_s = clock.at_s
        while clock.at_s < until_s:
            at_s = clock.at_s
            self._bus.now_s = at_s
            if at_s >= poll_due_s:
                poll_due_s = max(daemon.poll_bedside(at_s), at_s + 0.01)
            if at_s >= tick_due_s:
                tick_due_s = at_s + TICK_S
                self._tick(at_s)
                pacer.hold(at_s)
            clock.at_s = min(poll_due_s, tick_due_s)

    def _tick(self, at_s: float) -> None:
        wall_s = self._clock.wall_s()
        while self._hands and self._hands[0][0] <= at_s:
            self._hands.pop(0)[1]()
        while not self._inbox.empty():
            self._take(self._inbox.get(), at_s)
        for word in self._decoder.tick(at_s):
            self._daemon.handle(ButtonPressed(at_s, Press(word)))
        self._daemon.handle(Tick(at_s, wall_s, utc_offset_s(wall_s)))
        self._daemon.step_lamp(at_s)
        if self._show is not None:
            self._show(self._daemon.snapshot())

    def _take(self, item: LinkEvent | Edge, at_s: float) -> None:
        match item:
            case Edge():
                for word in self._decoder.edge(item.pressed, item.at_s):
                    self._daemon.handle(ButtonPressed(item.at_s, Press(word)))
            case Connected():
                self._daemon.handle(BrokerReported(at_s, connected=True))
                assert self._link is not None
                for topic in self._daemon.subscriptions:
                    self._link.subscribe(topic)
                self._daemon.home_connected(at_s)
            case Disconnected():
                self._daemon.handle(BrokerReported(at_s, connected=False, problem=item.reason))
            case Received():
                self._daemon.home_said(item.topic, item.payload, retained=item.retained, at_s=at_s, reply=item.reply)
