"""What a night leaves in Home Assistant's database: rows of our entities as they are by default."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.home.broker import Broker
from tests.home.client import wait_until
from tests.home.harness import HomeAssistant
from tests.home.rehearsed import rehearse

from somnisphere_home.announcement import Announcement
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.messages import Topics

pytestmark = pytest.mark.home
TOPICS = Topics("rows")  # one whose entities nobody turned on
SETTINGS = '[box]\nnode = "rows"\n'
ROWS_AT_MOST = 3000
"""Home Assistant writes one for each state or attribute that changed: a thermostat writes about as many."""


def counted(home: HomeAssistant) -> tuple[int, int]:
    """Rows of states of our entities, and attributes kept for all."""
    joined = "states JOIN states_meta USING (metadata_id)"
    ours = f"SELECT count(*) FROM {joined} WHERE states_meta.entity_id GLOB '*.rows_*'"
    with closing(sqlite3.connect(home.folder / "home-assistant_v2.db", timeout=10.0)) as database:
        ((states,),) = database.execute(ours)
        ((attributes,),) = database.execute("SELECT count(*) FROM state_attributes")
    return int(states), int(attributes)


def test_a_night_does_not_fill_the_homes_database(
    home: HomeAssistant, broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = counted(home)
    with broker.listening(f"{TOPICS.base}/#") as listener:
        with rehearse(broker, tmp_path / "night", listener, "--speed", "400", settings=SETTINGS) as rehearsal:
            assert rehearsal.end(300) == 0
        messages = len(listener.received)
    last = [before]

    def settled() -> bool:
        last.append(counted(home))
        return last[-1] == last[-2] and last[-1] != before

    wait_until(settled, "the recorder to have written", 30, 2.0)
    rows, attributes = (now - then for now, then in zip(last[-1], before, strict=True))
    with capsys.disabled():
        print(f"\na rehearsed night: {messages} messages, {rows} rows of states, {attributes} of attributes")
    assert messages / 10 < rows <= ROWS_AT_MOST
    assert attributes <= rows
    gone: Announcement[None] = Announcement((), TOPICS, DeviceInfo(name="", sw_version=""))
    for message in gone.everything_cleared(None):
        broker.publish(message.topic, message.payload, retain=True)
    for topic in broker.retained(f"{TOPICS.base}/#"):
        broker.publish(topic, b"", retain=True)
    wait_until(lambda: not home.client.device_entities(TOPICS.device_id), "the device to go")
