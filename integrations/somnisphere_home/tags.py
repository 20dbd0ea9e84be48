"""A card reader as Home Assistant's tag scanner: its discovery message, and the message of one scan. Pure.

A tag scanner is no entity: it has a topic, a template that finds the tag's number in the payload, and the device it
belongs to. It is told of in a message of its own, beside the device's; both name the same device.
"""

import json
from typing import Any

from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.messages import Message, Topics

CARD_KEY = "card"
"""Name of the scanner in topics, and of the number in a scan's payload."""

SCAN_EXPIRY_S = 60
"""A card that could not be told in this time was laid on long ago: it must start nothing any more."""


def scans(topics: Topics) -> str:
    """Each card that is laid on, as JSON; never retained."""
    return f"{topics.base}/{CARD_KEY}/scan"


def tag_message(topics: Topics, device: DeviceInfo) -> Message:
    """Makes the scanner known to the home, retained. To be sent wherever ``device_message`` is."""
    payload = {
        "topic": scans(topics),
        "value_template": f"{{{{ value_json['{CARD_KEY}'] }}}}",
        "qos": 1,
        "device": {
            "identifiers": [topics.device_id],
            "name": device.name,
            "manufacturer": device.manufacturer,
            "model": device.model,
            "sw_version": device.sw_version,
        },
    }
    return Message(_discovery(topics), json.dumps(payload, ensure_ascii=False).encode(), retain=True, qos=1)


def clear_tag_message(topics: Topics) -> Message:
    """Takes the scanner away again: for a box without a reader."""
    return Message(_discovery(topics), b"", retain=True, qos=1)


def scan_message(topics: Topics, card_id: str, at: str, story: str | None = None) -> Message:
    """A card was laid on. ``at``: ISO time with its offset; ``story``: what it means, if it means one. Never retained:
    the home would scan it again at each of its starts."""
    payload: dict[str, Any] = {CARD_KEY: card_id, "at": at}
    if story is not None:
        payload["story"] = story
    encoded = json.dumps(payload, ensure_ascii=False).encode()
    return Message(scans(topics), encoded, qos=1, expiry_s=SCAN_EXPIRY_S)


def _discovery(topics: Topics) -> str:
    return f"{topics.prefix}/tag/{topics.device_id}/config"
