"""Carries to the coach's broker what is due, from the page's process: the daemon of the night has no part in it.

It connects only when something is due, says it, waits until the broker has it, and goes. What could not be said is
tried again; nothing is kept for later on any way but in the household's file, so that what is taken back there is not
somewhere on its way.
"""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date

from somnisphere.coach.diary_row import DiaryRow
from somnisphere.coach.post import Say, TakeBack, due, summary_message, withdrawn_message
from somnisphere.coach.store import CoachStore
from somnisphere.coach.summary import summarise
from somnisphere.errors import UserError
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, Connected, Disconnected
from somnisphere_home.sure_link import Delivered, Refused, SureEvent, SureLink

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""So long the broker may take for each thing."""
LOOKS_EVERY_S = 10.0
"""How often it is looked whether something is due; a withdrawal on the page wakes it at once."""


class NotSentError(Exception):
    """The coach's broker did not take it; the text says why. It is tried again."""


class Sender:
    """``rows``: the diary as it is now. ``today``, ``wall_s``: the household's clock."""

    def __init__(
        self,
        store: CoachStore,
        rows: Callable[[], Sequence[DiaryRow]],
        settings: BrokerSettings,
        today: Callable[[], date],
        wall_s: Callable[[], float],
    ) -> None:
        self._store = store
        self._rows = rows
        self._settings = settings
        self._today = today
        self._wall_s = wall_s
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="coach-post", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """Something may be due now. From any thread; returns at once."""
        self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join(3.0)  # one that waits for a broker is left behind: what it could not say is in the file

    def deliver(self) -> None:
        """Everything that is due. Raises ``NotSentError``; what was said until then is said."""
        errands = due(self._store.consents(), self._today())
        if not errands:
            return
        events: queue.SimpleQueue[SureEvent] = queue.SimpleQueue()
        link = SureLink(self._settings, events.put)
        link.start()
        try:
            _expect(events, Connected, link)
            while errands:
                self._run_errand(errands[0], link, events)
                errands = due(self._store.consents(), self._today())
        finally:
            link.stop()

    def _run_errand(self, errand: Say | TakeBack, link: SureLink, events: "queue.SimpleQueue[SureEvent]") -> None:
        consent, today = errand.consent, self._today()
        if isinstance(errand, TakeBack):
            _send(link, events, withdrawn_message(consent, today))
            self._store.told(consent.id, self._wall_s())
            return
        rows = self._rows()
        number = self._store.next_number(consent.id, today)  # asked for last: here a withdrawal is seen
        if number is not None:
            _send(link, events, summary_message(summarise(rows, consent, number, today, errand.word), consent.coach))
            self._store.said(consent.id, today, errand.word)

    def _run(self) -> None:
        told = ""
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.deliver()
                problem = ""
            except (NotSentError, sqlite3.Error, OSError, UserError) as trouble:
                problem = str(trouble)
            if problem and problem != told:
                log.warning("The coach was not told: %s. Trying again.", problem)
            told = problem
            self._wake.wait(LOOKS_EVERY_S)


def _send(link: SureLink, events: "queue.SimpleQueue[SureEvent]", message: Message) -> None:
    number = link.publish(message)
    if number is None:
        raise NotSentError(f"the connection to {link.place} was lost")
    while (delivered := _expect(events, Delivered, link)) and delivered.number != number:
        pass


def _expect(events: "queue.SimpleQueue[SureEvent]", kind: type[SureEvent], link: SureLink) -> Delivered:
    """The next of this kind."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            event = events.get(timeout=max(0.0, end_s - time.monotonic()))
        except queue.Empty:
            raise NotSentError(f"{link.place} does not answer") from None
        match event:
            case Disconnected(reason=reason) | Refused(reason=reason):
                raise NotSentError(reason)
            case Delivered() if kind is Delivered:
                return event
            case Connected() if kind is Connected:
                return Delivered(0)
