"""Ways of making a bedside known, one after the other, before a real Home Assistant: nothing doubled, nothing left."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.home.broker import Broker
from tests.home.client import wait_until
from tests.home.harness import HomeAssistant
from tests.home.test_entities_in_home_assistant import NOTHING

from somnisphere.entities import ENTITIES
from somnisphere.entity_names import GERMAN, is_the_sleepers, named
from somnisphere.snapshot import Snapshot
from somnisphere_home.announcement import FURTHER, Announcement, Mode
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.messages import Message, Topics
from somnisphere_home.session import ANNOUNCE_AGAIN_S, HomeSession

pytestmark = pytest.mark.home

TOPICS = Topics("modes")
BOX = DeviceInfo(name="Modes", sw_version="1")
LILA = DeviceInfo(name="Lila", model="Sleeper", sw_version="1")
THEIRS = frozenset(entity.key for entity in ENTITIES if is_the_sleepers(entity.key))
MINDED = (
    "does not generate unique IDs",
    "Received a conflicting MQTT discovery message",
    "'dict object' has no attribute 'gone_by'",
    # 2026.11 takes the removal of an entity that is off by default for a person's, and says that it would come back
    "was removed from Home Assistant, it will be added again when a new MQTT discovery config is received",
)
"""Said once for each entity while the old announcement is still there; the states of now do not wait for that."""


class Bedside:
    def __init__(self, broker: Broker, home: HomeAssistant) -> None:
        self.broker, self.home = broker, home

    def send(self, messages: list[Message]) -> None:
        for message in messages:
            self.broker.publish(message.topic, message.payload, message.retain)

    def start(self, mode: Mode, *, sleeper: bool = False, language: str = "en") -> None:
        """The box begins anew with this configuration, and hears what the broker kept of it."""
        session: HomeSession[Snapshot] = HomeSession(
            named(ENTITIES, language), TOPICS, BOX, discovery=mode, further=LILA if sleeper else None,
            further_keys=THEIRS,
        )  # fmt: skip
        kept = {
            topic: payload
            for subscription in session.subscriptions
            if subscription.startswith(TOPICS.prefix + "/") and subscription != TOPICS.birth
            for topic, payload in self.broker.retained(subscription).items()
        }
        for part in ("sensor", "player"):
            self.send(session.part_status(part, online=True))
        self.send(session.connected(NOTHING, 0.0))
        for topic, payload in kept.items():
            session.received(topic, payload, True, NOTHING, 0.0)
        self.send(session.update(NOTHING, 0.1))
        time.sleep(ANNOUNCE_AGAIN_S)
        self.send(session.update(NOTHING, 0.2 + ANNOUNCE_AGAIN_S))

    def keys(self, suffix: str = "") -> set[str]:
        found = self.home.client.device_entities(TOPICS.device_id + suffix)
        return {unique.removeprefix(f"{TOPICS.device_id}_") for unique in found}

    def device(self, suffix: str = "") -> dict[str, Any]:
        devices = self.home.client.command("config/device_registry/list")
        return next(d for d in devices if ["mqtt", TOPICS.device_id + suffix] in d["identifiers"])

    def shown(self) -> set[str]:
        """Keys of enabled entities that have a state, and are there."""
        states = self.home.client.states()
        every = {
            **self.home.client.device_entities(TOPICS.device_id),
            **self.home.client.device_entities(TOPICS.device_id + FURTHER),
        }
        ids = {unique.removeprefix(f"{TOPICS.device_id}_"): entry["entity_id"] for unique, entry in every.items()}
        return {key for key, id_ in ids.items() if states.get(id_, {"state": "unavailable"})["state"] != "unavailable"}


EVERY = {entity.key for entity in ENTITIES}
# Pictures and events have no state before the first one, which is not *unavailable*.
ENABLED = {entity.key for entity in ENTITIES if entity.enabled_by_default}


@pytest.fixture(scope="module")
def it(home: HomeAssistant, broker: Broker) -> Iterator[Bedside]:
    bedside = Bedside(broker, home)
    yield bedside
    bedside.send(Announcement(ENTITIES, TOPICS, BOX).everything_cleared(NOTHING))
    for topic in broker.retained(f"{TOPICS.base}/#"):
        broker.publish(topic, b"", retain=True)
    wait_until(lambda: not bedside.keys() and not bedside.keys(FURTHER), "the devices to go")


CHANGES: list[tuple[Mode, bool]] = [
    ("device", False), ("single", False), ("device", True), ("single", True), ("device", False), ("off", False),
    ("single", False), ("off", False), ("device", True), ("device", False),
]  # fmt: skip


def test_every_change_of_the_way_leaves_every_entity_there_and_once(it: Bedside) -> None:
    for mode, sleeper in CHANGES:
        it.start(mode, sleeper=sleeper)
        announced = EVERY if mode != "off" else set()
        theirs = announced & THEIRS if sleeper else set()
        what = f"{mode}, {'with' if sleeper else 'without'} a sleeper"
        wait_until(lambda n=announced - theirs: it.keys() == n, f"the box's entities: {what}")  # type: ignore[misc]
        wait_until(lambda n=theirs: it.keys(FURTHER) == n, f"the sleeper's entities: {what}")  # type: ignore[misc]
        wait_until(lambda n=announced & ENABLED: it.shown() == n, f"states: {what}")  # type: ignore[misc]
        if sleeper:
            assert it.device(FURTHER)["via_device_id"] == it.device()["id"]


def test_a_second_language_changes_names_and_no_ids(it: Bedside) -> None:
    it.start("device")
    wait_until(lambda: it.keys() == EVERY, "the entities")
    before = {unique: entry["entity_id"] for unique, entry in it.home.client.device_entities(TOPICS.device_id).items()}
    it.start("device", language="de")
    heart = before[f"{TOPICS.device_id}_heart_rate"]
    wait_until(
        lambda: it.home.client.states()[heart]["attributes"]["friendly_name"] == f"Modes {GERMAN['heart_rate']}",
        "the German name",
    )
    after = {unique: entry["entity_id"] for unique, entry in it.home.client.device_entities(TOPICS.device_id).items()}
    assert after == before


def test_an_entity_of_an_earlier_version_goes_and_nothing_else_does(it: Bedside) -> None:
    version = next(entity for entity in ENTITIES if entity.key == "version")
    extra = replace(version, key="gone_by", name="Gone by")
    it.send(HomeSession([*ENTITIES, extra], TOPICS, BOX).connected(NOTHING, 0.0))
    wait_until(lambda: it.keys() == {*EVERY, "gone_by"}, "the older version's entity")
    it.start("device")
    wait_until(lambda: it.keys() == EVERY, "it to go")


def test_the_home_minds_nothing_but_second_entities_of_one_id_while_a_way_changes(it: Bedside) -> None:
    trouble = [entry for entry in it.home.trouble() if not any(words in entry.text for words in MINDED)]
    assert trouble == []
    it.home.forgive(it.home.trouble())
