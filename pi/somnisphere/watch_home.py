"""What every Somnisphere on a broker says, put together from its topics, for whoever watches from elsewhere. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from somnisphere_home.entity import LIGHT_SCALE

SUBSCRIPTIONS = ("somnisphere/+/+", "somnisphere/+/sensor/status", "somnisphere/+/sleep_moment/event")
_GROUPS = frozenset(("stage", "vitals", "presence", "ritual", "lamp", "story", "health"))
LONGEST_BYTES = 20_000
MOST_NODES = 100


@dataclass(slots=True)
class Node:
    """``online`` None: it never said."""

    online: bool | None = None
    sensor_online: bool = False
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    moment: dict[str, Any] = field(default_factory=dict)

    def value(self, group: str, key: str) -> Any:
        return self.groups.get(group, {}).get(key)


class Bedsides:
    """``only``: the one node of interest, "" all of them."""

    def __init__(self, only: str = "") -> None:
        self._only = only
        self._nodes: dict[str, Node] = {}

    @property
    def known(self) -> bool:
        """Whether any bedside said that it is there, or that it went."""
        return any(node.online is not None for node in self._nodes.values())

    def node(self, name: str) -> Node:
        """One bedside as far as it was heard; it may never have said anything."""
        return self._nodes.get(name) or Node()

    def hear(self, topic: str, payload: bytes) -> bool:
        """One message; True when what is shown may have changed. What cannot be read is passed over."""
        _, name, *rest = topic.split("/")
        if name == "house" or (self._only and name != self._only) or len(payload) > LONGEST_BYTES:
            return False
        if name not in self._nodes and len(self._nodes) >= MOST_NODES:
            return False
        node = self._nodes.setdefault(name, Node())
        match rest:
            case ["status"]:
                node.online = payload == b"online"
            case ["sensor", "status"]:
                node.sensor_online = payload == b"online"
            case ["sleep_moment", "event"]:
                node.moment = _read(payload)
            case [group] if group in _GROUPS:
                node.groups[group] = _read(payload)
            case _:
                return False
        return True

    def lines(self) -> Iterator[str]:
        """One paragraph a bedside, in the order of their names."""
        for name, node in sorted(self._nodes.items()):
            if node.online is not None:
                yield from _lines(name, node)


def _read(payload: bytes) -> dict[str, Any]:
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _lines(name: str, node: Node) -> Iterator[str]:
    if not node.online:
        yield f"{name}: offline; what it said last may be long ago"
        return
    yield f"{name}: {_text(node.value('ritual', 'phase'))}"
    if node.sensor_online:
        lies = node.value("presence", "in_bed")
        in_bed = "in bed" if lies is True else "not in bed" if lies is False else "in bed or not: not known"
        heart, breath = node.value("vitals", "heart_rate"), node.value("vitals", "breathing_rate")
        yield f"  sleep    {_text(node.value('stage', 'sleep_stage'))}, {in_bed}"
        yield f"  body     heart {_number(heart, ' bpm')}, breath {_number(breath, ' a minute')}"
    else:
        yield "  sleep    the sensor is silent"
    lamp = node.groups.get("lamp", {})
    brightness = _finite(lamp.get("brightness"))
    lit = brightness is not None and lamp.get("state") == "ON"
    light = f"{(brightness or 0.0) / LIGHT_SCALE:.1%} of its light" if lit else _text(lamp.get("state")).lower()
    yield f"  lamp     {light}"
    playing, chosen = node.value("story", "story_playing"), node.value("story", "story")
    at_s = _finite(node.value("story", "story_position"))
    place = "" if at_s is None else f" at {int(at_s) // 60}:{int(at_s) % 60:02d}"
    yield f"  story    {f'{_text(playing)}{place}' if playing else f'{_text(chosen)}, at rest'}"
    if node.moment:
        yield f"  moment   {_text(node.moment.get('event_type'))} at {_text(node.moment.get('at'))[11:16]}"
    problems = node.value("health", "sensor_problem_attributes")
    for part, problem in (problems if isinstance(problems, dict) else {}).items():
        if problem:
            yield f"  trouble  {part}: {_text(problem)}"


def _text(value: object) -> str:
    """Printable: what comes over the wire must not move somebody's cursor."""
    if value is None or value == "":
        return "not known"
    return "".join(c if c.isprintable() else "\ufffd" for c in str(value))[:200]


def _number(value: object, unit: str) -> str:
    known = _finite(value)
    return "not known" if known is None else f"{known:g}{unit}"


def _finite(value: object) -> float | None:
    """The broker is anybody's: a number may be none, or not one that can be shown."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        return None
    return float(value)
