"""The cache of spoken sound: single sentences and whole recordings, each checked when read, the oldest let go."""

import hashlib
import json
import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from somnisphere.story import Mark
from somnisphere.telling.encoding import leftovers, writer
from somnisphere.telling.voices import Pcm

_MAGIC = b"somnisphere pcm 1\n"
_HEAD_BYTES = len(_MAGIC) + 8


def key_of(*parts: Any) -> str:
    """A file name for whatever JSON can say."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class SpokenCache:
    """``OSError`` from what writes; a damaged entry reads as none."""

    folder: Path

    def sentence(self, key: str) -> Pcm | None:
        path = self.folder / f"{key}.pcm"
        try:
            data = path.read_bytes()
        except OSError:
            return None
        head, body = data[:_HEAD_BYTES], data[_HEAD_BYTES:]
        rate_hz = int.from_bytes(head[-8:-4], "little")
        if not head.startswith(_MAGIC) or not rate_hz or int.from_bytes(head[-4:], "little") != zlib.crc32(body):
            return None
        _touch(path)
        return Pcm(np.frombuffer(body, "<i2").astype(np.int16), rate_hz)

    def keep_sentence(self, key: str, sound: Pcm) -> None:
        body = sound.samples.astype("<i2").tobytes()
        head = _MAGIC + sound.rate_hz.to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little")
        self._write(f"{key}.pcm", head + body)

    def recording(self, key: str) -> tuple[Path, float, tuple[Mark, ...]] | None:
        """Sound file, duration in s, marks; None when it is not there or not what was written."""
        try:
            row = json.loads((self.folder / f"{key}.marks.json").read_text())
            path = self.folder / f"{key}{row['suffix']}"
            if row["suffix"] not in (".opus", ".flac") or row["crc32"] != _crc32(path):
                return None
            marks = tuple(Mark(float(begin), float(end), str(name)) for begin, end, name in row["marks"])
            duration_s = float(row["duration_s"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        _touch(path)
        _touch(self.folder / f"{key}.marks.json")
        return path, duration_s, marks

    def keep_marks(self, key: str, sound: Path, duration_s: float, marks: tuple[Mark, ...]) -> None:
        """Beside the sound already in place: only now the recording counts as made."""
        row = {
            "suffix": sound.suffix,
            "crc32": _crc32(sound),
            "duration_s": duration_s,
            "marks": [[mark.begin_s, mark.end_s, mark.sentence_id] for mark in marks],
        }
        self._write(f"{key}.marks.json", json.dumps(row).encode())

    def bound(self, limit_mb: float, keep: str) -> None:
        """Remove what a killed writer left, then the longest unused until all is within the limit; never ``keep``."""
        for part in leftovers(self.folder):
            part.unlink(missing_ok=True)
        found = []
        for path in self.folder.iterdir():
            try:
                state = path.stat()
            except OSError:
                continue  # removed by another just now
            if path.is_file() and not path.name.startswith("."):
                found.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= limit_mb * 1e6:
                break
            if path.name.startswith(keep):
                continue
            path.unlink(missing_ok=True)
            total -= size

    def forget(self, key: str) -> None:
        """Whatever is kept under it: a sentence, or a recording with its marks."""
        for ending in (".pcm", ".marks.json", ".opus", ".flac"):
            (self.folder / f"{key}{ending}").unlink(missing_ok=True)

    def _write(self, name: str, data: bytes) -> None:
        part = self.folder / f".{name}.{writer()}.part"
        try:
            part.write_bytes(data)
            os.replace(part, self.folder / name)
        finally:
            part.unlink(missing_ok=True)


def _crc32(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found = zlib.crc32(block, found)
    return found


def _touch(path: Path) -> None:
    with suppress(OSError):  # a read-only cache still tells
        os.utime(path)
