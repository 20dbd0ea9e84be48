"""A backup is opened as something a stranger may have written: each name, size and hash before a byte is believed.

Hashes show that a file is whole, not who made it: they stand in the same file.
"""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from somnisphere.safekeeping.belongings import Belongings
from somnisphere.safekeeping.manifest import (
    LARGEST_BYTES,
    MOST_FILES,
    NAME,
    BackupError,
    File,
    Manifest,
    is_name,
    read_manifest,
)

KEEP_FREE_BYTES = 50_000_000
"""So much of the disk stays free for the night."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, KeyError)
SINGLE = frozenset(Belongings(Path("journal.db")).files)


def unpack(path: Path, to: Path, free_bytes: int) -> Manifest:
    """All files of the backup below ``to``, each whole. ``BackupError``: it is none; ``OSError``: the disk."""
    with opened(path) as (archive, manifest), private():
        needed = sum(file.bytes for file in manifest.files)
        if needed > free_bytes - KEEP_FREE_BYTES:
            raise BackupError(
                f"it needs {needed / 1e6:.0f} MB, and {max(free_bytes, 0) / 1e6:.0f} MB are free. Make room first."
            )
        for file in manifest.files:
            _extract(archive, file, to / file.name)
    return manifest


@contextmanager
def private() -> Iterator[None]:
    """Folders that are made meanwhile are their owner's alone, at every depth."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """The archive and its list, which agree with each other."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            yield archive, _listed(archive)
    except _DAMAGED as problem:
        raise BackupError(f"it is no whole backup ({problem!s:.200}). Take another copy of it.") from problem


def _listed(archive: zipfile.ZipFile) -> Manifest:
    entries = archive.infolist()
    if len(entries) > MOST_FILES + 1:
        raise BackupError(f"it holds more than {MOST_FILES} files.")
    found = {entry.filename: entry for entry in entries}
    if len(found) != len(entries):
        raise BackupError("it holds two files of one name.")
    if NAME not in found:
        raise BackupError(f"it has no {NAME}: this is another kind of zip file.")
    if found[NAME].file_size > LARGEST_BYTES:
        raise BackupError(f"its {NAME} is larger than any list.")
    with archive.open(NAME) as reading:
        text = reading.read(LARGEST_BYTES + 1)
    manifest = read_manifest(text)
    listed = {file.name: file for file in manifest.files}
    if len(listed) != len(manifest.files) or listed.keys() != found.keys() - {NAME}:
        raise BackupError("what it holds is not what its list says.")
    for file in manifest.files:
        entry = found[file.name]
        if (
            not is_name(file.name, SINGLE)
            or entry.is_dir()
            or (entry.external_attr >> 16) & 0o170000 not in (0, 0o100000)
        ):
            raise BackupError(f"it holds {file.name!r:.200}, which no backup does.")
        if entry.file_size != file.bytes:
            raise BackupError(f"{file.name} is not as long as its list says.")
    return manifest


def _extract(archive: zipfile.ZipFile, file: File, to: Path) -> None:
    os.makedirs(to.parent, mode=0o700, exist_ok=True)
    found, length = hashlib.sha256(), 0
    number = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "wb") as writing, archive.open(file.name) as reading:
        while block := reading.read(1 << 20):
            length += len(block)
            if length > file.bytes:
                raise BackupError(f"{file.name} is longer than its list says.")
            found.update(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    if length != file.bytes or found.hexdigest() != file.sha256:
        raise BackupError(f"{file.name} is not what was saved: its hash differs. Take another copy of the backup.")
