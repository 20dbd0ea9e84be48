"""The wire, with real brokers: mosquitto for MQTT 5, sessions and restarts, the embedded amqtt for 3.1.1."""

import json
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests.brokers import free_port, mosquitto
from tests.integrations.bedroom import ROOM, TOPICS, session

from somnisphere_home.embedded_broker import EmbeddedBroker
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import (
    MAX_WAITING,
    BrokerSettings,
    Connected,
    Disconnected,
    Forbidden,
    HomeLink,
    LinkEvent,
    Received,
)

STATUS = TOPICS.status
WILL = Message(STATUS, b"offline", retain=True, qos=1)
ONLINE = Message(STATUS, b"online", retain=True, qos=1)
DEADLINE_S = 15.0


class Listener:
    """A plain client of the test's own: what the broker passes on, in order."""

    def __init__(self, host: str, port: int, topic: str = "#") -> None:
        self.messages: queue.SimpleQueue[paho.MQTTMessage] = queue.SimpleQueue()
        subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.on_message = lambda _client, _data, message: self.messages.put(message)
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect(host, port)
        self._client.subscribe(topic, qos=1)
        self._client.loop_start()
        assert subscribed.wait(DEADLINE_S)

    def next(self, topic: str) -> paho.MQTTMessage:
        """The next message on ``topic``; others are passed over."""
        while True:
            message = self.messages.get(timeout=DEADLINE_S)
            if message.topic == topic:
                return message

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(DEADLINE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def listening(place: tuple[str, int], topic: str = "#") -> Iterator[Listener]:
    listener = Listener(*place, topic)
    try:
        yield listener
    finally:
        listener.close()


@contextmanager
def linked(place: tuple[str, int], **settings: object) -> Iterator[tuple[HomeLink, "queue.SimpleQueue[LinkEvent]"]]:
    """A started link and its events; stopped at the end."""
    events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    wanted = BrokerSettings(client_id="attic", host=place[0], port=place[1], **settings)  # type: ignore[arg-type]
    link = HomeLink(wanted, WILL, events.put, backoff_s=(1, 1), greeting_s=0.5)
    link.start()
    try:
        yield link, events
    finally:
        link.stop()


def event(events: "queue.SimpleQueue[LinkEvent]", kind: type[LinkEvent]) -> LinkEvent:
    """The next event of a kind; others are passed over."""
    while True:
        found = events.get(timeout=DEADLINE_S)
        if isinstance(found, kind):
            return found


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.fixture
def broker() -> Iterator[tuple[str, int]]:
    with mosquitto() as place:
        yield place


@pytest.mark.broker
def test_a_whole_session_reaches_the_broker_and_a_command_comes_back(broker: tuple[str, int]) -> None:
    home = session()
    with listening(broker) as listener, linked(broker) as (link, events):
        assert event(events, Connected) == Connected(mqtt5=True)
        subscriptions, messages = home.subscriptions, home.connected(ROOM, 0.0)
        for topic in subscriptions:
            link.subscribe(topic)
        for message in messages:
            link.publish(message)
        seen = [listener.messages.get(timeout=DEADLINE_S) for _ in messages]
        assert [(m.topic, m.payload) for m in seen] == [(m.topic, m.payload) for m in messages]
        assert json.loads(seen[-1].payload)["quiet"] is False
        listener.publish(TOPICS.command("begin"), b"PRESS")
        heard = event(events, Received)
        while isinstance(heard, Received) and heard.topic == TOPICS.discovery:  # our own comes back, as a new one
            assert not heard.retained
            heard = event(events, Received)
        assert heard == Received(TOPICS.command("begin"), b"PRESS", retained=False)
        link.stop(home.farewell())
        assert listener.next(STATUS).payload == b"offline"


@pytest.mark.broker
def test_states_are_retained_and_moments_are_not(broker: tuple[str, int]) -> None:
    with linked(broker) as (link, events), listening(broker) as early:
        event(events, Connected)
        link.publish(ONLINE)
        link.publish(Message(TOPICS.event("visit"), b"{}", qos=1))
        link.publish(Message(TOPICS.state("air"), b"{}", retain=True))
        early.next(TOPICS.state("air"))
        with listening(broker) as late:
            late.publish("end", b"")
            kept = iter(lambda: late.messages.get(timeout=DEADLINE_S).topic, "end")
            assert set(kept) == {STATUS, TOPICS.state("air")}


@pytest.mark.broker
def test_a_retained_command_is_seen_to_be_one(broker: tuple[str, int]) -> None:
    with listening(broker) as listener:
        listener.publish(TOPICS.command("begin"), b"PRESS", retain=True)
    with linked(broker) as (link, events):
        event(events, Connected)
        link.subscribe(TOPICS.commands)
        assert event(events, Received) == Received(TOPICS.command("begin"), b"PRESS", retained=True)


@pytest.mark.broker
def test_the_will_speaks_after_an_unclean_end(broker: tuple[str, int]) -> None:
    with listening(broker, STATUS) as listener, linked(broker) as (link, events):
        event(events, Connected)
        link.publish(ONLINE)
        assert listener.next(STATUS).payload == b"online"
        connection = link._client.socket()
        assert isinstance(connection, socket.socket)
        connection.shutdown(socket.SHUT_RDWR)
        assert listener.next(STATUS).payload == b"offline"
        assert isinstance(event(events, Connected), Connected), "and the link mends itself"


@pytest.mark.broker
def test_moments_wait_for_the_broker_and_states_do_not(broker: tuple[str, int]) -> None:
    events: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    link = HomeLink(BrokerSettings(client_id="attic", host=broker[0], port=broker[1]), WILL, events.put)
    with listening(broker) as listener:
        link.publish(Message(TOPICS.state("air"), b"old", retain=True))
        link.publish(Message(TOPICS.event("visit"), b"stale", qos=1, expiry_s=0))
        for index in range(MAX_WAITING + 1):
            link.publish(Message(TOPICS.event("visit"), b"%d" % index, qos=1, expiry_s=60))
        link.start()
        event(events, Connected)
        link.publish(Message(TOPICS.event("visit"), b"last", qos=1))
        link.publish(ONLINE)
        payloads = [listener.messages.get(timeout=DEADLINE_S).payload for _ in range(MAX_WAITING + 1)]
        link.stop()
    expected = [b"%d" % index for index in range(2, MAX_WAITING + 1)]
    assert payloads == [b"online", *expected, b"last"], "the oldest were let go, the rest came in order"


@pytest.mark.broker
def test_a_lost_broker_is_told_once_and_its_return_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="somnisphere_home.mqtt")
    port = free_port()
    with linked(("127.0.0.1", port)) as (link, events):
        first = event(events, Disconnected)
        assert first == Disconnected(f"nothing answers at the MQTT broker at 127.0.0.1:{port}")
        with mosquitto(port):
            event(events, Connected)
            assert link.is_connected
        lost = event(events, Disconnected)
        assert isinstance(lost, Disconnected)
        assert "was lost" in lost.reason
        assert not link.is_connected
        with mosquitto(port):
            event(events, Connected)
            link.stop()
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    assert sum("is back" in text for text in told) == 2
    assert sum("was lost" in text for text in told) == 1
    assert sum("nothing answers" in text for text in told) == 1


