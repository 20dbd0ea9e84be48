"""The configuration as TOML, written from what is declared: the one in force, and an example with every key."""

from collections.abc import Iterator
from typing import Any

import msgspec

from somnisphere.config import ENVIRONMENT, PLACES, Config, declared


def show(config: Config) -> str:
    """The configuration in force, as TOML."""
    lines = []
    for section in msgspec.structs.fields(config):
        part = getattr(config, section.name)
        several = isinstance(part, tuple)
        for one in part if several else (part,):
            values = {field.name: getattr(one, field.name) for field in msgspec.structs.fields(one)}
            lines.append(f"[[{section.name}]]" if several else f"[{section.name}]")
            lines += [*(f"{k} = {_toml(v)}" for k, v in values.items() if v is not None), ""]
    return "\n".join(lines[:-1]) + "\n"


def example() -> str:
    """Every key with its meaning and its default, commented out."""
    head = [
        "# Somnisphere: every key there is. Written by `somnisphere config --example`.",
        "# What stands behind a # is the default, or an example where there is none. Remove the # to change it.",
        f"# Looked for at: --config FILE, ${ENVIRONMENT}, {', '.join(str(place) for place in PLACES)}.",
        "",
    ]
    return "\n".join([*head, *_example_lines()])


def _example_lines() -> Iterator[str]:
    for section in msgspec.structs.fields(Config):
        kind = declared([section.name])
        several = kind is not section.type
        yield from (f"# {kind.__doc__}", f"#[[{section.name}]]" if several else f"[{section.name}]")
        for field in msgspec.structs.fields(kind):
            meta = field.type.__metadata__[-1]
            value = meta.examples[0] if field.default is None else field.default
            yield from (f"# {meta.description}", f"#{field.name} = {_toml(value)}")
        yield ""


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
