"""From the bytes on a command topic to a checked wish, or a refusal that says what was expected. Pure."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from somnisphere_home.entity import LIGHT_SCALE, Entity, LightWish, S
from somnisphere_home.messages import Topics, printable

MAX_PAYLOAD_BYTES = 4096
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Wish:
    """What the home wants: ``value`` is True for a press, float for a number, str for a choice, bool for a switch,
    ``LightWish`` for a light."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that was not obeyed, and why, for a person. ``text`` does not repeat the topic."""

    topic: str
    text: str


class _MalformedError(Exception):
    """What was expected, in words."""


def decode(
    entities: Sequence[Entity[S]], snapshot: S, topics: Topics, topic: str, payload: bytes, retained: bool
) -> Wish | Refusal:
    """Judge one message on a command topic.

    A retained command is refused: it would be obeyed again at every reconnect, in the middle of the night.
    """
    if retained:
        return Refusal(
            topic,
            "ignored: retained. Publish commands without the retain flag, and clear this one with "
            f"mosquitto_pub -r -n -t {printable(topic)}",
        )
    key = topics.command_key(topic)
    takers = {entity.key: entity for entity in entities if entity.command is not None}
    entity = takers.get(key or "")
    if entity is None:
        return Refusal(topic, f"ignored: nothing here takes commands under that name; there are {', '.join(takers)}")
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Refusal(topic, f"ignored: {len(payload)} bytes are too many, at most {MAX_PAYLOAD_BYTES} are read")
    try:
        return Wish(entity.key, _value(entity, snapshot, payload))
    except _MalformedError as problem:
        return Refusal(topic, f"ignored: got {_shown(payload)}, expected {problem}")


def expected(entity: Entity[S], options: Sequence[str] | None = None) -> str:
    """What a command topic takes, in words, for refusals and for the reference."""
    command = entity.command
    assert command is not None
    match command.kind:
        case "press":
            return "PRESS"
        case "switch":
            return "ON or OFF"
        case "number":
            unit = f" {entity.unit}" if entity.unit else ""
            return f"a number from {command.min:g} to {command.max:g}{unit}"
        case "choice":
            if options is None:
                return "one of the options"
            return f"one of: {', '.join(options)}" if options else "one of the options, of which there are none now"
        case "light":
            return f'JSON such as {{"state":"ON","brightness":{LIGHT_SCALE // 10},"transition":600}}'


def _value(entity: Entity[S], snapshot: S, payload: bytes) -> Any:
    command = entity.command
    assert command is not None
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        raise _MalformedError(f"{expected(entity)}, as UTF-8 text") from None
    match command.kind:
        case "press":
            if text.upper() != "PRESS":
                raise _MalformedError(expected(entity))
            return True
        case "switch":
            if text.upper() not in ("ON", "OFF"):
                raise _MalformedError(expected(entity))
            return text.upper() == "ON"
        case "number":
            return _number(entity, text)
        case "choice":
            options = entity.options_for(snapshot)
            if text not in options:
                raise _MalformedError(expected(entity, options))
            return text
        case "light":
            return _light(entity, text)


def _number(entity: Entity[S], text: str) -> float:
    command = entity.command
    assert command is not None
    try:
        value = float(text)
    except ValueError:
        raise _MalformedError(expected(entity)) from None
    if not (math.isfinite(value) and command.min <= value <= command.max):
        raise _MalformedError(expected(entity))
    stepped = command.min + round((value - command.min) / command.step) * command.step
    return float(min(stepped, command.max))


def _light(entity: Entity[S], text: str) -> LightWish:
    command = entity.command
    assert command is not None
    try:
        wish = json.loads(text)
    except (ValueError, RecursionError):
        raise _MalformedError(expected(entity)) from None
    if not isinstance(wish, dict) or wish.get("state") not in ("ON", "OFF"):
        raise _MalformedError(f'{expected(entity)}, "state" being "ON" or "OFF"')
    brightness = _in_range(wish, "brightness", LIGHT_SCALE)
    over_s = _in_range(wish, "transition", command.max_transition_s)
    if wish["state"] == "OFF" or brightness == 0:
        return LightWish(on=False, level_pct=0.0, over_s=over_s)
    return LightWish(on=True, level_pct=None if brightness is None else brightness / LIGHT_SCALE * 100, over_s=over_s)


def _in_range(wish: dict[str, Any], key: str, most: float) -> float | None:
    value = wish.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise _MalformedError(f'"{key}" to be a number from 0 to {most:g}')
    return float(value)


def _shown(payload: bytes) -> str:
    if not payload:
        return "nothing"
    text = payload[: 4 * _SHOWN_CHARS].decode(errors="replace")
    return repr(text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…")
