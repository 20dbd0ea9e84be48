"""One file or folder of the shelf as a book, whichever kind it is; never an exception for what lies there."""

import os
from collections.abc import Iterator
from pathlib import Path

from somnisphere.library.archive import MOST_FILES
from somnisphere.library.audio import AUDIO_SUFFIXES
from somnisphere.library.broken import Broken, UnreadableError, reason_of
from somnisphere.library.consent import beside, with_consent
from somnisphere.library.plain_text import TEXT_SUFFIXES
from somnisphere.library.titles import key_of, language_tag, one_line, title_from
from somnisphere.story import Book, Cover, Recording, Sentence

EPUB_SUFFIX, STORY_SUFFIX = ".epub", ".story"
SUFFIXES = AUDIO_SUFFIXES | TEXT_SUFFIXES | {EPUB_SUFFIX, STORY_SUFFIX}

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".svg")
_NO_STORY = ("readme", "license", "licence", "copying", "credits", "changelog", "notes")
"""Text files of these names are for whoever looks after the folder."""


def read(path: Path, shelf: Path, cache: Path) -> Book | Broken:
    """What ``path`` below the folder ``shelf`` holds. ``cache``: a folder for what takes long to work out.

    Beside an audio file a text of the same name belongs to it, and so does a picture (or ``cover.jpg``).
    """
    try:
        book = with_consent(_read(path, key_of(path, shelf), cache))
    except UnreadableError as problem:
        return Broken(path, str(problem))
    except OSError as problem:
        return Broken(path, f"The file cannot be read: {reason_of(problem)}. Check it and its rights.")
    from somnisphere.library.marks import with_known_marks

    return with_known_marks(book, cache)


def stories_below(folder: Path) -> Iterator[Path]:
    """All that looks like a story, in the order of names; nothing hidden, and nothing of the inside of a .story.
    Raises ``OSError`` when the folder itself cannot be read."""
    waiting = [folder]
    seen: set[Path] = set()
    found: list[Path] = []
    while waiting:
        inside = waiting.pop()
        try:
            real = inside.resolve()
            entries = list(inside.iterdir())
        except OSError:
            if inside == folder:
                raise
            continue
        if real in seen or len(found) > MOST_FILES:  # a link that leads back up
            continue
        seen.add(real)
        for path in entries:
            if path.name.startswith("."):
                continue
            suffix = path.suffix.lower()
            if suffix in SUFFIXES and not _is_companion(path):
                found.append(path)
            elif _is_folder(path):
                waiting.append(path)
    yield from sorted(found)


def changed_ns(folder: Path) -> int:
    """When files last came, went or were renamed below ``folder`` (.story folders too); 0: there is no such folder.
    Cheap enough to ask every evening."""
    latest = 0
    for inside, _, _ in os.walk(folder):
        try:
            latest = max(latest, os.stat(inside).st_mtime_ns)
        except OSError:
            continue
    return latest


def companions(path: Path) -> tuple[Path, ...]:
    """What belongs to a file beside it: what its teller allowed, and to audio a text and a picture of the same name."""
    allowed = (consent,) if (consent := beside(path)).is_file() else ()
    if path.suffix.lower() not in AUDIO_SUFFIXES:
        return allowed
    named_alike = (path.with_suffix(suffix) for suffix in (*sorted(TEXT_SUFFIXES), *_PICTURES))
    return (*(file for file in named_alike if file.is_file()), *allowed)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_companion(path: Path) -> bool:
    """A text that an audio file beside it tells, or one that is no story."""
    if path.suffix.lower() not in TEXT_SUFFIXES:
        return False
    return path.stem.lower() in _NO_STORY or any(path.with_suffix(suffix).is_file() for suffix in AUDIO_SUFFIXES)


def _read(path: Path, key: str, cache: Path) -> Book:
    suffix = path.suffix.lower()
    if suffix == STORY_SUFFIX:
        from somnisphere.library.story_file import read_story

        return read_story(path, key, cache)
    if not path.is_file():
        raise UnreadableError("This is not a file.")
    if path.stat().st_size == 0:
        raise UnreadableError("The file is empty.")
    if suffix == EPUB_SUFFIX:
        from somnisphere.library.epub import read_epub

        return read_epub(path, key, cache)
    if suffix in TEXT_SUFFIXES:
        return _read_text(path, key)
    if suffix in AUDIO_SUFFIXES:
        return _read_audio(path, key)
    raise UnreadableError(f"Nothing here reads {path.suffix or 'a file without an ending'}.")


def _read_text(path: Path, key: str) -> Book:
    from somnisphere.library.plain_text import read_text
    from somnisphere.library.sentences import split

    text = read_text(path)
    head = text.head
    language = language_tag(head.get("language") or head.get("lang") or "")
    return Book(
        key=key,
        title=one_line(head.get("title", "")) or title_from(path),
        path=path,
        teller=one_line(head.get("teller") or head.get("narrator") or ""),
        language=language,
        licence=one_line(head.get("licence") or head.get("license") or ""),
        ages=one_line(head.get("ages", "")),
        sentences=split(text.body, language),
        cover=_cover_beside(path),
    )


def _read_audio(path: Path, key: str) -> Book:
    from somnisphere.library.audio import read_audio

    tags = read_audio(path)
    told: Book | None = None
    for text in companions(path):
        if text.suffix.lower() in TEXT_SUFFIXES and told is None:
            try:
                told = _read_text(text, key)
            except (UnreadableError, OSError) as problem:
                words = problem if isinstance(problem, UnreadableError) else f"{text.name}: {reason_of(problem)}."
                raise UnreadableError(f"The text beside it cannot be used: {words}") from None
    sentences: tuple[Sentence, ...] = told.sentences if told else ()
    recording = Recording(path, tags.teller, tags.duration_s, (), tags.chapters)
    return Book(
        key=key,
        title=tags.title or (told.title if told else title_from(path)),
        path=path,
        teller=tags.teller or (told.teller if told else ""),
        language=tags.language or (told.language if told else ""),
        licence=tags.licence or (told.licence if told else ""),
        ages=told.ages if told else "",
        sentences=sentences,
        recordings=(recording,),
        cover=tags.cover or _cover_beside(path),
    )


def _cover_beside(path: Path) -> Cover | None:
    from somnisphere.library.audio_tags import LARGEST_COVER_BYTES, picture_type

    for picture in (*(path.with_suffix(s) for s in _PICTURES), *(path.with_name(f"cover{s}") for s in _PICTURES)):
        try:
            if picture.is_file() and picture.stat().st_size <= LARGEST_COVER_BYTES:
                data = picture.read_bytes()
                if media_type := picture_type(data, "image/svg+xml" if picture.suffix.lower() == ".svg" else ""):
                    return Cover(data, media_type)
        except OSError:
            continue  # a story without its picture is a story
    return None
