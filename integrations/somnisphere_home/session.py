"""What a device says to a home, and when: availability, discovery, states, moments. Pure: no socket, no clock.

A group of states is published when one of its values changed (by its dead band, at most every ``min_intervals_s``),
and again as a heartbeat. Attributes alone are no reason to hurry. After each connection to the broker, and after each
birth of Home Assistant, all is said anew: availability first, then discovery, then states, then pictures.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from somnisphere_home.announcement import Announcement, Mode
from somnisphere_home.commands import Refusal, Wish, decode
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.entity import Entity, S
from somnisphere_home.messages import OFFLINE, ONLINE, Message, Topics
from somnisphere_home.states import encode, expiry_s, group_values, groups, heartbeat_s, values_differ

ATTRIBUTES_EVERY_S = 60.0
"""How soon attributes that changed by themselves are said; a value that changes takes them along at once."""

ANNOUNCE_AGAIN_S = 2.0

MOMENT_EXPIRY_S = 300
"""A moment that could not be delivered in this time is history: it must not dim lamps any more."""


def _birth_wait_s() -> float:
    """A random wait, so that not every device of a house answers Home Assistant's birth at once."""
    return random.uniform(1.0, 5.0)


@dataclass(slots=True)
class _Said:
    at_s: float
    values: dict[str, Any]


