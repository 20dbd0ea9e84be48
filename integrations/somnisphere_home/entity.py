"""What a home can see and do, as data: one ``Entity`` per thing, over a snapshot of any type ``S``.

The product declares one tuple of these; discovery, states, commands and the reference table are pure functions of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

S = TypeVar("S")

Platform = Literal[
    "binary_sensor", "button", "event", "image", "light", "number", "select", "sensor", "switch", "update"
]  # Home Assistant 2024.12 knows all of these; one it does not know makes the whole device vanish there.

LIGHT_SCALE = 4095
"""Brightness on the wire runs 0..4095: fine enough for a lamp that is almost dark."""

CommandKind = Literal["press", "number", "choice", "light", "switch"]

_SLUG = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Command:
    """How the bytes of a command become a checked value. Made by ``press``, ``number``, ``choice`` and so on."""

    kind: CommandKind
    min: float = 0.0
    max: float = 0.0
    step: float = 1.0
    max_transition_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LightWish:
    """What a light is asked for. ``level_pct`` None with ``on``: as bright as it was last."""

    on: bool
    level_pct: float | None = None
    over_s: float | None = None


def press() -> Command:
    """``PRESS`` -> True."""
    return Command("press")


def number(min: float, max: float, step: float = 1.0) -> Command:  # noqa: A002 (the words of the MQTT payload)
    """A number in ``min..max`` -> float, brought to the nearest step."""
    if not (min < max and step > 0):
        raise ValueError(f"number({min}, {max}, {step}): min < max and a positive step are needed")
    return Command("number", min=min, max=max, step=step)


def choice() -> Command:
    """One of the entity's options -> str."""
    return Command("choice")


def light_json(max_transition_s: float = 4 * 3600.0) -> Command:
    """Home Assistant's JSON light command -> ``LightWish``."""
    return Command("light", max_transition_s=max_transition_s)


def switch() -> Command:
    """``ON`` or ``OFF`` -> bool."""
    return Command("switch")


def light_state(level_pct: float | None) -> dict[str, Any]:
    """What a dimmable light reports: its level 0..100, 0 being off, None not known."""
    if level_pct is None:
        return {"state": None}
    brightness = round(level_pct / 100 * LIGHT_SCALE)
    if brightness <= 0:
        return {"state": "OFF"}
    return {"state": "ON", "brightness": min(brightness, LIGHT_SCALE), "color_mode": "brightness"}


def update_state(installed: str, latest: str = "", url: str = "", summary: str = "") -> dict[str, Any]:
    """What an update entity reports. ``latest`` "": none is known but the one installed."""
    state = {"installed_version": installed, "latest_version": latest or installed}
    told = {"release_url": url, "release_summary": summary[:255]}
    return state | {key: value for key, value in told.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity(Generic[S]):
    """One thing a home sees or does.

    ``value`` gives a JSON value (or an aware datetime) that is put under ``key`` in the payload of ``group``; None
    means *not known*. A light's value is a ``light_state``, laid at the top of its group's payload, as the JSON light
    schema wants it. ``attributes`` are told beside it, each as ``attribute_schema`` says (name -> JSON Schema), and no
    others. ``options`` may depend on the snapshot (a library of stories). ``parts`` name what must be online beside the
    box itself. A change smaller than ``deadband`` is not worth a message.
    """

    key: str
    platform: Platform
    name: str
    group: str = ""
    value: Callable[[S], Any] | None = None
    attributes: Callable[[S], Mapping[str, Any]] | None = None
    attribute_schema: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unit: str | None = None
    device_class: str | None = None
    state_class: str | None = None
    entity_category: Literal["config", "diagnostic"] | None = None
    icon: str | None = None
    precision: int | None = None
    deadband: float = 0.0
    expire_after_s: int | None = None
    enabled_by_default: bool = True
    options: tuple[str, ...] | Callable[[S], tuple[str, ...]] = ()
    command: Command | None = None
    parts: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fault = _fault(self)
        if fault:
            raise ValueError(f"entity {self.key!r}: {fault}")

    def default_id(self, node: str) -> str:
        """The entity id Home Assistant is asked to give: ``sensor.bedside_heart_rate``."""
        return f"{self.platform}.{node.lower().replace('-', '_')}_{self.key}"

    def options_for(self, snapshot: S) -> tuple[str, ...]:
        """The options now, each once, in order."""
        found = self.options(snapshot) if callable(self.options) else self.options
        return tuple(dict.fromkeys(found))


_COMMANDS: dict[Platform, CommandKind] = {
    "button": "press",
    "light": "light",
    "number": "number",
    "select": "choice",
    "switch": "switch",
}


def _fault(entity: Entity[Any]) -> str:
    """Why Home Assistant would refuse this entity, or "". Seen in its schemas from 2024.12 to 2026.11."""
    wants = _COMMANDS.get(entity.platform)
    got = entity.command.kind if entity.command else None
    stateful = entity.platform not in ("button", "event", "image")
    enum = entity.platform == "sensor" and entity.device_class == "enum"
    faults = {
        "a key is lower case letters, digits and single '_'": not _SLUG.fullmatch(entity.key),
        f"a {entity.platform} takes the command {wants}, not {got}": wants != got,
        f"a {entity.platform} needs a group and a value": stateful and not (entity.group and entity.value),
        f"a {entity.platform} has no value": not stateful and entity.value is not None,
        "attributes need a group": entity.attributes is not None and not entity.group,
        "attributes need a schema, and a schema attributes": (entity.attributes is None)
        == bool(entity.attribute_schema),
        "'status' is taken, choose another group": entity.group == "status",
        "an enum needs options": (enum or entity.platform == "event") and not entity.options,
        "an enum has neither unit nor state class": enum and bool(entity.unit or entity.state_class),
        "a sensor may be diagnostic, never config": entity.platform in ("sensor", "binary_sensor")
        and entity.entity_category == "config",
        "only sensors expire": entity.expire_after_s is not None and entity.platform not in ("sensor", "binary_sensor"),
        "the events of an event entity are fixed": entity.platform == "event" and callable(entity.options),
    }
    return "; ".join(text for text, wrong in faults.items() if wrong)
