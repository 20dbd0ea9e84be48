"""Questions to a device, and the answers to them and to commands, as bytes. Pure.

A question is a JSON object (or nothing) on ``ask/<name>``; its ``id``, if it has one, comes back with the answer. An
answer goes to the response topic of the message (MQTT 5), else to ``.../result``.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from somnisphere_home.commands import Refusal
from somnisphere_home.messages import Message, Reply, Topics, printable

MAX_QUESTION_BYTES = 262_144
"""Long enough for the words of a story."""
ANSWER_EXPIRY_S = 60
_ID_CHARS = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a question may say. ``most``: characters of a text; a number is never negative."""

    kind: Literal["text", "number"]
    required: bool = False
    most: int = 500
    about: str = ""


Questions = Mapping[str, Mapping[str, Field]]
"""What may be asked, by name, and what each question may say."""


@dataclass(frozen=True, slots=True)
class Question:
    """``said``: its fields, checked; what was not said is not in it."""

    name: str
    said: Mapping[str, Any]
    id: str | None = None


def read_question(known: Questions, topics: Topics, topic: str, payload: bytes, retained: bool) -> Question | Refusal:
    """Judge one message on a question's topic. The refusal is for the one who asks."""
    name = topics.ask_name(topic) or ""
    if retained:
        return Refusal(topic, f"ignored: retained. Clear it with mosquitto_pub -r -n -t {printable(topic)}")
    if name not in known:
        return Refusal(topic, f"there is no such question; there are {', '.join(known)}")
    if len(payload) > MAX_QUESTION_BYTES:
        return Refusal(topic, f"{len(payload)} bytes are too many, at most {MAX_QUESTION_BYTES} are read")
    try:
        said = json.loads(payload) if payload.strip() else {}
    except (ValueError, RecursionError):
        return Refusal(topic, f"this is no JSON; expected {expected(known[name])}")
    if not isinstance(said, dict):
        return Refusal(topic, f"expected {expected(known[name])}")
    asked_id = said.pop("id", None)
    if asked_id is not None and not (isinstance(asked_id, str) and len(asked_id) <= _ID_CHARS):
        return Refusal(topic, f'"id" is a text of at most {_ID_CHARS} characters')
    fault = _fault(known[name], said)
    return Refusal(topic, fault) if fault else Question(name, said, asked_id)


def expected(fields: Mapping[str, Field]) -> str:
    """What a question takes, in words."""
    if not fields:
        return "{} or nothing"
    parts = [
        f'"{name}": {field.kind}{"" if field.required else " (may be left out)"}' for name, field in fields.items()
    ]
    return f"a JSON object with {', '.join(parts)}"


def asked_id(payload: bytes) -> str | None:
    """The ``id`` of a question that was refused, so that whoever asks knows the refusal for theirs."""
    try:
        said = json.loads(payload[:MAX_QUESTION_BYTES])
    except (ValueError, RecursionError):
        return None
    found = said.get("id") if isinstance(said, dict) else None
    return found if isinstance(found, str) and len(found) <= _ID_CHARS else None


def answer_message(
    topics: Topics, name: str, asked: str | None, reply: Reply | None, answer: Mapping[str, Any] | str
) -> Message:
    """``answer``: what is told, or, as a text, why it is not."""
    body = (
        {"ok": False, "id": asked, "error": answer}
        if isinstance(answer, str)
        else {"ok": True, "id": asked, "answer": answer}
    )
    return _to(topics, reply, topics.ask_result(name), body)


def command_answer(topics: Topics, key: str, reply: Reply | None, error: str = "") -> Message:
    """Whether a command was taken; ``error`` says why not."""
    body = {"ok": False, "key": key, "error": error} if error else {"ok": True, "key": key}
    return _to(topics, reply, topics.result(key), body)


def _to(topics: Topics, reply: Reply | None, otherwise: str, body: Mapping[str, Any]) -> Message:
    payload = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    if reply is not None and topics.may_be_answered_at(reply.topic):
        return Message(reply.topic, payload, qos=1, expiry_s=ANSWER_EXPIRY_S, correlation=reply.correlation)
    return Message(otherwise, payload, qos=1, expiry_s=ANSWER_EXPIRY_S)


def _fault(fields: Mapping[str, Field], said: Mapping[str, Any]) -> str:
    if unknown := sorted(said.keys() - fields.keys()):
        name = json.dumps(printable(unknown[0], 60), ensure_ascii=False)
        return f"{name} is not known here; expected {expected(fields)}"
    for name, field in fields.items():
        value = said.get(name)
        if value is None:
            if field.required or name in said:
                return f'"{name}" is missing; expected {expected(fields)}'
        elif field.kind == "text":
            if not isinstance(value, str) or not value.strip():
                return f'"{name}" is a text'
            if len(value) > field.most:
                return f'"{name}" is longer than {field.most} characters'
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            return f'"{name}" is a number, 0 or more'
    return ""
