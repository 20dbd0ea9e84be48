"""``.story`` files: a zip, or a folder NAME.story/ of the same content, in which ``story.toml`` says what it is::

    format = 1
    title = "The whale"
    teller = "Oma Ilse"        # this and what follows may be left out
    language = "en"            # BCP 47
    licence = "CC-BY-SA-4.0"
    ages = "4+"
    cover = "cover.jpg"
    text = "text.txt"          # a text, a recording, or both

    [[recording]]              # as many as there are; the first is the one that is played
    audio = "recording.opus"
    teller = "Oma Ilse"
    marks = "marks.json"
    consent = "circle"         # or "house": what the teller allowed, who said so, and when
    consent_by = "Oma Ilse"
    consent_on = "2026-11-28"

``text.txt`` has a sentence a line, ``marks.json`` where each is in the recording: see ``story_text.py``.
"""

import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

from somnisphere.library.archive import Archive, open_archive
from somnisphere.library.audio import AUDIO_SUFFIXES, read_audio
from somnisphere.library.audio_tags import LARGEST_COVER_BYTES, picture_type
from somnisphere.library.broken import UnreadableError
from somnisphere.library.consent import consent_of
from somnisphere.library.kept import Kept
from somnisphere.library.plain_text import decode
from somnisphere.library.story_text import parse_marks, parse_text
from somnisphere.library.titles import language_tag, one_line
from somnisphere.story import Book, Cover, Mark, Recording, Sentence

STORY_SUFFIX = ".story"
FORMAT = 1
MANIFEST = "story.toml"

_TEXTS = ("title", "teller", "language", "licence", "ages", "cover", "text")


def read_story(path: Path, key: str, cache: Path) -> Book:
    """A whole .story. Recordings of a zip are unpacked into ``cache``. Raises ``UnreadableError`` and ``OSError``."""
    with open_archive(path) as archive:
        inside = _Inside(archive)
        said = _manifest(inside)
        sentences: tuple[Sentence, ...] = ()
        if name := said.text("text"):
            sentences = parse_text(decode(inside.read(name, said.where("text")), name), name)
        recordings = tuple(_recording(inside, said, n, sentences, path, cache) for n in range(len(said.recordings)))
        if not sentences and not recordings:
            raise UnreadableError(f'{MANIFEST} names neither a text nor a recording. Add text = "text.txt".')
        return Book(
            key=key,
            title=one_line(said.text("title")),
            path=path,
            teller=one_line(said.text("teller")),
            language=language_tag(said.text("language")),
            licence=one_line(said.text("licence")),
            ages=one_line(said.text("ages")),
            sentences=sentences,
            recordings=recordings,
            cover=_cover(inside, said),
        )


