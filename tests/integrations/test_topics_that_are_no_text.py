"""A broker that hands over a topic which is no UTF-8 ends nobody's thread."""

from paho.mqtt.client import MQTTMessage

from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, HomeLink, LinkEvent, Received
from somnisphere_home.sure_link import Parcel, SureEvent, SureLink

SETTINGS = BrokerSettings(host="127.0.0.1", port=1, client_id="x")


def message(topic: bytes) -> MQTTMessage:
    found = MQTTMessage(mid=3, topic=topic)
    found.payload = b"PRESS"
    return found


def test_the_bedsides_link_passes_it_over() -> None:
    heard: list[LinkEvent] = []
    link = HomeLink(SETTINGS, Message("somnisphere/x/status", b"offline"), heard.append)
    link._on_message(link._client, None, message(b"somnisphere/\xff/set"))
    link._on_message(link._client, None, message(b"somnisphere/x/set"))
    assert heard == [Received("somnisphere/x/set", b"PRESS", False, None)]


def test_the_sure_link_does_too() -> None:
    heard: list[SureEvent] = []
    link = SureLink(SETTINGS, heard.append)
    bad = message(b"\xff")
    bad.qos = 1
    link._on_message(link._client, None, bad)
    link._on_message(link._client, None, message(b"a"))
    assert heard == [Parcel("a", b"PRESS", False, 0, 0)]
