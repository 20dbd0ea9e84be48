"""What lies inside of a .story or an EPUB: a zip file or a folder, neither of them trusted.

A zip file says of itself how many files it has, how they are called and how long they are; none of it is believed
(APPNOTE.TXT 6.3 of PKWARE says what it may say). Only what is asked for by name is ever unpacked, in blocks, against
limits counted on the bytes that really come out. An archive inside of an archive is a file like any other.
"""

import io
import os
import re
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from somnisphere.library.broken import UnreadableError, reason_of

MOST_FILES = 10_000
LARGEST_TOTAL_BYTES = 4_000_000_000
"""A hundred hours of speech at 64 kbit/s are 2.9 GB."""

LARGEST_PART_BYTES = 20_000_000
"""Of one text, picture or list that is held in memory."""

LARGEST_RATIO = 200
"""Text packs to a fifth, silence in WAV to a hundredth; deflate cannot do more than 1032."""

_RATIO_FROM_BYTES = 5_000_000
_KEEP_FREE_BYTES = 100_000_000
_LARGEST_LIST_BYTES = 8_000_000
_BLOCK_BYTES = 1 << 18
_ZIP_PROBLEMS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError),
    *(OverflowError, IndexError),
)


class Archive(Protocol):
    """Files by their names as written, with ``/`` between folders."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def read(self, name: str) -> bytes:
        """All of a small file."""

    def unpacked(self, name: str) -> Path | None:
        """Where a file lies as it is; None: it has to be written with ``unpack``."""

    def unpack(self, name: str, to: Path) -> None:
        """Write a file of any size."""


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Raises ``UnreadableError``; that and ``OSError`` also come from reading."""
    if path.is_dir():
        yield FolderArchive(path)
        return
    with path.open("rb") as beginning:
        magic = beginning.read(4)
    if not magic:
        raise UnreadableError("The file is empty.")
    if magic[:2] != b"PK":
        raise UnreadableError("This is not a zip file, as such a story is. Fetch or export it again.")
    with _CarefulFile(path, "rb") as file:
        try:
            opened = zipfile.ZipFile(file)
        except _ZIP_PROBLEMS as problem:
            raise UnreadableError(f"The zip file is damaged or cut off ({_said(problem)}). Fetch it again.") from None
        with opened:
            yield ZipArchive(opened)


class _CarefulFile(io.FileIO):
    """The list at the end of a zip file is read in one piece; its length is what the file says."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > _LARGEST_LIST_BYTES:
            raise UnreadableError(f"The zip file has a list of contents for more than {MOST_FILES} files.")
        return super().read(size) or b""


class ZipArchive:
    def __init__(self, opened: zipfile.ZipFile) -> None:
        self._zip = opened
        self._total_bytes = 0
        self._entries: dict[str, zipfile.ZipInfo] = {}
        if len(opened.filelist) > MOST_FILES:
            raise UnreadableError(f"The zip file has more than {MOST_FILES} files in it.")
        known: set[str] = set()
        for entry in opened.filelist:
            name = entry.orig_filename
            if problem := _wrong_with(name):
                raise UnreadableError(f"The zip file has an entry {name[:80]!r}, {problem}. Pack it again.")
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise UnreadableError(f"The zip file has a link {name[:80]!r} in it. Pack the file itself.")
            plain = unicodedata.normalize("NFC", name)
            if plain in known:
                raise UnreadableError(f"The zip file has {name[:80]!r} twice. Pack it again.")
            known.add(plain)
            if not entry.is_dir():
                self._entries[name] = entry

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def read(self, name: str) -> bytes:
        out = io.BytesIO()
        self._copy(name, out, LARGEST_PART_BYTES)
        return out.getvalue()

    def unpacked(self, name: str) -> Path | None:  # noqa: ARG002
        return None

    def unpack(self, name: str, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("wb") as out:
            self._copy(name, out, min(LARGEST_TOTAL_BYTES, shutil.disk_usage(to.parent).free - _KEEP_FREE_BYTES))

    def _copy(self, name: str, out: BinaryIO, limit_bytes: int) -> None:
        entry = self._entries.get(name)
        if entry is None:
            raise UnreadableError(f"There is no {name[:80]!r} in it.")
        if entry.flag_bits & 0x41:
            raise UnreadableError(f"{name} is encrypted in the zip file. Pack it without a password.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableError(f"{name} is packed in an unusual way. Pack it as an ordinary zip file.")
        written = 0
        try:
            with self._zip.open(entry) as inside:
                while block := inside.read(_BLOCK_BYTES):
                    written += len(block)
                    self._total_bytes += len(block)
                    if written > max(_RATIO_FROM_BYTES, entry.compress_size * LARGEST_RATIO):
                        raise UnreadableError(f"{name} unpacks to far more than any story; it is not unpacked further.")
                    if written > limit_bytes or self._total_bytes > LARGEST_TOTAL_BYTES:
                        raise UnreadableError(
                            f"{name} is too long: no more than {max(0, limit_bytes) // 1_000_000} MB can be had of it."
                        )
                    out.write(block)
        except _ZIP_PROBLEMS as problem:
            raise UnreadableError(f"{name} is damaged in the zip file ({_said(problem)}). Fetch it again.") from None
        if written < entry.file_size:
            raise UnreadableError(f"{name} is cut off in the zip file. Fetch it again.")


class FolderArchive:
    """A folder of the same content. A link that leads out of it is no part of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        root = folder.resolve()
        for path in _files_below(folder):
            if len(self._files) >= MOST_FILES:
                raise UnreadableError(f"The folder has more than {MOST_FILES} files in it.")
            if path.is_file() and path.resolve().is_relative_to(root):
                self._files[path.relative_to(folder).as_posix()] = path

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._files)

    def read(self, name: str) -> bytes:
        path = self.unpacked(name)
        with path.open("rb") as file:
            data = file.read(LARGEST_PART_BYTES + 1)
        if len(data) > LARGEST_PART_BYTES:
            raise UnreadableError(f"{name} is longer than {LARGEST_PART_BYTES // 1_000_000} MB.")
        return data

    def unpacked(self, name: str) -> Path:
        path = self._files.get(name)
        if path is None:
            raise UnreadableError(f"There is no {name[:80]!r} in it.")
        return path

    def unpack(self, name: str, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.unpacked(name), to)


def _files_below(folder: Path) -> Iterator[Path]:
    for inside, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield Path(inside, name)


def _wrong_with(name: str) -> str:
    """Why a name must not be unpacked, in words that go on behind it; "" for a good one."""
    if not name or "\0" in name:
        return "which is no name"
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "which would lie outside of it (an absolute path)"
    if "\\" in name:
        return "with a backslash in its name"
    if any(part in ("..", ".") for part in name.split("/")):
        return "which would lie outside of it (.. or . in its path)"
    if len(name) > 1000:
        return "with an endless name"
    return ""


def _said(problem: Exception) -> str:
    return reason_of(problem)[:100]