@pytest.mark.broker
def test_a_wrong_password_is_named_and_does_not_end_anything(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    passwords.chmod(0o644)
    tmp_path.chmod(0o755)
    with (
        mosquitto(extra_config=f"allow_anonymous false\nuser root\npassword_file {passwords}") as place,
        linked(place, username="attic", password="secret") as (link, events),
    ):
        refused = event(events, Disconnected)
        assert isinstance(refused, Disconnected)
        assert "refuses us: Not authorized (check the user name and password)" in refused.reason
        link.publish(ONLINE)
        assert not link.is_connected
    assert "secret" not in repr(BrokerSettings(client_id="x", password="secret"))


@pytest.mark.broker
def test_a_topic_that_may_not_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite somnisphere/attic/status\ntopic read somnisphere/#\n")
    with (
        mosquitto(extra_config=f"allow_anonymous true\nuser root\nacl_file {rules}") as place,
        linked(place) as (link, events),
    ):
        event(events, Connected)
        link.publish(ONLINE)
        for _ in range(3):
            link.publish(Message(TOPICS.event("visit"), b"{}", qos=1))
        until(lambda: bool(caplog.records))
        link.stop([ONLINE])
        assert event(events, Forbidden) == Forbidden("write", TOPICS.event("visit"))
    (record,) = caplog.records
    assert "does not let us write somnisphere/attic/visit/event" in record.getMessage()


@pytest.mark.parametrize("mqtt5", [True, False])
def test_a_topic_that_may_not_be_read_is_told_once(caplog: pytest.LogCaptureFixture, mqtt5: bool) -> None:
    """Failure in a SUBACK: 0x80 on 3.1.1 (3.9.3), 0x87 on 5. (mosquitto's access lists never say so.)"""

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(b"\x20\x03\x00\x00\x00" if mqtt5 else b"\x20\x02\x00\x00")
            for _ in range(2):
                asked = connection.recv(1024)
                connection.sendall(
                    b"\x90\x04" + asked[2:4] + b"\x00\x87" if mqtt5 else b"\x90\x03" + asked[2:4] + b"\x80"
                )
            connection.recv(1024)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        with linked(server.getsockname(), mqtt5=mqtt5) as (link, events):
            event(events, Connected)
            link.subscribe(TOPICS.commands)
            assert event(events, Forbidden) == Forbidden("read", TOPICS.commands)
            link.subscribe(TOPICS.birth)
            assert event(events, Forbidden) == Forbidden("read", TOPICS.birth)
        thread.join(DEADLINE_S)
    said = [record.getMessage() for record in caplog.records if "mend its access list" in record.getMessage()]
    assert [
        f"does not let us read {topic}" in text
        for topic, text in zip((TOPICS.commands, TOPICS.birth), said, strict=True)
    ]


@pytest.mark.broker
def test_moments_in_a_rush_from_two_threads_all_arrive(
    broker: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledgements come on paho's thread, under paho's lock, while others publish: nobody may wait for both."""
    topic, each = TOPICS.event("visit"), 500
    calmly = paho.Client.publish

    def publish_late(client: paho.Client, *arguments: Any) -> paho.MQTTMessageInfo:
        time.sleep(0.0002)  # lets the acknowledgement of the one before come in between
        return calmly(client, *arguments)

    monkeypatch.setattr(paho.Client, "publish", publish_late)
    with listening(broker) as listener, linked(broker) as (link, events):
        event(events, Connected)
        link.publish(ONLINE)

        def publish_many() -> None:
            for _ in range(each):
                link.publish(Message(topic, b"{}", qos=1))

        rush = [threading.Thread(target=publish_many, daemon=True) for _ in range(2)]
        for thread in rush:
            thread.start()
        for _ in range(2 * each):
            listener.next(topic)
        for thread in rush:
            thread.join(DEADLINE_S)
        assert not any(thread.is_alive() for thread in rush)


@pytest.mark.broker
def test_publishing_and_stopping_without_a_broker_do_not_block() -> None:
    link = HomeLink(BrokerSettings(client_id="attic", port=free_port()), WILL, lambda _: None)
    began_s = time.monotonic()
    link.start()
    for _ in range(1000):
        link.publish(ONLINE)
    link.stop([WILL])
    assert time.monotonic() - began_s < 3.0


@pytest.mark.parametrize("mqtt5", [True, False])
def test_the_embedded_broker_is_spoken_to_in_its_own_version(mqtt5: bool) -> None:
    with (
        EmbeddedBroker() as place,
        listening(place) as listener,
        linked(place, mqtt5=mqtt5) as (link, events),
    ):
        assert event(events, Connected) == Connected(mqtt5=False)
        link.publish(ONLINE)
        assert listener.next(STATUS).payload == b"online"
        link.publish(Message(TOPICS.state("air"), b"{}", retain=True, expiry_s=60))
        assert listener.next(TOPICS.state("air")).payload == b"{}"


def test_a_broker_that_refuses_the_version_in_words_is_asked_again_in_the_other() -> None:
    """A 3.1.1 broker may answer CONNACK with return code 1 (MQTT 3.1.1, table 3.1), then hang up."""
    versions: queue.SimpleQueue[int] = queue.SimpleQueue()

    def serve(server: socket.socket) -> None:
        for _ in range(2):
            connection, _ = server.accept()
            with connection:
                greeting = connection.recv(1024)
                version = greeting[8]
                versions.put(version)
                connection.sendall(b"\x20\x02\x00\x01" if version == 5 else b"\x20\x02\x00\x00")
                if version == 4:
                    connection.recv(1024)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        with linked(("127.0.0.1", server.getsockname()[1])) as (_, events):
            assert event(events, Connected) == Connected(mqtt5=False)
        thread.join(DEADLINE_S)
    assert [versions.get(timeout=1), versions.get(timeout=1)] == [5, 4]


def test_a_bad_authority_is_named(tmp_path: Path) -> None:
    nothing = tmp_path / "ca.pem"
    settings = BrokerSettings(client_id="x", tls=True, ca_file=nothing)
    with pytest.raises(ValueError, match=r"ca\.pem cannot be used as the broker's authority"):
        settings.tls_context()
    nothing.write_text("no certificate")
    with pytest.raises(ValueError, match=r"ca\.pem cannot be used"):
        settings.tls_context()
    assert BrokerSettings(client_id="x").tls_context() is None


def test_a_second_embedded_broker_on_a_port_says_so() -> None:
    with (
        EmbeddedBroker() as (_, port),
        pytest.raises(RuntimeError, match="embedded broker did not start"),
        EmbeddedBroker(port=port),
    ):
        pass
