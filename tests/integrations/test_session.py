"""What is said when: changes, heartbeats, births, moments. No clock, no socket."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.integrations.bedroom import DEVICE, ENTITIES, ROOM, TOPICS, Room, session

from somnisphere_home.commands import Refusal, Wish
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Message
from somnisphere_home.session import MOMENT_EXPIRY_S, HomeSession

SAID_AT_ONCE = [
    "somnisphere/attic/status",
    "somnisphere/attic/sensor/status",
    "somnisphere/attic/player/status",
    "homeassistant/device/somnisphere_attic/config",
    "somnisphere/attic/air",
    "somnisphere/attic/people",
    "somnisphere/attic/lamp",
    "somnisphere/attic/shelf",
]


def topics(messages: list[Message]) -> list[str]:
    return [message.topic for message in messages]


def started() -> HomeSession[Room]:
    """A session that has said everything at 0 s."""
    home = session()
    home.connected(ROOM, 0.0)
    return home


def state(messages: list[Message], group: str) -> dict[str, Any]:
    (message,) = [message for message in messages if message.topic == TOPICS.state(group)]
    found: dict[str, Any] = json.loads(message.payload)
    return found


def test_connecting_says_availability_then_discovery_then_states() -> None:
    home = session()
    subscriptions, messages = home.subscriptions, home.connected(ROOM, 0.0)
    assert subscriptions == (
        "somnisphere/attic/+/set",
        "homeassistant/status",
        "homeassistant/device/somnisphere_attic/config",
        "homeassistant/device/somnisphere_attic_sleeper/config",
        "homeassistant/+/somnisphere_attic/+/config",
    )
    assert topics(messages) == SAID_AT_ONCE
    assert all(message.retain for message in messages)
    assert messages[0].payload == b"online"
    assert [message.payload for message in messages[1:3]] == [b"offline", b"offline"], "not heard of yet"


def test_a_state_carries_every_key_as_json() -> None:
    messages = session().connected(replace(ROOM, note="drafty"), 0.0)
    assert state(messages, "air") == {"warmth": 18.0, "warmth_attributes": {"note": "drafty"}}
    assert state(messages, "people") == {"mood": "calm", "occupied": True, "since": "2026-01-02T03:04:05+00:00"}
    assert state(messages, "lamp") == {"state": "ON", "brightness": 1638, "color_mode": "brightness"}
    assert state(messages, "shelf") == {"book": "Moby-Dick", "volume": 30.0, "quiet": False}


def test_what_is_not_known_is_null() -> None:
    nothing = Room(None, None, None, None, None, (), None, None, None)
    messages = session().connected(nothing, 0.0)
    assert state(messages, "air")["warmth"] is None
    assert state(messages, "people") == {"mood": None, "occupied": None, "since": None}
    assert state(messages, "lamp") == {"state": None}
    assert state(messages, "shelf") == {"book": None, "volume": None, "quiet": None}


def test_a_word_that_is_no_option_is_not_known() -> None:
    """The home would keep the old word on screen."""
    messages = session().connected(replace(ROOM, mood="dreaming", book="burnt"), 0.0)
    assert state(messages, "people")["mood"] is None
    assert state(messages, "shelf")["book"] is None


def test_a_number_that_is_none_is_not_known() -> None:
    assert state(session().connected(replace(ROOM, warmth_c=float("nan")), 0.0), "air")["warmth"] is None


def test_a_long_text_is_cut_to_what_a_home_can_hold() -> None:
    note: Entity[Room] = Entity(key="note", platform="sensor", name="Note", group="n", value=lambda r: r.note)
    home = HomeSession((note,), TOPICS, DEVICE)
    text = state(home.connected(replace(ROOM, note="é" * 300), 0.0), "n")["note"]
    assert len(text) == 255
    assert text.endswith("…")


def test_a_time_without_its_zone_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="without its zone"):
        session().connected(replace(ROOM, since=datetime(2026, 1, 1)), 0.0)  # noqa: DTZ001


def test_nothing_changed_is_nothing_said() -> None:
    home = started()
    assert [home.update(ROOM, at_s) for at_s in (1.0, 60.0, 199.0)] == [[], [], []]


def test_only_the_group_that_changed_is_said() -> None:
    home = started()
    assert topics(home.update(replace(ROOM, mood="restless"), 1.0)) == ["somnisphere/attic/people"]
    assert home.update(replace(ROOM, mood="restless"), 2.0) == []


def test_a_change_within_the_dead_band_is_not_worth_a_message() -> None:
    home = started()
    assert home.update(replace(ROOM, warmth_c=18.4), 20.0) == []
    assert state(home.update(replace(ROOM, warmth_c=18.5), 21.0), "air")["warmth"] == 18.5


def test_small_steps_add_up_to_a_message() -> None:
    home = started()
    said = [at for at in range(1, 101) if home.update(replace(ROOM, warmth_c=18.0 + at * 0.02), 10.0 + at)]
    assert said == [23, 48, 73, 98], "each half degree, of values rounded to a tenth"


def test_losing_a_value_is_always_worth_a_message() -> None:
    home = started()
    assert state(home.update(replace(ROOM, warmth_c=None), 20.0), "air")["warmth"] is None
    assert topics(home.update(replace(ROOM, warmth_c=18.1), 40.0)) == ["somnisphere/attic/air"]


def test_a_busy_group_is_held_back_and_then_tells_the_latest() -> None:
    home = started()
    home.update(replace(ROOM, warmth_c=25.0), 11.0)
    assert home.update(replace(ROOM, warmth_c=26.0), 20.9) == []
    assert state(home.update(replace(ROOM, warmth_c=27.0), 21.0), "air")["warmth"] == 27.0


def test_attributes_alone_are_no_hurry() -> None:
    home = started()
    assert home.update(replace(ROOM, note="drafty"), 59.0) == []
    assert state(home.update(replace(ROOM, note="drafty"), 60.0), "air")["warmth_attributes"] == {"note": "drafty"}


def test_the_heartbeat_comes_in_time_for_the_shortest_expiry() -> None:
    home = started()
    assert home.update(ROOM, 199.9) == []
    assert topics(home.update(ROOM, 200.0)) == ["somnisphere/attic/air"], "expires after 400 s"
    assert topics(home.update(ROOM, 300.0)) == [f"somnisphere/attic/{group}" for group in ("people", "lamp", "shelf")]


def test_only_a_group_that_ages_as_a_whole_expires_on_the_broker() -> None:
    expiries = {message.topic: message.expiry_s for message in session().connected(ROOM, 0.0)}
    assert expiries["somnisphere/attic/air"] == 400
    assert {topic for topic, expiry in expiries.items() if expiry is not None} == {"somnisphere/attic/air"}


def test_discovery_is_said_again_when_options_changed_and_not_otherwise() -> None:
    home = started()
    fuller = replace(ROOM, books=(*ROOM.books, "Emma"))
    assert topics(home.update(fuller, 1.0)) == [TOPICS.discovery]
    assert home.update(fuller, 2.0) == []


def test_discovery_can_be_left_out() -> None:
    home = HomeSession(ENTITIES, TOPICS, DEVICE, discovery="off")
    assert topics(home.connected(ROOM, 0.0)) == [t for t in SAID_AT_ONCE if t != TOPICS.discovery]


def test_a_birth_is_answered_after_a_moment_and_once() -> None:
    home = started()
    assert home.received("homeassistant/status", b"online", False, ROOM, 10.0) is None
    assert home.update(ROOM, 11.9) == []
    assert topics(home.update(ROOM, 12.0)) == SAID_AT_ONCE
    assert home.update(ROOM, 13.0) == []


def test_a_home_that_goes_down_is_not_answered() -> None:
    home = started()
    assert home.received("homeassistant/status", b"offline", False, ROOM, 10.0) is None
    assert home.update(ROOM, 20.0) == []


def test_a_new_connection_says_everything_again_and_forgets_the_birth() -> None:
    home = started()
    home.received("homeassistant/status", b"online", False, ROOM, 10.0)
    assert topics(home.connected(ROOM, 11.0)) == SAID_AT_ONCE
    assert home.update(ROOM, 30.0) == []


def test_commands_come_back_as_wishes_and_refusals() -> None:
    home = started()
    assert home.received(TOPICS.command("begin"), b"PRESS", False, ROOM, 1.0) == Wish("begin", True)
    assert isinstance(home.received(TOPICS.command("begin"), b"PRESS", True, ROOM, 1.0), Refusal)
    assert home.received("somnisphere/attic/air", b"{}", True, ROOM, 1.0) is None


def test_a_moment_is_an_event_and_a_trigger_and_is_never_kept() -> None:
    event, trigger = started().moment("came", {"at": "2026-01-01T00:00:00+00:00", "confidence": 0.7}, 1.0)
    assert event.topic == "somnisphere/attic/visit/event"
    assert json.loads(event.payload) == {
        "event_type": "came",
        "at": "2026-01-01T00:00:00+00:00",
        "confidence": 0.7,
    }
    assert (trigger.topic, trigger.payload) == ("somnisphere/attic/visit/trigger", b"came")
    for message in (event, trigger):
        assert (message.retain, message.qos, message.expiry_s) == (False, 1, MOMENT_EXPIRY_S)


def test_a_moment_nobody_declared_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="'levitated'"):
        started().moment("levitated", {}, 1.0)


def test_a_part_is_told_of_when_it_changes_and_at_every_connection() -> None:
    home = started()
    (message,) = home.part_status("sensor", online=True)
    assert (message.topic, message.payload, message.retain) == ("somnisphere/attic/sensor/status", b"online", True)
    assert home.part_status("sensor", online=True) == []
    told = {message.topic: message.payload for message in home.connected(ROOM, 5.0)}
    assert told["somnisphere/attic/sensor/status"] == b"online"
    assert told["somnisphere/attic/player/status"] == b"offline"
    with pytest.raises(ValueError, match="wheel"):
        home.part_status("wheel", online=True)


def test_a_picture_is_kept_for_the_next_connection() -> None:
    home = started()
    (message,) = home.image("view", b"<svg/>")
    assert (message.topic, message.payload, message.retain) == ("somnisphere/attic/view/image", b"<svg/>", True)
    assert home.image("view", b"<svg/>") == []
    assert topics(home.connected(ROOM, 5.0)) == [*SAID_AT_ONCE, "somnisphere/attic/view/image"]
    with pytest.raises(ValueError, match="no image entity 'lamp'"):
        home.image("lamp", b"")


def test_the_farewell_says_what_the_will_would() -> None:
    home = started()
    home.part_status("sensor", online=True)
    farewell = home.farewell()
    assert farewell[0] == home.will == Message(TOPICS.status, b"offline", retain=True, qos=1)
    assert {message.payload for message in farewell} == {b"offline"}
    assert topics(farewell) == SAID_AT_ONCE[:3]
