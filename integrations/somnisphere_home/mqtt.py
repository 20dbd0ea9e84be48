"""The wire: one connection to a broker, kept alive. The only file that imports paho.

MQTT 5 is spoken where the broker knows it (message expiry, refusals that are told), else 3.1.1. Nothing here blocks
the caller and nothing raises for trouble in the world: a lost broker is an event, logged once when lost and once when
back. While offline, states are dropped (everything is said anew on connecting); moments wait, as long as they are
worth anything. The session on the broker is always a clean one: a command that could not be delivered is lost on
purpose, for a story that begins an hour late is worse than one that does not begin.
"""

import logging
import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from somnisphere_home.link_words import hint, unreachable
from somnisphere_home.messages import Message, Reply, is_text
from somnisphere_home.tls import checked_context

log = logging.getLogger(__name__)

MAX_WAITING = 100
"""Moments kept while offline; the oldest go first."""

GREETING_S = 5.0
"""A broker silent for so long is tried with the other version: amqtt 0.12 waits for ever for more of an MQTT 5 will."""

_CLOSED_EARLY_MOST = 2
"""A broker that hangs up this often without an answer is tried with the other version: some refuse that way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Where the broker is and how it wants to be greeted. ``ca_file``: the authority that signed its certificate."""

    client_id: str
    host: str = "localhost"
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None
    keepalive_s: int = 60
    mqtt5: bool = True
    """Which version to try first; the other one follows where the broker does not know it."""

    def tls_context(self) -> ssl.SSLContext | None:
        """The context for a TLS connection, None without TLS. Raises ValueError for a bad ``ca_file``."""
        if not self.tls:
            return None
        try:
            return checked_context(self.ca_file)
        except OSError as problem:
            raise ValueError(f"{self.ca_file} cannot be used as the broker's authority: {problem}") from None


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker took us in. ``mqtt5`` is False when it only knows 3.1.1."""

    mqtt5: bool = True


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The broker is gone or will not have us; ``reason`` is a sentence for a person. Said once until it is back."""

    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    topic: str
    payload: bytes
    retained: bool
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The broker says that we may not ``deed`` (read, write) a topic. Often it does not say so: ``echo.py``."""

    deed: str
    topic: str


LinkEvent = Connected | Disconnected | Received | Forbidden


class HomeLink:
    """A connection that mends itself. ``on_event`` is called on paho's thread and must not block.

    After ``Connected`` the caller subscribes and publishes everything, the will's topic (``online``) first: moments
    that waited follow that message, so a home hears of them when it knows us to be there.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        will: Message,
        on_event: Callable[[LinkEvent], None],
        *,
        backoff_s: tuple[int, int] = (1, 60),
        greeting_s: float = GREETING_S,
    ) -> None:
        self._settings = settings
        self._place = f"the MQTT broker at {settings.host}:{settings.port}"
        self._tls = settings.tls_context()
        self._will = will
        self._on_event = on_event
        self._backoff_s = backoff_s
        self._greeting_s = greeting_s
        self._lock = threading.RLock()
        self._waiting: deque[tuple[float, Message]] = deque(maxlen=MAX_WAITING)
        self._mqtt5 = settings.mqtt5
        self._connected = False
        self._announced = False
        self._stopping = False
        self._answered = False
        self._closed_early = 0
        self._greeting: threading.Timer | None = None
        self._trouble: str | None = None
        self._refused_topics: set[str] = set()
        self._topics_by_mid: dict[int, str] = {}
        self._client = self._make_client()

    def start(self) -> None:
        """Begin to connect, in the background; returns at once."""
        self._launch(self._client)

    @property
    def is_connected(self) -> bool:
        return self._connected

    @property
    def refused_topics(self) -> frozenset[str]:
        """What the broker said, on this connection, that we may not read or write. MQTT 3.1.1 drops without a word."""
        return frozenset(self._refused_topics)

    def subscribe(self, topic: str) -> None:
        """Take in a topic, until the connection is lost."""
        with self._lock:
            _, mid = self._client.subscribe(topic, qos=1)
            if mid is not None:
                self._topics_by_mid[mid] = topic

    def publish(self, message: Message) -> None:
        """Hand a message over; returns at once."""
        with self._lock:
            if not self._connected or (not self._announced and message.may_wait):
                if message.may_wait:
                    self._waiting.append((time.monotonic(), message))
                return
            self._send(message)
            if message.topic == self._will.topic and not self._announced:
                self._announced = True
                self._send_waiting()

    def stop(self, farewell: Sequence[Message] = (), timeout_s: float = 5.0) -> None:
        """Say goodbye, wait for the broker to have heard it, at most ``timeout_s``, and end."""
        end_s = time.monotonic() + timeout_s
        with self._lock:
            self._stopping = True
            client = self._client
            sent = [self._send(message) for message in farewell] if self._connected else []
        for info in sent:
            try:
                info.wait_for_publish(max(0.0, end_s - time.monotonic()))
            except (ValueError, RuntimeError):
                break  # the connection went away meanwhile: the will speaks for us
        client.disconnect()
        client.loop_stop()
        self._end_greeting()

    # ---- sending --------------------------------------------------------------------------------------------------

    def _send(self, message: Message) -> paho.MQTTMessageInfo:
        properties = None
        if self._mqtt5 and (message.expiry_s is not None or message.correlation is not None):
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if message.expiry_s is not None:
                properties.MessageExpiryInterval = message.expiry_s
            if message.correlation is not None:
                properties.CorrelationData = message.correlation
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain, properties)
        if message.qos > 0:
            self._topics_by_mid[info.mid] = message.topic
        return info

    def _send_waiting(self) -> None:
        now_s = time.monotonic()
        while self._waiting:
            since_s, message = self._waiting.popleft()
            if message.expiry_s is None or now_s - since_s < message.expiry_s:
                self._send(message)

    # ---- connecting -----------------------------------------------------------------------------------------------

    def _make_client(self) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=paho.MQTTv5 if self._mqtt5 else paho.MQTTv311,
            clean_session=None if self._mqtt5 else True,
        )
        client.will_set(self._will.topic, self._will.payload, self._will.qos, self._will.retain)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.reconnect_delay_set(*self._backoff_s)
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        return client

    def _launch(self, client: paho.Client) -> None:
        settings = self._settings
        clean = True if self._mqtt5 else paho.MQTT_CLEAN_START_FIRST_ONLY  # 3.1.1 is told when the client is made
        client.connect_async(settings.host, settings.port, settings.keepalive_s, clean_start=clean)
        client.loop_start()

    def _try_other_version(self) -> None:
        """Go on with the other version of MQTT, on a thread of its own: paho cannot end its loop from within."""

        def switch(old: paho.Client) -> None:
            old.disconnect()
            old.loop_stop()
            with self._lock:
                if self._stopping or self._client is not old:
                    return
                self._mqtt5 = not self._mqtt5
                self._closed_early = 0
                self._client = self._make_client()
                self._launch(self._client)

        threading.Thread(target=switch, args=(self._client,), name="mqtt-version", daemon=True).start()

    # ---- what paho calls, on its thread ---------------------------------------------------------------------------

    def _on_socket_open(self, client: paho.Client, _data: Any, _socket: Any) -> None:
        self._end_greeting()
        self._greeting = threading.Timer(self._greeting_s, self._on_silence, args=(client,))
        self._greeting.daemon = True
        self._greeting.start()

    def _on_silence(self, client: paho.Client) -> None:
        if client is self._client and not self._stopping:
            log.debug("%s does not answer MQTT %s", self._place, "5" if self._mqtt5 else "3.1.1")
            self._try_other_version()

    def _end_greeting(self) -> None:
        if self._greeting is not None:
            self._greeting.cancel()

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _more: Any) -> None:
        if client is not self._client:
            return
        self._answered = True
        self._end_greeting()
        if reason.is_failure:
            if self._mqtt5 and reason.getName() == "Unsupported protocol version":
                self._try_other_version()
                return
            self._lost(f"{self._place} refuses us: {reason}{hint(reason.getName(), self._settings.client_id)}")
            return
        with self._lock:
            self._connected, self._announced = True, False
            self._closed_early = 0
            self._topics_by_mid.clear()
            self._refused_topics.clear()
        if self._trouble is not None:
            log.info("%s is back", self._place)
            self._trouble = None
        log.debug("connected to %s with MQTT %s", self._place, "5" if self._mqtt5 else "3.1.1")
        self._on_event(Connected(mqtt5=self._mqtt5))

    def _on_connect_fail(self, client: paho.Client, _data: Any) -> None:
        why = unreachable(self._place, sys.exception())  # paho calls this while it handles it
        if client is self._client and (self._trouble is None or why.is_news):  # a loss is told once
            self._lost(why.reason)

    def _on_disconnect(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _more: Any) -> None:
        if client is not self._client or self._stopping:
            return
        self._end_greeting()
        answered, self._answered = self._answered, False
        with self._lock:
            was_connected, self._connected, self._announced = self._connected, False, False
        if was_connected:
            why = "" if reason.getName() in ("Unspecified error", "Normal disconnection") else f": {reason}"
            why += hint(reason.getName(), self._settings.client_id)
            self._lost(f"the connection to {self._place} was lost{why}")
        elif not answered:
            self._closed_early += 1
            if self._closed_early >= _CLOSED_EARLY_MOST:
                self._lost(f"{self._place} hangs up without a word")
                self._try_other_version()

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if client is self._client and is_text(message):
            asked = message.properties if self._mqtt5 else None
            topic = getattr(asked, "ResponseTopic", None)
            reply = None if topic is None else Reply(topic, getattr(asked, "CorrelationData", None))
            self._on_event(Received(message.topic, bytes(message.payload), bool(message.retain), reply))

    def _on_subscribe(self, _client: paho.Client, _data: Any, mid: int, reasons: list[ReasonCode], _more: Any) -> None:
        self._judge(mid, reasons, "read")

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _more: Any) -> None:
        self._judge(mid, [reason], "write")

    # ---- trouble --------------------------------------------------------------------------------------------------

    def _judge(self, mid: int, reasons: Sequence[ReasonCode], deed: str, late: bool = False) -> None:
        # Never under our lock: paho calls this while it holds a lock of its own that ``publish`` waits for, with ours
        # held. A dict's ``pop`` and a set's ``add`` are whole by themselves.
        topic = self._topics_by_mid.pop(mid, "")
        bad = [reason for reason in reasons if reason.is_failure]
        if bad and not topic and not late:  # the answer was faster than whoever notes the number
            threading.Timer(0.5, self._judge, (mid, reasons, deed, True)).start()
        if not bad or not topic or topic in self._refused_topics:
            return
        self._refused_topics.add(topic)
        log.warning("%s does not let us %s %s: %s; mend its access list", self._place, deed, topic, bad[0])
        self._on_event(Forbidden(deed, topic))

    def _lost(self, reason: str) -> None:
        """Once until it is back, or until the reason is another one."""
        if reason == self._trouble or self._stopping:
            return
        log.warning("%s; trying again", reason)
        self._trouble = reason
        self._on_event(Disconnected(reason))
