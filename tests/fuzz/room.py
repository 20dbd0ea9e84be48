"""A folder for one execution, beside a watched place in which nothing may appear."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")


@contextmanager
def room() -> Iterator[Path]:
    """An empty folder in memory. Afterwards it is gone, and nothing was written beside it."""
    whole = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
    try:
        given = whole / "outer" / "given"
        given.mkdir(parents=True)
        yield given
        beside = [entry.name for place in (whole, whole / "outer") for entry in os.scandir(place)]
        assert sorted(beside) == ["given", "outer"], f"written outside of the folder: {beside}"
    finally:
        shutil.rmtree(whole, ignore_errors=True)


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
