"""Small JSON files that outlive kills and power cuts: written whole beside the old one, put aside when broken."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from somnisphere.own_files import FILE

LARGEST_BYTES = 1_000_000


def read_small(path: Path, version: int, key: str) -> dict[Any, Any]:
    """What stands under ``key`` in a file of this ``version``. ``OSError``: it cannot be read; ``ValueError`` (or
    ``RecursionError``): it is no such file."""
    with path.open("rb") as file:
        text = file.read(LARGEST_BYTES + 1)
    if len(text) > LARGEST_BYTES:
        raise ValueError(f"more than {LARGEST_BYTES} bytes")
    kept = json.loads(text)
    if not isinstance(kept, dict) or kept.get("version") != version or not isinstance(kept.get(key), dict):
        raise ValueError(f"not version {version} of this file")
    return dict(kept[key])


def write_small(path: Path, version: int, key: str, content: dict[Any, Any]) -> None:
    """The file has this content, or after an ``OSError`` the one it had. Its rights stay."""
    write_text(path, json.dumps({"version": version, key: content}, indent=1))


def write_text(path: Path, text: str) -> None:
    """The same for a text of any kind. A new one is of this household alone."""
    mode = path.stat().st_mode & 0o777 if path.exists() else FILE
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(name)
        raise


def free_aside(path: Path) -> Path:
    """The name under which a broken file is kept."""
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    return aside


def put_aside(path: Path, error: Exception, instead: str) -> tuple[str, str]:
    """Keep a broken file under another name. Returns (mended, problem), one of them a sentence; ``instead`` ends it."""
    aside = free_aside(path)
    try:
        path.rename(aside)
    except OSError as second:
        return "", f"{path} is broken ({error}) and cannot be put aside: {second.strerror or second}."
    return f"{path} was broken ({error}); it is kept as {aside.name}, and {instead}.", ""
