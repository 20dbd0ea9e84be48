"""A wrong access list on a real mosquitto: what it drops without a word is said, and so is that it was mended."""

import logging
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from tests.box import Box, box
from tests.home.client import wait_until
from tests.secured_broker import DEADLINE_S, Secured, linked, secured_broker, shipped

from somnisphere_home.echo import AGAIN_S, SILENCE_S
from somnisphere_home.messages import Message, Topics
from somnisphere_home.mqtt import Connected, Forbidden, HomeLink, LinkEvent, Received

pytestmark = pytest.mark.broker
TOPICS = Topics("bedside")
WILL = Message(TOPICS.status, b"offline", retain=True, qos=1)
OWN = "topic readwrite somnisphere/bedside/#\n"
MEND = "Mend its access list: deploy/broker/new-box.sh bedside"
MUTE = "".join(f"topic readwrite somnisphere/bedside/{key}\n" for key in ("status", "health", "zz", "+/set"))
DEAF = "topic write somnisphere/bedside/#\ntopic read somnisphere/bedside/+\ntopic read somnisphere/bedside/+/status\n"


class Wire:
    """The box at the broker. Its time is the test's, and what the broker says is waited for."""

    def __init__(self, it: Box, link: HomeLink, events: SimpleQueue[LinkEvent]) -> None:
        self.it, self.link, self.events = it, link, events
        self.forbidden: list[str] = []

    def take(self, event: LinkEvent) -> None:
        match event:
            case Received():
                self.it.daemon.home_said(event.topic, event.payload, retained=event.retained, at_s=self.it.at_s)
            case Forbidden():
                self.forbidden.append(event.topic)
                self.it.daemon.echo.forbidden(event.deed, event.topic)

    def settle(self, mark: bytes) -> None:
        """Until a last word came back: what was said before it, came before it or does not come."""
        self.link.publish(Message(TOPICS.state("zz"), mark, qos=1))
        while True:
            event = self.events.get(timeout=DEADLINE_S)
            self.take(event)
            if isinstance(event, Received) and (event.topic, event.payload) == (TOPICS.state("zz"), mark):
                break
        while True:  # acknowledgements may be a moment behind
            try:
                self.take(self.events.get(timeout=0.1))
            except Empty:
                return

    @property
    def problem(self) -> str:
        said = self.it.states("health")[-1]["sensor_problem_attributes"]["home"]
        assert isinstance(said, str)
        return said


@pytest.mark.parametrize("mqtt5", [True, False])
@pytest.mark.parametrize(("instead", "says"), [(MUTE, "drops what this box says on "), (DEAF, "does not hand over ")])
def test_a_wrong_access_list_is_said_and_so_is_that_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mqtt5: bool, instead: str, says: str
) -> None:
    caplog.set_level(logging.WARNING)
    with (
        secured_broker(("bedside",)) as broker,
        box(tmp_path / "j.db", connected=False, listens_to_itself=True) as it,
    ):
        rules = broker.files / "acl"
        assert OWN in rules.read_text()
        rules.write_text(rules.read_text().replace(OWN, instead))
        _reloaded(broker)
        with linked(broker, WILL, mqtt5=mqtt5) as (link, events):
            wire = Wire(it, link, events)

            def say(message: Message) -> None:
                it.messages.append(message)
                link.publish(message)

            it.daemon.publish_through(say)
            assert events.get(timeout=DEADLINE_S) == Connected(mqtt5=mqtt5)
            for topic in it.daemon.subscriptions:
                link.subscribe(topic)
            it.daemon.home_connected(it.at_s)
            wire.settle(b"1")
            assert mqtt5 or not wire.forbidden, "the old version says nothing"
            it.live(SILENCE_S + 61, 2.0)
            assert says in wire.problem
            assert wire.problem.endswith(MEND)
            assert any(says in r.getMessage() for r in caplog.records if r.name == "somnisphere.daemon")
            shipped("new-box.sh", broker.files, "bedside")
            _reloaded(broker)
            it.live(AGAIN_S, 2.0)  # all is said anew, without a new connection
            wire.settle(b"2")
            it.live(61.0, 2.0)
            assert wire.problem == ""
            assert "The MQTT broker takes and hands over everything again." in [r.getMessage() for r in caplog.records]
            assert len([r for r in caplog.records if r.name == "somnisphere.daemon"]) == 2, "each was said once"


def _reloaded(broker: Secured) -> None:
    """It reads its lists anew, and says so."""
    before = broker.log.count("Reloading config")
    broker.reload()
    wait_until(lambda: broker.log.count("Reloading config") > before, "mosquitto's reload")
