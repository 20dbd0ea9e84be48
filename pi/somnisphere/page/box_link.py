"""The way to the daemon of this bedside, over MQTT: what it said last, commands and questions to it."""

import json
import queue
import secrets
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from somnisphere.page.house import BoxError, BoxView
from somnisphere.watch_home import Bedsides
from somnisphere_home.messages import Message, Topics
from somnisphere_home.mqtt import BrokerSettings, Connected, Disconnected, HomeLink, LinkEvent, Received

ANSWER_WITHIN_S = 4.0


class BoxLink:
    """Connects in the background and mends itself; ``start`` and ``stop`` once each. One wish at a time is out."""

    def __init__(self, settings: BrokerSettings, node: str, client_id: str) -> None:
        self._topics = Topics(node)
        self._node = node
        self._said = Bedsides(node)
        self._lock = threading.Lock()
        self._wish_lock = threading.Lock()
        self._reached, self._problem = False, ""
        self._answers: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        self._link = HomeLink(
            replace(settings, client_id=client_id), Message(f"{self._topics.base}/page", b""), self._hear
        )

    def start(self) -> None:
        self._link.start()

    def stop(self) -> None:
        self._link.stop(timeout_s=1.0)

    def view(self) -> BoxView:
        with self._lock:
            node = self._said.node(self._node)
            groups = {name: dict(values) for name, values in node.groups.items()}
            return BoxView(self._reached, self._problem, node.online, node.sensor_online, groups)

    def command(self, key: str, payload: str) -> None:
        self._wish(self._topics.command(key), payload.encode(), self._topics.result(key), None)

    def ask(self, name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = secrets.token_hex(8)
        payload = json.dumps({**said, "id": asked}).encode()
        answer = self._wish(f"{self._topics.base}/ask/{name}", payload, self._topics.ask_result(name), asked)
        found = answer.get("answer")
        return found if isinstance(found, dict) else {}

    def _wish(self, topic: str, payload: bytes, result_topic: str, asked: str | None) -> dict[str, Any]:
        with self._wish_lock:
            if not self._link.is_connected:
                raise BoxError(self.view().problem or "the broker was not reached yet")
            while not self._answers.empty():
                self._answers.get()  # of somebody who no longer waits
            self._link.publish(Message(topic, payload))  # never kept for later: the answer tells whether it came
            try:
                while True:
                    heard, body = self._answers.get(timeout=ANSWER_WITHIN_S)
                    if heard == result_topic and (asked is None or body.get("id") == asked):
                        break
            except queue.Empty:
                raise BoxError("the bedside does not answer") from None
        if body.get("ok") is not True:
            raise BoxError(str(body.get("error") or "the bedside refused without a word")[:500])
        return body

    def _hear(self, event: LinkEvent) -> None:
        """On the link's thread."""
        match event:
            case Connected():
                with self._lock:
                    self._reached, self._problem = True, ""
                for topic in ("+", "sensor/status", "+/result", "ask/+/result"):
                    self._link.subscribe(f"{self._topics.base}/{topic}")
            case Disconnected(reason=reason):
                with self._lock:
                    self._reached, self._problem = False, reason
            case Received(topic=topic, payload=payload):
                if topic.endswith("/result"):
                    self._take(topic, payload)
                else:
                    with self._lock:
                        self._said.hear(topic, payload)

    def _take(self, topic: str, payload: bytes) -> None:
        try:
            body = json.loads(payload)
        except (ValueError, RecursionError):
            return
        if isinstance(body, dict):
            self._answers.put((topic, body))
