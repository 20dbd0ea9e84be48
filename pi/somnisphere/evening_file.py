"""The evening's last word on disk, sentence by sentence: what a killed daemon goes on from.

The journal commits once a minute, for the sake of the SD card. This file is written with every sentence, in place and
without waiting for the disk: after a kill the kernel still has it, after a power cut the journal's minute counts. Two
slots are written in turns, each with a checksum, so that one of them is always whole.
"""

import json
import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from somnisphere.journal import Journal, SavedRitual

SLOT_BYTES = 32 * 1024
"""Room for one evening (some kilobytes); a larger one is left to the journal."""
_HEAD = "{:08x} {:08d} {:016d}\n"
_HEAD_BYTES = len(_HEAD.format(0, 0, 0))


class EveningFile:
    """Without a word about a disk that refuses: the journal beside it says that, and is kept all the same."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = 0

    def save(self, state: Mapping[str, Any], at_s: float, wall_s: float) -> bool:
        """``at_s`` and ``wall_s`` are the same moment. False: the journal has to keep it."""
        body = json.dumps({"wall_minus_at_s": wall_s - at_s, "state": state}, default=str).encode()
        if len(body) > SLOT_BYTES - _HEAD_BYTES:
            return False
        number = self._number + 1
        whole = _HEAD.format(zlib.crc32(body), len(body), number).encode() + body
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if os.pwrite(handle, whole, number % 2 * SLOT_BYTES) != len(whole):
                    return False  # the other slot stays as it is: the next one comes here again
            finally:
                os.close(handle)
        except OSError:
            return False  # the journal lies beside it and says what is wrong
        self._number = number
        return True

    def load(self, at_s: float, wall_s: float) -> SavedRitual | None:
        """The newest whole evening. ``at_s`` and ``wall_s`` are now, in this run."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        found = [slot for k in range(2) if (slot := _read(content[k * SLOT_BYTES : (k + 1) * SLOT_BYTES])) is not None]
        if not found:
            return None
        number, plain = max(found, key=lambda slot: slot[0])
        self._number = number
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            return SavedRitual(dict(plain["state"]), float(plain["wall_minus_at_s"]) - (wall_s - at_s))
        return None


def newest(journal: Journal, file: EveningFile | None, at_s: float, wall_s: float) -> SavedRitual | None:
    """The last evening there is: written with each sentence, or with the journal's last commit."""
    found = [journal.saved_ritual(at_s, wall_s), None if file is None else file.load(at_s, wall_s)]
    return max((saved for saved in found if saved is not None), key=lambda saved: saved.last_s, default=None)


def _read(slot: bytes) -> tuple[int, dict[str, Any]] | None:
    """Number and content of a slot; None when it is empty or torn."""
    try:
        checksum, length, number = slot[:_HEAD_BYTES].split()
        body = slot[_HEAD_BYTES : _HEAD_BYTES + int(length)]
        if zlib.crc32(body) != int(checksum, 16):
            return None
        plain = json.loads(body)
        return (int(number), plain) if isinstance(plain, dict) else None
    except (ValueError, RecursionError):
        return None
