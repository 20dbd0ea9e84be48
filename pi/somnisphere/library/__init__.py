"""A folder of stories is the shelf: read it, and say why a file cannot be told. The only file with mutagen."""

from dataclasses import dataclass
from pathlib import Path

import mutagen

from somnisphere.story import Story

STARTER_FOLDER = Path(__file__).parent.parent / "stories"
"""The stories that come with the project; used when the household named no folder of its own."""

AUDIO_SUFFIXES = frozenset({".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".flac", ".wav", ".wma", ".aiff"})

TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that looks like a story and is none. ``reason`` is a sentence for a person."""

    path: Path
    reason: str


def scan(folder: Path) -> tuple[list[Story], list[Broken]]:
    """All stories below ``folder``, in the order of their paths, and the files that are broken.

    A folder that is missing or not readable is one ``Broken``: the evening goes on without stories.
    """
    stories: list[Story] = []
    broken: list[Broken] = []
    try:
        if not folder.is_dir():
            return [], [
                Broken(folder, f"There is no story folder {folder}; make it, or name another in the configuration.")
            ]
        paths = sorted(path for path in folder.rglob("*") if _looks_like_story(path, folder))
    except OSError as error:
        return [], [Broken(folder, f"The story folder cannot be read: {error.strerror or error}.")]
    for path in paths:
        found = _read(path, _clean(path.relative_to(folder).as_posix()))
        (stories if isinstance(found, Story) else broken).append(found)  # type: ignore[arg-type]
    return stories, broken


def _looks_like_story(path: Path, folder: Path) -> bool:
    """Audio by its name, and neither hidden itself nor inside a hidden folder (such as a trash)."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in AUDIO_SUFFIXES


def _read(path: Path, key: str) -> Story | Broken:
    try:
        if not path.is_file():
            return Broken(path, "This is not a file.")
        if path.stat().st_size == 0:
            return Broken(path, "The file is empty.")
        audio = mutagen.File(path, easy=True)
    except (OSError, mutagen.MutagenError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Broken(path, f"The file cannot be read as audio: {reason or type(error).__name__}.")
    if audio is None or audio.info is None:
        return Broken(path, f"This is not audio, though its name ends in {path.suffix}.")
    duration_s = float(getattr(audio.info, "length", 0.0) or 0.0)
    return Story(key=key, title=_title(audio, path), path=path, duration_s=duration_s if duration_s > 0 else None)


def _title(audio: object, path: Path) -> str:
    """The title of its tags, else its file name made readable."""
    tags = getattr(audio, "tags", None) or {}
    try:
        title = str((tags.get("title") or [""])[0]).strip()
    except (KeyError, ValueError, IndexError, TypeError):  # tags of a kind without easy names (WAV, AIFF)
        title = ""
    title = title or path.stem.replace("_", " ").replace("-", " ").strip() or path.name
    return " ".join(_clean(title).split())[:TITLE_LENGTH]


def _clean(name: str) -> str:
    """A name that can be written anywhere: file names of another encoding have bytes that are no characters."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c if c.isprintable() else " " for c in name)
