"""A table becomes a story of the shelf: a ``.story`` file with a teller for each sentence, and with the voices, where
every line was said."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from somnisphere.library.broken import UnreadableError, reason_of
from somnisphere.library.ffmpeg import join
from somnisphere.library.sentences import split
from somnisphere.library.story_file import STORY_SUFFIX
from somnisphere.library.story_writer import file_name, write_story
from somnisphere.story import Book, Consent, Mark, Recording, Sentence
from somnisphere.weaver.table import Table


class NotBoundError(Exception):
    """Why not, and what to do."""


def bind(table: Table, folder: Path, recordings: Mapping[str, Path]) -> Path:
    """The new file in ``folder``. ``recordings``: by the names that lines have. Raises ``NotBoundError``."""
    if not table.lines:
        raise NotBoundError("there is no line on the table yet")
    to = folder / f"{Path(file_name(table.title)).stem}{STORY_SUFFIX}"
    if to.exists():
        raise NotBoundError(f"there is a story {to.name} already; give this one another title")
    sentences, counts = sentences_of(table)
    tellers = ", ".join(dict.fromkeys(line.teller for line in table.lines if line.teller))
    try:
        with tempfile.TemporaryDirectory() as room:
            told = _recording(table, sentences, counts, recordings, Path(room)) if table.is_recorded else None
            recordings_of = () if told is None else (told,)
            write_story(
                Book(to.name, table.title, to, tellers, table.language, sentences=sentences, recordings=recordings_of),
                to,
            )
    except OSError as problem:
        raise NotBoundError(f"{to} cannot be written: {reason_of(problem)}") from None
    except UnreadableError as problem:
        raise NotBoundError(str(problem)) from None
    return to


def sentences_of(table: Table) -> tuple[tuple[Sentence, ...], list[int]]:
    """All of them, and how many each line has."""
    sentences: list[Sentence] = []
    counts = []
    for line in table.lines:
        own = split(line.text, table.language, line.teller, first=len(sentences) + 1)
        sentences += own
        counts.append(len(own))
    return tuple(sentences), counts


def _recording(
    table: Table, sentences: tuple[Sentence, ...], counts: list[int], recordings: Mapping[str, Path], room: Path
) -> Recording:
    """The voices one after the other. Within a line its sentences share its time by their length: a bookmark is then
    off by a sentence at the most."""
    parts = []
    for line in table.lines:
        if line.recording not in recordings:
            raise NotBoundError("a voice that was recorded for this story is gone; record that line again")
        parts.append((recordings[line.recording], line.recording_s))
    to = room / "voices.mka"
    join(parts, to)
    marks: list[Mark] = []
    begin_s, number = 0.0, 0
    for line, count in zip(table.lines, counts, strict=True):
        own = sentences[number : number + count]
        whole = sum(len(sentence.text) for sentence in own)
        at_s = begin_s
        for sentence in own:
            end_s = at_s + line.recording_s * len(sentence.text) / whole
            marks.append(Mark(at_s, end_s, sentence.id))
            at_s = end_s
        begin_s += line.recording_s
        number += count
    tellers = ", ".join(dict.fromkeys(line.teller for line in table.lines if line.teller))
    allowed = table.allowed
    consent = (
        None if allowed is None or not (allowed.by and allowed.on) else Consent(allowed.by, allowed.on, allowed.circle)
    )
    return Recording(to, tellers, begin_s, tuple(marks), consent=consent)
