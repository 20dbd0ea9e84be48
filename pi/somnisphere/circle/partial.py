"""A story that is arriving: its bytes where they belong in one file, and beside it which pieces are there.

A piece is noted only after its bytes are on the disk, and what is noted is checked again when it is opened: a power cut
loses pieces, it never invents one.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from somnisphere.circle.manifest import Offer, piece_bytes_for
from somnisphere.library.broken import UnreadableError

_BLOCK_BYTES = 1 << 18
KEEP_FREE_BYTES = 200_000_000
"""A circle never fills the disk of a bedside."""


class Partial:
    """``NAME.partial`` and ``NAME.had`` (a byte for each piece) in ``folder``. Methods raise ``OSError``."""

    def __init__(self, folder: Path, offer: Offer) -> None:
        self._offer = offer
        self.path = folder / f"{offer.sha256}.partial"
        self._had = folder / f"{offer.sha256}.had"

    def open(self) -> set[int]:
        """Which pieces are there."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.path.exists():
            free = os.statvfs(self.path.parent)
            if free.f_bavail * free.f_frsize < 2 * self._offer.size_bytes + KEEP_FREE_BYTES:
                raise OSError(28, "there is not enough room on the disk for this story", str(self.path.parent))
            self._had.write_bytes(bytes(self._offer.count))
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
        noted = self._had.read_bytes()[: self._offer.count] if self._had.exists() else b""
        had = set[int]()
        with self.path.open("rb") as file:
            for index in (index for index, flag in enumerate(noted) if flag):
                file.seek(index * self._offer.piece_bytes)
                if self._offer.fits(index, file.read(self._offer.size_of(index))):
                    had.add(index)
        return had

    def keep(self, index: int, data: bytes) -> None:
        number = os.open(self.path, os.O_WRONLY)
        try:
            os.pwrite(number, data, index * self._offer.piece_bytes)
            os.fdatasync(number)
        finally:
            os.close(number)
        number = os.open(self._had, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(number, b"\x01", index)
        finally:
            os.close(number)

    def is_the_story(self) -> bool:
        """Whether the whole file is what the offer promises."""
        return self.path.stat().st_size == self._offer.size_bytes and sha256_of(self.path) == self._offer.sha256

    def forget(self) -> None:
        for path in (self.path, self._had):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def read_piece_of(path: Path, offer: Offer, index: int) -> bytes | None:
    """A piece out of a whole story; None when it is not (or no longer) the one that was offered."""
    try:
        with path.open("rb") as file:
            file.seek(index * offer.piece_bytes)
            data = file.read(offer.size_of(index))
    except OSError:
        return None
    return data if offer.fits(index, data) else None


def sha256_of(path: Path) -> str:
    whole = hashlib.sha256()
    for block in _blocks(path, _BLOCK_BYTES):
        whole.update(block)
    return whole.hexdigest()


def hashes_of(path: Path) -> tuple[str, int, bytes]:
    """(SHA-256, size, the hashes of all pieces) of a packed story. Raises ``OSError`` and ``UnreadableError``."""
    size_bytes = path.stat().st_size
    try:
        piece_bytes = piece_bytes_for(size_bytes)
    except ValueError as problem:
        raise UnreadableError(str(problem)) from None
    whole, pieces = hashlib.sha256(), bytearray()
    for block in _blocks(path, piece_bytes):
        whole.update(block)
        pieces += hashlib.sha256(block).digest()
    return whole.hexdigest(), size_bytes, bytes(pieces)


def _blocks(path: Path, size_bytes: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(size_bytes):
            yield block
