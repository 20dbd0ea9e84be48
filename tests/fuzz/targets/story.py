"""``.story`` files: any bytes, and zip files of any parts, are a book or ``Broken``; a book can be written and read."""

import io
import warnings
import zipfile
from collections.abc import Iterator

from tests.fuzz.books import check_read
from tests.fuzz.dough import Dough
from tests.fuzz.target import Target

_MANIFEST = b'format = 1\ntitle = "The whale"\nteller = "Ilse"\nlanguage = "de-AT"\nlicence = "CC0"\nages = "4+"\n'
_TEXT = b"# for people\ns1 Once there was a whale.\n\n[Jon]\ns2 It sang.\n[]\ns3 The end.\n"
_RECORDED = b'text = "text.txt"\n[[recording]]\naudio = "r.wav"\nmarks = "m.json"\nteller = "Ilse"\n'
_CONSENT = b'consent = "circle"\nconsent_by = "Ilse"\nconsent_on = "2026-11-28"\n'
_MARKS = b'[{"id": "s1", "begin_s": 0.0, "end_s": 0.1}, {"id": "s2", "begin_s": 0.1, "end_s": 0.15}]'
_NAMES = ("story.toml", "text.txt", "m.json", "cover.svg", "deep/story.toml", "../x", "/etc/x", "a\\b", "C:x", "r.wav")


def wav(samples: int = 2000) -> bytes:
    """Silence at 8 kHz."""
    head = b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data"
    body = head + (2 * samples).to_bytes(4, "little") + bytes(2 * samples)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def packed(parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(out, "w", compression) as archive:  # of names
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def one(data: bytes) -> None:
    check_read("a.story", _story(data), again=True)


def _story(data: bytes) -> bytes:
    if data[:2] == b"PK":
        return data
    dough = Dough(data)
    way = dough.number(3)
    if way == 0:  # a manifest alone, with good parts beside it
        return packed({"story.toml": dough.rest(), "text.txt": _TEXT, "r.wav": wav(), "m.json": _MARKS})
    if way == 1:  # its text
        return packed({"story.toml": _MANIFEST + b'text = "text.txt"\n', "text.txt": dough.rest()})
    if way == 2:  # marks
        return packed({"story.toml": _MANIFEST + _RECORDED, "text.txt": _TEXT, "r.wav": wav(), "m.json": dough.rest()})
    parts = {"story.toml": _MANIFEST + _RECORDED + _CONSENT, "text.txt": _TEXT, "r.wav": wav(), "m.json": _MARKS}
    for _ in range(1 + dough.number(3)):
        name = dough.choice(_NAMES) if dough.flag() else dough.text(40)
        parts[name] = dough.blob(400) if dough.flag() else bytes([dough.byte()]) * (dough.number(20) * 100_000)
    return packed(parts, dough.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)))


def seeds() -> Iterator[bytes]:
    yield packed(
        {"story.toml": _MANIFEST + _RECORDED + _CONSENT, "text.txt": _TEXT, "r.wav": wav(50), "m.json": _MARKS}
    )
    yield packed({"a/story.toml": _MANIFEST + b'text = "text.txt"\n', "a/text.txt": _TEXT}, zipfile.ZIP_DEFLATED)
    yield b"\0" + _MANIFEST + _RECORDED + _CONSENT
    yield b"\0" + _MANIFEST + b'text = "text.txt"\ncover = "r.wav"\n'
    yield b"\x01" + _TEXT
    yield b"\x02" + _MARKS
    yield b"\x03\x02\x01\x02\x01\x09\x05abcde"


_WORDS = ("format", "title", "teller", "recording", "audio", "marks", "consent", "consent_by", "consent_on", "cover")

TARGET = Target(
    one,
    seeds,
    words=(*_WORDS, "[[recording]]", '"circle"', '"house"', "begin_s", "end_s", "1e400", "NaN", "PK\x01\x02", "s1"),
    longest_bytes=8192,
)
