"""Who works on a journal now: daemon, page and circle hold its lock together; who puts files in their place, alone.

A lock of the kernel (flock) on a small file beside the journal: it goes with its process, however that ends.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from somnisphere.errors import UserError
from somnisphere.household_file import household_beside, mend
from somnisphere.safekeeping.aside import undo_unfinished, unfinished
from somnisphere.safekeeping.belongings import Belongings, own_as_the_folder

log = logging.getLogger(__name__)

STOP_FIRST = "sudo systemctl stop somnisphere somnisphere-page somnisphere-circle"


@contextmanager
def in_use(journal: Path) -> Iterator[None]:
    """Held by a program for as long as it runs; a household's file that is broken is mended first. A disk that cannot
    be written keeps nobody from running."""
    with suppress(OSError):
        journal.parent.mkdir(parents=True, exist_ok=True)
    _undo(journal)
    with _held(journal, fcntl.LOCK_SH) as held:
        if held is False:
            raise UserError(f"What belongs to {journal} is being put back or forgotten just now. Start again after it.")
        if mended := mend(household_beside(journal)):
            log.warning("%s", mended)
        yield


def _undo(journal: Path) -> None:
    """Whatever a restore that was cut off left in between is put right first."""
    if unfinished(Belongings(journal)):
        try:
            with alone(journal, "changed"):
                undo_unfinished(Belongings(journal))
            log.warning("A restore had been cut off: everything is as it was before.")
        except OSError as problem:
            log.warning("A restore was cut off and cannot be undone: %s. Look into before-restore-….", problem)


@contextmanager
def alone(journal: Path, deed: str) -> Iterator[None]:
    """For as long as files are put in place of others. ``deed`` ends the sentence for a person whose box runs."""
    with _held(journal, fcntl.LOCK_EX) as held:
        if held is False:
            raise UserError(f"Somnisphere runs with {journal}: nothing was {deed}. Stop it first: {STOP_FIRST}")
        if held is None:
            raise UserError(f"{journal.parent}: cannot be written: nothing was {deed}. Check the disk and its rights.")
        yield


@contextmanager
def _held(journal: Path, kind: int) -> Iterator[bool | None]:
    """True: held; False: somebody else holds it; None: there can be no lock here."""
    path = Belongings(journal).lock
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield None
        return
    try:
        own_as_the_folder(path)
        try:
            fcntl.flock(number, kind | fcntl.LOCK_NB)
            held: bool | None = True
        except BlockingIOError:
            held = False
        except OSError:  # a disk that knows no locks
            held = None
        yield held
    finally:
        os.close(number)
