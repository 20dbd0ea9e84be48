"""Files of this household alone: nobody else of the machine reads them, whoever started the box, and however.

What the box keeps (the journal, what people told, cards, caches) is 0600 in folders of 0700; so are backups and
exports. What else a person asks for (a picture, rows, a story on the shelf) goes by their own umask: they decide who
sees it.
"""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

FILE, FOLDER, UMASK = 0o600, 0o700, 0o077
KEEPERS = frozenset(("run", "rehearse", "replay", "record", "page", "circle", "card", "coach"))
"""Commands that keep something for the box; the others write what a person asks for."""


@contextmanager
def as_is_due(command: str) -> Iterator[None]:
    """Within it, whatever a keeping command makes is ours alone."""
    if command not in KEEPERS:
        yield
        return
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def make_own(path: Path) -> None:
    """The file is there, and ours alone when it is new. Raises ``OSError``."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE))


def like_its_folder(path: Path) -> None:
    """A story may be read by whoever may read the shelf it stands on."""
    with suppress(OSError):
        path.chmod(stat.S_IMODE(path.parent.stat().st_mode) & 0o666)


def tighten(journal: Path, cache: Path | None = None) -> None:
    """Earlier versions, started by hand, left files that others could read: they are ours alone from now on."""
    folder = journal.parent
    found = [*folder.glob(f"{journal.stem}*"), *folder.glob("household*"), folder / "circle"]
    for top in [*found, *(() if cache is None else (cache,))]:
        _tighten_one(top)
        with suppress(OSError):  # somebody else's folder: who opens what is in it says so
            for path in top.rglob("*") if top.is_dir() and not top.is_symlink() else ():
                _tighten_one(path)


def _tighten_one(path: Path) -> None:
    try:
        kept = path.lstat()
        if not stat.S_ISLNK(kept.st_mode) and kept.st_mode & UMASK:
            path.chmod(stat.S_IMODE(kept.st_mode) & ~UMASK)
    except FileNotFoundError:
        pass
    except OSError as problem:  # somebody else's file: that is theirs to mend
        log.warning("%s can be read by others: %s. Mend: chmod go= %s", path, problem.strerror or problem, path)
