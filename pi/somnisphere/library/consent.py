"""What the teller of a recording allowed: in ``story.toml``, or in a small file beside a recording of any kind.

``whale.opus.consent.toml`` goes where ``whale.opus`` goes::

    consent = "circle"         # may go to other households; "house": stays in this one
    consent_by = "Oma Ilse"
    consent_on = "2026-11-28"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from somnisphere.library.broken import UnreadableError
from somnisphere.library.titles import one_line
from somnisphere.own_files import like_its_folder
from somnisphere.small_file import write_text
from somnisphere.story import Book, Consent

SUFFIX = ".consent.toml"
LARGEST_BYTES = 10_000

_CIRCLE, _HOUSE = "circle", "house"


def consent_of(values: Mapping[str, Any], teller: str, where: str) -> Consent | None:
    """What such keys say; ``where`` they stand, for a complaint. Raises ``UnreadableError``."""
    said = values.get("consent", "")
    if not said:
        return None
    if said not in (_CIRCLE, _HOUSE):
        raise UnreadableError(f'{where}: consent is "circle" or "house", not {str(said)[:40]!r}. Correct it.')
    by, on = one_line(values.get("consent_by", "") or teller), values.get("consent_on", "")
    try:
        day = date.fromisoformat(str(on))
    except ValueError:
        raise UnreadableError(f"{where}: consent_on is a day such as 2026-11-28, in quotes. Correct it.") from None
    if not by:
        raise UnreadableError(f"{where}: consent_by is missing. Add who allowed it.")
    return Consent(by, day.isoformat(), said == _CIRCLE)


def consent_values(consent: Consent | None) -> dict[str, str]:
    """The keys and values that say it."""
    if consent is None:
        return {}
    return {"consent": _CIRCLE if consent.circle else _HOUSE, "consent_by": consent.by, "consent_on": consent.on}


def beside(path: Path) -> Path:
    """Where the consent to a file or folder of the shelf is written."""
    return path.with_name(path.name + SUFFIX)


def with_consent(book: Book) -> Book:
    """The book with what is written beside it, for recordings that say nothing themselves. What cannot be read is no
    consent: the story is told as ever, and stays in this house."""
    file = beside(book.path)
    if not book.recordings or not file.is_file():
        return book
    try:
        with file.open("rb") as opened:
            values = tomllib.loads(opened.read(LARGEST_BYTES).decode())
        recordings = tuple(
            one if one.consent else replace(one, consent=consent_of(values, one.teller or book.teller, file.name))
            for one in book.recordings
        )
    except (ValueError, OSError, RecursionError, UnreadableError):
        return book
    return replace(book, recordings=recordings)


def write_consent(path: Path, consent: Consent) -> None:
    """Write it beside a file or folder of the shelf. Raises ``OSError``."""
    lines = []
    for key, value in consent_values(consent).items():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'{key} = "{escaped}"')
    write_text(beside(path), "\n".join(lines) + "\n")
    like_its_folder(beside(path))
