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
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import msgspec

SUFFIX = ".minutes"
LARGEST_BYTES = 4_000_000
"""Far more than a night; a larger file is not ours."""
_HEAD = struct.Struct("<II")

_Number = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
_Time = Annotated[float, msgspec.Meta(ge=0.0, lt=1e11)]
EpochRow = tuple[str, _Number, _Time, str, str]
"""night, number, wall_s, body, live: as the table ``epoch`` has them."""
_RECORD = msgspec.json.Decoder(list[EpochRow])


def beside(journal: Path) -> Path:
    return journal.with_name(journal.name + SUFFIX)


class JournalTail:
    def __init__(self, journal: Path) -> None:
        self.path = beside(journal)
        self._log = journal.with_name(journal.name + "-wal")

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
        """Everything whole, in order; of one epoch the latest."""
        try:
            with self.path.open("rb") as file:
                content = file.read(LARGEST_BYTES)
        except OSError:
            return []
        found: dict[tuple[str, int], EpochRow] = {}
        at, room_bytes = 0, LARGEST_BYTES
        while at + _HEAD.size <= len(content):
            length, checksum = _HEAD.unpack_from(content, at)
            packed = content[at + _HEAD.size : at + _HEAD.size + length]
            if len(packed) != length or zlib.crc32(packed) != checksum:
                break
            try:
                plain = zlib.decompressobj().decompress(packed, room_bytes)
                rows = _RECORD.decode(plain)
            except (msgspec.MsgspecError, UnicodeError, RecursionError, zlib.error):
                break
            found.update((row[:2], row) for row in rows)
            room_bytes -= len(plain)
            if not room_bytes:  # 0 would be no limit
                break
            at += _HEAD.size + length
        return list(found.values())

    def merging(self) -> list[tuple[Any, ...]]:
        """What ``journal_schema.MERGE_EPOCH`` takes, of everything whole."""
        return [(*row, row[0]) for row in self.rows()]

    def nights(self) -> dict[str, float]:
        """The nights it tells of, and when each began as far as it knows, Unix seconds."""
        return {night_id: wall_s for night_id, _, wall_s, *_ in reversed(self.rows())}

    def times(self, night_id: str) -> list[float]:
        """When the epochs of a night began, Unix seconds."""
        return [wall_s for night, _, wall_s, *_ in self.rows() if night == night_id]

    def clear(self) -> bool:
        """All of it is in the journal. False: it cannot be emptied."""
        try:
            if self.path.exists() and self.path.stat().st_size:
                _sync(self._log)
                os.truncate(self.path, 0)
        except OSError:
            return False
        return True


def _sync(log: Path) -> None:
    """What was committed is on the disk: SQLite's ``synchronous=NORMAL`` leaves that to the kernel, which may put the
    truncation there first."""
    with suppress(FileNotFoundError):  # all of it was moved, and synced by that
        handle = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def not_in_it(night_id: str, rows: Sequence[tuple[Any, ...]], tail: Sequence[EpochRow]) -> list[tuple[Any, ...]]:
    """A night's epochs that are in the tail and not among ``rows`` (number, ...) of the journal: for a reader beside
    the daemon, which itself commits before it reads."""
    known = {row[0] for row in rows}
    return [(*row[1:], None) for row in tail if row[0] == night_id and row[1] not in known]
