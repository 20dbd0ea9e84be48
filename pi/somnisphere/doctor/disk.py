"""The disk and the journal on it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding

LEAST_FREE_MB = 50.0
"""A year of nights takes about half of that."""


def check_journal(config: Config) -> Iterator[Finding]:
    path = Path(config.journal.path)
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))):
        mend = "correct journal.path, or give this user the right to write there"
        yield Finding("journal", False, f"{path} cannot be written", mend)
        return
    free_mb = shutil.disk_usage(folder).free / 1e6
    short = free_mb < LEAST_FREE_MB
    yield Finding(
        "journal", not short, f"{path}, {free_mb:.0f} MB free", "free some space on this disk" if short else ""
    )
