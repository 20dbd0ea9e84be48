"""An entity that Home Assistant would refuse cannot be declared."""

from typing import Any

import pytest
from tests.integrations.bedroom import DEVICE, ENTITIES, ROOM, TOPICS, Room

from somnisphere_home.entity import Entity, choice, light_state, number, press
from somnisphere_home.messages import Topics
from somnisphere_home.session import HomeSession


def value(_: Room) -> int:
    return 1


GOOD: dict[str, Any] = {"key": "a", "platform": "sensor", "name": "A", "group": "g", "value": value}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "Heart Rate"}, "a key is lower case"),
        ({"key": "a__b"}, "a key is lower case"),
        ({"platform": "button"}, "takes the command press"),
        ({"command": press()}, "takes the command None, not press"),
        ({"platform": "select", "command": number(0, 1)}, "takes the command choice"),
        ({"group": ""}, "needs a group and a value"),
        ({"value": None}, "needs a group and a value"),
        ({"group": "status"}, "'status' is taken"),
        ({"device_class": "enum"}, "an enum needs options"),
        ({"device_class": "enum", "options": ("x",), "unit": "bpm"}, "neither unit nor state class"),
        ({"device_class": "enum", "options": ("x",), "state_class": "measurement"}, "neither unit nor state class"),
        ({"entity_category": "config"}, "never config"),
        ({"platform": "button", "command": press(), "value": None, "expire_after_s": 3}, "only sensors expire"),
        ({"platform": "event", "value": None}, "needs options"),
        ({"platform": "event", "value": None, "options": lambda _: ("x",)}, "are fixed"),
        ({"platform": "image"}, "has no value"),
        ({"attributes": lambda _: {}}, "attributes need a schema"),
        ({"attribute_schema": {"note": {"type": "string"}}}, "a schema attributes"),
    ],
)
def test_a_wrong_entity_says_what_is_wrong(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"entity '.*': .*" + words):
        Entity(**(GOOD | change))


def test_the_same_entity_without_the_fault_is_taken() -> None:
    assert Entity(**GOOD).default_id("bedside") == "sensor.bedside_a"


def test_an_entity_id_has_no_capitals_or_hyphens() -> None:
    assert Entity(**GOOD).default_id("Bed-Side") == "sensor.bed_side_a"


def test_options_come_once_each() -> None:
    shelf = next(entity for entity in ENTITIES if entity.key == "book")
    assert shelf.options_for(Room(books=("b", "a", "b"))) == ("b", "a")
    assert shelf.command == choice()


@pytest.mark.parametrize(
    ("level_pct", "state"),
    [
        (None, {"state": None}),
        (0.0, {"state": "OFF"}),
        (0.01, {"state": "OFF"}),
        (0.02, {"state": "ON", "brightness": 1, "color_mode": "brightness"}),
        (100.0, {"state": "ON", "brightness": 4095, "color_mode": "brightness"}),
        (100.4, {"state": "ON", "brightness": 4095, "color_mode": "brightness"}),
    ],
)
def test_a_light_reports_a_level(level_pct: float | None, state: dict[str, Any]) -> None:
    assert light_state(level_pct) == state


@pytest.mark.parametrize("bounds", [(5, 5, 1), (5, 1, 1), (0, 1, 0)])
def test_a_number_needs_room_to_move(bounds: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="positive step"):
        number(*bounds)


@pytest.mark.parametrize("node", ["", "bed side", "bett/1", "été", "+"])
def test_a_node_is_a_plain_word(node: str) -> None:
    with pytest.raises(ValueError, match="node"):
        Topics(node)


@pytest.mark.parametrize("prefix", ["", "home assistant", "a//b", "#"])
def test_a_prefix_is_a_plain_topic(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Topics("attic", prefix)


def test_a_command_topic_gives_its_key_back() -> None:
    assert TOPICS.command_key(TOPICS.command("begin")) == "begin"
    for other in ("somnisphere/attic/set", "somnisphere/attic/a/b/set", "somnisphere/other/begin/set", "x"):
        assert TOPICS.command_key(other) is None


def test_two_entities_of_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="two entities have the key lamp"):
        HomeSession([*ENTITIES, *(e for e in ENTITIES if e.key == "lamp")], TOPICS, DEVICE)


def test_a_group_to_hold_back_must_exist() -> None:
    with pytest.raises(ValueError, match="vitals"):
        HomeSession(ENTITIES, TOPICS, DEVICE, min_intervals_s={"vitals": 10.0})


def test_every_platform_is_in_these_tests() -> None:
    assert {entity.platform for entity in ENTITIES} == {
        "binary_sensor", "button", "event", "image", "light", "number", "select", "sensor", "switch",
    }  # fmt: skip
    assert ROOM.books
