"""What an audio file says of itself, in whichever way its format writes it. The only file with mutagen.

ID3v2 (id3.org, with the chapter addendum 1.0), Vorbis comments (xiph.org, with its chapter extension), MP4 atoms, ASF
attributes, APEv2 items, and the INFO list of RIFF, which mutagen leaves out.
"""

import base64
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import Picture

from somnisphere.library.broken import UnreadableError, reason_of
from somnisphere.library.titles import language_tag, one_line
from somnisphere.story import Chapter, Cover

MOST_CHAPTERS = 2000
LARGEST_COVER_BYTES = 5_000_000

_TITLE = ("TIT2", "title", "\xa9nam", "Title", "INAM")
_TELLER = (
    *("TXXX:NARRATOR", "TXXX:narrator", "narrator", "\xa9nrt", "----:com.apple.iTunes:NARRATOR", "performer"),
    *("TPE1", "artist", "\xa9ART", "Author", "IART", "TPE2", "albumartist", "aART", "WM/AlbumArtist"),
)
"""Who reads aloud comes ahead of who wrote it."""

_LANGUAGE = ("TLAN", "language", "----:com.apple.iTunes:LANGUAGE", "WM/Language", "ILNG")
_LICENCE = ("WCOP", "license", "licence", "TCOP", "copyright", "cprt", "Copyright", "ICOP")


@dataclass(frozen=True, slots=True)
class AudioTags:
    """``duration_s`` None: the file does not say. Texts are "" where nothing is said."""

    title: str = ""
    teller: str = ""
    language: str = ""
    licence: str = ""
    duration_s: float | None = None
    chapters: tuple[Chapter, ...] = ()
    cover: Cover | None = None


def tags_of(path: Path) -> AudioTags | None:
    """None: no kind of audio that mutagen knows. ``UnreadableError`` for one that is damaged, and ``OSError``."""
    with path.open("rb"):
        pass  # a file that may not be read says so itself; mutagen wraps it
    try:
        audio = mutagen.File(path)
    except mutagen.MutagenError as problem:
        raise UnreadableError(f"The file cannot be read as audio: {reason_of(problem)}.") from None
    except Exception as problem:  # on damaged headers it raises what its arithmetic raises
        raise UnreadableError(f"The file is damaged: its head cannot be read ({reason_of(problem)}).") from None
    if audio is None or audio.info is None:
        return None
    duration_s = float(getattr(audio.info, "length", 0.0) or 0.0)
    kept = _Fields(audio, path)
    return AudioTags(
        title=kept.first(_TITLE),
        teller=kept.first(_TELLER),
        language=language_tag(kept.first(_LANGUAGE)),
        licence=kept.first(_LICENCE),
        duration_s=duration_s if 0 < duration_s < 1e7 else None,
        chapters=_chapters(audio),
        cover=_cover(audio),
    )


class _Fields:
    """The tags of a file under the names of their own format."""

    def __init__(self, audio: Any, path: Path) -> None:
        self._tags = audio.tags
        self._info = _riff_info(path) if path.suffix.lower() == ".wav" else {}

    def first(self, names: Iterable[str]) -> str:
        for name in names:
            text = one_line(self._get(name) or self._info.get(name, ""))
            if text:
                return text
        return ""

    def _get(self, name: str) -> str:
        if self._tags is None:
            return ""
        try:
            value = self._tags[name]
        except (KeyError, ValueError, TypeError):
            return ""
        value = getattr(value, "text", value)  # an ID3 frame
        value = getattr(value, "url", value)
        while isinstance(value, list | tuple):
            value = value[0] if value else ""
        value = getattr(value, "value", value)  # ASF
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _riff_info(path: Path) -> dict[str, str]:
    """The INFO list of a WAV file (Multimedia Programming Interface and Data Specifications 1.0)."""
    found: dict[str, str] = {}
    with path.open("rb") as file:
        file.seek(12)
        for _ in range(64):
            head = file.read(8)
            if len(head) < 8:
                break
            name, size = struct.unpack("<4sI", head)
            if name != b"LIST" or size > 100_000:
                file.seek(size + size % 2, 1)
                continue
            data = file.read(size + size % 2)
            at = 4
            while data.startswith(b"INFO") and at + 8 <= len(data):
                key, length = struct.unpack_from("<4sI", data, at)
                text = data[at + 8 : at + 8 + length].split(b"\0")[0]
                found[key.decode("latin-1")] = text.decode("utf-8", "replace")
                at += 8 + length + length % 2
    return found


