"""A connection on which nothing counts before it is put away. Beside ``mqtt.py``, which is made for a bedside, the only
file that imports paho.

A bedside's link drops what is stale, keeps no session and tells everybody when it goes. This one is for records: what
is received is acknowledged by the caller, once it lies on a disk, and comes again after a crash (MQTT 5, 4.4); the
broker keeps the session for a while and sends no more at once than was agreed (``at_once``); what is sent is reported
when the broker has it. It has no last will: nobody learns from it when somebody's box is on. MQTT 5 only, for shared
subscriptions (4.8.2), session expiry and message expiry are what it is built of.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from somnisphere_home.messages import Message, is_text
from somnisphere_home.mqtt import BrokerSettings, Connected, Disconnected

log = logging.getLogger(__name__)

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message that was received and not yet acknowledged. ``life``: on which connection."""

    topic: str
    payload: bytes
    retained: bool
    number: int
    life: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The broker has what ``publish`` gave this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker will not have it, or not let us read; ``reason`` is a sentence for a person."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The broker has taken our subscriptions."""


SureEvent = Connected | Disconnected | Parcel | Delivered | Refused | Reading


class SureLink:
    """``on_event`` is called on paho's thread and must not block. ``session_s``: so long the broker keeps our place
    when we are away; 0: it forgets us at once."""

    def __init__(
        self,
        settings: BrokerSettings,
        on_event: Callable[[SureEvent], None],
        *,
        session_s: int = 0,
        at_once: int = AT_ONCE,
        backoff_s: tuple[int, int] = (1, 30),
    ) -> None:
        self._settings = settings
        self._on_event = on_event
        self._session_s = session_s
        self._at_once = at_once
        self._life = 0
        self._connected = False
        self._stopping = False
        self._lock = threading.Lock()
        self._trouble = ""
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=settings.client_id, protocol=paho.MQTTv5, manual_ack=True
        )
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if (tls := settings.tls_context()) is not None:
            client.tls_set_context(tls)
        client.reconnect_delay_set(*backoff_s)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        self._client = client

    @property
    def place(self) -> str:
        return f"the MQTT broker at {self._settings.host}:{self._settings.port}"

    def start(self) -> None:
        """Begin to connect, in the background; returns at once."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._session_s
        properties.ReceiveMaximum = self._at_once
        settings = self._settings
        self._client.connect_async(
            settings.host, settings.port, settings.keepalive_s, clean_start=not self._session_s, properties=properties
        )
        self._client.loop_start()

    def subscribe(self, topics: Iterable[str]) -> None:
        """To be called upon each ``Connected``; a session that was kept has its subscriptions, and saying them again
        brings what is retained."""
        self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])

    def publish(self, message: Message) -> int | None:
        """Hand a message over, at QoS 1. The number that ``Delivered`` will name; None: there is no connection, and
        it is not kept."""
        properties = None
        if message.expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = message.expiry_s
        with self._lock:
            if not self._connected:
                return None
            return self._client.publish(message.topic, message.payload, 1, message.retain, properties).mid

    def acknowledge(self, parcels: Iterable[Parcel]) -> None:
        """They lie on the disk. Those of a connection that is gone come again, under the same or another number."""
        with self._lock:
            for parcel in parcels:
                if self._connected and parcel.number and parcel.life == self._life:
                    self._client.ack(parcel.number, 1)

    def stop(self) -> None:
        """Say goodbye and end. What was not acknowledged comes again to whoever has our session next."""
        self._stopping = True
        self._client.disconnect()
        self._client.loop_stop()

    # ---- what paho calls, on its thread ---------------------------------------------------------------------------

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _more: Any) -> None:
        if reason.is_failure:
            hint = " (it must speak MQTT 5)" if reason.getName() == "Unsupported protocol version" else ""
            self._lost(f"{self.place} refuses us: {reason}{hint}")
            return
        with self._lock:
            self._life += 1
            self._connected = True
        if self._trouble:
            log.info("%s is back", self.place)
            self._trouble = ""
        self._on_event(Connected())

    def _on_connect_fail(self, _client: paho.Client, _data: Any) -> None:
        if not self._trouble:
            self._lost(f"nothing answers at {self.place}")

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _more: Any) -> None:
        with self._lock:
            was_connected, self._connected = self._connected, False
        if was_connected and not self._stopping:
            why = "" if reason.getName() in ("Unspecified error", "Normal disconnection") else f": {reason}"
            name = self._settings.client_id
            twin = f" (another client calls itself {name!r} too)" if reason.getName() == "Session taken over" else ""
            self._lost(f"the connection to {self.place} was lost{why}{twin}")

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        number = message.mid if message.qos else 0
        if not is_text(message):
            if number:
                self._client.ack(number, 1)  # it would come again for ever
            return
        self._on_event(Parcel(message.topic, bytes(message.payload), bool(message.retain), number, self._life))

    def _on_subscribe(self, _client: paho.Client, _data: Any, mid: int, reasons: list[ReasonCode], _more: Any) -> None:
        if bad := next((reason for reason in reasons if reason.is_failure), None):
            self._on_event(Refused(mid, f"{self.place} does not let us read: {bad}; mend its access list"))
        else:
            self._on_event(Reading())

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _more: Any) -> None:
        if reason.is_failure:
            self._on_event(Refused(mid, f"{self.place} does not let us write: {reason}; mend its access list"))
        else:
            self._on_event(Delivered(mid))

    def _lost(self, reason: str) -> None:
        """Once until it is back, or until the reason is another one."""
        if reason != self._trouble and not self._stopping:
            log.warning("%s; trying again", reason)
            self._trouble = reason
            self._on_event(Disconnected(reason))
