"""A collector at work: one connection, one thread that keeps, until it is stopped. The books' trouble is waited out."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date

from somnisphere.coach_desk.collector import Collector
from somnisphere.coach_desk.ledger import Ledger, LedgerError
from somnisphere_home.mqtt import BrokerSettings, Connected
from somnisphere_home.sure_link import AT_ONCE, Parcel, Refused, SureEvent, SureLink

log = logging.getLogger(__name__)

SESSION_S = 3600
"""The broker keeps what comes for a collector that is away for so long. What is lost then is said again within a day,
for each household says its latest week once a day."""
SWEEP_S = 30.0
SAY_S = 60.0
BACKOFF_S = (0.5, 30.0)


class Collecting:
    """``today``: whose consent is over is judged by it."""

    def __init__(
        self, settings: BrokerSettings, topics: Sequence[str], ledger: Ledger, today: Callable[[], date] = date.today
    ) -> None:
        self._events: queue.SimpleQueue[SureEvent] = queue.SimpleQueue()
        self._link = SureLink(settings, self._events.put, session_s=SESSION_S)
        self._topics = topics
        self._today = today
        self._stopping = threading.Event()
        self._swept_s = self._said_s = float("-inf")
        self._said = ""
        self.collector = Collector(ledger, self._link.acknowledge)

    def run(self) -> None:
        """Until ``stop``. What was not kept then is not acknowledged, and comes again."""
        self._link.start()
        try:
            while not self._stopping.is_set():
                parcels = self._gather()
                if parcels:
                    self._surely(lambda: self.collector.take(parcels, self._today()))  # noqa: B023 -- called at once
                now_s = time.monotonic()
                if now_s - self._swept_s >= SWEEP_S:
                    self._swept_s = now_s
                    self._surely(lambda: self.collector.sweep(self._today()))
                if now_s - self._said_s >= SAY_S:
                    self._said_s = now_s
                    self._say()
        finally:
            self._link.stop()
            self._say()

    def stop(self) -> None:
        """From any thread, or a signal."""
        self._stopping.set()

    def _gather(self) -> list[Parcel]:
        """What has come, at most as much as the broker sends unacknowledged."""
        parcels: list[Parcel] = []
        try:
            event = self._events.get(timeout=0.2)
            while True:
                match event:
                    case Connected():
                        self._link.subscribe(self._topics)
                    case Refused(reason=reason):
                        log.warning("%s", reason)
                    case Parcel():
                        parcels.append(event)
                if len(parcels) >= AT_ONCE:
                    break
                event = self._events.get_nowait()
        except queue.Empty:
            pass
        return parcels

    def _surely(self, deed: Callable[[], None]) -> None:
        """Again and again while the books are in trouble; the broker waits meanwhile, for nothing is acknowledged."""
        wait_s, told = BACKOFF_S[0], ""
        while not self._stopping.is_set():
            try:
                deed()
            except LedgerError as problem:
                if str(problem) != told:
                    told = str(problem)
                    log.warning("%s Trying again.", told)
                self._stopping.wait(wait_s)
                wait_s = min(2.0 * wait_s, BACKOFF_S[1])
            else:
                if told:
                    log.info("The books are open again.")
                return

    def _say(self) -> None:
        said = str(self.collector.counts)
        if said != self._said:
            self._said = said
            log.info("%s", said)
