"""How a node makes itself known: as whole devices, entity by entity or not at all; and what of an earlier way is stale.

A broker keeps what was announced by an earlier version or configuration, and the home shows it for ever. The node hears
its own retained announcements again after connecting, and takes away what it would not say now. Pure.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal

from somnisphere_home.discovery import DeviceInfo, clear_message, components, single_message, whole_message
from somnisphere_home.entity import Entity, S
from somnisphere_home.messages import Message, Topics

Mode = Literal["device", "single", "off"]
FURTHER = "_sleeper"
"""The suffix of a node's second device."""


@dataclass(frozen=True, slots=True)
class Stale:
    """``removals``: to be said. ``keys``: components that were known by another announcement; the home refused ours
    as second ones of their kind, so they are to be announced anew when the old are gone."""

    removals: tuple[Message, ...] = ()
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Announcement(Generic[S]):
    """``further``: a second device, reached by way of the first, and the keys of its entities."""

    entities: Sequence[Entity[S]]
    topics: Topics
    device: DeviceInfo
    mode: Mode = "device"
    further: DeviceInfo | None = None
    further_keys: frozenset[str] = field(default_factory=frozenset)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Where our own announcements are kept."""
        whole = [self.topics.discovery_of(suffix) for suffix in ("", FURTHER)]
        return (*whole, self.topics.single_discovery("+", "+"))

    def messages(self, snapshot: S, *, without: frozenset[str] = frozenset()) -> list[Message]:
        """All there is to announce; ``without``: components that are to be taken away."""
        said: list[Message] = []
        if self.mode == "off":
            return said
        for device, members in self._devices():
            found = components(members, snapshot, self.topics)
            if self.mode == "device":
                stubs = {k: {"platform": body["platform"]} if k in without else body for k, body in found.items()}
                said.append(whole_message(stubs, self.topics, device))
            else:
                said += [
                    replace(message, payload=b"") if key in without else message
                    for key, body in found.items()
                    for message in (single_message(key, body, self.topics, device),)
                ]
        return said

    def everything_cleared(self, snapshot: S) -> list[Message]:
        """Takes the node away from the home, however it was announced."""
        found = components(self.entities, snapshot, self.topics)
        singles = [Message(self.topics.single_discovery(b["platform"], k), b"", True, 1) for k, b in found.items()]
        return [*(clear_message(self.topics, suffix) for suffix in ("", FURTHER)), *singles]

    def heard(self, topic: str, payload: bytes, snapshot: S) -> Stale:
        """A retained message on one of ``subscriptions``."""
        if not payload:
            return Stale()
        for suffix in ("", FURTHER):
            if topic == self.topics.discovery_of(suffix):
                return self._of_device(suffix, _platforms(payload), snapshot)
        platform, key = self._single(topic)
        if platform is None or key is None:
            return Stale()
        now = {k: b["platform"] for k, b in components(self.entities, snapshot, self.topics).items()}
        if self.mode == "single" and now.get(key) == platform:
            return Stale()
        again = frozenset({key} & now.keys()) if self.mode != "off" else frozenset[str]()
        return Stale((Message(topic, b"", retain=True, qos=1),), again)

    def _of_device(self, suffix: str, were: dict[str, str], snapshot: S) -> Stale:
        now = components(self.entities, snapshot, self.topics)
        again = frozenset(were.keys() & now.keys()) if self.mode != "off" else frozenset[str]()
        ours = [(device, members) for device, members in self._devices() if device.suffix == suffix]
        if self.mode != "device" or not ours:
            return Stale((clear_message(self.topics, suffix),), again)
        device, members = ours[0]
        found = components(members, snapshot, self.topics)
        gone = {key: {"platform": platform} for key, platform in were.items() if key not in found}
        if not gone:
            return Stale()
        rest = whole_message({**found, **gone}, self.topics, device), whole_message(found, self.topics, device)
        return Stale(rest, again & gone.keys())

    def _devices(self) -> list[tuple[DeviceInfo, tuple[Entity[S], ...]]]:
        if self.further is None:
            return [(self.device, tuple(self.entities))]
        first = tuple(entity for entity in self.entities if entity.key not in self.further_keys)
        second = tuple(entity for entity in self.entities if entity.key in self.further_keys)
        return [(self.device, first), (replace(self.further, suffix=FURTHER), second)]

    def _single(self, topic: str) -> tuple[str | None, str | None]:
        parts = topic.removeprefix(f"{self.topics.prefix}/").split("/")
        if not topic.startswith(f"{self.topics.prefix}/") or len(parts) != 4:
            return None, None
        platform, node, key, last = parts
        return (platform, key) if (node, last) == (self.topics.device_id, "config") else (None, None)


def _platforms(payload: bytes) -> dict[str, str]:
    """Components of a device's announcement, whichever version wrote it; none of one that cannot be read."""
    try:
        told: Any = json.loads(payload)
        found = told.get("components") or told.get("cmps") or {}
        return {str(key): str(body.get("platform") or body.get("p")) for key, body in found.items()}
    except (ValueError, AttributeError, RecursionError):
        return {}