class HomeSession(Generic[S]):
    """The conversation of one device. Parts count as offline until ``part_status`` says otherwise."""

    def __init__(
        self,
        entities: Sequence[Entity[S]],
        topics: Topics,
        device: DeviceInfo,
        *,
        heartbeat_s: float = 300.0,
        min_intervals_s: Mapping[str, float] | None = None,
        discovery: Mode = "device",
        further: DeviceInfo | None = None,
        further_keys: frozenset[str] = frozenset(),
        birth_wait_s: Callable[[], float] = _birth_wait_s,
    ) -> None:
        _check(entities)
        self._entities = tuple(entities)
        self._groups = groups(entities)
        self._topics = topics
        self._announcement = Announcement(self._entities, topics, device, discovery, further, further_keys)
        self._removals: list[Message] = []
        self._refused_keys: frozenset[str] = frozenset()
        self._announce_from_s: float | None = None
        self._heartbeat_s = heartbeat_s
        self._min_intervals_s = dict(min_intervals_s or {})
        if unknown := self._min_intervals_s.keys() - self._groups.keys():
            raise ValueError(f"no entity is in the groups {sorted(unknown)}")
        self._birth_wait_s = birth_wait_s
        self._birth_due_s: float | None = None
        self._said: dict[str, _Said] = {}
        self._live = tuple(entity for entity in entities if callable(entity.options))
        self._options_said: tuple[tuple[str, ...], ...] | None = None
        self._parts = {part: False for entity in entities for part in entity.parts}
        self._images: dict[str, bytes] = {}

    @property
    def will(self) -> Message:
        """What the broker says for us when we are gone without a word."""
        return Message(self._topics.status, OFFLINE, retain=True, qos=1)

    def connected(self, snapshot: S, at_s: float) -> list[Message]:
        """The broker answers: everything there is to say."""
        self._birth_due_s = None
        return self._everything(snapshot, at_s)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """To be subscribed to before anything is said: whoever hears that we are online may answer at once."""
        return self._topics.commands, self._topics.birth, *self._announcement.subscriptions

    def announced(self, snapshot: S) -> list[Message]:
        """How the home is told that we are there."""
        return self._announcement.messages(snapshot)

    def update(self, snapshot: S, at_s: float) -> list[Message]:
        """What is worth saying now. To be called every few seconds and whenever something happened."""
        if self._birth_due_s is not None and at_s >= self._birth_due_s:
            self._birth_due_s = None
            return self._everything(snapshot, at_s)
        messages = [*self._clean_up(snapshot, at_s), *self._discover(snapshot, at_s)]
        for group in self._groups:
            messages += self._say_group(group, snapshot, at_s)
        return messages

    def received(self, topic: str, payload: bytes, retained: bool, snapshot: S, at_s: float) -> Wish | Refusal | None:
        """A message of the broker: a wish, a refusal to be logged, or nothing that concerns the product."""
        if topic == self._topics.birth:
            if payload == ONLINE:
                self._birth_due_s = at_s + self._birth_wait_s()
            return None
        if self._topics.command_key(topic) is None:
            if retained and topic.startswith(f"{self._topics.prefix}/"):
                stale = self._announcement.heard(topic, payload, snapshot)
                self._removals += stale.removals
                self._refused_keys |= stale.keys
            return None
        return decode(self._entities, snapshot, self._topics, topic, payload, retained)

    def moment(self, kind: str, attributes: Mapping[str, Any], at_s: float) -> list[Message]:  # noqa: ARG002
        """Something happened: for event entities and for device triggers. Delivered once, never retained."""
        for entity in self._entities:
            if entity.platform == "event" and isinstance(entity.options, tuple) and kind in entity.options:
                payload = encode({"event_type": kind, **attributes})
                return [
                    Message(self._topics.event(entity.key), payload, qos=1, expiry_s=MOMENT_EXPIRY_S),
                    Message(self._topics.trigger(entity.key), kind.encode(), qos=1, expiry_s=MOMENT_EXPIRY_S),
                ]
        raise ValueError(f"no event entity knows the moment {kind!r}")

    def image(self, key: str, content: bytes) -> list[Message]:
        """A picture's bytes, said when they changed and kept for the next connection."""
        if not any(entity.key == key and entity.platform == "image" for entity in self._entities):
            raise ValueError(f"there is no image entity {key!r}")
        if self._images.get(key) == content:
            return []
        self._images[key] = content
        return [self._image_message(key)]

    def part_status(self, part: str, online: bool) -> list[Message]:
        """How a part is, said when it changed. Its entities are unavailable while it is offline."""
        if part not in self._parts:
            raise ValueError(f"no entity depends on a part {part!r}; there are {sorted(self._parts)}")
        if self._parts[part] == online:
            return []
        self._parts[part] = online
        return [self._part_message(part)]

    def farewell(self) -> list[Message]:
        """To be sent before a clean end: the will speaks only after an unclean one."""
        self._parts = dict.fromkeys(self._parts, False)
        return [self.will, *(self._part_message(part) for part in self._parts)]

    # ---- the pieces -----------------------------------------------------------------------------------------------

    def _everything(self, snapshot: S, at_s: float) -> list[Message]:
        self._said.clear()
        self._options_said = None
        messages = [Message(self._topics.status, ONLINE, retain=True, qos=1)]
        messages += [self._part_message(part) for part in self._parts]
        messages += self._discover(snapshot, at_s)
        for group in self._groups:
            messages += self._say_group(group, snapshot, at_s)
        messages += [self._image_message(key) for key in self._images]
        return messages

    def _clean_up(self, snapshot: S, at_s: float) -> list[Message]:
        """What an earlier version or configuration left with the broker goes, and what it was in the way of too: that
        is announced anew a little later, when the home has let the old go."""
        removals, self._removals = self._removals, []
        if not self._refused_keys:
            return removals
        removals += self._announcement.messages(snapshot, without=self._refused_keys)
        self._refused_keys = frozenset()
        self._announce_from_s, self._options_said = at_s + ANNOUNCE_AGAIN_S, None
        return removals

    def _discover(self, snapshot: S, at_s: float) -> list[Message]:
        """Discovery, when it is not what was said: only options can change while we run."""
        if self._announce_from_s is not None and at_s < self._announce_from_s:
            return []
        options = tuple(entity.options_for(snapshot) for entity in self._live)
        if options == self._options_said:
            return []
        self._options_said = options
        return self._announcement.messages(snapshot)

    def _say_group(self, group: str, snapshot: S, at_s: float) -> list[Message]:
        members = self._groups[group]
        values = group_values(members, snapshot)
        said = self._said.get(group)
        if said is not None:
            waited_s = at_s - said.at_s
            if values_differ(members, said.values, values):
                due_s = self._min_intervals_s.get(group, 0.0)
            elif values != said.values:
                due_s = max(self._min_intervals_s.get(group, 0.0), ATTRIBUTES_EVERY_S)
            else:
                due_s = heartbeat_s(members, self._heartbeat_s)
            if waited_s < min(due_s, heartbeat_s(members, self._heartbeat_s)):
                return []
        self._said[group] = _Said(at_s, values)
        return [Message(self._topics.state(group), encode(values), retain=True, expiry_s=expiry_s(members))]

    def _part_message(self, part: str) -> Message:
        return Message(self._topics.part_status(part), ONLINE if self._parts[part] else OFFLINE, retain=True, qos=1)

    def _image_message(self, key: str) -> Message:
        return Message(self._topics.image(key), self._images[key], retain=True, qos=1)


def _check(entities: Sequence[Entity[S]]) -> None:
    keys = [entity.key for entity in entities]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"two entities have the key {', '.join(twice)}")
    lights = {entity.group for entity in entities if entity.platform == "light"}
    for light_group in lights:
        if sum(entity.group == light_group and entity.platform == "light" for entity in entities) > 1:
            raise ValueError(f"two lights share the group {light_group!r}; a light's state fills its topic")
