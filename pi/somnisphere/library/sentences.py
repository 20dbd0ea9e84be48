"""A text into sentences, for telling and for bookmarks. Pure; by rules, so that the same text has the same ids always.

A sentence ends at one of ``. ! ? …`` (and their kin of other scripts) with the quotes and brackets that close
behind it, when white space follows and what follows does not go on in lower case; at ``。！？`` also without white
space. After an abbreviation or an initial a full stop ends nothing. What has no ending for very long is cut at a comma
or a space.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from somnisphere.story import Sentence

LONGEST = 500
"""Characters. A longer one is cut: no voice and no bookmark wants a sentence of two minutes."""

_STOPS = ".!?…‼⁇⁈⁉؟۔।॥։።׃။។"
_FULL_STOPS = "。！？｡．︒"
_CLOSERS = "\"'”’“‘»«›‹)]}」』）》〉】〕〗”״׳"
_FULL_CLOSERS = "\"'”’)]」』）》〉】〕〗"
"""Behind a full stop without white space “ and ‘ open what follows."""

_OPENERS = "\"'“‘„‚«»‹›([{「『（《〈【〔〖–—-¿¡*_"

_END = re.compile(
    rf"(?P<full>[{_FULL_STOPS}]+[{_FULL_STOPS}{re.escape(_STOPS)}]*)(?P<full_close>[{re.escape(_FULL_CLOSERS)}]*)"
    rf"|(?P<stop>[{re.escape(_STOPS)}]+(?:[ \u00a0\u202f][.…]+)*)"
    rf"(?P<close>(?:[\u00a0\u202f]?[{re.escape(_CLOSERS)}]| [»›](?=\s|\Z))*)"
)
_WORD = re.compile(r"[^\W_]")
_PARAGRAPH = re.compile(r"(?:[^\n]|\n(?![^\S\n]*\n))+")
_CJK = r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]"
_CJK_BREAK = re.compile(rf"(?<={_CJK})[^\S\n]*\n\s*(?={_CJK})")
_COMMA = re.compile(r"[,;:،؛、，；：—–](?=\s)|[、，；]")

_SHORTENED = """
mr mrs ms mx dr prof rev hon st sr jr messrs capt col gen lt sgt mt ft vs cf approx dept fig vol pp ed
e.g i.e z.b d.h u.a u.ä o.ä s.o s.u m.a.w p.ex c.-à-d p.e t.ex f.eks bl.a m.fl
hr fr frl nr bzw ca evtl ggf inkl sog str tel vgl geb
mme mlle mm mgr
sra srta dña d.ª ud uds sres
sig dott avv ing dra
dhr mevr mw drs bijv
г ул им тов проф гр др
"""
"""English, several words in one, German, French, Spanish, Italian with Portuguese, Dutch, Russian."""

_ABBREVIATIONS = frozenset(_SHORTENED.split())
_BEFORE_NUMBERS = frozenset({"no", "nos", "ch", "chap", "kap", "bd", "p", "s"})
_ORDINAL_LANGUAGES = frozenset(
    {"de", "da", "nb", "nn", "no", "fi", "cs", "sk", "hu", "et", "is", "lv", "pl", "sl", "hr"}
)
"""Where ``3.`` is "the third" as often as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Span:
    """One sentence as a stretch of its text: characters from ``begin`` up to, not with, ``end``."""

    begin: int
    end: int
    ends_paragraph: bool = False


def split(text: str, language: str = "", teller: str = "", first: int = 1) -> tuple[Sentence, ...]:
    """Sentences s1, s2, ... of a text whose paragraphs are parted by empty lines. ``first`` numbers the first."""
    return tuple(
        Sentence(f"s{number}", words(text[span.begin : span.end]), teller, span.ends_paragraph)
        for number, span in enumerate(spans(text, language), first)
    )


def words(text: str) -> str:
    """A stretch of text as one line. Lines of Chinese or Japanese are joined without a space."""
    return " ".join(_CJK_BREAK.sub("", text).split())


def spans(text: str, language: str = "") -> Iterator[Span]:
    """The sentences as stretches, in order, without overlap; together they hold all that is not white space."""
    for paragraph in _PARAGRAPH.finditer(text):
        inside = list(_in_paragraph(paragraph.group(), language.partition("-")[0].lower()))
        for index, (begin, end) in enumerate(inside, 1):
            yield Span(paragraph.start() + begin, paragraph.start() + end, index == len(inside))


def _in_paragraph(text: str, language: str) -> Iterator[tuple[int, int]]:
    begin = looked = 0
    for found in _END.finditer(text):
        has_words = _WORD.search(text, looked, found.end()) is not None
        if has_words and _ends(text, found, language):
            if not _WORD.search(text, found.end()):
                break  # a lone dash or quote behind the last word belongs to it
            yield from _cut(text, begin, found.end())
            begin = looked = found.end()
        elif not has_words:
            looked = found.end()
    yield from _cut(text, begin, len(text))


def _ends(text: str, found: re.Match[str], language: str) -> bool:
    following = text[found.end() : found.end() + 12]
    if not following:
        return True
    spaced = following[0].isspace()
    nxt = following.lstrip()[:1]
    if found["full"]:
        # 「おはよう。」と言った。 goes on behind its quote; 「A。」「B。」 does not.
        return not found["full_close"] or spaced or nxt in _OPENERS
    if not spaced:
        return False
    letter = next((c for c in following if not c.isspace() and c not in _OPENERS), "")
    if letter.islower():
        return False
    if found["stop"] != "." or found["close"]:
        return True
    return not _abbreviates(text[max(0, found.start() - 24) : found.start()], letter, language)


def _abbreviates(before: str, letter: str, language: str) -> bool:
    """Whether the full stop behind ``before`` belongs to its last word. ``letter``: the first of what follows."""
    word = re.search(r"[^\s(\[{\"'“‘„«»—–/]*\Z", before)
    last = word.group() if word else ""
    if last.lower() in _ABBREVIATIONS or (letter.isdecimal() and last.lower() in _BEFORE_NUMBERS):
        return True
    if len(last) == 1 and last.isupper():
        return last != "I"  # an initial; "I" is a person who speaks English
    return last.isdecimal() and len(last) <= 2 and language in _ORDINAL_LANGUAGES


def _cut(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """White space off both ends, and pieces no longer than ``LONGEST``."""
    while True:
        while begin < end and text[begin].isspace():
            begin += 1
        while end > begin and text[end - 1].isspace():
            end -= 1
        if end - begin <= LONGEST:
            break
        limit = begin + LONGEST
        commas = [found.end() for found in _COMMA.finditer(text, begin + LONGEST // 2, limit)]
        space = max(text.rfind(" ", begin + 1, limit), text.rfind("\n", begin + 1, limit))
        cut = commas[-1] if commas else space if space > begin else limit
        yield begin, cut
        begin = cut
    if begin < end:
        yield begin, end
