"""What each payload is, as JSON Schema (draft 7, as AsyncAPI 3.0 takes it), from the declared entities. Pure.

``additionalProperties`` is false wherever we name every key, so that a key nobody declared is found by validating.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from somnisphere_home.entity import LIGHT_SCALE, Entity, S
from somnisphere_home.questions import Field
from somnisphere_home.states import attributes_key

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
SECONDS: Schema = {"type": "number", "minimum": 0}
TRUE_FALSE: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
ON_OFF: Schema = {"type": "string", "enum": ["ON", "OFF"]}
ONLINE_OFFLINE: Schema = {"type": "string", "enum": ["online", "offline"]}


def record(properties: Mapping[str, Schema], *, optional: Iterable[str] = ()) -> Schema:
    """An object with these keys and no others."""
    may_miss = set(optional)
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [key for key in properties if key not in may_miss],
        "additionalProperties": False,
    }


def or_null(schema: Schema) -> Schema:
    """``null`` is *not known*."""
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def value_schema(entity: Entity[S]) -> Schema:
    """Of the value under the entity's key, in the payload of its group."""
    return {"description": _about(entity), **_value(entity)}


def _value(entity: Entity[S]) -> Schema:
    match entity.platform:
        case "binary_sensor" | "switch":
            return or_null({"type": "boolean"})
        case "update":
            texts = ("installed_version", "latest_version", "release_url", "release_summary")
            return record({key: {"type": "string"} for key in texts}, optional=texts[2:])
        case "number":
            assert entity.command is not None
            return or_null({"type": "number", "minimum": entity.command.min, "maximum": entity.command.max})
    if entity.device_class == "timestamp":
        return or_null(TIME)
    if entity.options and isinstance(entity.options, tuple):
        return or_null({"type": "string", "enum": list(entity.options)})
    return or_null({"type": "number" if entity.unit or entity.state_class else "string"})


def _about(entity: Entity[S]) -> str:
    unit = f", in {entity.unit}" if entity.unit else ""
    return f"{entity.name}{unit}"


def group_schema(entities: Iterable[Entity[S]], absent: Container[str] = ()) -> Schema:
    """Of one group's message; ``absent``: keys that some boxes do not have."""
    properties: dict[str, Schema] = {}
    optional: list[str] = []
    for entity in entities:
        if entity.platform == "light":
            properties |= {
                "state": or_null(ON_OFF),
                "brightness": {"type": "integer", "minimum": 1, "maximum": LIGHT_SCALE},
                "color_mode": {"type": "string", "const": "brightness"},
            }
            optional += ["brightness", "color_mode"]
        elif entity.value is not None:
            properties[entity.key] = value_schema(entity)
        if entity.key in absent:
            optional.append(entity.key)
        if entity.attributes is not None:
            more = {name: dict(schema) for name, schema in entity.attribute_schema.items()}
            properties[attributes_key(entity.key)] = {"description": f"More on: {entity.name}", **record(more)}
    return record(properties, optional=optional)


def command_schema(entity: Entity[S]) -> Schema:
    """Of what is written to the entity's command topic. Words are bare, not in quotes."""
    command = entity.command
    assert command is not None
    match command.kind:
        case "press":
            return {"type": "string", "const": "PRESS"}
        case "switch":
            return ON_OFF
        case "number":
            return {"type": "number", "minimum": command.min, "maximum": command.max}
        case "choice":
            return {"type": "string", "description": "One of the options, which the announcement lists."}
        case "light":
            return {
                "type": "object",
                "properties": {
                    "state": ON_OFF,
                    "brightness": {"type": "number", "minimum": 0, "maximum": LIGHT_SCALE},
                    "transition": {"type": "number", "minimum": 0, "maximum": command.max_transition_s},
                },
                "required": ["state"],
            }


def question_schema(fields: Mapping[str, Field]) -> Schema:
    """Of one question."""
    properties: dict[str, Schema] = {"id": {"type": "string", "description": "Comes back with the answer."}}
    for name, field in fields.items():
        kind: Schema = (
            {"type": "string", "maxLength": field.most} if field.kind == "text" else {"type": "number", "minimum": 0}
        )
        properties[name] = kind | ({"description": field.about} if field.about else {})
    needed = [name for name, field in fields.items() if field.required]
    return record(properties, optional=set(properties) - set(needed))


def answer_schema(answer: Schema) -> Schema:
    """Of the answer to a question, or of why there is none."""
    asked = or_null({"type": "string"})
    told = record({"ok": {"type": "boolean", "const": True}, "id": asked, "answer": answer})
    refused = record({"ok": {"type": "boolean", "const": False}, "id": asked, "error": {"type": "string"}})
    return {"oneOf": [told, refused]}


RESULT: Schema = {
    "oneOf": [
        record({"ok": {"type": "boolean", "const": True}, "key": {"type": "string"}}),
        record({"ok": {"type": "boolean", "const": False}, "key": {"type": "string"}, "error": {"type": "string"}}),
    ]
}
"""Whether a command was obeyed."""
