"""A real mosquitto of the test's own, and what it holds."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions
from tests.home.client import wait_until


def free_port() -> int:
    """A TCP port that nobody listens on (for a moment at least)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Received:
    topic: str
    payload: bytes
    retained: bool


class Listener:
    """Everything the broker passes on under ``topics``, in order."""

    def __init__(self, port: int, *topics: str) -> None:
        self._lock = threading.Lock()
        self._received: list[Received] = []
        self._subscribed = threading.Event()
        self._topics = topics
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._keep
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        if not self._subscribed.wait(10):
            raise TimeoutError(f"no subscription to {topics}")

    def _subscribe(self, *_: object) -> None:
        self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._topics])

    def _keep(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self._received.append(Received(message.topic, bytes(message.payload), message.retain))

    @property
    def received(self) -> list[Received]:
        with self._lock:
            return list(self._received)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Broker:
    """mosquitto on 127.0.0.1:``port``."""

    def __init__(self, port: int) -> None:
        self.port = port

    @contextmanager
    def listening(self, *topics: str) -> Iterator[Listener]:
        listener = Listener(self.port, *topics)
        try:
            yield listener
        finally:
            listener.close()

    def publish(self, topic: str, payload: str | bytes, retain: bool = False) -> None:
        """Returns when the broker has it."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)
        client.disconnect()
        client.loop_stop()

    def retained(self, topic: str = "#") -> dict[str, bytes]:
        """What the broker would tell a newcomer, by topic. A message to itself marks the end."""
        marker = "tests/end-of-retained"
        with self.listening(topic, marker) as listener:
            # A broker keeps the order of one client's messages: the retained ones were queued at the subscription.
            self.publish(marker, b"")
            wait_until(lambda: any(message.topic == marker for message in listener.received), "the marker", 10)
            return {message.topic: message.payload for message in listener.received if message.retained}


@contextmanager
def mosquitto(folder: Path) -> Iterator[Broker]:
    """A broker without passwords, heard on this machine alone; gone at the end."""
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 20000\n")
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen(["mosquitto", "-c", settings], stdout=log, stderr=log)
        try:
            wait_until(lambda: _answers(port), "mosquitto", 10)
            yield Broker(port)
        finally:
            process.terminate()
            process.wait(10)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
