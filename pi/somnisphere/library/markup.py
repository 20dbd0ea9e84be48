"""The words of an (X)HTML page: blocks become paragraphs, and every ``id`` keeps the stretch of text it stands for.

Read as HTML even where XHTML is declared: a page with a missing end tag is a story still, and HTML knows no entities of
a page's own, so nothing can swell.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from somnisphere.library.broken import UnreadableError

_BLOCK_NAMES = """
address article aside blockquote body center dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr
html li main nav ol p pre section table td th tr ul
"""
_SILENT_NAMES = "head script style template audio video object math svg noscript rt rp iframe select"
"""What is not told. ``rt``: the small signs beside a Japanese word, which say it a second time."""

_SILENT_KIND_NAMES = """
pagebreak toc landmarks page-list copyright-page footnote footnotes endnote endnotes noteref index colophon
"""
"""Values of ``epub:type`` (EPUB Structural Semantics Vocabulary) that nobody reads aloud at a bed."""

_VOID_NAMES = "area base br col embed hr img input link meta param source track wbr"

_BLOCKS, _SILENT = frozenset(_BLOCK_NAMES.split()), frozenset(_SILENT_NAMES.split())
_SILENT_KINDS, _VOID = frozenset(_SILENT_KIND_NAMES.split()), frozenset(_VOID_NAMES.split())
_HEADINGS = frozenset({"h1", "h2", "h3"})
_DEEPEST = 256


@dataclass(frozen=True, slots=True)
class Page:
    """``text``: paragraphs parted by empty lines, white space made single. ``places``: id -> (begin, end) in it.
    ``heading``: the first one, "" without. ``title``: of its head."""

    text: str
    places: dict[str, tuple[int, int]]
    heading: str = ""
    title: str = ""


def read_page(markup: str) -> Page:
    """Never refuses a page but one nested deeper than any writer nests (``UnreadableError``)."""
    reader = _Reader()
    try:
        reader.feed(_without_traps(markup))
        reader.close()
    except AssertionError as problem:  # how Python's parser says that a marked section has a name it does not know
        raise UnreadableError(f"its page cannot be read ({problem}). Fetch the book again.") from None
    return reader.page()


def _without_traps(markup: str) -> str:
    """Tags and comments that never end are words: Python's parser looks for their end anew at each of them, and takes
    an hour over a page of a few hundred kilobytes (measured with 3.11)."""
    markup = _OPEN_TAG.sub("&lt;", markup)
    for begin, end in (("<!--", "-->"), ("<![CDATA[", "]]>")):
        ends = markup.rfind(end) + 1
        markup = markup[:ends] + markup[ends:].replace(begin, f"&lt;{begin[1:]}")
    return markup


_OPEN_TAG = re.compile(r"<(?!!--|!\[CDATA\[|![Dd])(?=[^<>]*(?:<|\Z))")
"""One behind which the next bracket opens again."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._length = 0
        self._gap = ""
        """White space that stands ahead of the next word: "", " " or an empty line."""
        self._open: list[tuple[str, str, bool, int]] = []
        """Tag, id, whether it is silent, and where it began."""
        self._silent = 0
        self._places: dict[str, tuple[int, int]] = {}
        self._heading: str = ""
        self._title: list[str] = []

    def page(self) -> Page:
        while self._open:
            self._close()
        text = "".join(self._pieces)
        places = {}
        for name, (begin, end) in self._places.items():
            while begin < end and text[begin].isspace():  # what parts it from the words ahead is not its own
                begin += 1
            places[name] = (begin, end)
        return Page(text, places, self._heading, " ".join("".join(self._title).split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in _BLOCKS:
            self._gap = "\n\n"
            if any(open_tag == "p" for open_tag, *_ in self._open):  # HTML: no block stands in a paragraph
                self.handle_endtag("p")
        elif tag == "br":
            self._gap = self._gap or " "
        if tag in _VOID:
            self._mark(found.get("id") or "", self._length)
            return
        if len(self._open) >= _DEEPEST:
            raise UnreadableError(f"It is nested deeper than {_DEEPEST} elements. Save the page again with an editor.")
        kinds = (found.get("epub:type") or "").split()
        silent = tag in _SILENT or not _SILENT_KINDS.isdisjoint(kinds) or "hidden" in found
        silent |= "pg-boilerplate" in (found.get("class") or "").split()  # Project Gutenberg's notes and licence
        self._silent += silent
        self._open.append((tag, found.get("id") or "", silent, self._length))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._gap = "\n\n"
        if any(open_tag == tag for open_tag, *_ in self._open):
            while self._open and self._close() != tag:
                pass

    def _close(self) -> str:
        tag, name, silent, begin = self._open.pop()
        self._silent -= silent
        self._mark(name, begin)
        if tag in _HEADINGS and not self._heading:
            self._heading = "".join(self._pieces)[begin:].strip() if self._length > begin else ""
        return tag

    def _mark(self, name: str, begin: int) -> None:
        if name:
            self._places.setdefault(name, (begin, self._length))

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "title":
            self._title.append(data)
        if self._silent or not data:
            return
        if data[0].isspace() or not data.strip():
            self._gap = self._gap or " "
        if words := data.split():
            self._put(self._gap if self._length else "")
            self._put(" ".join(words))
            self._gap = " " if data[-1].isspace() else ""

    def _put(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)
