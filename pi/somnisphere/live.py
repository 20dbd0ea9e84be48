"""The thin shell of threads around the daemon: reads the chips, moves the lamp, and runs the one ``while``.

    sensor thread   polls the bedside            -> inbox (blocks may be dropped when it is full: counted)
    paho's thread   messages of the broker       -> inbox (never dropped)
    home-listener   what Home Assistant knows    -> inbox (a few facts, when they change; never dropped)
    gpiozero's      edges of the button          -> inbox (never dropped)
    main thread     takes events in order, moves a fading lamp, ticks twice a second

Only the main thread touches the core, the lamp, the speaker, the journal and the home session, so there is no lock.
"""

import logging
import queue
import threading
from dataclasses import dataclass, replace

from somnisphere.daemon import Daemon
from somnisphere.events import BrokerReported, ButtonPressed, HomeReported, Press
from somnisphere.household_clock import HouseholdClock
from somnisphere.poll_thread import PollThread
from somnisphere.service_manager import ServiceManager
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.button import Button, PressDecoder
from somnisphere_hardware.card_reader import CardGone, CardReader, CardSeen, CardSign, ReaderState
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock, Sample
from somnisphere_home.mqtt import Connected, Disconnected, Forbidden, HomeLink, LinkEvent, Received

log = logging.getLogger(__name__)

TICK_S = 0.5
"""How often time is told to the core; mpv wants to be asked about this often too."""
HUNG_S = 30.0
"""A sensor thread that is so late hangs in the kernel: no fault of a chip keeps it longer."""
INBOX_BLOCKS = 240
"""Sample blocks waiting at most: two minutes of a stalled consumer."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The button's line changed."""

    at_s: float
    pressed: bool


@dataclass(frozen=True, slots=True)
class PlayerSpoke:
    """The player's thread has something to say: ``Daemon.step_speaker`` hears it."""


Item = Sample | LinkEvent | Edge | PlayerSpoke | CardSign | HomeReported


class Inbox:
    """One queue for everything that happens. Samples are dropped when too many wait; hands and homes never are."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._blocks = 0
        self.blocks_dropped = 0

    def put_sample(self, sample: Sample) -> None:
        if not isinstance(sample, PartState):
            with self._lock:
                if self._blocks >= INBOX_BLOCKS:
                    self.blocks_dropped += 1
                    return
                self._blocks += 1
        self._queue.put(sample)

    def put(self, item: LinkEvent | Edge | PlayerSpoke | CardSign | HomeReported) -> None:
        self._queue.put(item)

    def get(self, timeout_s: float) -> Item | None:
        """The next item, or None after ``timeout_s``."""
        try:
            item = self._queue.get(timeout=max(0.0, timeout_s)) if timeout_s > 0 else self._queue.get_nowait()
        except queue.Empty:
            return None
        if isinstance(item, PulseBlock | MotionBlock):
            with self._lock:
                self._blocks -= 1
        return item


class Live:
    """Runs a daemon until ``stop`` is called (from any thread or a signal handler)."""

    def __init__(
        self,
        daemon: Daemon,
        bedside: Bedside,
        link: HomeLink,
        inbox: Inbox,
        clock: HouseholdClock,
        button: Button | None = None,
        reader: CardReader | None = None,
        manager: ServiceManager | None = None,
    ) -> None:
        self._daemon = daemon
        self._bedside = bedside
        self._link = link
        self._inbox = inbox
        self._clock = clock
        self._button = button
        self._reader = reader
        self._manager = manager or ServiceManager({})
        self._decoder = PressDecoder()
        self._button_problem = ""
        self._stop_asked = False
        self._crash: BaseException | None = None

    def stop(self) -> None:
        self._stop_asked = True

    def _crashed(self, problem: BaseException) -> None:
        self._crash = problem
        self._stop_asked = True

    def run(self) -> None:
        """Until stopped. Raises whatever crashed the sensor thread."""
        sensor = PollThread("sensor", self._bedside, self._inbox.put_sample, self._clock, self._crashed)
        sensor.start()
        cards = None
        if self._reader is not None:
            reader = self._reader
            cards = PollThread("cards", reader, self._inbox.put, self._clock, self._crashed, reader.close)
            cards.start()
        self._manager.ready()
        tick_due_s = self._clock.now_s()
        try:
            while not self._stop_asked:
                now_s = self._clock.now_s()
                if now_s >= tick_due_s:
                    self._daemon.handle(replace(self._clock.tick(), late_s=now_s - tick_due_s))
                    tick_due_s = max(tick_due_s + TICK_S, now_s)
                    if sensor.late_s(now_s) < HUNG_S:  # it says samples, or what is wrong; else we are to be restarted
                        self._manager.feed(now_s)
                if self._button is not None:  # an edge may have been missed: equal levels change nothing
                    self._take(Edge(now_s, self._button.is_pressed))
                for word in self._decoder.tick(now_s):
                    self._daemon.handle(ButtonPressed(now_s, Press(word)))
                if self._decoder.problem != self._button_problem:
                    self._button_problem = self._decoder.problem
                    log.warning("%s", self._button_problem or "The button works again.")
                lamp_due_s = self._daemon.step_lamp(now_s)
                speaker_due_s = self._daemon.speaker_due_s
                if speaker_due_s is not None and speaker_due_s <= now_s:
                    self._daemon.step_speaker(now_s)
                    speaker_due_s = self._daemon.speaker_due_s
                dues_s = (tick_due_s, self._decoder.due_s, lamp_due_s, speaker_due_s)
                due_s = [due for due in dues_s if due is not None]
                self._take(self._inbox.get(min(due_s) - self._clock.now_s()))
        finally:
            self._manager.stopping()
            sensor.stop()
            if cards is not None:
                cards.stop()
        if self._crash is not None:
            raise self._crash
        self._daemon.keeping.evening(self._clock.now_s(), self._clock.wall_s())
        self._daemon.keeping.light(self._clock.now_s(), now=True)

    def _take(self, item: Item | None) -> None:
        at_s = self._clock.now_s()
        match item:
            case None:
                pass
            case PlayerSpoke():
                self._daemon.step_speaker(at_s)
            case Edge():
                for word in self._decoder.edge(item.pressed, item.at_s):
                    self._daemon.handle(ButtonPressed(item.at_s, Press(word)))
            case CardSeen() | CardGone() | ReaderState():
                self._daemon.card(item)
            case Connected():
                self._daemon.handle(BrokerReported(at_s, connected=True))
                for topic in self._daemon.subscriptions:
                    self._link.subscribe(topic)
                self._daemon.home_connected(at_s)
            case Disconnected():
                self._daemon.handle(BrokerReported(at_s, connected=False, problem=item.reason))
                self._daemon.echo.disconnected()
            case Forbidden():
                self._daemon.echo.forbidden(item.deed, item.topic)
            case Received():
                self._daemon.home_said(item.topic, item.payload, retained=item.retained, at_s=at_s, reply=item.reply)
            case _:
                self._daemon.handle(item)
