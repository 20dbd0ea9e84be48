"""Writes ``.story`` files: what ``story_file.py`` reads back as the same book."""

import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from somnisphere.library.archive import open_archive
from somnisphere.library.broken import UnreadableError
from somnisphere.library.consent import consent_values
from somnisphere.library.story_file import FORMAT, MANIFEST, STORY_SUFFIX
from somnisphere.library.story_text import format_marks, format_text
from somnisphere.story import Book, Recording

_COVER_NAMES = {
    "image/jpeg": "cover.jpg",
    "image/png": "cover.png",
    "image/gif": "cover.gif",
    "image/webp": "cover.webp",
    "image/svg+xml": "cover.svg",
}
_MADE_AT = (1980, 1, 1, 0, 0, 0)
"""The same book is the same file, whenever it is packed."""


def write_story(book: Book, to: Path) -> None:
    """Pack a book into the zip file ``to``, whole or not at all. Raises ``OSError``, also for a recording gone."""
    half = to.with_name(f".{to.name}.half")
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in _parts(book):
                # Audio is packed already: a second time costs an hour of a small box and wins nothing.
                entry = zipfile.ZipInfo(name, _MADE_AT)
                entry.compress_type = zipfile.ZIP_STORED if isinstance(content, Path) else zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                if isinstance(content, bytes):
                    packed.writestr(entry, content)
                    continue
                entry.file_size = content.stat().st_size
                with content.open("rb") as source, packed.open(entry, "w") as out:
                    shutil.copyfileobj(source, out, 1 << 18)
        _sync(half)
        half.replace(to)
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


def write_story_folder(book: Book, to: Path) -> None:
    """The same as a folder NAME.story/. Raises ``OSError``; also when there is one of that name."""
    half = to.with_name(f".{to.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    try:
        half.mkdir(parents=True)
        for name, content in _parts(book):
            if isinstance(content, bytes):
                (half / name).write_bytes(content)
            else:
                shutil.copyfile(content, half / name)
        half.rename(to)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def unpack_story(path: Path, to: Path, cache: Path) -> Book:
    """A .story file into the folder ``to``; the book as it lies there. ``UnreadableError`` and ``OSError``."""
    from somnisphere.library.story_file import read_story

    with open_archive(path):
        book = read_story(path, to.name, cache)
    write_story_folder(book, to)
    return replace(book, path=to)


def file_name(title: str) -> str:
    """A name for a story's file: letters and digits of any script, no longer than a file system takes."""
    name = re.sub(r"[^\w]+", "-", title.casefold()).strip("-_")
    while len(name.encode()) > 120:
        name = name[:-1]
    return (name or "story") + STORY_SUFFIX


def _parts(book: Book) -> Iterator[tuple[str, bytes | Path]]:
    lines = [f"format = {FORMAT}"]
    values = {key: str(getattr(book, key)) for key in ("title", "teller", "language", "licence", "ages")}
    cover = _COVER_NAMES.get(book.cover.media_type, "") if book.cover else ""
    values |= {"cover": cover, "text": "text.txt" if book.sentences else ""}
    lines += [f"{key} = {_toml(value)}" for key, value in values.items() if value]
    names = [_audio_name(recording, n) for n, recording in enumerate(book.recordings, 1)]
    for n, (name, recording) in enumerate(zip(names, book.recordings, strict=True), 1):
        lines += ["", "[[recording]]", f"audio = {_toml(name)}"]
        lines += [f"teller = {_toml(recording.teller)}"] if recording.teller else []
        lines += [f"marks = {_toml(_marks_name(n))}"] if recording.marks else []
        lines += [f"{key} = {_toml(value)}" for key, value in consent_values(recording.consent).items()]
    yield MANIFEST, ("\n".join(lines) + "\n").encode("utf-8", "replace")
    if book.sentences:
        yield "text.txt", format_text(book.sentences).encode("utf-8", "replace")
    if book.cover and cover:
        yield cover, book.cover.data
    for n, (name, recording) in enumerate(zip(names, book.recordings, strict=True), 1):
        if recording.marks:
            yield _marks_name(n), format_marks(recording.marks).encode()
        if not recording.path.is_file():
            raise UnreadableError(f"The recording {recording.path} is gone. Put it back, or read the shelf again.")
        yield name, recording.path


def _audio_name(recording: Recording, n: int) -> str:
    return f"recording{'' if n == 1 else n}{recording.path.suffix.lower()}"


def _marks_name(n: int) -> str:
    return f"marks{'' if n == 1 else n}.json"


def _toml(text: str) -> str:
    """A basic string of TOML 1.0."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c for c in escaped) + '"'


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
