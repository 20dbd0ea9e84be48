"""Follows the states of a few entities of Home Assistant, on a thread of its own, for as long as the daemon lives.

Theory of operation. One template that names the entities is rendered by Home Assistant, now and whenever one of them
changes: so each connection begins with all of them, and a busy house sends nothing else. When nothing was said for a
while (a healthy home is silent, too) a ping asks whether it still lives; a home that hangs is therefore noticed, and
everything that is lost is tried again after 1 to 60 seconds. A refused token is said once and not tried again: Home
Assistant counts failures, and may shut an address out.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from somnisphere_home.rest import HomeRefused, HomeUnreachable
from somnisphere_home.rest_socket import READ_S, HomeSocket, SocketLostError, SocketRefusedError, TokenRefusedError

log = logging.getLogger(__name__)

PING_AFTER_S = 20.0
PONG_WITHIN_S = 20.0
"""With the ping before it: a home that hangs is noticed within 45 seconds."""

WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
STEADY_S = 60.0
"""A connection that held this long was a good one: the next try comes soon again."""

States = Mapping[str, str | None]
"""By entity id, in Home Assistant's words; None: there is no such entity."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what; ``waits_s`` between one connection and the next."""

    read_s: float = READ_S
    ping_after_s: float = PING_AFTER_S
    pong_within_s: float = PONG_WITHIN_S
    waits_s: tuple[float, ...] = WAITS_S
    steady_s: float = STEADY_S

    def wait_s(self, failures: int) -> float:
        """Before the next try, after so many that came to nothing since a connection that held."""
        return self.waits_s[min(max(0, failures - 1), len(self.waits_s) - 1)]


def template_of(entity_ids: Sequence[str]) -> str:
    """Says the states of all, in order; "" for an entity that does not exist."""
    states = ", ".join(f"states['{entity_id}'].state | default('')" for entity_id in entity_ids)
    return f"{{{{ [{states}] | to_json }}}}"


def states_in(result: object, entity_ids: Sequence[str]) -> States | None:
    """What such a template said; Home Assistant sends it as a list, or as the text of one. None: it is neither."""
    if isinstance(result, str):
        try:
            result = json.loads(result)
        except (ValueError, RecursionError):
            return None
    if not isinstance(result, list) or len(result) != len(entity_ids):
        return None
    return {entity_id: str(state) or None for entity_id, state in zip(entity_ids, result, strict=True)}


class StatesListener:
    """``tell`` is called on the thread: with all states whenever one changed and after each connection, once with
    ``HomeUnreachable`` when they are not to be had any more, and once with ``HomeRefused``, the last word."""

    def __init__(
        self,
        url: str,
        token: str,
        entity_ids: Sequence[str],
        tell: Callable[[States | HomeUnreachable | HomeRefused], None],
        patience: Patience = Patience(),
    ) -> None:
        self._url = url
        self._token = token
        self._entity_ids = tuple(entity_ids)
        self._tell = tell
        self._patience = patience
        self._heard = False  # on this connection
        self._stop_asked = threading.Event()
        self._thread = threading.Thread(target=self._work, name="home-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, patience_s: float = 0.5) -> None:
        """Nothing is told any more. The thread ends within ``read_s``; it is waited for no longer than is said."""
        self._stop_asked.set()
        if self._thread.is_alive():
            self._thread.join(patience_s)

    def _say(self, news: States | HomeUnreachable | HomeRefused) -> None:
        if not self._stop_asked.is_set():
            self._tell(news)

    def _work(self) -> None:
        failures, told_lost = 0, False
        while not self._stop_asked.is_set():
            since_s = time.monotonic()
            try:
                self._follow()
            except TokenRefusedError as problem:
                self._say(HomeRefused(str(problem)))
                return
            except (SocketLostError, SocketRefusedError) as problem:
                held_s = time.monotonic() - since_s
                log.debug("The home's states: %s (after %.0f s)", problem, held_s)
                if self._heard or not told_lost:
                    self._say(HomeUnreachable(str(problem)))
                    told_lost = True
                failures = 0 if held_s >= self._patience.steady_s and self._heard else failures + 1
            self._stop_asked.wait(self._patience.wait_s(failures))

    def _follow(self) -> None:
        """One connection, until it is lost or no longer wanted."""
        self._heard = False
        patience, silent_s = self._patience, 0.0
        with HomeSocket(self._url, self._token, patience.read_s) as socket:
            number = socket.follow(template_of(self._entity_ids))
            while not self._stop_asked.is_set():
                said = socket.rendered(number)
                if said is not None:
                    self._hear(said)
                    silent_s = 0.0
                    continue
                silent_s += patience.read_s
                if silent_s >= patience.ping_after_s:
                    self._check(socket)
                    silent_s = 0.0

    def _hear(self, said: object) -> None:
        states = states_in(said, self._entity_ids)
        if states is None:
            raise SocketLostError(f"{self._url} says something that is no states: {str(said)[:100]}")
        self._heard = True
        self._say(states)

    def _check(self, socket: HomeSocket) -> None:
        ping, waited_s = socket.ping(), 0.0
        while not self._stop_asked.is_set() and not socket.ponged(ping):
            waited_s += self._patience.read_s
            if waited_s >= self._patience.pong_within_s:
                raise SocketLostError(f"{self._url} does not answer any more")
