"""Audio files as books: a recording with what its tags say."""

from dataclasses import replace
from pathlib import Path

from somnisphere.library import ffmpeg
from somnisphere.library.audio_tags import AudioTags, tags_of
from somnisphere.library.broken import UnreadableError
from somnisphere.library.titles import language_tag, one_line
from somnisphere.story import Chapter

_NAMES = """
mp3 mp2 m4a m4b mp4 aac ogg oga opus spx flac wav wma aiff aif aifc ape wv mpc tta ac3 dsf mka webm caf amr au
"""
AUDIO_SUFFIXES = frozenset(f".{name}" for name in _NAMES.split())

_UNKNOWN_TO_MUTAGEN = frozenset({".mka", ".webm", ".caf", ".amr", ".au"})


def read_audio(path: Path) -> AudioTags:
    """Its tags, and proof that it is audio. Raises ``UnreadableError`` and ``OSError``."""
    if not path.is_file():
        raise UnreadableError("This is not a file.")
    if path.stat().st_size == 0:
        raise UnreadableError("The file is empty.")
    suffix = path.suffix.lower()
    tags = tags_of(path)
    if tags is None:
        found = ffmpeg.probe(path) if suffix in _UNKNOWN_TO_MUTAGEN else None
        if found is not None:
            return _of_probe(found)
        if suffix in _UNKNOWN_TO_MUTAGEN and not ffmpeg.available():
            return AudioTags()  # nobody here can tell; the player will
        raise UnreadableError(f"This is not audio, though its name ends in {path.suffix}.")
    if suffix == ".m4b" and not tags.chapters:  # some write them as a track of text, which only ffprobe reads
        found = ffmpeg.probe(path)
        if found is not None:
            language = tags.language or language_tag(found.tags.get("language", ""))
            return replace(tags, chapters=_chapters(found), language=language)
    return tags


def _chapters(found: ffmpeg.Probe) -> tuple[Chapter, ...]:
    return tuple(Chapter(one_line(title), begin_s) for title, begin_s in found.chapters)


def _of_probe(found: ffmpeg.Probe) -> AudioTags:
    tags = found.tags
    return AudioTags(
        title=one_line(tags.get("title", "")),
        teller=one_line(tags.get("narrator") or tags.get("artist") or ""),
        language=language_tag(tags.get("language", "")),
        licence=one_line(tags.get("license") or tags.get("copyright") or ""),
        duration_s=found.duration_s,
        chapters=_chapters(found),
    )
