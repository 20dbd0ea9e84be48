"""Everything a box keeps in one zip file, made beside a running daemon.

Databases are copied by ``VACUUM INTO``: whole, as of one moment. What waits in the daemon's memory (a minute at the
most) is not in it. The configuration and its passwords are not in it either; the circle's key and the hash of the
page's PIN are. The list of hashes stands in front, so that a file that was cut off is known as such.
"""

import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from somnisphere import __version__
from somnisphere.errors import UserError
from somnisphere.journal_schema import TROUBLE
from somnisphere.safekeeping import databases
from somnisphere.safekeeping.belongings import DATABASES, Belongings, files_below
from somnisphere.safekeeping.manifest import FORMAT, NAME, File, Manifest

PACKED = (".mka", ".mp3", ".ogg", ".opus", ".m4a", ".m4b", ".flac", ".epub", ".story", ".jpg", ".png", ".zip")
"""Ends of names of what does not grow smaller."""
ROOM = ".backup-"
LENT = "offered"
"""Below the circle's folder: stories packed for others, made anew from the shelf."""


def back_up(belongings: Belongings, to: Path, *, box: str, made: str, shelf: Path | None) -> Manifest:
    """Write ``to`` whole or not at all, over one that is there. ``made``: ISO 8601. ``UserError`` and ``OSError``."""
    if to.exists() and not to.is_file():
        raise UserError(f"{to}: there is something that is no file. Name another place.")
    if to.exists() and to.stat().st_size and not zipfile.is_zipfile(to):
        raise UserError(f"{to}: there is a file that is no backup. Name another place.")
    half = to.with_name(f".{to.name}.{os.getpid()}.half")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            manifest = write_backup(belongings, file, box=box, made=made, shelf=shelf)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, to)
    finally:
        half.unlink(missing_ok=True)
    return manifest


def write_backup(belongings: Belongings, to: BinaryIO, *, box: str, made: str, shelf: Path | None) -> Manifest:
    """Into an open file that need not be seekable."""
    with _room(belongings) as room:
        sources = dict(_sources(belongings, room, shelf))
        if not sources:
            raise UserError(f"{belongings.journal.parent}: nothing is kept there yet. Is journal.path the right one?")
        schema = databases.version_of(sources["journal.db"]) if "journal.db" in sources else 0
        parts = databases.versions_of(sources["household.db"]) if "household.db" in sources else {}
        listed = [File(name, path.stat().st_size, _sha256(path)) for name, path in sources.items()]
        manifest = Manifest(FORMAT, __version__, made, box, schema, parts, listed)
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            archive.writestr(_entry(NAME), msgspec.json.format(msgspec.json.encode(manifest), indent=1))
            for file in listed:
                _add(archive, file, sources[file.name])
    return manifest


@contextmanager
def _room(belongings: Belongings) -> Iterator[Path]:
    """A folder for the copies: beside the journal, or where it cannot be written, wherever there is one. What a backup
    that was killed left behind is taken away."""
    for left in belongings.journal.parent.glob(f"{ROOM}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > 86400.0:
                shutil.rmtree(left)
    try:
        room = Path(tempfile.mkdtemp(dir=belongings.journal.parent, prefix=ROOM))
    except OSError:
        room = Path(tempfile.mkdtemp(prefix="somnisphere-backup-"))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _sources(belongings: Belongings, room: Path, shelf: Path | None) -> Iterator[tuple[str, Path]]:
    for name, path in belongings.files.items():
        if not path.is_file():
            continue
        copied = room / name
        if name in DATABASES:
            try:
                databases.copy(path, copied)
                if name == "household.db":
                    databases.without_sessions(copied)
            except TROUBLE as problem:
                raise UserError(f"{path} cannot be copied: {problem}. Nothing was saved.") from problem
        else:  # small, and its program may write it meanwhile
            shutil.copyfile(path, copied)
        yield name, copied
    for name, folder in belongings.folders.items():
        for path in files_below(folder):
            below = path.relative_to(folder)
            if below.parts[0] != LENT:
                yield f"{name}/{below.as_posix()}", path
    for path in files_below(shelf) if shelf is not None else ():
        yield f"shelf/{path.relative_to(shelf).as_posix()}", path  # type: ignore[arg-type]


def _add(archive: zipfile.ZipFile, file: File, source: Path) -> None:
    entry = _entry(file.name)
    if source.suffix.lower() in PACKED:
        entry.compress_type = zipfile.ZIP_STORED
    entry.file_size = file.bytes
    found = hashlib.sha256()
    with source.open("rb") as reading, archive.open(entry, "w") as writing:
        while block := reading.read(1 << 20):
            found.update(block)
            writing.write(block)
    if found.hexdigest() != file.sha256:
        raise UserError(f"{source} changed while it was saved. Nothing was saved; try again.")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
