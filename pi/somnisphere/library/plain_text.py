"""Stories as text files: plain, or Markdown reduced to its words, with ``key: value`` lines ahead between ``---``."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from somnisphere.library.broken import UnreadableError

TEXT_SUFFIXES = frozenset({".txt", ".md", ".markdown"})

LARGEST_BYTES = 10_000_000
"""The longest novels have five million characters."""

_KEY = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*))?")

_FRAME_BEGINS = re.compile(r"^\*{3} ?START OF TH(?:E|IS) PROJECT GUTENBERG EBOOK\b[^\n]*$", re.M | re.I)
_FRAME_ENDS = re.compile(r"^(?:\*{3} ?)?END OF TH(?:E|IS) PROJECT GUTENBERG EBOOK\b", re.M | re.I)

# Every stretch has a longest length: a text made to be slow is read in time, too.
_MARKDOWN: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.M), by)
    for pattern, by in (
        (r"<!--(?:.|\n){0,500}?-->", ""),
        (r"^ {0,3}(?:```|~~~).*$", ""),
        (r"^ {0,3}(?:[-*_][ \t]*){3,}$", "\n"),  # a rule between scenes
        (r"^(?=.*\S)(.*)\n {0,3}(?:=+|-+)[ \t]*$", r"\n\1\n"),  # a heading with a line below
        (r"^ {0,3}#{1,6}[ \t]+(.*)$", lambda found: f"\n{_heading(found[1])}\n"),
        (r"^ {0,3}\[[^\]]+\]:[ \t].*$", ""),  # where a link goes
        (r"^[ \t]*(?:>[ \t]?)+", ""),
        (r"^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+", "\n"),
        (r"!\[[^\[\]]{0,300}\](?:\([^()\n]{0,300}\)|\[[^\[\]]{0,300}\])", ""),
        (r"\[\^[^\[\]]{1,100}\]", ""),
        (r"\[([^\[\]]{1,300})\](?:\([^()\n]{0,300}\)|\[[^\[\]]{0,300}\])", r"\1"),
        (r"<(https?://[^<>\s]{1,300})>", r"\1"),
        (r"</?[A-Za-z][^<>\n]{0,300}>", ""),
        (r"(?<!\\)(`{1,3})([^`\n]{1,300})\1", r"\2"),
        (r"(?<![\\\w*])(\*{1,3})(?=\S)((?:[^\n]|\n(?!\n)){1,400}?)(?<=\S)\1(?![*])", r"\2"),
        (r"(?<![\\\w])(_{1,3})(?=\S)((?:[^\n]|\n(?!\n)){1,400}?)(?<=\S)\1(?!\w)", r"\2"),
        (r"~~(?=\S)([^~\n]{1,300})~~", r"\1"),
        (r"(?:\\|(?<! ) {2,})$", ""),
        (r"\\([!-/:-@\[-`{-~])", r"\1"),
    )
)


@dataclass(frozen=True, slots=True)
class Text:
    """``body``: paragraphs parted by empty lines. ``head``: what stood ahead of it, keys in lower case."""

    body: str
    head: dict[str, str] = field(default_factory=dict)


def read_text(path: Path) -> Text:
    """A text file without its marks. Raises ``UnreadableError`` and ``OSError``."""
    with path.open("rb") as file:
        data = file.read(LARGEST_BYTES + 1)
    head, body = _front_matter(decode(data, path.name), path.name)
    body = _without_frame(body)
    if path.suffix.lower() != ".txt":
        body = plain(body, head)
    if not any(c.isalnum() for c in body):
        raise UnreadableError(f"{path.name} has no words. Write the story into it, or remove it.")
    return Text(body, head)


def decode(data: bytes, name: str) -> str:
    """Text of UTF-8, or of UTF-16 that says so, with line ends as ``\\n``. ``name`` is for what is said."""
    if len(data) > LARGEST_BYTES:
        raise UnreadableError(f"{name} is longer than {LARGEST_BYTES // 1_000_000} MB of text. Split it into several.")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise UnreadableError(f"{name}, line {line}: this is not text in UTF-8. Save it as UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableError(f"{name}, line {line}: this is not text. Put a text file in its place, or remove it.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def plain(body: str, head: dict[str, str] | None = None) -> str:
    """Markdown as its words. A first heading becomes the title in ``head`` when there is none, and is not told then."""
    found = re.match(r"\s*#[ \t]+(.+)(?:\n|\Z)", body)
    first = _heading(found[1]) if found else ""
    if head is not None and found and first and head.setdefault("title", first).casefold() == first.casefold():
        rest = body[found.end() :]
        body = rest if rest.strip() else body
    for pattern, by in _MARKDOWN:
        body = pattern.sub(by, body)
    if head is not None and first and head.get("title") == first:
        head["title"] = html.unescape(re.sub(r"[*_`]", "", first))
    return html.unescape(body)


def _heading(line: str) -> str:
    """Without the signs that close it."""
    return line.rstrip(" \t").rstrip("#").rstrip(" \t")


def _without_frame(body: str) -> str:
    """The story alone of what Project Gutenberg frames with its notes and its licence."""
    begin = _FRAME_BEGINS.search(body)
    end = _FRAME_ENDS.search(body, begin.end()) if begin else None
    return body[begin.end() : end.start() if end else len(body)] if begin else body


def _front_matter(text: str, name: str) -> tuple[dict[str, str], str]:
    lines = text.split("\n")
    if lines[0].rstrip() != "---" or len(lines) < 2 or not _KEY.fullmatch(lines[1].rstrip()):
        return {}, text
    head: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        line = line.strip()
        if line == "---":
            return head, "\n".join(lines[number:])
        found = _KEY.fullmatch(line)
        if found:
            head[found[1].lower()] = (found[2] or "").strip().strip("\"'")
        elif line and not line.startswith("#"):
            raise UnreadableError(
                f"{name}, line {number}: expected `key: value`, or a line --- that ends the head. Correct this line."
            )
    raise UnreadableError(f"{name}, line 1: the head begun by --- does not end. Put a line --- below its last key.")
