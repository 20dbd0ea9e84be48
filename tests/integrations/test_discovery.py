"""The discovery message, against the key lists of Home Assistant's own schemas."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from tests.integrations.bedroom import DEVICE, ENTITIES, EVENTS, ROOM, TOPICS

from somnisphere_home.discovery import DeviceInfo, clear_message, device_message

ROOT_KEYS = {
    "device", "origin", "components", "availability", "availability_mode", "availability_topic",
    "availability_template", "payload_available", "payload_not_available", "state_topic", "command_topic", "qos",
    "encoding",
}  # fmt: skip
DEVICE_KEYS = {
    "identifiers", "connections", "manufacturer", "model", "model_id", "name", "hw_version", "serial_number",
    "sw_version", "via_device", "suggested_area", "configuration_url",
}  # fmt: skip


@pytest.fixture
def payload() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(device_message(ENTITIES, ROOM, TOPICS, DEVICE).payload)
    return found


def test_the_message_is_retained_and_sure_to_arrive() -> None:
    message = device_message(ENTITIES, ROOM, TOPICS, DEVICE)
    assert message.topic == "homeassistant/device/somnisphere_attic/config"
    assert (message.retain, message.qos, message.expiry_s) == (True, 1, None)


def test_no_key_of_the_root_is_unknown_to_the_home(payload: dict[str, Any]) -> None:
    """One unknown key there, and the whole device is refused."""
    assert set(payload) <= ROOT_KEYS
    assert set(payload["device"]) <= DEVICE_KEYS
    assert set(payload["origin"]) <= {"name", "sw_version", "support_url"}
    assert payload["device"]["identifiers"] == ["somnisphere_attic"]
    assert payload["device"]["suggested_area"] == "Attic"
    assert "serial_number" not in payload["device"]


def test_every_component_is_named_once(payload: dict[str, Any]) -> None:
    entities = [c for c in payload["components"].values() if c["platform"] != "device_automation"]
    ids = [component["unique_id"] for component in entities]
    assert len(ids) == len(set(ids)) == len(ENTITIES)
    assert all(re.fullmatch(r"somnisphere_attic_[a-z_]+", unique_id) for unique_id in ids)


def test_ids_are_asked_for_in_the_old_way_and_the_new(payload: dict[str, Any]) -> None:
    assert payload["components"]["warmth"]["default_entity_id"] == "sensor.attic_warmth"
    assert payload["components"]["warmth"]["object_id"] == "attic_warmth"


def test_a_unique_id_outlives_a_new_name() -> None:
    renamed = tuple(replace(entity, name=f"{entity.name} two") for entity in ENTITIES)
    before, after = (
        json.loads(device_message(entities, ROOM, TOPICS, DEVICE).payload)["components"]
        for entities in (ENTITIES, renamed)
    )
    assert {key: c.get("unique_id") for key, c in before.items()} == {k: c.get("unique_id") for k, c in after.items()}
    assert after["warmth"]["name"] == "Warmth two"


def test_a_part_that_fails_takes_only_its_own_entities(payload: dict[str, Any]) -> None:
    assert payload["availability"] == [{"topic": "somnisphere/attic/status"}]
    warmth, book, mood = (payload["components"][key] for key in ("warmth", "book", "mood"))
    assert warmth["availability"] == [
        {"topic": "somnisphere/attic/status"},
        {"topic": "somnisphere/attic/sensor/status"},
    ]
    assert warmth["availability_mode"] == book["availability_mode"] == "all"
    assert len(book["availability"]) == 3
    assert "availability" not in mood


def test_an_enum_has_options_and_nothing_numeric(payload: dict[str, Any]) -> None:
    mood = payload["components"]["mood"]
    assert mood["options"] == ["calm", "restless"]
    assert not mood.keys() & {"unit_of_measurement", "state_class", "suggested_display_precision"}


def test_a_number_says_its_unit_precision_and_expiry(payload: dict[str, Any]) -> None:
    warmth = payload["components"]["warmth"]
    assert warmth["unit_of_measurement"] == "°C"
    assert (warmth["suggested_display_precision"], warmth["expire_after"]) == (1, 400)
    assert warmth["value_template"] == "{{ value_json['warmth'] }}"
    assert warmth["json_attributes_template"] == "{{ value_json['warmth_attributes'] | tojson }}"


def test_the_light_fades_but_never_flashes(payload: dict[str, Any]) -> None:
    lamp = payload["components"]["lamp"]
    assert (lamp["schema"], lamp["supported_color_modes"]) == ("json", ["brightness"])
    assert (lamp["brightness"], lamp["brightness_scale"]) == (True, 4095)
    assert (lamp["transition"], lamp["flash"]) == (True, False)
    assert "color_mode" not in lamp, "an ERROR in the log of 2025.3 and newer"
    assert "value_template" not in lamp


def test_commands_are_never_kept_by_the_broker(payload: dict[str, Any]) -> None:
    takers = {key: c for key, c in payload["components"].items() if "command_topic" in c}
    assert set(takers) == {"lamp", "book", "volume", "quiet", "begin"}
    assert not any(component.get("retain") for component in takers.values())
    assert takers["begin"]["payload_press"] == "PRESS"


def test_each_moment_is_a_device_trigger(payload: dict[str, Any]) -> None:
    triggers = [c for c in payload["components"].values() if c["platform"] == "device_automation"]
    assert [(t["type"], t["subtype"], t["payload"]) for t in triggers] == [(kind, "visit", kind) for kind in EVENTS]
    assert all(t["automation_type"] == "trigger" and t["topic"] == "somnisphere/attic/visit/trigger" for t in triggers)
    assert payload["components"]["visit"]["event_types"] == list(EVENTS)
    assert "device_class" not in payload["components"]["visit"]


def test_a_switched_off_entity_says_so(payload: dict[str, Any]) -> None:
    assert payload["components"]["occupied"]["enabled_by_default"] is False
    assert "enabled_by_default" not in payload["components"]["mood"]


def test_options_follow_the_snapshot() -> None:
    payload = json.loads(device_message(ENTITIES, replace(ROOM, books=("Emma",)), TOPICS, DEVICE).payload)
    assert payload["components"]["book"]["options"] == ["Emma"]


def test_an_empty_message_takes_the_device_away() -> None:
    message = clear_message(TOPICS)
    assert (message.topic, message.payload, message.retain) == (TOPICS.discovery, b"", True)


def test_a_device_needs_only_name_and_version() -> None:
    payload = json.loads(device_message(ENTITIES, ROOM, TOPICS, DeviceInfo(name="A", sw_version="1")).payload)
    assert set(payload["device"]) == {"identifiers", "name", "manufacturer", "model", "sw_version"}
