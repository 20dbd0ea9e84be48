"""Sleep moments on Home Assistant's own bus, for whoever listens to events rather than to MQTT.

A thread of its own tells them, one after the other; the night never waits for it. While the home is away a moment is
tried again, and let go when it is history: it must not dim lamps any more.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable

log = logging.getLogger(__name__)

EVENT = "somnisphere_moment"
HISTORY_S = 300.0
AGAIN_S = 10.0
MOST_WAITING = 50


class HomeEvents:
    """``now_s``: monotonic seconds."""

    def __init__(
        self,
        client: HomeAssistantClient,
        node: str,
        *,
        again_s: float = AGAIN_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._node = node
        self._again_s = again_s
        self._now_s = now_s
        self._waiting: queue.SimpleQueue[tuple[float, dict[str, Any]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._troubled = False
        self._stop_asked = threading.Event()

    def tell(self, kind: str, attributes: Mapping[str, Any]) -> None:
        """Hand a moment over; returns at once."""
        if self._waiting.qsize() >= MOST_WAITING:
            return
        self._waiting.put((self._now_s(), {"node": self._node, "type": kind, **attributes}))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="home-events", daemon=True)
            self._thread.start()

    def close(self, patience_s: float = 2.0) -> None:
        """Tell no more; what takes longer is left behind."""
        self._stop_asked.set()
        if self._thread is not None:
            self._waiting.put((float("-inf"), {}))  # wakes the thread, and is history
            self._thread.join(patience_s)

    def _work(self) -> None:
        while not self._stop_asked.is_set():
            self._deliver(*self._waiting.get())
        self._client.close()

    def _deliver(self, since_s: float, data: dict[str, Any]) -> None:
        while self._now_s() - since_s < HISTORY_S and not self._stop_asked.is_set():
            trouble = self._client.fire_event(EVENT, data)
            self._say(trouble)
            if not isinstance(trouble, HomeUnreachable):
                return  # done, or refused: that will not change by trying
            self._stop_asked.wait(self._again_s)

    def _say(self, trouble: HomeUnreachable | HomeRefused | None) -> None:
        """Once until it is over."""
        if trouble is not None and not self._troubled:
            log.warning("Sleep moments do not reach Home Assistant's bus: %s", trouble.reason)
        elif trouble is None and self._troubled:
            log.info("Sleep moments reach Home Assistant's bus again.")
        self._troubled = trouble is not None
