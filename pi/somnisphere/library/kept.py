"""What was worked out of a file once and is kept: sentences, marks, unpacked audio. A card is written rarely.

One JSON file per source and kind, named by the source's path; it holds the source's size and time of change, and is
worth nothing once those differ. A cache that cannot be written keeps nothing, and no evening ends for it.
"""

import hashlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from somnisphere.library.broken import UnreadableError, reason_of

FOLDER = "shelf"
VERSION = 1
"""Counted up when what is kept means something else."""

T = TypeVar("T")


class _Entry(msgspec.Struct):
    version: int
    source: str
    size: int
    mtime_ns: int
    value: msgspec.Raw


def default_cache() -> Path:
    """The cache folder in force when a configuration names none."""
    from somnisphere.config import cache_place

    return Path(cache_place()).expanduser()


class Kept:
    """What is kept in ``cache`` of one ``source`` as it is now. Raises ``OSError`` when there is no source."""

    def __init__(self, cache: Path, source: Path) -> None:
        state = source.stat()
        if source.is_dir():  # a folder changes when a file in it does, not when it is written to
            inside = [path.stat() for path in sorted(source.rglob("*")) if path.is_file()]
            self._size = sum(found.st_size for found in inside)
            self._mtime_ns = max((found.st_mtime_ns for found in inside), default=state.st_mtime_ns)
        else:
            self._size, self._mtime_ns = state.st_size, state.st_mtime_ns
        self._source = os.fsencode(source.absolute()).hex() if _odd(source) else str(source.absolute())
        self._folder = cache / FOLDER
        self._name = hashlib.sha256(os.fsencode(source.absolute())).hexdigest()[:24]

    def load(self, kind: str, shape: type[T]) -> T | None:
        """What was kept; None: nothing, or of an earlier state of the source."""
        try:
            entry = msgspec.json.decode(self._place(kind).read_bytes(), type=_Entry)
            if (entry.version, entry.size, entry.mtime_ns) != (VERSION, self._size, self._mtime_ns):
                return None
            return msgspec.json.decode(entry.value, type=shape, dec_hook=lambda kind, value: kind(value))
        except (OSError, ValueError, msgspec.MsgspecError):
            return None

    def save(self, kind: str, value: object) -> bool:
        """Whether it could be kept. Never half."""
        try:
            raw = msgspec.Raw(msgspec.json.encode(value, enc_hook=os.fspath))  # of what is kept, only paths are no JSON
        except UnicodeEncodeError:  # a path of another encoding
            return False
        entry = _Entry(VERSION, self._source, self._size, self._mtime_ns, raw)
        place = self._place(kind)
        half = place.with_suffix(".half")
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            half.write_bytes(msgspec.json.encode(entry))
            half.replace(place)
        except OSError:
            return False
        return True

    def file(self, name: str) -> Path:
        """Where a file made of the source lies (or is to lie); its folder exists. ``UnreadableError``: it cannot."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise UnreadableError(
                f"Its audio has to be unpacked, and the cache folder {self._folder} cannot be made "
                f"({reason_of(problem)}). Name another as stories.cache in the configuration."
            ) from None
        return self._folder / f"{self._name}-{name}"

    def _place(self, kind: str) -> Path:
        return self._folder / f"{self._name}.{kind}.json"


def forget_gone(cache: Path, shelf: Path) -> int:
    """Remove what is kept of files that are no longer below ``shelf``; how many files that were. A shelf that is not
    there (a stick pulled out) forgets nothing."""
    gone = 0
    try:
        places = list((cache / FOLDER).glob("*.json")) if shelf.is_dir() else []
    except OSError:  # somebody else's folder: whoever wants to keep something there says so
        return 0
    for place in places:
        try:
            source = _source_of(place)
            ours = source.is_relative_to(shelf.absolute()) or source.is_relative_to(cache.absolute())
            if ours and not source.exists():
                stem = place.name.split(".")[0]
                for file in (place, *place.parent.glob(f"{stem}-*")):
                    file.unlink(missing_ok=True)
                    gone += 1
        except (OSError, ValueError, msgspec.MsgspecError):
            continue
    return gone


def _source_of(place: Path) -> Path:
    """Of what file an entry is; without reading what is kept, which may be a whole novel."""
    with place.open("rb") as file:
        head = file.read(16_384).partition(b',"value":')[0]
    return Path(msgspec.json.decode(head + b',"value":null}', type=_Entry).source)


def _odd(path: Path) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in str(path))
