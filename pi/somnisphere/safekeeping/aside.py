"""New files in place of those that are there, all or none: a cut in between is undone by whoever comes next."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

from somnisphere.safekeeping.belongings import Belongings, own_as_the_folder

ASIDE = "before-restore-"
UNFINISHED = "unfinished"
"""In the folder of what is set aside, until all is in its place: the names of what was there."""


def exchange(room: Path, belongings: Belongings, aside: Path) -> Path | None:
    """What lies in ``room`` goes to its place; what was there lies in ``aside``, which is returned unless it is empty.
    Raises ``OSError``; then all is as it was."""
    there = belongings.all_places()
    aside.mkdir(mode=0o700)
    own_as_the_folder(aside)
    with (aside / UNFINISHED).open("w") as marker:
        json.dump([path.name for path in there], marker)
        marker.flush()
        os.fsync(marker.fileno())
    _to_disk(aside)
    _to_disk(aside.parent)
    try:
        for path in there:
            os.rename(path, aside / path.name)
        for name, path in (*belongings.files.items(), *belongings.folders.items()):
            if (room / name).exists():
                os.rename(room / name, path)
    except OSError:
        undo_unfinished(belongings)
        raise
    _to_disk(aside.parent)
    (aside / UNFINISHED).unlink()
    if there:
        return aside
    aside.rmdir()
    return None


def unfinished(belongings: Belongings) -> list[Path]:
    """Folders of what was set aside by whoever did not come to an end."""
    return sorted(marker.parent for marker in belongings.journal.parent.glob(f"{ASIDE}*/{UNFINISHED}"))


def undo_unfinished(belongings: Belongings) -> None:
    """What was set aside goes back to its place. For whoever is alone with the files; it may be cut off itself."""
    folder = belongings.journal.parent
    for aside in unfinished(belongings):
        try:
            was_there = frozenset(json.loads((aside / UNFINISHED).read_text()))
        except ValueError:  # cut off before the first move
            was_there = frozenset(path.name for path in belongings.all_places())
        for path in belongings.all_places():
            if path.name not in was_there or (aside / path.name).exists():  # it is new
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in sorted(aside.iterdir()):
            if path.name != UNFINISHED:
                os.rename(path, folder / path.name)
        _to_disk(folder)
        (aside / UNFINISHED).unlink()
        with suppress(OSError):
            aside.rmdir()


def _to_disk(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
