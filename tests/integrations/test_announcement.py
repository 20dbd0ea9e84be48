"""How a node makes itself known, and how what an earlier way left behind goes: only its own, and only what is stale."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integrations.bedroom import ENTITIES, ROOM

from somnisphere_home.announcement import Announcement, Mode, Stale
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.messages import Message, Topics
from somnisphere_home.session import ANNOUNCE_AGAIN_S, HomeSession

TOPICS = Topics("attic")
BOX = DeviceInfo(name="Attic", sw_version="1")
SLEEPER = DeviceInfo(name="Lila", model="Sleeper", sw_version="1")
THEIRS = frozenset(entity.key for entity in ENTITIES[:2])


def announced(mode: Mode = "device", *, sleeper: bool = False) -> Announcement[Any]:
    return Announcement(ENTITIES, TOPICS, BOX, mode, SLEEPER if sleeper else None, THEIRS)


def kept(messages: Iterable[Message]) -> dict[str, bytes]:
    """What a broker keeps of them."""
    held: dict[str, bytes] = {}
    for message in messages:
        assert message.retain
        held[message.topic] = message.payload
    return {topic: payload for topic, payload in held.items() if payload}


def keys_of(messages: Iterable[Message]) -> set[str]:
    return {key for m in messages for key in json.loads(m.payload).get("components", {m.topic.split("/")[-2]: 0})}


def test_every_way_announces_the_same_entities() -> None:
    whole, single = announced().messages(ROOM), announced("single").messages(ROOM)
    assert len(whole) == 1
    assert keys_of(whole) == keys_of(single)
    ids = {json.loads(m.payload).get("unique_id") for m in single}
    assert ids - {None} == {
        body["unique_id"] for body in json.loads(whole[0].payload)["components"].values() if "unique_id" in body
    }
    assert announced("off").messages(ROOM) == []


def test_an_entity_by_itself_brings_the_whole_device_along_and_no_key_of_a_whole_one() -> None:
    for message in announced("single").messages(ROOM):
        body = json.loads(message.payload)
        assert body["device"]["identifiers"] == ["somnisphere_attic"]
        assert body["availability"] == [{"topic": "somnisphere/attic/status"}] or body["availability_mode"] == "all"
        assert not body.keys() & {"platform", "components"}
        assert message.topic.startswith("homeassistant/")
        assert message.topic.split("/")[2] == "somnisphere_attic"


def test_the_sleeper_is_a_device_reached_by_way_of_the_box() -> None:
    box, sleeper = (json.loads(message.payload) for message in announced(sleeper=True).messages(ROOM))
    assert box["components"].keys().isdisjoint(sleeper["components"])
    assert sleeper["components"].keys() >= THEIRS
    assert sleeper["device"]["identifiers"] == ["somnisphere_attic_sleeper"]
    assert sleeper["device"]["via_device"] == box["device"]["identifiers"][0]


WAYS = [announced(mode, sleeper=sleeper) for mode in ("device", "single", "off") for sleeper in (False, True)]


def id_of(way: Announcement[Any]) -> str:
    return f"{way.mode}{'+sleeper' if way.further else ''}"


@pytest.mark.parametrize("now", WAYS, ids=id_of)
@pytest.mark.parametrize("before", WAYS, ids=id_of)
def test_after_any_change_the_broker_keeps_what_is_announced_now(
    before: Announcement[Any], now: Announcement[Any]
) -> None:
    left = kept(before.messages(ROOM))
    session = HomeSession(ENTITIES, TOPICS, BOX, discovery=now.mode, further=now.further, further_keys=now.further_keys)
    foreign = {"homeassistant/device/other/config": b"{}", "homeassistant/sensor/other/x/config": b"{}"}
    held = {**foreign, **left}
    said = [m for m in session.connected(ROOM, 0.0) if m.topic.startswith("homeassistant/")]
    for topic, payload in left.items():
        assert session.received(topic, payload, True, ROOM, 0.1) is None
    for at_s in (0.2, 1.0, 0.2 + ANNOUNCE_AGAIN_S, 10.0):
        said += [m for m in session.update(ROOM, at_s) if m.topic.startswith("homeassistant/")]
    for message in said:
        held[message.topic] = message.payload
    assert {topic: payload for topic, payload in held.items() if payload} == {**foreign, **kept(now.messages(ROOM))}


def test_what_is_as_it_should_be_is_said_once() -> None:
    session = HomeSession(ENTITIES, TOPICS, BOX)
    (message,) = [m for m in session.connected(ROOM, 0.0) if m.topic == TOPICS.discovery]
    session.received(message.topic, message.payload, True, ROOM, 0.1)
    assert [m for m in session.update(ROOM, 1.0) if m.topic == TOPICS.discovery] == []


def test_an_entity_of_an_earlier_version_goes_and_the_others_stay() -> None:
    way = announced()
    (message,) = way.messages(ROOM)
    old = json.loads(message.payload)
    old["components"]["score"] = {"platform": "sensor", "unique_id": "x"}
    stale = way.heard(TOPICS.discovery, json.dumps(old).encode(), ROOM)
    first, last = stale.removals
    assert json.loads(first.payload)["components"]["score"] == {"platform": "sensor"}
    assert last == message
    assert stale.keys == frozenset(), "nothing else was in its way"


def test_what_was_in_the_way_is_announced_again_when_the_old_is_gone() -> None:
    """Home Assistant refuses a second entity of one id: ours is taken back, and said anew a little later."""
    session = HomeSession(ENTITIES, TOPICS, BOX)
    session.connected(ROOM, 0.0)
    for message in announced("single").messages(ROOM):
        session.received(message.topic, message.payload, True, ROOM, 0.1)
    taken_away, *_ = [m for m in session.update(ROOM, 0.2) if m.topic == TOPICS.discovery]
    assert all(body.keys() == {"platform"} for body in json.loads(taken_away.payload)["components"].values())
    assert [m for m in session.update(ROOM, 1.0) if m.topic == TOPICS.discovery] == []
    (again,) = [m for m in session.update(ROOM, 0.2 + ANNOUNCE_AGAIN_S) if m.topic == TOPICS.discovery]
    assert again == announced().messages(ROOM)[0]


@given(st.binary(max_size=100) | st.sampled_from([b"[]", b'{"components": 1}', b'{"cmps": {"a": 1}}', b"[" * 9000]))
def test_what_cannot_be_read_harms_nothing(payload: bytes) -> None:
    way = announced()
    assert way.heard(TOPICS.discovery, payload, ROOM) == Stale()
    assert way.heard("homeassistant/device/other/config", payload, ROOM) == Stale()
    assert way.heard("homeassistant/sensor/other/x/config", payload, ROOM) == Stale()


def test_clearing_leaves_nothing_of_ours() -> None:
    held: dict[str, bytes] = {}
    for way in WAYS:
        held |= kept(way.messages(ROOM))
    for message in announced().everything_cleared(ROOM):
        held[message.topic] = message.payload
    assert not any(held.values())
