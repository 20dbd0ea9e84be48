"""What a group of entities says: one JSON object per state topic, and whether it is worth saying again. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from somnisphere_home.entity import Entity, S

STATE_MAX_CHARS = 255
"""Home Assistant refuses longer states (homeassistant/const.py, MAX_LENGTH_STATE_STATE)."""


def attributes_key(key: str) -> str:
    """Where an entity's attributes are, in the payload of its group."""
    return f"{key}_attributes"


def groups(entities: Sequence[Entity[S]]) -> dict[str, tuple[Entity[S], ...]]:
    """Entities by state topic, in order."""
    found: dict[str, tuple[Entity[S], ...]] = {}
    for entity in entities:
        if entity.group:
            found[entity.group] = (*found.get(entity.group, ()), entity)
    return found


def group_values(entities: Sequence[Entity[S]], snapshot: S) -> dict[str, Any]:
    """The payload of one group. Every key is always there: a template on a missing key warns in the home's log."""
    payload: dict[str, Any] = {}
    for entity in entities:
        if entity.value is not None:
            value = entity.value(snapshot)
            if entity.platform == "light":
                payload.update(value)
            else:
                payload[entity.key] = _json_value(entity, value, snapshot)
        if entity.attributes is not None:
            payload[attributes_key(entity.key)] = dict(entity.attributes(snapshot))
    return payload


def _json_value(entity: Entity[S], value: Any, snapshot: S) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"entity {entity.key!r}: a time without its zone: {value}")
        return value.isoformat()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return round(value, entity.precision) if entity.precision else _whole(value, entity.precision)
    if isinstance(value, str):
        if (entity.device_class == "enum" or entity.platform == "select") and value not in entity.options_for(snapshot):
            return None  # the home would keep the old word on screen
        return value if len(value) <= STATE_MAX_CHARS else f"{value[: STATE_MAX_CHARS - 1]}…"
    return value


def _whole(value: float, precision: int | None) -> float:
    return value if precision is None else round(value)


def encode(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_encode_odd).encode()


def _encode_odd(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    raise TypeError(f"cannot be published as JSON: {value!r}")


def values_differ(entities: Sequence[Entity[S]], old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a value changed by its dead band or more (to or from *not known* always counts)."""
    bands = {entity.key: entity.deadband for entity in entities}
    attributes = {attributes_key(key) for key in bands}
    return any(
        _differs(old.get(key), value, bands.get(key, 0.0)) for key, value in new.items() if key not in attributes
    ) or bool(old.keys() - new.keys())


def _differs(old: Any, new: Any, deadband: float) -> bool:
    if old == new or deadband == 0:
        return bool(old != new)
    both_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (old, new))
    return not both_numbers or bool(abs(new - old) >= deadband)


def expiry_s(entities: Sequence[Entity[S]]) -> int | None:
    """How long a broker may keep a group's message: as long as its longest-lived value, for ever if one never ages."""
    limits = [entity.expire_after_s for entity in entities if entity.value is not None]
    lasting = [limit for limit in limits if limit is not None]
    return max(lasting) if lasting and len(lasting) == len(limits) else None


def heartbeat_s(entities: Sequence[Entity[S]], longest_s: float) -> float:
    """How often a group is said again though nothing changed: at least twice within its shortest expiry."""
    return min([longest_s, *(e.expire_after_s / 2 for e in entities if e.expire_after_s is not None)])
