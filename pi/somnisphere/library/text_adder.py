"""A text becomes a story of the household's folder: checked, under a name of its own, never over another one."""

import re
import shutil
import tempfile
from pathlib import Path

from somnisphere.library.broken import Broken, reason_of
from somnisphere.library.reading import read
from somnisphere.library.titles import key_of, language_tag, one_line
from somnisphere.own_files import like_its_folder

MOST_CHARS = 200_000
LEAST_FREE_BYTES = 100_000_000
"""The nights need room too, and whoever is on the broker may add stories."""
_NAME_CHARS = 80


class NotAddedError(Exception):
    """Why not, and what to do, for the one who wanted it."""


def add_text(folder: Path, title: str, text: str, teller: str = "", language: str = "") -> str:
    """The key of the new story. Raises ``NotAddedError``."""
    title, teller = one_line(title), one_line(teller)
    name = re.sub(r"[^\w ,.'-]+", " ", title)
    name = " ".join(name.split()).strip(" .'-,")[:_NAME_CHARS]
    if not name:
        raise NotAddedError("the title has no letters; give it another one")
    if language and not language_tag(language):
        raise NotAddedError(f"{language!r} is no language; write it as en or de-AT")
    head = {"title": title, "teller": teller, "language": language_tag(language)}
    lines = [f"{key}: {value}" for key, value in head.items() if value]
    content = "\n".join(["---", *lines, "---", "", text.strip(), ""]).encode(errors="replace")
    place = folder / f"{name}.txt"
    try:
        if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
            raise NotAddedError("the disk is nearly full; make room first")
        with tempfile.TemporaryDirectory() as room:  # looked at before it is on the shelf
            trial = Path(room) / place.name
            trial.write_bytes(content)
            found = read(trial, Path(room), Path(room) / "cache")
        if isinstance(found, Broken):
            raise NotAddedError(found.reason)
        with place.open("xb") as file:
            file.write(content)
        like_its_folder(place)
    except FileExistsError:
        raise NotAddedError(f"there is a story {place.name} already; give this one another title") from None
    except OSError as problem:
        raise NotAddedError(f"{place} cannot be written: {reason_of(problem)}") from None
    return key_of(place, folder)
