"""EPUB 2 and 3 (W3C EPUB 3.3; IDPF OPF 2.0.1): the words in the order of the spine, and a recording where the book has
media overlays."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from somnisphere.library import ffmpeg
from somnisphere.library.archive import Archive, open_archive
from somnisphere.library.audio import read_audio
from somnisphere.library.audio_tags import LARGEST_COVER_BYTES, picture_type
from somnisphere.library.broken import UnreadableError
from somnisphere.library.kept import Kept
from somnisphere.library.markup import Page, read_page
from somnisphere.library.overlays import Clip, Told, clips_of, marks_of, resolve
from somnisphere.library.sentences import spans, words
from somnisphere.library.story_file import unpacked
from somnisphere.library.titles import language_tag, one_line, title_from
from somnisphere.library.xml_tree import Element, parse
from somnisphere.story import Book, Chapter, Cover, Mark, Recording, Sentence

log = logging.getLogger(__name__)

EPUB_SUFFIX = ".epub"
MOST_TEXT_BYTES = 50_000_000
"""Of all pages together. The Bible has 5 MB."""

_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"})
_NOT_TOLD = frozenset({"toc", "index", "copyright-page", "colophon", "bibliography", "loi", "lot", "notes"})
"""Kinds of pages in the guide of EPUB 2 that nobody reads aloud at a bed."""

_FONT_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    media_type: str
    properties: tuple[str, ...]
    overlay: str


@dataclass(slots=True)
class _Words:
    """The text of the whole book, and where on which page each sentence stands."""

    sentences: list[Sentence]
    pages: dict[str, Page]
    places: dict[str, list[tuple[int, int, str]]]


def read_epub(path: Path, key: str, cache: Path) -> Book:
    """What the book holds; kept in ``cache``, for a long one takes a while. ``UnreadableError`` and ``OSError``."""
    kept = Kept(cache, path)
    known = kept.load("book", Book)
    if known is not None and all(recording.path.exists() for recording in known.recordings):
        return replace(known, key=key, path=path)
    with open_archive(path) as archive:
        book, whole = _Epub(archive, path).book(key, cache)
    if whole:
        kept.save("book", book)
    return book


class _Epub:
    def __init__(self, archive: Archive, path: Path) -> None:
        self._archive = archive
        self._path = path
        self._names = {name.casefold(): name for name in archive.names}
        self._refuse_locked()
        roots = parse(self._read("META-INF/container.xml"), "META-INF/container.xml").walk("rootfile")
        if not roots:
            raise UnreadableError("META-INF/container.xml names no book. Fetch the book again.")
        self._opf_name = resolve("", roots[0].get("full-path"))[0]
        self._opf = parse(self._read(self._opf_name), self._opf_name)
        self._items = dict(self._manifest())

    def book(self, key: str, cache: Path) -> tuple[Book, bool]:
        """The book, and whether all of it could be read: without ffmpeg a recording may be missing."""
        language = language_tag(self._said("language"))
        found = self._words(language)
        recordings: tuple[Recording, ...] = ()
        whole = True
        try:
            recordings = self._recordings(found, cache)
        except UnreadableError as problem:
            log.warning("%s: its recording is left out, its words are told: %s", self._path.name, problem)
            whole = False
        if not found.sentences:
            raise UnreadableError("The book has pages and no words on them (pictures only).")
        book = Book(
            key=key,
            title=one_line(self._said("title")) or title_from(self._path),
            path=self._path,
            teller=one_line(self._teller()),
            language=language,
            licence=one_line(self._said("rights")),
            sentences=tuple(found.sentences),
            recordings=recordings,
            cover=self._cover(),
        )
        return book, whole

    def _refuse_locked(self) -> None:
        if "meta-inf/encryption.xml" not in self._names:
            return
        for method in parse(self._read("META-INF/encryption.xml"), "META-INF/encryption.xml").walk("EncryptionMethod"):
            if method.get("Algorithm") not in _FONT_ONLY:
                raise UnreadableError("The book is copy-protected (DRM). Put a book without that lock in its place.")

    def _read(self, name: str) -> bytes:
        known = self._names.get(name.casefold())
        if known is None:
            raise UnreadableError(f"There is no {name[:80]!r} in it, so it is no whole EPUB. Fetch the book again.")
        return self._archive.read(known)

    def _manifest(self) -> Iterator[tuple[str, _Item]]:
        for item in self._opf.walk("item"):
            name, _ = resolve(self._opf_name, item.get("href"))
            if name:
                properties = tuple(item.get("properties").split())
                yield item.get("id"), _Item(name, item.get("media-type"), properties, item.get("media-overlay"))

    def _said(self, what: str) -> str:
        """The first metadata element of this name that has words."""
        return next((words(one.text) for one in self._opf.walk(what) if one.text.strip()), "")

    def _teller(self) -> str:
        """Who reads it aloud if somebody is named so, else who wrote it."""
        for meta in self._opf.walk("meta"):
            if meta.get("property") == "media:narrator" and meta.text.strip():
                return words(meta.text)
        people = [one for one in self._opf.walk("creator", "contributor") if one.text.strip()]
        narrators = [one for one in people if self._role(one) == "nrt"]
        return words((narrators or [one for one in people if one.tag == "creator"] or [Element("")])[0].text)

    def _role(self, person: Element) -> str:
        """EPUB 2 says it in an attribute, EPUB 3 in a ``meta`` that refines the person (MARC relators)."""
        if role := person.get("role"):
            return role
        refined = f"#{person.get('id')}"
        metas = (meta for meta in self._opf.walk("meta") if meta.get("refines") == refined)
        return next((meta.text.strip() for meta in metas if meta.get("property") == "role"), "")

    def _spine(self) -> Iterator[_Item]:
        links = [one.get("href") for one in self._opf.walk("reference") if one.get("type") in _NOT_TOLD]
        not_told = {name for link in links for name, place in [resolve(self._opf_name, link)] if not place}
        for reference in self._opf.walk("itemref"):
            item = self._items.get(reference.get("idref"))
            if item is None or item.media_type not in _PAGES or reference.get("linear") == "no":
                continue
            if "nav" not in item.properties and item.name not in not_told:
                yield item

    def _words(self, language: str) -> _Words:
        found = _Words([], {}, {})
        total_bytes = 0
        for item in self._spine():
            if item.name in found.pages:
                continue
            data = self._read(item.name)
            total_bytes += len(data)
            if total_bytes > MOST_TEXT_BYTES:
                raise UnreadableError(f"The book has more than {MOST_TEXT_BYTES // 1_000_000} MB of text.")
            try:
                page = found.pages[item.name] = read_page(_decode(data))
            except UnreadableError as problem:
                raise UnreadableError(f"{item.name}: {problem}") from None
            places = found.places[item.name] = []
            for span in spans(page.text, language):
                text = words(page.text[span.begin : span.end])
                if any(c.isalnum() for c in text):
                    name = f"s{len(found.sentences) + 1}"
                    found.sentences.append(Sentence(name, text, ends_paragraph=span.ends_paragraph))
                    places.append((span.begin, span.end, name))
        return found

    def _recordings(self, found: _Words, cache: Path) -> tuple[Recording, ...]:
        clips = self._clips()
        if not clips:
            return ()
        names = list(dict.fromkeys(clip.audio for clip in clips))
        audio, lengths_s = self._one_audio(names, cache)
        begins_s = {name: sum(lengths_s[:n]) for n, name in enumerate(names)}
        ends_s = {name: begins_s[name] + lengths_s[n] for n, name in enumerate(names)}
        told: dict[str, list[Told]] = {}
        for clip in clips:
            page = found.pages.get(clip.page)
            begin, end = page.places.get(clip.place, (0, len(page.text) if not clip.place else 0)) if page else (0, 0)
            at_s = begins_s[clip.audio]
            end_s = ends_s[clip.audio] if clip.end_s is None else min(at_s + clip.end_s, ends_s[clip.audio])
            if end > begin:
                told.setdefault(clip.page, []).append(Told(begin, end, at_s + clip.begin_s, end_s))
        marks = marks_of(told, found.places)
        return (Recording(audio, "", sum(lengths_s), marks, _chapters(found, marks)),)

    def _clips(self) -> list[Clip]:
        clips: list[Clip] = []
        for overlay in dict.fromkeys(item.overlay for item in self._spine() if item.overlay in self._items):
            name = self._items[overlay].name
            clips += clips_of(self._read(name), name)
        return [replace(clip, audio=known) for clip in clips if (known := self._names.get(clip.audio.casefold()))]

    def _one_audio(self, names: list[str], cache: Path) -> tuple[Path, list[float]]:
        """The audio of the whole book as one file, and how long each of its parts is."""
        if len(names) == 1:
            audio = unpacked(self._archive, names[0], self._path, cache)
            return audio, [read_audio(audio).duration_s or 0.0]
        kept = Kept(cache, self._path)
        whole = kept.file("whole.mka")
        if (lengths_s := kept.load("whole", list[float])) and len(lengths_s) == len(names) and whole.exists():
            return whole, lengths_s
        parts: list[Path] = []
        try:
            for n, name in enumerate(names):
                parts.append(kept.file(f"part{n}{Path(name).suffix.lower()}"))
                self._archive.unpack(name, parts[-1])
            lengths_s = [read_audio(part).duration_s or 0.0 for part in parts]
            ffmpeg.join(list(zip(parts, lengths_s, strict=True)), whole)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)
        kept.save("whole", lengths_s)
        return whole, lengths_s

    def _cover(self) -> Cover | None:
        named = [meta.get("content") for meta in self._opf.walk("meta") if meta.get("name") == "cover"]
        items = [item for item in self._items.values() if "cover-image" in item.properties]
        items += [self._items[name] for name in named if name in self._items]
        items += [item for item in self._items.values() if "cover" in item.name.lower()]
        for item in items:
            if item.media_type.startswith("image/") and item.name.casefold() in self._names:
                try:
                    data = self._read(item.name)
                except UnreadableError:
                    continue  # a book without its cover is a book
                media_type = picture_type(data, item.media_type)
                if media_type and len(data) <= LARGEST_COVER_BYTES:
                    return Cover(data, media_type)
        return None


def _chapters(found: _Words, marks: tuple[Mark, ...]) -> tuple[Chapter, ...]:
    """A chapter where a page with a heading begins to be told."""
    begins_s = {mark.sentence_id: mark.begin_s for mark in marks}
    chapters = []
    for name, page in found.pages.items():
        told = [begins_s[sentence] for _, _, sentence in found.places[name] if sentence in begins_s]
        if told and page.heading:
            chapters.append(Chapter(one_line(page.heading), min(told)))
    return tuple(sorted(chapters, key=lambda chapter: chapter.begin_s))


def _decode(data: bytes) -> str:
    """A page in UTF-8 or UTF-16, else in the encoding its first line declares, else with marks for what is unknown.
    Zero bytes are blanks: no voice speaks them, and no .story may hold them."""
    return _as_text(data).replace("\0", " ")


def _as_text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        declared = (
            data[:200].partition(b"encoding=")[2][1:40].partition(b"?")[0].strip(b" \"'").decode("ascii", "ignore")
        )
    try:
        return data.decode(declared, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")
