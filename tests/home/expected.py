"""What Home Assistant must show for a message of ours, told from the declared entities alone, without its templates."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tests.home.broker import Received

from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import LIGHT_SCALE, Entity

Shown = str | float | bool | datetime | tuple[bool, int] | None
"""A state in its own type: None is *unknown*; a light is (on, brightness 0..255)."""


def told(entity: Entity[Snapshot], payload: bytes) -> Shown:
    """What one state message of the entity's group says of the entity."""
    values = json.loads(payload)
    if entity.platform == "light":
        if values["state"] is None:
            return None
        on = values["state"] == "ON"
        return on, round(values["brightness"] / LIGHT_SCALE * 255) if on else 0
    if entity.platform == "update":
        return str(values[entity.key]["installed_version"] != values[entity.key]["latest_version"])
    return _typed(entity, values[entity.key])


def shown(entity: Entity[Snapshot], state: dict[str, Any]) -> Shown:
    """What a state of Home Assistant says of the entity."""
    if state["state"] == "unknown":
        return None
    if entity.platform == "light":
        on = state["state"] == "on"
        return on, state["attributes"]["brightness"] if on else 0
    if entity.platform == "update":
        return str(state["state"] == "on")
    return _typed(entity, state["state"])


def _typed(entity: Entity[Snapshot], value: Any) -> Shown:
    if value is None:
        return None
    if entity.platform in ("binary_sensor", "switch"):
        return str(value).lower() in ("on", "true")
    if entity.device_class == "timestamp":
        return datetime.fromisoformat(value)
    if entity.platform == "number" or (entity.platform == "sensor" and (entity.unit or entity.state_class)):
        return float(value)
    return str(value)


def alike(one: Shown, other: Shown) -> bool:
    """Equal, but for the rounding of a brightness from 4096 steps to 256."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return one[0] == other[0] and abs(one[1] - other[1]) <= 1
    return one == other


def changes(states: Iterable[Shown]) -> list[Shown]:
    """Without repetitions: Home Assistant makes no event of a state that stays."""
    kept: list[Shown] = []
    for state in states:
        if not kept or not alike(kept[-1], state):
            kept.append(state)
    return kept


def messages_to(topic: str, received: Sequence[Received]) -> list[bytes]:
    return [message.payload for message in received if message.topic == topic]
