"""EPUB: any bytes, and books with any page, package or overlay, are a book or ``Broken``."""

import zipfile
from collections.abc import Iterator

from tests.fuzz.books import check_read
from tests.fuzz.dough import Dough
from tests.fuzz.target import Target
from tests.fuzz.targets.story import packed, wav

_CONTAINER = b'<container><rootfiles><rootfile full-path="OPS/a.opf"/></rootfiles></container>'
_OPF = b"""<package><metadata xmlns:dc="x"><dc:title>The whale</dc:title><dc:creator id="c">Ilse</dc:creator>
<dc:language>de</dc:language><meta property="role" refines="#c">nrt</meta><meta name="cover" content="p"/></metadata>
<manifest><item id="1" href="1.xhtml" media-type="application/xhtml+xml" media-overlay="o"/>
<item id="o" href="o.smil" media-type="application/smil+xml"/><item id="p" href="p.png" media-type="image/png"
properties="cover-image"/></manifest><spine><itemref idref="1"/></spine>
<guide><reference type="toc" href="t.xhtml"/></guide></package>"""
_PAGE = b"""<html><body><h1 id="h">A</h1><p id="a">Once, there&nbsp;was a whale. It sang!</p><ruby>x<rt>y</rt></ruby>
<table><tr><td>1</td></tr></table><p hidden="">No.</p><pre>a
b</pre><img alt="a"/><p id="b">End.</p></body></html>"""
_OVERLAY = b"""<smil xmlns="http://www.w3.org/ns/SMIL"><body><seq><par><text src="1.xhtml#a"/>
<audio src="r.wav" clipBegin="0:00:00.1" clipEnd="0.2s"/></par><par><text src="1.xhtml#b"/>
<audio src="r.wav" clipBegin="200ms"/></par></seq></body></smil>"""
_ENCRYPTION = b'<encryption><EncryptedData><EncryptionMethod Algorithm="x"/></EncryptedData></encryption>'


def _parts() -> dict[str, bytes]:
    return {
        "META-INF/container.xml": _CONTAINER,
        "OPS/a.opf": _OPF,
        "OPS/1.xhtml": _PAGE,
        "OPS/o.smil": _OVERLAY,
        "OPS/r.wav": wav(4000),
    }


_NAMES = (*_parts(), "META-INF/encryption.xml", "OPS/p.png")


def one(data: bytes) -> None:
    if data[:2] == b"PK":
        check_read("a.epub", data, again=True)
        return
    dough = Dough(data)
    parts = _parts()
    name = dough.choice(_NAMES)
    parts[name] = dough.rest()
    check_read("a.epub", packed(parts, zipfile.ZIP_STORED), again=True)


def seeds() -> Iterator[bytes]:
    parts = _parts()
    yield packed(parts, zipfile.ZIP_DEFLATED)
    for number, name in enumerate(_NAMES):
        yield bytes([number]) + parts.get(name, _ENCRYPTION)
    yield b"\x02" + b'<!DOCTYPE html [<!ENTITY a "b">]><html><p>&a;</p></html>'
    yield b"\x02" + b'<?xml version="1.0" encoding="utf-16"?><html/>'


_TAGS = ("<p>", "<br/>", "<ruby>", "<rt>", "<table>", "<td>", "<li>", "<!--", "]]>", "<![CDATA[", "&#0;", "&#x1F600;")
_NAMED = ("hidden", "epub:type", "aria-hidden", "clipBegin", "clipEnd", "media-overlay", "properties", "idref", "href")

TARGET = Target(
    one, seeds, words=(*_TAGS, *_NAMED, "encoding=", "1e400s", "99:99:99", "%2e%2e/", "#a"), longest_bytes=8192
)
