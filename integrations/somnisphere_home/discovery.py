"""The messages that make a device with all its entities appear in Home Assistant. Pure.

Device-based discovery (Home Assistant 2024.12 and newer): keys of the root, of ``device`` and of ``origin`` are fixed,
and one that is not known there makes the whole payload refused, so nothing is passed through.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from somnisphere_home.entity import LIGHT_SCALE, Entity, S
from somnisphere_home.messages import Message, Topics
from somnisphere_home.states import attributes_key


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """What the home shows of the device. ``suggested_area``: a room's name, taken when the device is first seen.
    ``suffix``: tells a further device of the same node apart, which the home shows as reached by way of the first."""

    name: str
    sw_version: str
    manufacturer: str = "Somnisphere"
    model: str = "Bedside"
    hw_version: str | None = None
    serial_number: str | None = None
    suggested_area: str | None = None
    configuration_url: str | None = None
    support_url: str | None = None
    suffix: str = ""


def device_message(entities: Sequence[Entity[S]], snapshot: S, topics: Topics, device: DeviceInfo) -> Message:
    """The discovery message, retained. It depends on the snapshot where options do."""
    return whole_message(components(entities, snapshot, topics), topics, device)


def whole_message(found: Mapping[str, Mapping[str, Any]], topics: Topics, device: DeviceInfo) -> Message:
    """A device with these components; one that has nothing but its ``platform`` is taken away."""
    return _message(topics.discovery_of(device.suffix), {**_root(topics, device), "components": found})


def single_message(key: str, found: Mapping[str, Any], topics: Topics, device: DeviceInfo) -> Message:
    """One component announced by itself, as every Home Assistant understands it."""
    body = {name: value for name, value in found.items() if name != "platform"}
    return _message(topics.single_discovery(found["platform"], key), {**_root(topics, device), **body})


def clear_message(topics: Topics, suffix: str = "") -> Message:
    """Takes the device away from the home and from the broker."""
    return Message(topics.discovery_of(suffix), b"", retain=True, qos=1)


def _root(topics: Topics, device: DeviceInfo) -> dict[str, Any]:
    return {
        "device": _present(
            identifiers=[topics.device_id + device.suffix],
            name=device.name,
            manufacturer=device.manufacturer,
            model=device.model,
            sw_version=device.sw_version,
            hw_version=device.hw_version,
            serial_number=device.serial_number,
            suggested_area=device.suggested_area,
            configuration_url=device.configuration_url,
            via_device=topics.device_id if device.suffix else None,
        ),
        "origin": _present(name="Somnisphere", sw_version=device.sw_version, support_url=device.support_url),
        "availability": [{"topic": topics.status}],
    }


def _message(topic: str, payload: Mapping[str, Any]) -> Message:
    return Message(topic, json.dumps(payload, ensure_ascii=False).encode(), retain=True, qos=1)


def components(entities: Sequence[Entity[S]], snapshot: S, topics: Topics) -> dict[str, dict[str, Any]]:
    """Every component of the device by its key: one per entity, and a device trigger per event type."""
    found: dict[str, dict[str, Any]] = {}
    for entity in entities:
        found[entity.key] = component(entity, snapshot, topics)
        if entity.platform == "event":
            for kind in entity.options_for(snapshot):
                found[f"{entity.key}_{kind}_trigger"] = {
                    "platform": "device_automation",
                    "automation_type": "trigger",
                    "topic": topics.trigger(entity.key),
                    "payload": kind,
                    "type": kind,
                    "subtype": entity.key,
                    "qos": 1,
                }
    return found


def component(entity: Entity[S], snapshot: S, topics: Topics) -> dict[str, Any]:
    """One entity as Home Assistant wants to be told of it, under the long names of the keys."""
    node = topics.node
    found = _present(
        platform=entity.platform,
        unique_id=f"{topics.device_id}_{entity.key}",
        name=entity.name,
        # Newer releases heed the first, those before 2025.10 the second; neither minds the other.
        default_entity_id=entity.default_id(node),
        object_id=entity.default_id(node).partition(".")[2],
        device_class=entity.device_class,
        state_class=entity.state_class,
        unit_of_measurement=entity.unit,
        entity_category=entity.entity_category,
        icon=entity.icon,
        suggested_display_precision=entity.precision if entity.platform == "sensor" else None,
        expire_after=entity.expire_after_s,
        enabled_by_default=None if entity.enabled_by_default else False,
    )
    if entity.parts:
        # A list of its own replaces the root's, so the box itself is named again.
        found["availability"] = [{"topic": topics.status}, *({"topic": topics.part_status(p)} for p in entity.parts)]
        found["availability_mode"] = "all"
    if entity.attributes is not None:
        found["json_attributes_topic"] = topics.state(entity.group)
        found["json_attributes_template"] = f"{{{{ value_json['{attributes_key(entity.key)}'] | tojson }}}}"
    if entity.command is not None:
        found["command_topic"] = topics.command(entity.key)
        found["qos"] = 1
    return found | _of_platform(entity, snapshot, topics) | dict(entity.config)


def _of_platform(entity: Entity[S], snapshot: S, topics: Topics) -> dict[str, Any]:
    state = {"state_topic": topics.state(entity.group), "value_template": f"{{{{ value_json['{entity.key}'] }}}}"}
    match entity.platform:
        case "sensor":
            return state | ({"options": list(entity.options_for(snapshot))} if entity.options else {})
        case "binary_sensor":
            # A template renders JSON's true, false and null as these words; "None" is *unknown* to the home.
            return state | {"payload_on": "True", "payload_off": "False"}
        case "switch":
            return state | {"state_on": "True", "state_off": "False", "payload_on": "ON", "payload_off": "OFF"}
        case "button":
            return {"payload_press": "PRESS"}
        case "select":
            return state | {"options": list(entity.options_for(snapshot))}
        case "number":
            assert entity.command is not None
            return state | {"min": entity.command.min, "max": entity.command.max, "step": entity.command.step}
        case "light":
            # No `color_mode` key: from 2025.3 on its presence is an ERROR in the home's log.
            return {
                "schema": "json",
                "state_topic": topics.state(entity.group),
                "supported_color_modes": ["brightness"],
                "brightness": True,
                "brightness_scale": LIGHT_SCALE,
                "transition": True,
                "flash": False,  # no flashing lamps in a bedroom
            }
        case "event":
            return {
                "state_topic": topics.event(entity.key),
                "event_types": list(entity.options_for(snapshot)),
                "qos": 1,
            }
        case "update":
            return {
                "state_topic": topics.state(entity.group),
                "value_template": f"{{{{ value_json['{entity.key}'] | tojson }}}}",
            }
        case "image":
            return {"image_topic": topics.image(entity.key)}


def _present(**keys: Any) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}
