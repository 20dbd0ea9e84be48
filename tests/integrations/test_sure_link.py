"""A connection on which nothing counts before it is put away, over a real mosquitto."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.brokers import free_port, mosquitto

from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, Connected, Disconnected
from somnisphere_home.sure_link import Delivered, Parcel, Reading, Refused, SureEvent, SureLink

pytestmark = pytest.mark.broker
TOPIC = "somnisphere/coach/anna/summary/x"
SHARED = "$share/g/somnisphere/coach/anna/summary/+"


class Told:
    def __init__(self) -> None:
        self._events: queue.SimpleQueue[SureEvent] = queue.SimpleQueue()
        self.put = self._events.put

    def next(self, kind: type[SureEvent]) -> SureEvent:
        while not isinstance(event := self._events.get(timeout=10.0), kind):
            pass
        return event

    def parcels(self, count: int) -> list[Parcel]:
        found = [self.next(Parcel) for _ in range(count)]
        return [parcel for parcel in found if isinstance(parcel, Parcel)]

    def nothing_more(self) -> bool:
        try:
            while not isinstance(self._events.get(timeout=0.5), Parcel):
                pass
        except queue.Empty:
            return True
        return False


@contextmanager
def linked(port: int, name: str, *, session_s: int = 0, at_once: int = 500) -> Iterator[tuple[SureLink, Told]]:
    told = Told()
    link = SureLink(BrokerSettings(client_id=name, host="127.0.0.1", port=port), told.put,
                    session_s=session_s, at_once=at_once, backoff_s=(1, 1))  # fmt: skip
    link.start()
    try:
        yield link, told
    finally:
        link.stop()


def send(link: SureLink, told: Told, payloads: list[bytes], topic: str = TOPIC, *, retain: bool = False) -> None:
    for payload in payloads:
        number = link.publish(Message(topic, payload, retain=retain, expiry_s=600))
        delivered = told.next(Delivered)
        assert isinstance(delivered, Delivered)
        assert delivered.number == number


def test_what_was_not_acknowledged_comes_again() -> None:
    with mosquitto() as (_, port), linked(port, "sender") as (sender, sent):
        sent.next(Connected)
        with linked(port, "reader", session_s=60) as (reader, told):
            told.next(Connected)
            reader.subscribe([SHARED])
            told.next(Reading)
            send(sender, sent, [b"first"])
            first = told.parcels(1)
            reader.acknowledge(first)
            send(sender, sent, [b"second"])
            assert [parcel.payload for parcel in told.parcels(1)] == [b"second"]  # and then it crashes
        send(sender, sent, [b"third"])
        with linked(port, "reader", session_s=60) as (reader, told):
            again = told.parcels(2)
            assert [parcel.payload for parcel in again] == [b"second", b"third"]
            reader.acknowledge(first)  # of a connection that is gone: takes nothing of this one
            reader.acknowledge(again)
            assert told.nothing_more()  # and meanwhile what it acknowledges goes out
        with linked(port, "reader", session_s=60) as (_, told):
            told.next(Connected)
            assert told.nothing_more()


def test_the_broker_sends_no_more_at_once_than_was_agreed() -> None:
    with mosquitto() as (_, port), linked(port, "sender") as (sender, sent):
        sent.next(Connected)
        with linked(port, "reader", at_once=3) as (reader, told):
            told.next(Connected)
            reader.subscribe([SHARED])
            told.next(Reading)
            send(sender, sent, [b"%d" % n for n in range(8)])
            held = told.parcels(3)
            assert told.nothing_more()
            reader.acknowledge(held)
            assert [parcel.payload for parcel in told.parcels(3)] == [b"3", b"4", b"5"]


def test_what_is_retained_comes_with_each_subscription() -> None:
    with mosquitto() as (_, port), linked(port, "sender") as (sender, sent):
        sent.next(Connected)
        gone = "somnisphere/coach/anna/withdrawn/x"
        send(sender, sent, [b"gone"], gone, retain=True)
        with linked(port, "reader") as (reader, told):
            told.next(Connected)
            reader.subscribe([SHARED, "somnisphere/coach/anna/withdrawn/+"])
            (parcel,) = told.parcels(1)
            assert (parcel.topic, parcel.retained) == (gone, True)


def test_a_broker_that_goes_and_comes_back() -> None:
    port = free_port()
    with linked(port, "reader") as (link, told):
        lost = told.next(Disconnected)
        assert isinstance(lost, Disconnected)
        assert lost.reason == f"nothing answers at the MQTT broker at 127.0.0.1:{port}"
        assert link.publish(Message(TOPIC, b"x")) is None, "it is not kept for later"
        with mosquitto(port):
            told.next(Connected)
        told.next(Disconnected)
        with mosquitto(port):
            told.next(Connected)


def test_an_access_list_that_says_no_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    rules = tmp_path_factory.mktemp("acl") / "acl"
    rules.write_text("topic read somnisphere/other/#\n")
    rules.chmod(0o644)
    rules.parent.chmod(0o755)
    with (
        mosquitto(extra_config=f"allow_anonymous true\nacl_file {rules}\nuser root\n") as (_, port),
        linked(port, "sender") as (sender, sent),
    ):
        sent.next(Connected)
        sender.publish(Message(TOPIC, b"x"))
        refused = sent.next(Refused)
        assert isinstance(refused, Refused)
        assert "does not let us write: Not authorized; mend its access list" in refused.reason
