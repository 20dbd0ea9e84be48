"""The table of entities that people read, from the same tuple that the home is told. Pure."""

from collections.abc import Sequence

from somnisphere_home.commands import expected
from somnisphere_home.entity import Entity, S
from somnisphere_home.messages import Topics


def reference_table(entities: Sequence[Entity[S]], topics: Topics) -> str:
    """Markdown: each entity, what it says and where, what it takes and where."""
    rows = [
        "| Entity | Name | Says | Read at | Takes | Write to |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for entity in entities:
        cells = (
            f"`{entity.default_id(topics.node)}`",
            entity.name,
            _says(entity),
            _read_at(entity, topics),
            _code(expected(entity)) if entity.command else "",
            f"`{topics.command(entity.key)}`" if entity.command else "",
        )
        rows.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text.isupper() or "{" in text else text


def _says(entity: Entity[S]) -> str:
    if entity.platform == "button":
        return ""
    if entity.platform == "event":
        assert isinstance(entity.options, tuple)
        return ", ".join(entity.options)
    words = [_kind(entity)]
    if entity.parts:
        words.append(f"with {' and '.join(entity.parts)}")
    if entity.expire_after_s is not None:
        words.append(f"unavailable after {entity.expire_after_s} s of silence")
    if entity.entity_category:
        words.append({"config": "setting", "diagnostic": "diagnostic"}[entity.entity_category])
    if not entity.enabled_by_default:
        words.append("off by default")
    return "; ".join(word for word in words if word)


def _kind(entity: Entity[S]) -> str:
    if entity.platform == "light":
        return "on, off, brightness"
    if entity.platform in ("binary_sensor", "switch"):
        return "true, false"
    if entity.platform == "update":
        return "installed and latest version"
    if entity.platform == "image":
        return str(entity.config.get("content_type", "picture"))
    if entity.options:
        return "changing list" if callable(entity.options) else ", ".join(entity.options)
    if entity.device_class == "timestamp":
        return "ISO 8601 time"
    return entity.unit or "text or number"


def _read_at(entity: Entity[S], topics: Topics) -> str:
    if entity.platform == "event":
        return f"`{topics.event(entity.key)}`"
    if entity.platform == "image":
        return f"`{topics.image(entity.key)}`"
    if not entity.group:
        return ""
    return f"`{topics.state(entity.group)}`" + ("" if entity.platform == "light" else f" → `{entity.key}`")