def _chapters(audio: Any) -> tuple[Chapter, ...]:
    found = sorted(_each_chapter(audio), key=lambda chapter: chapter.begin_s)[:MOST_CHAPTERS]
    return tuple(found)


def _each_chapter(audio: Any) -> Iterator[Chapter]:
    for chapter in getattr(audio, "chapters", None) or ():  # MP4
        yield Chapter(one_line(chapter.title), float(chapter.start))
    tags = audio.tags
    if hasattr(tags, "getall"):  # ID3
        for frame in tags.getall("CHAP"):
            names = [str(name) for title in frame.sub_frames.getall("TIT2") for name in title.text]
            yield Chapter(one_line(names[0] if names else frame.element_id), frame.start_time / 1000.0)
    elif hasattr(tags, "as_dict"):  # Vorbis comments
        comments = tags.as_dict()
        for key, values in comments.items():
            number = re.fullmatch(r"chapter(\d{3})", key)
            clock = re.fullmatch(r"(\d+):([0-5]?\d):([0-5]?\d(?:\.\d+)?)", values[0].strip()) if number else None
            if number and clock:
                begin_s = int(clock[1]) * 3600.0 + int(clock[2]) * 60.0 + float(clock[3])
                yield Chapter(one_line(comments.get(f"{key}name", [""])[0]), begin_s)


def _cover(audio: Any) -> Cover | None:
    for data, kind in _pictures(audio):
        if 0 < len(data) <= LARGEST_COVER_BYTES and (media_type := picture_type(data, kind)):
            return Cover(bytes(data), media_type)
    return None


def _pictures(audio: Any) -> Iterator[tuple[bytes, str]]:
    tags = audio.tags
    for picture in getattr(audio, "pictures", ()):  # FLAC
        yield picture.data, picture.mime
    if hasattr(tags, "getall"):
        for frame in sorted(tags.getall("APIC"), key=lambda frame: frame.type != 3):  # 3: the front
            yield frame.data, frame.mime
        return
    if tags is None:
        return
    for name in ("metadata_block_picture", "covr", "WM/Picture", "Cover Art (Front)"):
        try:
            values = tags[name]
        except (KeyError, ValueError, TypeError):
            continue
        for value in values if isinstance(values, list) else [values]:
            try:
                yield _picture_bytes(name, value), ""
            except (ValueError, TypeError, mutagen.MutagenError, struct.error):
                continue


def _picture_bytes(name: str, value: Any) -> bytes:
    if name == "metadata_block_picture":
        return bytes(Picture(base64.b64decode(value)).data)  # type: ignore[no-untyped-call]
    data = bytes(getattr(value, "value", value))
    if name == "Cover Art (Front)":
        return data.partition(b"\0")[2]  # a file name is ahead of it
    if name == "WM/Picture":  # kind, length, type and words in UTF-16, then the picture
        (length,) = struct.unpack_from("<I", data, 1)
        return data[-length:] if 0 < length < len(data) else b""
    return data


def picture_type(data: bytes, said: str = "") -> str:
    """The MIME type of a picture by its first bytes; "" when it is none a browser shows."""
    for magic, media_type in (
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF8", "image/gif"),
    ):
        if data.startswith(magic):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if said == "image/svg+xml" or b"<svg" in data[:1000] else ""
