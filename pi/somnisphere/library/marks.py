"""Where the sentences lie in a recording, found from its pauses, once, and kept."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from somnisphere.library import ffmpeg
from somnisphere.library.broken import UnreadableError, reason_of
from somnisphere.library.kept import Kept
from somnisphere.story import Book, Mark, Recording, Sentence


@dataclass(frozen=True, slots=True)
class Marked:
    """``problem`` is a sentence for a person where there are no marks, else ""."""

    marks: tuple[Mark, ...] = ()
    problem: str = ""


def find_marks(audio: Path, sentences: Sequence[Sentence] = (), cache: Path | None = None) -> Marked:
    """Decodes the recording (an hour takes seconds on a desktop, a minute or so on a small box) unless its marks are
    kept in ``cache`` already. With ``sentences`` each mark has its id; without, or when they do not fit, none has."""
    known = known_marks(audio, sentences, cache) if cache else None
    if known is not None:
        return Marked(known)
    if not ffmpeg.available():
        return Marked(problem=ffmpeg.MISSING)
    from somnisphere.library.alignment import align
    from somnisphere.library.pauses import heard

    try:
        speech = heard(ffmpeg.decode(audio), ffmpeg.RATE_HZ)
    except UnreadableError as problem:
        return Marked(problem=str(problem))
    except OSError as problem:
        return Marked(problem=f"{audio.name} cannot be decoded: {reason_of(problem)}.")
    if not speech:
        return Marked(problem=f"No pauses can be heard in {audio.name} (is there music all through?).")
    marks = align(speech, sentences) or tuple(Mark(begin_s, end_s) for begin_s, end_s in speech)
    if cache is not None:
        Kept(cache, audio).save(_kind(sentences), [(mark.begin_s, mark.end_s, mark.sentence_id) for mark in marks])
    return Marked(marks)


def known_marks(audio: Path, sentences: Sequence[Sentence], cache: Path) -> tuple[Mark, ...] | None:
    """What ``find_marks`` found earlier in this file with this text. None: nothing yet. Never decodes."""
    try:
        found = Kept(cache, audio).load(_kind(sentences), list[tuple[float, float, str]])
    except OSError:
        return None
    return None if found is None else tuple(Mark(*mark) for mark in found)


def with_known_marks(book: Book, cache: Path) -> Book:
    """The book with what earlier runs found of its recordings. Cheap."""
    return replace(book, recordings=tuple(_known(recording, book, cache) for recording in book.recordings))


def with_marks(book: Book, cache: Path) -> tuple[Book, str]:
    """The book with marks for each recording, found now where they are not known; and what stood in the way."""
    recordings, problem = [], ""
    for recording in book.recordings:
        if not recording.marks:
            marked = find_marks(recording.path, book.sentences, cache)
            problem = problem or marked.problem
            recording = replace(recording, marks=marked.marks)
        recordings.append(recording)
    return replace(book, recordings=tuple(recordings)), problem


def _known(recording: Recording, book: Book, cache: Path) -> Recording:
    if recording.marks:
        return recording
    return replace(recording, marks=known_marks(recording.path, book.sentences, cache) or ())


def _kind(sentences: Sequence[Sentence]) -> str:
    """Marks belong to a text; another text finds others."""
    words = "\n".join(f"{one.id} {one.text}" for one in sentences)
    return f"marks-{zlib.crc32(words.encode('utf-8', 'surrogatepass')):08x}"
