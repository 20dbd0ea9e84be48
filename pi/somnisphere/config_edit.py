"""Puts a few values into a configuration that a person wrote: their lines, their order and their comments stay.

Nothing is taken on trust: the new text is read again and must say what the old one said, but for those values. Where it
does not (a section in braces, say), the file is left alone and the caller shows the lines to paste.
"""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

Value = bool | float | str


def toml_lines(values: Mapping[str, Value | None]) -> list[str]:
    """``key = value`` lines, ``#key =`` for what is to go. A JSON string in ASCII is a TOML one."""
    return [f"#{key} =" if value is None else f"{key} = {_toml(value)}" for key, value in values.items()]


def edited(text: str, section: str, values: Mapping[str, Value | None]) -> str | None:
    """``text`` with ``values`` in ``[section]``, a None meaning that the key is put behind a ``#``; None where that
    cannot be done safely."""
    new = _with_values(text, section, values)
    try:
        before, after = tomllib.loads(text), tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        return None
    part = before.setdefault(section, {})
    if not isinstance(part, dict):
        return None
    part.update({key: value for key, value in values.items() if value is not None})
    for key in [key for key, value in values.items() if value is None]:
        part.pop(key, None)
    return new if before == after or (not part and before == {**after, section: {}}) else None


def write_values(path: Path, section: str, values: Mapping[str, Value]) -> bool:
    """Put ``values`` into the file at ``path``: the old file or the whole new one, whatever is cut. False where the
    file cannot be edited safely or may not be written; then it is as it was."""
    try:
        path = path.resolve(strict=True)
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        new = edited(text, section, values)
        if new is None:
            return False
        kept = path.stat()
        write_whole(path, new, kept.st_mode & 0o7777, (kept.st_uid, kept.st_gid))
    except (OSError, UnicodeDecodeError):
        return False
    return True


def write_whole(path: Path, text: str, mode: int, owner: tuple[int, int]) -> None:
    """The file at ``path`` has this text, these rights and, where that is allowed, this (user, group); or after an
    ``OSError`` it is as it was."""
    written_beside(path, text, mode, owner).replace(path)


def written_beside(path: Path, text: str, mode: int, owner: tuple[int, int]) -> Path:
    """The same as a file beside it, which only has to take its name: for several that change together."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(PermissionError):
            os.chown(name, *owner)
        Path(name).chmod(mode)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _with_values(text: str, section: str, values: Mapping[str, Value | None]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    first = next((k for k, line in enumerate(lines) if re.match(rf"\s*\[\s*{section}\s*\]", line)), None)
    if first is None:
        values = {key: value for key, value in values.items() if value is not None}
        if not values:
            return text
        gap = "" if not text or text.endswith(("\n\n", "\r\n\r\n")) else end if text.endswith("\n") else 2 * end
        return text + gap + end.join([f"[{section}]", *toml_lines(values), ""])
    if not lines[first].endswith("\n"):
        lines[first] += end
    for key, value in reversed(list(values.items())):
        last = next((k for k in range(first + 1, len(lines)) if re.match(r"\s*\[", lines[k])), len(lines))
        here = next((k for k in range(first + 1, last) if re.match(rf"\s*{key}\s*=", lines[k])), None)
        if value is None:
            if here is not None:
                lines[here] = f"#{lines[here]}"
            continue
        line = f"{key} = {_toml(value)}"
        if here is None:
            # Where the example explains the key, there is its place; else at the section's head.
            explained = next((k for k in range(first + 1, last) if re.match(rf"\s*#\s*{key}\s*=", lines[k])), first)
            if not lines[explained].endswith("\n"):
                lines[explained] += end
            lines.insert(explained + 1, line + end)
            continue
        remark = re.search(r"""=\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"']+)(\s*#.*)?\s*$""", lines[here])
        lines[here] = line + (remark.group(1) or "" if remark else "").rstrip("\r\n") + end
    return "".join(lines)


def _toml(value: Value) -> str:
    return json.dumps(value) if isinstance(value, bool | str) else f"{value:.10g}"
