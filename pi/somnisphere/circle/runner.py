"""The circle's own small process: the household's broker on one side, the disk on the other, the state machine between.

It knows nothing of the night, hears nothing of it, and may end at any time: what counts is on the disk.
"""

import logging
import queue
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from somnisphere.circle.acts import Act, Finish, HearAgain, Keep, KeepTake, Open, Publish, Remove, Say, Send
from somnisphere.circle.fetching import PATIENCE_S
from somnisphere.circle.identity import Identity
from somnisphere.circle.known import FAILED, HeldOffer, Known
from somnisphere.circle.partial import Partial, read_piece_of
from somnisphere.circle.pieces import Piece, piece_bytes
from somnisphere.circle.placing import NotTakenError, packed_at, place, take_away
from somnisphere.circle.protocol import PIECE_EXPIRY_S, Protocol
from somnisphere.circle.serving import BYTES_PER_S
from somnisphere.circle.store import CircleStore, in_trouble
from somnisphere.library.broken import UnreadableError, reason_of
from somnisphere_home.messages import OFFLINE, ONLINE, Message
from somnisphere_home.mqtt import Connected, Disconnected, Forbidden, HomeLink, LinkEvent, Received

log = logging.getLogger(__name__)

STEP_S = 0.25
MOST_WAITING = 256
"""More pieces and questions than this are dropped: they come again. What is retained is not."""

MOST_RETAINED_WAITING = 5000


@dataclass(frozen=True, slots=True)
class Folders:
    """``own``: key, arriving and lent stories, beside the journal. ``shelf``: the household's stories."""

    own: Path
    shelf: Path
    cache: Path


class CircleRunner:
    def __init__(
        self,
        store: CircleStore,
        known: Known,
        identity: Identity,
        folders: Folders,
        link: Callable[[Callable[[LinkEvent], None]], HomeLink],
        *,
        patience_s: float = PATIENCE_S,
        bytes_per_s: float = BYTES_PER_S,
    ) -> None:
        self._store = store
        self._folders = folders
        self._protocol = Protocol(known, identity, patience_s=patience_s, bytes_per_s=bytes_per_s)
        self._inbox: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
        self._link = link(self._put)
        self._partials: dict[str, Partial] = {}

    def run(self, stop: Callable[[], bool]) -> None:
        """Until ``stop()``."""
        self._link.start()
        try:
            while not stop():
                try:
                    event: LinkEvent | None = self._inbox.get(timeout=STEP_S)
                except queue.Empty:
                    event = None
                if event is not None:
                    self._perform(self._happened(event))
                if (known := self._news()) is not None:
                    self._perform(self._protocol.refresh(known))
                self._perform(self._protocol.tick(time.monotonic()))
        finally:
            self._link.stop([Message(self._protocol.topics.here, OFFLINE, retain=True, qos=1)])

    def _put(self, event: LinkEvent) -> None:
        """On the link's thread."""
        if isinstance(event, Received):
            most = MOST_RETAINED_WAITING if event.retained else MOST_WAITING
            if self._inbox.qsize() >= most:
                log.debug("the circle's inbox is full; a message is dropped")
                return
        self._inbox.put(event)

    def _news(self) -> Known | None:
        """What is known, when somebody else of the household changed it."""
        try:
            return self._store.load() if self._store.changed() else None
        except sqlite3.Error as problem:
            log.warning("%s", in_trouble(problem, self._store.path))
            return None

    def _happened(self, event: LinkEvent) -> list[Act]:
        match event:
            case Connected():
                self._link.publish(Message(self._protocol.topics.here, ONLINE, retain=True, qos=1))
                return self._protocol.connected()
            case Disconnected():
                self._protocol.disconnected()
                return []
            case Received(topic=topic, payload=payload):
                return self._protocol.receive(topic, payload, time.monotonic(), time.time())
            case Forbidden():
                return []  # the link has said it

    def _perform(self, acts: list[Act]) -> None:
        """One after the other. A disk that is full or broken is said; what was not kept is heard or fetched again."""
        for act in acts:
            try:
                self._do(act)
            except (sqlite3.Error, OSError) as problem:
                log.warning("%s", in_trouble(problem, self._store.path))

    def _do(self, act: Act) -> None:
        match act:
            case Say(text):
                log.info("%s", text)
            case Publish(topic, payload, retain, expiry_s):
                self._link.publish(Message(topic, payload, retain, 1, expiry_s))
            case HearAgain():
                for topic in self._protocol.topics.subscriptions:
                    self._link.subscribe(topic)
            case Open(held):
                self._open(held)
            case Keep(sha256, index, data):
                self._keep(sha256, index, data)
            case Finish(held):
                self._finish(held)
            case Send(topic, held, index):
                self._send(topic, held, index)
            case Remove(sha256, title):
                self._remove(sha256, title)
            case _:
                self._store.perform(act)

    def _open(self, held: HeldOffer) -> None:
        partial = self._partials[held.offer.sha256] = Partial(self._folders.own, held.offer)
        try:
            self._protocol.opened(held.offer.sha256, partial.open())
        except OSError as problem:
            self._perform(self._protocol.finished(held.offer.sha256, f"it cannot be fetched: {reason_of(problem)}."))

    def _keep(self, sha256: str, index: int, data: bytes) -> None:
        try:
            self._partials[sha256].keep(index, data)
        except OSError as problem:
            self._perform(self._protocol.finished(sha256, f"it cannot be fetched: {reason_of(problem)}."))

    def _finish(self, held: HeldOffer) -> None:
        offer = held.offer
        partial = self._partials.pop(offer.sha256)
        try:
            if not partial.is_the_story():
                raise NotTakenError(
                    "its pieces are as promised, but the whole is not; whoever offered it made a mistake"
                )
            to = place(partial.path, offer, self._folders.shelf)
        except (NotTakenError, OSError) as problem:
            why = str(problem) if isinstance(problem, NotTakenError) else f"the shelf: {reason_of(problem)}"
            self._perform(self._protocol.finished(offer.sha256, f"{why}."))
            if isinstance(problem, NotTakenError):
                partial.forget()
            return
        acts = self._protocol.finished(offer.sha256)
        for act in acts:
            if isinstance(act, KeepTake) and act.take.state != FAILED:
                self._store.perform(act)
                self._store.keep_place(offer.sha256, to)
        self._perform(acts)
        partial.forget()

    def _send(self, topic: str, held: HeldOffer, index: int) -> None:
        sha256 = held.offer.sha256
        path = packed_at(self._folders.own, sha256) if held.mine else self._store.place_of(sha256)
        data = None if path is None else read_piece_of(path, held.offer, index)
        if data is not None:
            payload = piece_bytes(Piece(sha256, index, data))
            self._link.publish(Message(topic, payload, qos=1, expiry_s=PIECE_EXPIRY_S))

    def _remove(self, sha256: str, title: str) -> None:
        partial = self._folders.own / f"{sha256}.partial"
        for path in (partial, partial.with_suffix(".had")):
            path.unlink(missing_ok=True)
        self._partials.pop(sha256, None)
        placed = self._store.place_of(sha256)
        try:
            if placed is not None and take_away(placed, sha256, self._folders.shelf, self._folders.cache):
                log.info("“%s” was taken off the shelf.", title)
        except UnreadableError as problem:
            log.warning("%s", problem)
