"""The disk that nights are kept on, and whether this user may write there."""

import os
from collections.abc import Iterator
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World

PART = "disk"
LEAST_FREE_MB = 50.0
"""A year of nights takes about half of that."""


def check_disk(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    path = Path(config.journal.path)
    folder = existing(path.parent)
    state = world.disk(folder)
    free_mb = state.f_bavail * state.f_frsize / 1e6
    if state.f_flag & os.ST_RDONLY:
        mend = "a card that is worn out turns read-only: sudo dmesg | grep -i mmc; else: sudo mount -o remount,rw /"
        yield Finding(PART, False, f"the disk below {folder} is read-only", mend)
    elif not folder.is_dir() or not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        mend = "correct journal.path, or look as the user who runs it: sudo -u somnisphere, or sudo"
        yield Finding(PART, False, f"{path} cannot be written by this user", mend)
    elif free_mb < LEAST_FREE_MB:
        mend = "free some space on this disk: sudo apt clean, sudo journalctl --vacuum-size=50M, old recordings"
        yield Finding(PART, False, f"{free_mb:.0f} MB free for {path}", mend)
    elif state.f_files and not state.f_favail:
        yield Finding(PART, False, f"no file can be made below {folder}: it has too many", "remove files there")
    else:
        yield Finding(PART, True, f"{free_mb:.0f} MB free for {path}")


def existing(folder: Path) -> Path:
    """The nearest folder that is there: what will be made is made in it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
