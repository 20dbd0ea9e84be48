"""A broker without a socket, under the real ``HomeLink``: paho's client is replaced, nothing above it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from somnisphere_home import mqtt

KEEPALIVE_S = 60.0
SLOW_S = 8.0
SUCCESS = ReasonCode(PacketTypes.CONNACK, "Success")
LOST = ReasonCode(PacketTypes.DISCONNECT, "Unspecified error")


@dataclass(frozen=True, slots=True)
class _Sent:
    due_s: float
    topic: str
    payload: bytes
    retain: bool


class SimulatedBroker:
    """``up`` False: nothing answers; ``slow``: all takes seconds; ``half_open``: a dead peer that nobody notices."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self.now_s = now_s
        self.up = True
        self.slow = False
        self.half_open_since_s: float | None = None
        self.retained: dict[str, bytes] = {}
        self.client: SimulatedPaho | None = None

    def kill(self, *, forget: bool) -> None:
        self.up = False
        if forget:
            self.retained.clear()

    def step(self) -> None:
        """Once a second or so: connections come and go, what was slow arrives."""
        if self.client is not None:
            self.client.step()

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Somebody in the house publishes."""
        if not self.up:
            return
        if retain:
            self.retained[topic] = payload
        if self.client is not None and self.half_open_since_s is None:
            self.client.hear(topic, payload, retain=False)

    def take(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if not retain:
            return
        if payload:
            self.retained[topic] = payload
        else:
            self.retained.pop(topic, None)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While this lasts, ``HomeLink`` speaks to this broker, and takes its time from here."""
        real_client, real_time = paho.Client, vars(mqtt)["time"]
        vars(paho)["Client"] = lambda *_, **__: SimulatedPaho(self)
        vars(mqtt)["time"] = SimpleNamespace(monotonic=self.now_s)
        try:
            yield
        finally:
            vars(paho)["Client"] = real_client
            vars(mqtt)["time"] = real_time


class SimulatedPaho:
    """As much of ``paho.Client`` as ``HomeLink`` uses."""

    on_connect: Callable[..., None]
    on_connect_fail: Callable[..., None]
    on_disconnect: Callable[..., None]
    on_message: Callable[..., None]

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        self._mid = 0
        self._will: tuple[str, bytes] | None = None
        self._topics: list[str] = []
        self._on_the_way: list[_Sent] = []
        self._due_s = 0.0
        self._pause_s = 1.0
        self.is_connected = False

    # ---- what HomeLink calls

    def will_set(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:  # noqa: ARG002
        self._will = (topic, payload)

    def username_pw_set(self, username: str, password: str | None) -> None: ...

    def reconnect_delay_set(self, first_s: int, longest_s: int) -> None: ...

    def connect_async(self, *_: Any, **__: Any) -> None:
        self._broker.client = self

    def loop_start(self) -> None:
        self._due_s = self._broker.now_s()

    def loop_stop(self) -> None:
        self.is_connected = False

    def subscribe(self, topic: str, qos: int) -> tuple[int, int]:  # noqa: ARG002
        self._mid += 1
        self._topics.append(topic)
        for kept, payload in tuple(self._broker.retained.items()):
            if paho.topic_matches_sub(topic, kept):
                self.hear(kept, payload, retain=True)
        return 0, self._mid

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, properties: object) -> Any:  # noqa: ARG002
        self._mid += 1
        broker = self._broker
        if broker.up and self.is_connected:
            due_s = broker.now_s() + (SLOW_S if broker.slow else 0.0)
            self._on_the_way.append(_Sent(due_s, topic, payload, retain))
            self._arrive()
        return SimpleNamespace(mid=self._mid, wait_for_publish=lambda _: self._arrive(all_of_it=True))

    def disconnect(self) -> None:
        self._arrive(all_of_it=True)
        self.is_connected = False
        if self._broker.client is self:
            self._broker.client = None

    # ---- what the world does

    def hear(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if self.is_connected and (retain or any(paho.topic_matches_sub(mine, topic) for mine in self._topics)):
            self.on_message(self, None, SimpleNamespace(topic=topic, payload=payload, retain=retain, properties=None))

    def die(self) -> None:
        """The process is gone: the kernel closes its socket, and the will speaks."""
        if self.is_connected and self._broker.up and self._broker.half_open_since_s is None:
            self._arrive(all_of_it=True)
        if self.is_connected:
            self._speak_will()
        self.is_connected = False
        if self._broker.client is self:
            self._broker.client = None

    def step(self) -> None:
        broker, now_s = self._broker, self._broker.now_s()
        self._arrive()
        half_open_s = broker.half_open_since_s
        too_long = half_open_s is not None and now_s - half_open_s > 1.5 * KEEPALIVE_S
        if self.is_connected and (not broker.up or too_long):
            if broker.up:
                self._speak_will()
            self._lose(now_s)
        elif not self.is_connected and now_s >= self._due_s:
            if broker.up and half_open_s is None:
                self.is_connected, self._pause_s, self._topics = True, 1.0, []
                self.on_connect(self, None, {}, SUCCESS, None)
            else:
                self._due_s = now_s + self._pause_s
                self._pause_s = min(60.0, 2.0 * self._pause_s)
                self.on_connect_fail(self, None)

    def _lose(self, now_s: float) -> None:
        self.is_connected = False
        self._on_the_way.clear()
        self._due_s = now_s + self._pause_s
        self.on_disconnect(self, None, {}, LOST, None)

    def _arrive(self, *, all_of_it: bool = False) -> None:
        if self._broker.half_open_since_s is not None:
            return  # the kernel sends it again and again: it comes late, or the connection is lost with it
        now_s = self._broker.now_s()
        while self._on_the_way and (all_of_it or self._on_the_way[0].due_s <= now_s):
            sent = self._on_the_way.pop(0)
            self._broker.take(sent.topic, sent.payload, retain=sent.retain)

    def _speak_will(self) -> None:
        if self._will is not None:
            self._broker.take(*self._will, retain=True)
