"""The epochs of the last minutes, in a small file beside the journal: what spares the SD card the most.

A commit of two epochs into SQLite makes some eight pages of 4 KiB dirty (log, its index in shared memory, tree), every
minute of a night; appended here they make one or two. So each minute's epochs go here, and into the journal with the
morning's answers about them; asleep, when nothing else comes, it does not commit at all. They are merged when the
journal is opened, and read along by whoever reads beside the daemon; an epoch that is in the journal already is left as
it is.

Records: length and CRC-32 of what follows (little-endian, 4 bytes each), then JSON, deflated. One that is torn ends
the file. Nothing is synced here: as with the journal's own log, a kill costs nothing, a power cut what the kernel held.
"""

import json
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SUFFIX = ".minutes"
LARGEST_BYTES = 4_000_000
"""Far more than a night; a larger file is not ours."""
_HEAD = struct.Struct("<II")

EpochRow = tuple[str, int, float, str, str]
"""night, number, wall_s, body, live: as the table ``epoch`` has them."""


def beside(journal: Path) -> Path:
    return journal.with_name(journal.name + SUFFIX)


class JournalTail:
    def __init__(self, journal: Path) -> None:
        self.path = beside(journal)

    def append(self, rows: Sequence[Sequence[Any]]) -> None:
        """``OSError``: they are not there, or not whole, which is the same."""
        packed = zlib.compress(json.dumps(rows, separators=(",", ":")).encode())
        record = _HEAD.pack(len(packed), zlib.crc32(packed)) + packed
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(handle).st_size
            if os.write(handle, record) != len(record):
                os.ftruncate(handle, end)
                raise OSError(28, "No space left on device")
        finally:
            os.close(handle)

    def rows(self) -> list[EpochRow]:
        """Everything whole, in order."""
        try:
            with self.path.open("rb") as file:
                content = file.read(LARGEST_BYTES)
        except OSError:
            return []
        found: list[EpochRow] = []
        at = 0
        while at + _HEAD.size <= len(content):
            length, checksum = _HEAD.unpack_from(content, at)
            packed = content[at + _HEAD.size : at + _HEAD.size + length]
            if len(packed) != length or zlib.crc32(packed) != checksum:
                break
            try:
                unpack = zlib.decompressobj()
                for night, number, wall_s, body, live in json.loads(unpack.decompress(packed, LARGEST_BYTES)):
                    found.append((str(night), int(number), float(wall_s), str(body), str(live)))
            except (ValueError, TypeError, RecursionError, zlib.error):
                break
            at += _HEAD.size + length
        return found

    def merging(self) -> list[tuple[Any, ...]]:
        """What ``journal_schema.MERGE_EPOCH`` takes, of everything whole."""
        return [(*row, row[0]) for row in self.rows()]

    def nights(self) -> dict[str, float]:
        """The nights it tells of, and when each began as far as it knows, Unix seconds."""
        return {night_id: wall_s for night_id, _, wall_s, *_ in reversed(self.rows())}

    def clear(self) -> bool:
        """All of it is in the journal. False: it cannot be emptied."""
        try:
            if self.path.exists() and self.path.stat().st_size:
                os.truncate(self.path, 0)
        except OSError:
            return False
        return True
