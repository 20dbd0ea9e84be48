"""What a broker says, heard by a real client: for tests that wait for a word and look back over all words."""

import json
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion


class Ear:
    """Hears everything below ``somnisphere/bedside`` from now on; ``say`` sends a command."""

    def __init__(self, place: tuple[str, int]) -> None:
        self._heard: list[paho.MQTTMessage] = []
        self._changed = threading.Condition(threading.RLock())
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.connect(*place)
        self._client.subscribe("somnisphere/bedside/#", qos=1)
        self._client.loop_start()

    def _hear(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self._heard.append(message)
            self._changed.notify_all()

    def say(self, key: str, payload: str = "PRESS", *, retain: bool = False) -> None:
        self._client.publish(f"somnisphere/bedside/{key}/set", payload, qos=1, retain=retain).wait_for_publish(5.0)

    def payloads(self, topic: str) -> list[bytes]:
        with self._changed:
            return [bytes(m.payload) for m in self._heard if m.topic == f"somnisphere/bedside/{topic}"]

    def wait(self, topic: str, content: bytes, seconds: float = 10.0) -> None:
        """Until the newest word on ``topic`` is ``content``."""
        with self._changed:
            said = self._changed.wait_for(lambda: self.payloads(topic)[-1:] == [content], timeout=seconds)
        assert said, f"{topic} never said {content!r}, but {self.payloads(topic)}"

    def wait_for(self, group: str, wanted: Callable[[dict[str, Any]], bool], seconds: float = 10.0) -> dict[str, Any]:
        """Until the newest state of ``group`` is as ``wanted``; that state."""

        def newest() -> dict[str, Any] | None:
            said = self.payloads(group)
            state: dict[str, Any] | None = json.loads(said[-1]) if said else None
            return state if state is not None and wanted(state) else None

        with self._changed:
            state = self._changed.wait_for(newest, timeout=seconds)
        assert state, f"{group} was never so, but {self.payloads(group)}"
        return state

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
