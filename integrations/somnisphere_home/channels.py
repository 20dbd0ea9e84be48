"""Every topic of a device with what goes over it, from the declared entities: for the AsyncAPI document and for checks.

Topics stand with ``{node}`` where the bedside's name belongs. Pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from somnisphere_home.echo import PROBE_KEY
from somnisphere_home.entity import Entity, S
from somnisphere_home.json_schema import (
    ON_OFF,
    ONLINE_OFFLINE,
    RESULT,
    Schema,
    answer_schema,
    command_schema,
    group_schema,
    question_schema,
    record,
)
from somnisphere_home.messages import Topics
from somnisphere_home.questions import Questions
from somnisphere_home.release import TOPIC as RELEASE_TOPIC
from somnisphere_home.states import groups

NODE = "NODE"
"""Stands for the node while topics are built; ``{node}`` is no name that a node may have."""


@dataclass(frozen=True, slots=True)
class Channel:
    """``action``: what the box does. ``content_type``: how ``schema`` is written down; text is one bare word."""

    name: str
    address: str
    action: Literal["send", "receive"]
    schema: Schema
    about: str
    retained: bool = False
    qos: int = 0
    content_type: str = "application/json"
    answered_by: str = ""

    def matches(self, topic: str) -> bool:
        pattern = re.escape(self.address).replace(r"\{node\}", "[A-Za-z0-9_-]+")
        return re.fullmatch(pattern, topic) is not None


@dataclass(frozen=True, slots=True)
class HomeApi:
    """What only the product knows: ``moment`` is the payload of events, ``answers`` by question, ``shelf`` its topic's,
    ``scan`` that of a card, ``absent``: keys of entities that some boxes do not have."""

    questions: Questions
    answers: Mapping[str, Schema]
    moment: Schema
    shelf: Schema
    scan: Schema
    absent: frozenset[str] = frozenset()


def channels_of(entities: Sequence[Entity[S]], api: HomeApi) -> list[Channel]:
    topics = Topics(NODE)
    parts = dict.fromkeys(part for entity in entities for part in entity.parts)
    found = [_status(topics.status, "status", "The box; also its last will.")]
    found += [_status(topics.part_status(part), f"{part}_status", f"The {part}.") for part in parts]
    for group, members in groups(entities).items():
        about = f"{', '.join(entity.name for entity in members if entity.value is not None)}."
        found.append(
            Channel(group, topics.state(group), "send", group_schema(members, api.absent), about, retained=True)
        )
    for entity in entities:
        found += _of_entity(entity, topics, api)
    for name, fields in api.questions.items():
        found.append(
            Channel(
                f"ask_{name}", f"{topics.base}/ask/{name}", "receive", question_schema(fields), f"A question: {name}.",
                qos=1, answered_by=f"ask_{name}_result",
            )
        )  # fmt: skip
        answer = answer_schema(api.answers[name])
        found.append(Channel(f"ask_{name}_result", topics.ask_result(name), "send", answer, "Its answer.", qos=1))
    found.append(Channel("shelf", topics.shelf, "send", api.shelf, "The stories there are.", retained=True))
    scan = f"{topics.base}/card/scan"
    found.append(Channel("card_scan", scan, "send", api.scan, "A card was laid on the reader.", qos=1))
    silence: Schema = {"type": "string", "maxLength": 0}
    about = "A word of the box to itself: whether commands arrive."
    found.append(Channel(PROBE_KEY, topics.command(PROBE_KEY), "send", silence, about, content_type="text/plain"))
    found += _of_the_house(topics)
    return [_with_node(channel) for channel in found]


def _of_entity(entity: Entity[S], topics: Topics, api: HomeApi) -> Iterable[Channel]:
    key = entity.key
    if entity.platform == "event":
        words: Schema = {"type": "string", "enum": list(entity.options if isinstance(entity.options, tuple) else ())}
        yield Channel(f"{key}_event", topics.event(key), "send", api.moment, f"{entity.name}.", qos=1)
        yield Channel(
            f"{key}_trigger", topics.trigger(key), "send", words, f"{entity.name}, as a bare word.", qos=1,
            content_type="text/plain",
        )  # fmt: skip
    if entity.platform == "image":
        kind = str(entity.config.get("content_type", "image/png"))
        picture: Schema = {"type": "string"}
        yield Channel(
            f"{key}_image", topics.image(key), "send", picture, f"{entity.name}, as its bytes.", retained=True, qos=1,
            content_type=kind,
        )  # fmt: skip
    if entity.command is not None:
        kind = "application/json" if entity.command.kind in ("number", "light") else "text/plain"
        yield Channel(
            f"{key}_set", topics.command(key), "receive", command_schema(entity), f"{entity.name}: a command.", qos=1,
            content_type=kind, answered_by=f"{key}_result",
        )  # fmt: skip
        yield Channel(f"{key}_result", topics.result(key), "send", RESULT, "Whether the command was obeyed.", qos=1)


def _of_the_house(topics: Topics) -> Iterable[Channel]:
    quiet = {"retained": True, "qos": 1, "content_type": "text/plain"}
    own = topics.quiet_of(topics.node)
    yield Channel("house_quiet", topics.quiet, "send", ON_OFF, "ON while anybody in the house sleeps.", **quiet)  # type: ignore[arg-type]
    yield Channel("house_quiet_node", own, "send", ON_OFF, "ON while the sleeper of one bedside sleeps.", **quiet)  # type: ignore[arg-type]
    text: Schema = {"type": "string"}
    release = record({"version": text, "url": text, "summary": text}, optional=("url", "summary"))
    about = "The newest release, as somebody of the household says it."
    yield Channel("house_release", RELEASE_TOPIC, "receive", release, about, retained=True, qos=1)
    anything: Schema = {"type": "object"}
    for name, topic in (
        ("discovery", topics.discovery),
        ("tag_discovery", f"{topics.prefix}/tag/{topics.device_id}/config"),
    ):
        yield Channel(name, topic, "send", anything, "As Home Assistant wants to be told.", retained=True, qos=1)


def _status(address: str, name: str, about: str) -> Channel:
    return Channel(name, address, "send", ONLINE_OFFLINE, about, retained=True, qos=1, content_type="text/plain")


def _with_node(channel: Channel) -> Channel:

    return replace(channel, address=channel.address.replace(NODE, "{node}"))
