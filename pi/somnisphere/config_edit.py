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

Value = float | str


def toml_lines(values: Mapping[str, Value]) -> list[str]:
    """``key = value`` lines. A JSON string in ASCII is a TOML one."""
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def edited(text: str, section: str, values: Mapping[str, Value]) -> str | None:
    """``text`` with ``values`` in ``[section]``; None where that cannot be done safely."""
    new = _with_values(text, section, values)
    try:
        before, after = tomllib.loads(text), tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        return None
    part = before.setdefault(section, {})
    if not isinstance(part, dict):
        return None
    part.update(values)
    return new if before == after else None


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
        _replace(path, new)
    except (OSError, UnicodeDecodeError):
        return False
    return True


def _replace(path: Path, text: str) -> None:
    kept = path.stat()
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(kept.st_mode & 0o7777)
        with suppress(PermissionError):
            os.chown(name, kept.st_uid, kept.st_gid)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _with_values(text: str, section: str, values: Mapping[str, Value]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    first = next((k for k, line in enumerate(lines) if re.match(rf"\s*\[\s*{section}\s*\]", line)), None)
    if first is None:
        gap = "" if not text or text.endswith(("\n\n", "\r\n\r\n")) else end if text.endswith("\n") else 2 * end
        return text + gap + end.join([f"[{section}]", *toml_lines(values), ""])
    if not lines[first].endswith("\n"):
        lines[first] += end
    for key, value in reversed(list(values.items())):
        last = next((k for k in range(first + 1, len(lines)) if re.match(r"\s*\[", lines[k])), len(lines))
        here = next((k for k in range(first + 1, last) if re.match(rf"\s*{key}\s*=", lines[k])), None)
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
    return json.dumps(value) if isinstance(value, str) else f"{value:.10g}"
