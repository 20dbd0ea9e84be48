"""The list that a backup carries of itself: ``manifest.json`` in its zip. And which names a backup may hold."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from somnisphere.errors import UserError

FORMAT = 1
NAME = "manifest.json"
LARGEST_BYTES = 16_000_000
MOST_FILES = 50_000
FOLDERS = ("voices", "circle", "shelf")
_PART = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}\Z")


class BackupError(UserError):
    """This is no backup that can be used. The text says what is wrong with it."""


class File(Struct, frozen=True):
    name: str
    bytes: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(Struct, frozen=True):
    """``made``: ISO 8601. ``journal_schema`` 0: there was no journal."""

    somnisphere_backup: int
    version: str
    made: str
    box: str
    journal_schema: int
    household_schema: dict[str, int]
    files: list[File]


def read_manifest(text: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BackupError(f"its {NAME} cannot be understood: {problem!s:.200}.") from None
    if manifest.somnisphere_backup != FORMAT:
        raise BackupError(f"it is of form {manifest.somnisphere_backup}; this program knows {FORMAT}. Update it first.")
    return manifest


def is_name(name: str, single: frozenset[str]) -> bool:
    """Whether a backup may hold a file of this name: one of ``single``, or below one of ``FOLDERS``."""
    if name in single:
        return True
    folder, *parts = name.split("/")
    return folder in FOLDERS and bool(parts) and len(name) < 2000 and all(_is_part(part) for part in parts)


def _is_part(part: str) -> bool:
    try:
        part.encode()
    except UnicodeEncodeError:
        return False
    return part not in ("", ".", "..") and bool(_PART.match(part))
