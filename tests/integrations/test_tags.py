"""The tag scanner's messages, against the keys that Home Assistant's MQTT tag platform knows."""

import json

from tests.integrations.bedroom import DEVICE, TOPICS

from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.messages import Topics
from somnisphere_home.tags import clear_tag_message, scan_message, tag_message

KNOWN_KEYS = {"topic", "value_template", "device", "qos", "encoding", "platform"}


def test_the_scanner_is_told_of_under_its_own_topic_and_retained() -> None:
    message = tag_message(TOPICS, DEVICE)
    assert message.topic == "homeassistant/tag/somnisphere_attic/config"
    assert (message.retain, message.qos, message.expiry_s) == (True, 1, None)
    moved = tag_message(Topics("attic", "ha/mqtt"), DEVICE)
    assert moved.topic == "ha/mqtt/tag/somnisphere_attic/config"


def test_only_keys_that_the_home_knows_and_the_same_device_as_all_else() -> None:
    payload = json.loads(tag_message(TOPICS, DEVICE).payload)
    assert payload.keys() <= KNOWN_KEYS
    assert payload["device"] == {
        "identifiers": ["somnisphere_attic"],
        "name": "Attic",
        "manufacturer": DeviceInfo.__dataclass_fields__["manufacturer"].default,
        "model": "Bedside",
        "sw_version": "1.2.3",
    }


def test_a_scan_arrives_where_the_scanner_listens_and_holds_what_its_template_takes() -> None:
    told = json.loads(tag_message(TOPICS, DEVICE).payload)
    scan = scan_message(TOPICS, "04A2B3C4D5E680", "2026-03-14T19:30:00+01:00", "The boat")
    assert scan.topic == told["topic"] == "somnisphere/attic/card/scan"
    assert told["value_template"] == "{{ value_json['card'] }}"
    assert json.loads(scan.payload) == {
        "card": "04A2B3C4D5E680",
        "at": "2026-03-14T19:30:00+01:00",
        "story": "The boat",
    }
    assert "story" not in json.loads(scan_message(TOPICS, "12345678", "2026-03-14T19:30:00+01:00").payload)


def test_a_scan_is_delivered_once_and_soon_or_never() -> None:
    scan = scan_message(TOPICS, "12345678", "2026-03-14T19:30:00+01:00")
    assert (scan.retain, scan.qos, scan.expiry_s) == (False, 1, 60)


def test_numbers_of_digits_stay_words_with_their_zeros() -> None:
    """A template gives text; a number here would lose its leading zeros."""
    assert json.loads(scan_message(TOPICS, "0012345678", "").payload)["card"] == "0012345678"


def test_the_scanner_can_be_taken_away() -> None:
    cleared = clear_tag_message(TOPICS)
    assert (cleared.topic, cleared.payload, cleared.retain) == (tag_message(TOPICS, DEVICE).topic, b"", True)
