"""The lines of a .story's ``text.txt`` and the list of its ``marks.json``, read and written. Pure.

A line is an id, a space and a sentence. An empty line ends a paragraph. ``[Name]`` alone says who tells from here on,
``[]`` that it is the story's own teller again. A line that begins with # is for people.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from somnisphere.library.broken import UnreadableError
from somnisphere.story import Mark, Sentence

MOST_SENTENCES = 200_000
_ID = re.compile(r"[^\s#\[\]][^\s\[\]]{0,63}")
_SLACK_S = 0.05
"""Marks that overlap by no more were rounded."""


def parse_text(text: str, name: str) -> tuple[Sentence, ...]:
    """The sentences. Raises ``UnreadableError`` naming the line of ``name``."""
    sentences: list[Sentence] = []
    known: dict[str, int] = {}
    teller, ended = "", True
    for number, whole in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = whole.strip()
        where = f"{name}, line {number}"
        if line.startswith("#"):
            continue
        if not line:
            if not ended:
                sentences[-1] = _ending(sentences[-1])
                ended = True
            continue
        if line.startswith("["):
            if not line.endswith("]") or "]" in line[:-1]:
                raise UnreadableError(
                    f"{where}: a teller's name stands alone in brackets, as [Name]. Correct this line."
                )
            teller = " ".join(line[1:-1].split())
            continue
        sentence_id, _, words = line.partition(" ")
        if not _ID.fullmatch(sentence_id):
            raise UnreadableError(f"{where}: {sentence_id[:40]!r} cannot be an id. Begin the line with one, as s1.")
        if not words.strip():
            raise UnreadableError(
                f"{where}: an id and then a sentence are expected. Put an id ahead, or the words behind."
            )
        if sentence_id in known:
            raise UnreadableError(
                f"{where}: the id {sentence_id} is that of line {known[sentence_id]} already. Give it one of its own."
            )
        if len(sentences) >= MOST_SENTENCES:
            raise UnreadableError(
                f"{where}: there are more than {MOST_SENTENCES} sentences. Make several stories of it."
            )
        known[sentence_id] = number
        sentences.append(Sentence(sentence_id, " ".join(words.split()), teller))
        ended = False
    if not sentences:
        raise UnreadableError(f"{name} has no sentences. Write one a line: an id, a space, the sentence.")
    sentences[-1] = _ending(sentences[-1])
    return tuple(sentences)


def format_text(sentences: Iterable[Sentence]) -> str:
    """What ``parse_text`` reads as these sentences again (white space made single). ``ValueError`` for an id that
    cannot be one."""
    lines: list[str] = []
    teller = ""
    for sentence in sentences:
        if not _ID.fullmatch(sentence.id):
            raise ValueError(f"{sentence.id!r} cannot be the id of a sentence")
        named = re.sub(r"[\[\]]", "", " ".join(_writable(sentence.teller).split())).strip()
        if named != teller:
            teller = named
            lines.append(f"[{teller}]")
        lines.append(f"{sentence.id} {' '.join(_writable(sentence.text).split()) or '…'}")
        if sentence.ends_paragraph:
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def parse_marks(text: str, name: str, ids: Sequence[str], duration_s: float | None = None) -> tuple[Mark, ...]:
    """The marks of a recording. Raises ``UnreadableError`` naming the line, or which mark of the list it is."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise UnreadableError(f"{name} is nested too deep to be a list of marks.") from None
    except ValueError as problem:
        line = getattr(problem, "lineno", 1)
        raise UnreadableError(f"{name}, line {line}: this is not JSON. Correct it, or leave marks out.") from None
    if not isinstance(found, list) or len(found) > MOST_SENTENCES:
        raise UnreadableError(f"{name}: a list of marks {{id, begin_s, end_s}} is expected.")
    known = set(ids)
    marks: list[Mark] = []
    for number, item in enumerate(found, 1):
        where = f"{name}, mark {number}"
        begin_s, end_s, sentence_id = _of_item(item, where)
        if sentence_id and sentence_id not in known:
            raise UnreadableError(f"{where}: the text has no sentence {sentence_id[:40]!r}. Correct the id.")
        if marks and begin_s < marks[-1].end_s - _SLACK_S:
            raise UnreadableError(
                f"{where} begins at {begin_s:g} s, before the one ahead of it ends. Put them in order."
            )
        begin_s = max(begin_s, marks[-1].end_s) if marks else begin_s
        if end_s < begin_s:
            raise UnreadableError(f"{where} ends at {end_s:g} s, before it begins. Exchange begin_s and end_s.")
        if duration_s is not None and end_s > duration_s + 1.0:
            raise UnreadableError(
                f"{where} ends at {end_s:g} s; the recording is {duration_s:g} s long. Are they marks of another one?"
            )
        marks.append(Mark(begin_s, end_s, sentence_id))
    return tuple(marks)


def format_marks(marks: Iterable[Mark]) -> str:
    """JSON, one mark a line, to the millisecond."""
    lines = (
        json.dumps(
            {"id": mark.sentence_id, "begin_s": round(mark.begin_s, 3), "end_s": round(mark.end_s, 3)},
            ensure_ascii=False,
        )
        for mark in marks
    )
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _of_item(item: Any, where: str) -> tuple[float, float, str]:
    if not isinstance(item, dict):
        raise UnreadableError(f"{where}: expected {{id, begin_s, end_s}}.")
    times = [item.get(key) for key in ("begin_s", "end_s")]
    sentence_id = item.get("id", "")
    good = all(
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e7 and math.isfinite(value)
        for value in times
    )
    if not good or not isinstance(sentence_id, str):
        raise UnreadableError(f"{where}: begin_s and end_s are seconds from 0 on, id is the id of a sentence.")
    return float(times[0]), float(times[1]), sentence_id  # type: ignore[arg-type]


def _ending(sentence: Sentence) -> Sentence:
    return Sentence(sentence.id, sentence.text, sentence.teller, ends_paragraph=True)


def _writable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "")
