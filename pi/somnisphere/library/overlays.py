"""Media overlays of EPUB 3 (W3C EPUB 3.3, chapter 9): which stretch of which audio file tells which stretch of text.

An overlay may go by words, sentences or paragraphs, as its maker liked; ours go by sentences. Within a stretch the time
is shared out by characters.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from somnisphere.library.xml_tree import parse
from somnisphere.story import Mark

_CLOCK = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d+)?)(h|min|s|ms)?")
_UNIT_S = {"h": 3600.0, "min": 60.0, "s": 1.0, "ms": 0.001, None: 1.0}


@dataclass(frozen=True, slots=True)
class Clip:
    """``end_s`` None: up to the end of the file. Names are those of the archive."""

    page: str
    place: str
    audio: str
    begin_s: float
    end_s: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """Characters ``begin`` to ``end`` of one page, told from ``begin_s`` to ``end_s``."""

    begin: int
    end: int
    begin_s: float
    end_s: float

    def at_s(self, character: int) -> float:
        share = (character - self.begin) / (self.end - self.begin)
        return self.begin_s + min(1.0, max(0.0, share)) * (self.end_s - self.begin_s)


def clips_of(data: bytes, name: str) -> list[Clip]:
    """The clips of one SMIL file in order. Raises ``UnreadableError`` when it is not XML."""
    found: list[Clip] = []
    for par in parse(data, name).walk("par"):
        texts, sounds = par.walk("text"), par.walk("audio")
        if not texts or not sounds:
            continue
        page, place = resolve(name, texts[0].get("src"))
        audio, _ = resolve(name, sounds[0].get("src"))
        begin_s, end_s = clock_s(sounds[0].get("clipBegin")), clock_s(sounds[0].get("clipEnd"))
        if page and audio and (end_s is None or end_s > (begin_s or 0.0)):
            found.append(Clip(page, place, audio, begin_s or 0.0, end_s))
    return found


def resolve(base: str, link: str) -> tuple[str, str]:
    """What a link in the file ``base`` names: (file of the archive, fragment). ("", "") for what lies elsewhere."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return "", ""
    if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
        return "", ""
    path = unquote(parts.path)
    name = posixpath.normpath(posixpath.join(posixpath.dirname(base), path)) if path else base
    return ("", "") if name.startswith(("/", "..")) else (name, unquote(parts.fragment))


def clock_s(text: str) -> float | None:
    """Seconds of a SMIL clock value: 1:02:03.5, 2:03.5, 3.5s, 3.5min, 350ms."""
    found = _CLOCK.fullmatch(text.strip().removeprefix("npt="))
    if not found:
        return None
    hours, minutes, number, unit = found.groups()
    if minutes is not None and unit is not None:
        return None
    return int(hours or 0) * 3600.0 + int(minutes or 0) * 60.0 + float(number) * _UNIT_S[unit]


def marks_of(
    told: Mapping[str, Sequence[Told]], sentences: Mapping[str, Iterable[tuple[int, int, str]]]
) -> tuple[Mark, ...]:
    """``told`` per page, ``sentences`` per page as (begin, end, id) in order. One mark per sentence that is told."""
    marks: list[Mark] = []
    for page, stretches in told.items():
        waiting = sorted(stretches, key=lambda one: (one.begin, one.begin_s))
        first = 0
        for begin, end, sentence_id in sentences.get(page, ()):
            while first < len(waiting) and waiting[first].end <= begin:
                first += 1
            inside = []
            for one in waiting[first:]:
                if one.begin >= end:
                    break
                if one.end > begin:
                    inside.append((one.at_s(max(begin, one.begin)), one.at_s(min(end, one.end))))
            if inside:
                marks.append(Mark(min(b for b, _ in inside), max(e for _, e in inside), sentence_id))
    return without_overlap(marks)


def without_overlap(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """In order of time; where two overlap the first one ends as the second begins."""
    ordered = sorted(marks, key=lambda mark: (mark.begin_s, mark.end_s))
    kept = [
        Mark(mark.begin_s, min(mark.end_s, following.begin_s), mark.sentence_id)
        for mark, following in pairwise(ordered)
    ]
    return tuple(mark for mark in (*kept, *ordered[-1:]) if mark.end_s > mark.begin_s)
