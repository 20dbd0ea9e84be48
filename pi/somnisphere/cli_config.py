"""Commands about what is declared: config, reference, completion."""

import argparse
import json
from pathlib import Path

from somnisphere.cli import build_parser, needs_extra, writes
from somnisphere.errors import UserError

ENTITIES_BEGIN, ENTITIES_END = "<!-- entities -->", "<!-- /entities -->"


def config(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load
    from somnisphere.config_text import example, show

    print(example() if arguments.example else show(load(arguments.config)), end="")
    return 0


def reference(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load
    from somnisphere.entities import ENTITIES
    from somnisphere_home.messages import Topics
    from somnisphere_home.reference import reference_table

    if arguments.asyncapi:
        return _asyncapi(arguments.write)
    table = reference_table(ENTITIES, Topics(load(arguments.config).box.node))
    path = arguments.write
    if path is None:
        print(table)
        return 0
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path}: cannot be read: {getattr(problem, 'strerror', None) or problem}.") from problem
    head, begin, rest = text.partition(ENTITIES_BEGIN)
    _, end, tail = rest.partition(ENTITIES_END)
    if not (begin and end):
        raise UserError(f"{path}: the markers {ENTITIES_BEGIN} and {ENTITIES_END} are missing; put them in.")
    with writes(path):
        path.write_text(f"{head}{begin}\n\n{table.strip()}\n\n{end}{tail}", encoding="utf-8")
    return 0


def _asyncapi(path: Path | None) -> int:
    from somnisphere.home_api import asyncapi

    text = json.dumps(asyncapi(), indent=1, ensure_ascii=False) + "\n"
    if path is None:
        print(text, end="")
        return 0
    with writes(path):
        path.write_text(text, encoding="utf-8")
    return 0


def completion(arguments: argparse.Namespace) -> int:
    with needs_extra("completion", "Shell completion"):
        import shtab
    print(shtab.complete(build_parser(), arguments.shell))
    return 0
