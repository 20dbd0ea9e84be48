"""A real Home Assistant knows nothing of a night that nobody opened, and all of it as soon as somebody did."""

import queue
from datetime import datetime
from pathlib import Path

import pytest
from tests.box import box
from tests.home.broker import Broker
from tests.home.client import wait_until
from tests.home.harness import HomeAssistant
from tests.pi.test_page_morning import MORNING_S, NIGHT, keep_night

from somnisphere.config_keys import Sleeper
from somnisphere.diary.seal import Step
from somnisphere.diary.store import Diary
from somnisphere.journal import Journal
from somnisphere_home.messages import Message, Topics
from somnisphere_home.mqtt import BrokerSettings, Connected, HomeLink, LinkEvent

pytestmark = pytest.mark.home
TIMES = ("went_to_bed", "fell_asleep", "woke_up", "left_bed")


def test_last_nights_entities_are_unknown_until_the_night_is_opened(
    home: HomeAssistant, broker: Broker, tmp_path: Path
) -> None:
    journal, diary = tmp_path / "journal.db", Diary(tmp_path / "household.db")
    keep_night(tmp_path, NIGHT)
    inbox: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    topics = Topics("bedside")
    will = Message(topics.status, b"offline", retain=True, qos=1)
    link = HomeLink(BrokerSettings(client_id="told_first", host="127.0.0.1", port=broker.port), will, inbox.put)

    def states() -> dict[str, str]:
        found = home.client.states()
        return {key: found[f"sensor.bedside_{key}"]["state"] for key in TIMES if f"sensor.bedside_{key}" in found}

    with box(journal, wall_s=MORNING_S, connected=False, sleeper=Sleeper(tell_first=True)) as it:
        it.daemon.publish_through(link.publish)
        link.start()
        try:
            assert inbox.get(timeout=10.0) == Connected()
            it.daemon.home_connected(0.0)
            it.live(1.0)
            wait_until(lambda: set(states().values()) == {"unknown"} and len(states()) == len(TIMES), "unknown times")
            wait_until(lambda: "yours to tell first" in picture(home), "the closed picture")
            diary.step(NIGHT, Step.SHOW, MORNING_S)
            it.live(1.0)
            wait_until(lambda: states()["went_to_bed"] != "unknown", "the time that was opened")
            kept = Journal(journal)
            began_s = kept.load(NIGHT).times.in_bed_s
            kept.close()
            assert datetime.fromisoformat(states()["went_to_bed"]).timestamp() == began_s
            wait_until(lambda: "Movement" in picture(home), "the picture that was opened")
        finally:
            link.stop([will], 3.0)


def picture(home: HomeAssistant) -> str:
    entity = home.client.states()["image.bedside_night"]
    return str(home.client.request("GET", entity["attributes"]["entity_picture"]))