class _Inside:
    """The archive from the folder on in which its ``story.toml`` lies: some pack the folder, not what is in it."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.prefix = ""
        if MANIFEST not in archive.names:
            deeper = [name for name in archive.names if re.fullmatch(rf"[^/]+/{re.escape(MANIFEST)}", name)]
            if len(deeper) != 1:
                raise UnreadableError(
                    f"There is no {MANIFEST} in it. Add one that says format = {FORMAT} and the title."
                )
            self.prefix = deeper[0].removesuffix(MANIFEST)

    def has(self, name: str) -> bool:
        return self.prefix + name in self.archive.names

    def read(self, name: str, where: str) -> bytes:
        if not self.has(name):
            raise UnreadableError(f"{where}: there is no {name[:80]!r} in it. Put it in, or correct the name.")
        return self.archive.read(self.prefix + name)


class _Manifest:
    """``story.toml`` with its words, so that a complaint can name the line."""

    def __init__(self, words: str, values: dict[str, Any]) -> None:
        self._lines = words.split("\n")
        self.values = values
        self.recordings: list[dict[str, Any]] = values.get("recording", [])

    def text(self, key: str) -> str:
        return str(self.values.get(key, ""))

    def where(self, key: str, nth: int = 0) -> str:
        """``story.toml, line N`` of the nth time that a key is set."""
        lines = [n for n, line in enumerate(self._lines, 1) if re.match(rf"\s*\[*{key}\]*\s*(=|$)", line)]
        return f"{MANIFEST}, line {lines[nth]}" if nth < len(lines) else MANIFEST


def _manifest(inside: _Inside) -> _Manifest:
    words = decode(inside.read(MANIFEST, MANIFEST), MANIFEST)
    try:
        values = tomllib.loads(words)
    except tomllib.TOMLDecodeError as problem:
        found = re.search(r"\(at line (\d+)", str(problem))
        line = found[1] if found else str(words.count("\n") + 1)
        raise UnreadableError(
            f"{MANIFEST}, line {line}: this is not TOML ({str(problem).partition(' (at')[0]})."
        ) from None
    except RecursionError:
        raise UnreadableError(f"{MANIFEST} is nested too deep.") from None
    said = _Manifest(words, values)
    if values.get("format") != FORMAT:
        raise UnreadableError(
            f"{said.where('format')}: format is {str(values.get('format', 'missing'))[:20]}; this version reads "
            f"format = {FORMAT}. Correct it, or bring Somnisphere up to date."
        )
    for key in _TEXTS:
        if not isinstance(values.get(key, ""), str):
            raise UnreadableError(f"{said.where(key)}: {key} is text in quotes. Correct it.")
    if not one_line(said.text("title")):
        raise UnreadableError(f'{said.where("title")}: the title is missing. Add title = "...".')
    if not isinstance(said.recordings, list) or not all(isinstance(one, dict) for one in said.recordings):
        raise UnreadableError(f"{said.where('recording')}: recordings begin with a line [[recording]]. Correct it.")
    for n, one in enumerate(said.recordings):
        for key in ("audio", "teller", "marks", "consent", "consent_by", "consent_on"):
            if not isinstance(one.get(key, ""), str):
                raise UnreadableError(f"{said.where(key, n)}: {key} is text in quotes. Correct it.")
        if not one.get("audio"):
            raise UnreadableError(f'{said.where("recording", n)}: it has no audio. Add audio = "FILE".')
    return said


def _recording(
    inside: _Inside, said: _Manifest, n: int, sentences: tuple[Sentence, ...], path: Path, cache: Path
) -> Recording:
    one = said.recordings[n]
    name, where = one["audio"], said.where("audio", n)
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in AUDIO_SUFFIXES:
        raise UnreadableError(
            f"{where}: {name[:80]!r} does not end as audio does (.opus, .mp3, ...). Correct the name."
        )
    if not inside.has(name):
        raise UnreadableError(f"{where}: there is no {name[:80]!r} in it. Put it in, or correct the name.")
    audio = unpacked(inside.archive, inside.prefix + name, path, cache)
    try:
        tags = read_audio(audio)
    except UnreadableError as problem:
        raise UnreadableError(f"{where}: {name}: {problem}") from None
    marks: tuple[Mark, ...] = ()
    if one.get("marks"):
        known = [sentence.id for sentence in sentences]
        data = decode(inside.read(one["marks"], where), one["marks"])
        marks = parse_marks(data, one["marks"], known, tags.duration_s)
    teller = one_line(one.get("teller", ""))
    return Recording(audio, teller, tags.duration_s, marks, tags.chapters, consent_of(one, teller, where))


def unpacked(archive: Archive, name: str, source: Path, cache: Path) -> Path:
    """Where the audio ``name`` of the archive ``source`` can be played: as it lies in a folder, else unpacked into
    ``cache``, once."""
    as_it_lies = archive.unpacked(name)
    if as_it_lies is not None:
        return as_it_lies
    kept = Kept(cache, source)
    number = archive.names.index(name)
    to = kept.file(f"{number}{PurePosixPath(name).suffix.lower()}")
    if kept.load(f"audio-{number}", str) == name and to.exists():
        return to
    half = to.with_name(f"{to.name}.half")
    try:
        archive.unpack(name, half)
        half.replace(to)
    finally:
        half.unlink(missing_ok=True)
    kept.save(f"audio-{number}", name)
    return to


def _cover(inside: _Inside, said: _Manifest) -> Cover | None:
    name = said.text("cover")
    if not name:
        return None
    data = inside.read(name, said.where("cover"))
    media_type = picture_type(data, "image/svg+xml" if name.lower().endswith(".svg") else "")
    if not media_type or len(data) > LARGEST_COVER_BYTES:
        most = LARGEST_COVER_BYTES // 1_000_000
        raise UnreadableError(
            f"{said.where('cover')}: {name[:80]!r} is no JPEG, PNG, WebP or SVG of {most} MB at most."
        )
    return Cover(data, media_type)
