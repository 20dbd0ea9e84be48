"""A backup put in place of what is there: looked through whole first, and what was there is set aside, not lost.

Order
    1. Unpacked beside the journal into a hidden folder; hashes, databases, their versions, every night read.
    2. Alone (``in_use``): each thing that is there moves into ``before-restore-…``, each new one into its place.
       Until the last is there a marker says *unfinished*: after a power cut the next program moves everything back.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from somnisphere.errors import UserError
from somnisphere.journal import Journal
from somnisphere.safekeeping.aside import ASIDE, exchange, undo_unfinished
from somnisphere.safekeeping.belongings import DATABASES, Belongings, files_below, own_as_the_folder
from somnisphere.safekeeping.databases import made_ready
from somnisphere.safekeeping.in_use import alone
from somnisphere.safekeeping.manifest import BackupError, Manifest
from somnisphere.safekeeping.unpack import unpack

ROOM = ".restoring-"


@dataclass(frozen=True, slots=True)
class Restored:
    """``aside``: where what was there lies now, None: nothing was. ``stories``: put on the shelf; ``others``: of them
    those whose name another story has there."""

    manifest: Manifest
    nights: int
    aside: Path | None
    stories: int
    others: tuple[str, ...]


def restore(backup: Path, belongings: Belongings, *, stamp: str, shelf: Path | None) -> Restored:
    """``stamp``: names the folder of what is set aside. Raises ``UserError`` and ``OSError``; then all is as it was."""
    folder = belongings.journal.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with staged(backup, folder) as (room, manifest, nights), alone(belongings.journal, "put back"):
        undo_unfinished(belongings)
        for left in folder.glob(f"{ROOM}*"):  # of one that was killed
            if left.is_dir() and left != room:
                shutil.rmtree(left)
        for path in (room, *room.rglob("*")):
            own_as_the_folder(path)  # from the top: each then belongs to whom the state folder belongs
        aside = exchange(room, belongings, folder / f"{ASIDE}{stamp}")
        stories, others = _onto_shelf(room / "shelf", shelf)
    return Restored(manifest, nights, aside, stories, others)


@contextmanager
def staged(backup: Path, folder: Path) -> Iterator[tuple[Path, Manifest, int]]:
    """The backup unpacked below ``folder``, found good and brought up to date; and how many nights it holds."""
    room = Path(tempfile.mkdtemp(dir=folder, prefix=ROOM))
    try:
        try:
            manifest = unpack(backup, room, shutil.disk_usage(folder).free)
            for name in DATABASES:
                if (room / name).exists():
                    made_ready(room / name, name)
            nights = _nights(room / "journal.db")
        except BackupError as problem:
            raise BackupError(f"{backup}: {problem} Nothing was changed.") from problem
        except UserError as problem:
            raise BackupError(f"{backup}: {problem} Nothing was changed.") from problem
        yield room, manifest, nights
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _nights(path: Path) -> int:
    if not path.exists():
        return 0
    journal = Journal(path)
    try:
        nights = journal.nights()
        for night_id in nights:
            try:
                journal.load(night_id)
            except KeyError:
                trouble = journal.mended or journal.problem or "it is damaged"
                raise BackupError(f"the night of {night_id} in it cannot be read: {trouble}.") from None
        if trouble := journal.problem or journal.mended:
            raise BackupError(f"its journal cannot be read: {trouble}.")
        return len(nights)
    finally:
        journal.close()


def _onto_shelf(stories: Path, shelf: Path | None) -> tuple[int, tuple[str, ...]]:
    """Those that are missing; a file that is there stays as it is."""
    if shelf is None:
        return 0, ()
    put, others = 0, []
    for path in files_below(stories):
        to = shelf / path.relative_to(stories)
        if to.exists() or to.is_symlink():
            if to.stat().st_size != path.stat().st_size:
                others.append(path.relative_to(stories).as_posix())
            continue
        if not to.parent.resolve().is_relative_to(shelf.resolve()):
            raise UserError(f"{to}: a link leads out of the shelf. Nothing more was put there.")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
        own_as_the_folder(to)
        put += 1
    return put, tuple(others)
