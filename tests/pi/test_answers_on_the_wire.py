"""Answers over a real broker: by MQTT 5's response topic and mark, and in plain sight for whoever speaks 3.1.1."""

import contextlib
import json
import queue
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from tests.box import Box, box
from tests.brokers import mosquitto

from somnisphere_home.messages import Message, Topics
from somnisphere_home.mqtt import BrokerSettings, Connected, HomeLink, LinkEvent, Received

pytestmark = pytest.mark.broker
STATUS = Message(Topics("bedside").status, b"offline", retain=True, qos=1)


class Wired:
    """A box at a broker. ``serve`` lets it take one command or question."""

    def __init__(self, it: Box, place: tuple[str, int]) -> None:
        self._it, self.place = it, place
        self._inbox: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
        self._link = HomeLink(BrokerSettings(client_id="box", host=place[0], port=place[1]), STATUS, self._inbox.put)
        it.daemon.publish_through(self._link.publish)
        self._link.start()
        assert self._inbox.get(timeout=10.0) == Connected()
        for topic in it.daemon.subscriptions:
            self._link.subscribe(topic)
        it.daemon.home_connected(0.0)

    def serve(self) -> None:
        said = None
        while not (isinstance(said, Received) and said.topic.startswith("somnisphere/bedside/")):
            said = self._inbox.get(timeout=10.0)  # the house's words come in too
        self._it.daemon.home_said(said.topic, said.payload, retained=said.retained, at_s=0.0, reply=said.reply)

    def serve_until(self, ended: Callable[[], bool], within_s: float = 20.0) -> None:
        """The box takes whatever comes, and its time goes on, until ``ended``."""
        end_s = time.monotonic() + within_s
        while not ended():
            assert time.monotonic() < end_s, f"not within {within_s} s"
            with contextlib.suppress(queue.Empty):
                said = self._inbox.get(timeout=0.05)
                if isinstance(said, Received):
                    at_s = self._it.at_s
                    self._it.daemon.home_said(
                        said.topic, said.payload, retained=said.retained, at_s=at_s, reply=said.reply
                    )
            self._it.live(0.5)

    def stop(self) -> None:
        self._link.stop()


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wired]:
    with mosquitto() as place, box(tmp_path / "journal.db", connected=False) as it:
        made = Wired(it, place)
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def client(place: tuple[str, int], version: int, heard: "queue.SimpleQueue[paho.MQTTMessage]") -> Iterator[paho.Client]:
    asker = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)  # type: ignore[arg-type]
    asker.on_message = lambda _client, _data, message: heard.put(message)
    subscribed: queue.SimpleQueue[bool] = queue.SimpleQueue()
    asker.on_subscribe = lambda *_: subscribed.put(True)
    asker.connect(*place)
    asker.loop_start()
    try:
        asker.subscribe([("me/here", 1), ("somnisphere/bedside/+/result", 1), ("somnisphere/bedside/ask/+/result", 1)])
        assert subscribed.get(timeout=10.0)
        yield asker
    finally:
        asker.disconnect()
        asker.loop_stop()


def test_whoever_speaks_mqtt_5_is_answered_where_they_want_with_their_mark(wired: Wired) -> None:
    heard: queue.SimpleQueue[paho.MQTTMessage] = queue.SimpleQueue()
    with client(wired.place, paho.MQTTv5, heard) as asker:
        wanted = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        wanted.ResponseTopic, wanted.CorrelationData = "me/here", b"\x01mark"
        asker.publish("somnisphere/bedside/volume/set", b"far too loud", qos=1, properties=wanted)
        wired.serve()
        answer = heard.get(timeout=10.0)
        assert (answer.topic, answer.retain) == ("me/here", False)
        assert answer.properties.CorrelationData == b"\x01mark"  # type: ignore[union-attr]
        assert 0 < answer.properties.MessageExpiryInterval <= 60  # type: ignore[union-attr]
        assert "a number from 0 to 100" in json.loads(answer.payload)["error"]


def test_whoever_speaks_3_1_1_finds_the_answer_beside_the_question(wired: Wired) -> None:
    heard: queue.SimpleQueue[paho.MQTTMessage] = queue.SimpleQueue()
    with client(wired.place, paho.MQTTv311, heard) as asker:
        asker.publish("somnisphere/bedside/volume/set", b"20", qos=1)
        wired.serve()
        answer = heard.get(timeout=10.0)
        assert (answer.topic, json.loads(answer.payload)) == (
            "somnisphere/bedside/volume/result",
            {"ok": True, "key": "volume"},
        )
        asker.publish("somnisphere/bedside/ask/shelf", b'{"id": "9"}', qos=1)
        wired.serve()
        answer = heard.get(timeout=10.0)
        assert answer.topic == "somnisphere/bedside/ask/shelf/result"
        assert json.loads(answer.payload)["id"] == "9"


@pytest.mark.skipif(
    shutil.which("mosquitto_rr") is None, reason="mosquitto_rr is missing (apt install mosquitto-clients)"
)
def test_a_shell_asks_with_one_line(wired: Wired) -> None:
    host, port = wired.place
    line = [
        "mosquitto_rr",
        "-h",
        host,
        "-p",
        str(port),
        "-t",
        "somnisphere/bedside/ask/nights",
        "-e",
        "me/rr",
        "-n",
        "-W",
        "10",
    ]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as asking:
        wired.serve()
        told, _ = asking.communicate(timeout=15.0)
    assert json.loads(told) == {"ok": True, "id": None, "answer": {"nights": [], "sealed": []}}
