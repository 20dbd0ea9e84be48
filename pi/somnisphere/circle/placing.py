"""A taken story onto the shelf, through the library's careful reading, and off it again; our own packed to be lent."""

import os
import shutil
import tempfile
from pathlib import Path

from somnisphere.circle.manifest import Offer, refuse_unwilling
from somnisphere.circle.partial import hashes_of, sha256_of
from somnisphere.library import Broken, forget_gone, read
from somnisphere.library.broken import UnreadableError, reason_of
from somnisphere.library.marks import with_marks
from somnisphere.library.story_writer import file_name, write_story
from somnisphere.own_files import like_its_folder
from somnisphere.story import Book

OFFERED = "offered"


class NotTakenError(Exception):
    """A story that came whole and is still not put on the shelf; the text says why."""


def pack(book: Book, folder: Path, cache: Path) -> tuple[Path, str, int, bytes]:
    """A book packed for lending: (file, SHA-256, size, piece hashes). Raises ``UnreadableError``, ``OSError``, and
    ``CannotOfferError`` before anything is written where a voice gave no consent."""
    refuse_unwilling(book)
    book, _ = with_marks(book, cache)
    offered = folder / OFFERED
    offered.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=offered, prefix=".packing-") as room:
        fresh = Path(room) / "new.story"
        write_story(book, fresh)
        sha256, size_bytes, pieces = hashes_of(fresh)
        to = packed_at(folder, sha256)
        fresh.chmod(0o600)
        fresh.replace(to)
    return to, sha256, size_bytes, pieces


def packed_at(folder: Path, sha256: str) -> Path:
    return folder / OFFERED / f"{sha256}.story"


def place(arrived: Path, offer: Offer, shelf: Path) -> Path:
    """Put a verified file on the shelf; where it is. Raises ``NotTakenError`` and ``OSError``."""
    with tempfile.TemporaryDirectory(dir=shelf, prefix=".checking-") as room:
        fresh = Path(room) / file_name(offer.title)
        shutil.copyfile(arrived, fresh)
        found = read(fresh, fresh.parent, Path(room) / "cache")
        if isinstance(found, Broken):
            raise NotTakenError(f"it came whole, but is no story: {found.reason}")
        if len(found.recordings) != len(offer.voices):
            raise NotTakenError(
                f"it holds {len(found.recordings)} voices, and its offer says that {len(offer.voices)} allowed it"
            )
        _sync(fresh)
        to = _free(shelf / fresh.name, offer.sha256)
        fresh.rename(to)
    like_its_folder(to)
    return to


def take_away(path: Path, sha256: str, shelf: Path, cache: Path) -> bool:
    """Remove a taken story with what was worked out of it; False: it is not there (any more) as it came."""
    try:
        found = path if path.is_file() and sha256_of(path) == sha256 else _moved(shelf, sha256, path)
        if found is None:
            return False
        found.unlink()
        forget_gone(cache, shelf)
    except OSError as problem:
        raise UnreadableError(f"{path} cannot be removed: {reason_of(problem)}. Remove it by hand.") from None
    return True


def _moved(shelf: Path, sha256: str, path: Path) -> Path | None:
    """Somebody sorted it into another folder, or renamed it."""
    for other in sorted(shelf.rglob("*.story")):
        if other != path and other.is_file() and sha256_of(other) == sha256:
            return other
    return None


def _free(path: Path, sha256: str) -> Path:
    """Never over another story; the same one may be there already from before a power cut."""
    number, free = 2, path
    while free.exists() and not (free.is_file() and sha256_of(free) == sha256):
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
