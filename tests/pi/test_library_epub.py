"""EPUB 2 and 3 made here: words in the order of the spine, media overlays as marks, and what is refused."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from somnisphere.library import ffmpeg, read, scan, stories_of
from somnisphere.library.broken import Broken, UnreadableError
from somnisphere.library.markup import read_page
from somnisphere.library.overlays import clock_s, resolve
from somnisphere.library.xml_tree import parse
from somnisphere.story import Book, Chapter, Recording

Files = dict[str, str | bytes]
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
OPF_3 = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>הלווייתן &amp; הירח</dc:title><dc:creator id="a">A. Writer</dc:creator>
<dc:contributor id="n">Oma Ilse</dc:contributor>
<meta refines="#n" property="role" scheme="marc:relators">nrt</meta>
<dc:language>he</dc:language><dc:rights>CC0</dc:rights>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="two" href="two.xhtml" media-type="application/xhtml+xml" media-overlay="smil2"/>
<item id="one" href="text/one%20page.xhtml" media-type="application/xhtml+xml" media-overlay="smil1"/>
<item id="aside" href="aside.xhtml" media-type="application/xhtml+xml"/>
<item id="smil1" href="one.smil" media-type="application/smil+xml"/>
<item id="smil2" href="two.smil" media-type="application/smil+xml"/>
<item id="pic" href="img/c.jpg" media-type="image/jpeg" properties="cover-image"/>
</manifest>
<spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="aside" linear="no"/>
<itemref idref="two"/></spine></package>
"""
ONE = """<?xml version="1.0"?><!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>x</title></head><body>
<h1 id="h">Chapter One</h1><span epub:type="pagebreak" id="p1">7</span>
<p><span id="a">Once there&nbsp;was a whale.</span> <span id="b">She
slept</span><span id="c"> all day.</span><a epub:type="noteref" href="#n">1</a></p><script>evil()</script><br/>
<p id="d">She woke. She sang.</p></body></html>"""
TWO = '<html><body><h2>Two</h2><p id="e">Good night.<p>Unclosed <b>bold.</body></html>'


def par(page: str, place: str, audio: str, begin: str, end: str) -> str:
    return f'<par><text src="{page}#{place}"/><audio src="{audio}" clipBegin="{begin}" clipEnd="{end}"/></par>'


def smil(*pars: str) -> str:
    return f'<smil xmlns="http://www.w3.org/ns/SMIL" version="3.0"><body><seq>{"".join(pars)}</seq></body></smil>'


def overlays(audio_1: str, audio_2: str, later_s: float = 0.0) -> dict[str, str]:
    page = "text/one%20page.xhtml"
    return {
        "OPS/one.smil": smil(
            par(page, "h", audio_1, "0s", "500ms"),
            par(page, "a", audio_1, "0:00:00.500", "0:00:01.500"),
            par(page, "b", audio_1, "1.5s", "00:02"),
            par(page, "c", audio_1, "2s", "2.5s"),
            par(page, "d", audio_1, "2.5s", "3s"),
            par(page, "nowhere", audio_1, "0s", "3s"),
            par(page, "a", "http://example.org/far.mp3", "0s", "3s"),
        ),
        "OPS/two.smil": smil(par("two.xhtml", "e", audio_2, f"{0.25 + later_s}s", f"{1 + later_s}s")),
    }


def epub_3(files: Files) -> Files:
    return {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OPS/book.opf": OPF_3,
        "OPS/nav.xhtml": "<html><body><nav>Contents</nav></body></html>",
        "OPS/text/one page.xhtml": ONE,
        "OPS/two.xhtml": TWO,
        "OPS/aside.xhtml": "<html><body><p>Not told.</p></body></html>",
        "OPS/img/c.jpg": JPEG,
        **overlays("audio/none.mp3", "audio/none.mp3"),
        **files,
    }


def pack(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def book_of(path: Path) -> Book:
    found = read(path, path.parent, path.parent / ".cache")
    assert isinstance(found, Book), found
    return found


def reason(path: Path) -> str:
    found = read(path, path.parent, path.parent / ".cache")
    assert isinstance(found, Broken), found
    assert found.reason.endswith(".")
    return found.reason


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two recordings that can be told apart: 3 s and 2 s, an octave between."""
    folder = tmp_path_factory.mktemp("voices")
    for name, frequency, seconds in (("one.mp3", 200, 3), ("two.mp3", 400, 2), ("two.ogg", 400, 2)):
        tone = f"sine=frequency={frequency}:duration={seconds}:sample_rate=44100"
        command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", tone, str(folder / name)]
        subprocess.run(command, check=True, timeout=30)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


SENTENCES = [
    ("s1", "Chapter One", True),
    ("s2", "Once there was a whale.", False),
    ("s3", "She slept all day.", True),
    ("s4", "She woke.", False),
    ("s5", "She sang.", True),
    ("s6", "Two", True),
    ("s7", "Good night.", True),
    ("s8", "Unclosed bold.", True),
]


def test_epub_3_without_a_recording(tmp_path: Path) -> None:
    book = book_of(pack(tmp_path / "whale.epub", epub_3({})))
    assert (book.title, book.teller, book.language) == ("הלווייתן & הירח", "Oma Ilse", "he")
    assert (book.licence, book.recordings) == ("CC0", ())
    assert [(one.id, one.text, one.ends_paragraph) for one in book.sentences] == SENTENCES
    assert book.cover is not None
    assert (book.cover.data, book.cover.media_type) == (JPEG, "image/jpeg")
    assert scan(tmp_path, tmp_path / ".cache") == ([], []), "words alone are heard only when somebody tells them"
    told = Recording(tmp_path / "told.opus", "A voice", 9.0)
    (story,) = stories_of([book], lambda one: told if one is book else None)
    assert (story.key, story.title, story.teller, story.path) == ("whale.epub", book.title, "A voice", told.path)


def times(book: Book) -> dict[str, tuple[float, float]]:
    (recording,) = book.recordings
    ends = [mark.end_s for mark in recording.marks]
    assert all(mark.begin_s >= end for mark, end in zip(recording.marks[1:], ends, strict=False))
    return {mark.sentence_id: (round(mark.begin_s, 2), round(mark.end_s, 2)) for mark in recording.marks}


IN_ONE = {"s1": (0.0, 0.5), "s2": (0.5, 1.5), "s3": (1.5, 2.5), "s4": (2.5, 2.74), "s5": (2.76, 3.0)}


def test_media_overlays_with_one_audio_file(tmp_path: Path, voices: dict[str, bytes]) -> None:
    """Clips by words, sentences and paragraphs become marks by sentences; a paragraph's time is shared by letters."""
    files: Files = {
        **overlays("audio/one.mp3", "audio/one.mp3", 2.0),
        "OPS/audio/one.mp3": voices["one.mp3"],
    }
    files["OPS/two.smil"] = smil(par("two.xhtml", "e", "audio/one.mp3", "3.0s", "3.02s"))
    book = book_of(pack(tmp_path / "whale.epub", epub_3(files)))
    found = times(book)
    assert found.items() >= IN_ONE.items()
    (recording,) = book.recordings
    assert recording.path.read_bytes() == voices["one.mp3"]
    assert recording.chapters[0] == Chapter("Chapter One", 0.0)


def pitch_hz(path: Path, at_s: float) -> float:
    """By zero crossings of half a second."""
    import numpy as np

    samples = np.concatenate(list(ffmpeg.decode(path)))
    part = samples[round(at_s * ffmpeg.RATE_HZ) : round((at_s + 0.5) * ffmpeg.RATE_HZ)].astype(int)
    return float(np.count_nonzero(np.diff(np.signbit(part)))) / 2 / 0.5


@pytest.mark.parametrize("second", ["two.mp3", "two.ogg"], ids=["same kind", "two kinds"])
def test_media_overlays_with_several_audio_files(tmp_path: Path, voices: dict[str, bytes], second: str) -> None:
    files: Files = {
        **overlays("audio/one.mp3", f"audio/{second}"),
        "OPS/audio/one.mp3": voices["one.mp3"],
    }
    path = pack(tmp_path / "whale.epub", epub_3({**files, f"OPS/audio/{second}": voices[second]}))
    book = book_of(path)
    found = times(book)
    assert found.items() >= IN_ONE.items()
    (recording,) = book.recordings
    first_s = 3.0 if recording.duration_s is None else recording.duration_s - 2.0
    assert found["s7"][0] == pytest.approx(first_s + 0.25, abs=0.08)
    assert found["s7"][1] == pytest.approx(first_s + 1.0, abs=0.08)
    assert "s8" not in found, "what nobody tells has no mark"
    assert recording.duration_s == pytest.approx(5.0, abs=0.15)
    assert [chapter.title for chapter in recording.chapters] == ["Chapter One", "Two"]
    assert pitch_hz(recording.path, 1.0) == pytest.approx(200, abs=15)
    assert pitch_hz(recording.path, found["s7"][0] + 0.1) == pytest.approx(400, abs=25)
    kept = sorted(one.name.split("-")[-1] for one in (tmp_path / ".cache").rglob("*") if one.suffix != ".json")
    assert kept == ["shelf", "whole.mka"], "the parts are not kept beside the whole"
    joined_ns = recording.path.stat().st_mtime_ns
    assert book_of(path) == book
    assert recording.path.stat().st_mtime_ns == joined_ns


def test_a_book_read_once_is_kept_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from somnisphere.library import epub

    path = pack(tmp_path / "whale.epub", epub_3({}))
    book = book_of(path)
    with monkeypatch.context() as patch:
        patch.setattr(epub, "open_archive", None)  # a second reading of the zip would raise
        assert book_of(path) == book
    pack(path, epub_3({"OPS/two.xhtml": "<html><body><p>Another end.</p></body></html>"}))
    assert book_of(path).sentences[-1].text == "Another end."
    for kept in (tmp_path / ".cache").rglob("*.json"):
        kept.write_bytes(b"{")
    assert book_of(path).sentences[-1].text == "Another end."


def test_without_ffmpeg_a_book_has_its_words(
    tmp_path: Path, voices: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files: Files = {
        **overlays("audio/one.mp3", "audio/two.mp3"),
        "OPS/audio/one.mp3": voices["one.mp3"],
    }
    path = pack(tmp_path / "whale.epub", epub_3({**files, "OPS/audio/two.mp3": voices["two.mp3"]}))
    with monkeypatch.context() as patch:
        patch.setattr("shutil.which", lambda _: None)
        assert book_of(path).recordings == ()
    assert "sudo apt install ffmpeg" in caplog.text
    assert len(book_of(path).recordings) == 1, "once ffmpeg is there, so is the recording"


def test_epub_2(tmp_path: Path) -> None:
    opf = """<?xml version="1.0" encoding="iso-8859-1"?>
    <package xmlns="http://www.idpf.org/2007/opf" version="2.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:opf="http://www.idpf.org/2007/opf"><dc:title>M\xe4rchen</dc:title>
    <dc:creator opf:role="aut">J. Grimm</dc:creator><dc:language>de-DE</dc:language><meta name="cover" content="c"/>
    </metadata><manifest><item id="c" href="Bild.JPG" media-type="image/jpeg"/>
    <item id="t" href="Teil.html" media-type="application/xhtml+xml"/>
    <item id="toc" href="Inhalt.html" media-type="application/xhtml+xml"/></manifest>
    <spine toc="ncx"><itemref idref="toc"/><itemref idref="t"/><itemref idref="gone"/></spine>
    <guide><reference type="toc" href="Inhalt.html"/><reference type="toc" href="Teil.html#x"/></guide></package>"""
    page = """<?xml version="1.0" encoding="iso-8859-1"?>
    <!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
    <html><body><div class="x pg-boilerplate"><p>Licence.</p></div>
    <p>Es war einmal ein m\xfcder Wal&hellip; Gute&nbsp;Nacht!</p></body>"""
    files: Files = {
        "META-INF/container.xml": CONTAINER,
        "OPS/book.opf": opf.encode("latin-1"),
        "OPS/Inhalt.html": "<p>Seite 1. Seite 2.</p>",
        "OPS/teil.html": page.encode("latin-1"),
        "OPS/Bild.jpg": JPEG,
    }
    book = book_of(pack(tmp_path / "x.epub", files))
    assert (book.title, book.teller, book.language) == ("Märchen", "J. Grimm", "de-DE")
    assert [one.text for one in book.sentences] == ["Es war einmal ein müder Wal…", "Gute Nacht!"]
    assert book.cover is not None


LAUGHS = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
LOCKED = """<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>
<enc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></enc:EncryptedData></encryption>"""
FONTS = LOCKED.replace("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.idpf.org/2008/embedding")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"META-INF/container.xml": LAUGHS}, "META-INF/container.xml, line 1: it declares an entity"),
        ({"OPS/book.opf": OUTSIDE}, "OPS/book.opf, line 1: it declares an entity"),
        ({"OPS/book.opf": "<package><metadata>"}, "OPS/book.opf, line 1: this is not XML"),
        ({"OPS/book.opf": b""}, "OPS/book.opf, line 1: this is not XML"),
        ({"META-INF/container.xml": "<container/>"}, "names no book"),
        ({"META-INF/container.xml": CONTAINER.replace("OPS/", "../../")}, "no whole EPUB"),
        ({"META-INF/encryption.xml": LOCKED}, "copy-protected (DRM)"),
        ({"OPS/book.opf": OPF_3.replace('idref="one"', 'idref="x"').replace('idref="two"', 'idref="x"')}, "no words"),
        ({"OPS/two.xhtml": "<div>" * 5000}, "OPS/two.xhtml: It is nested deeper"),
        ({"OPS/book.opf": "<a>" * 5000}, "nested too deep"),
        ({"OPS/two.xhtml": bytes(19_000_000)}, "far more than any story"),
    ],
)
def test_what_is_wrong_with_a_book_is_said(tmp_path: Path, files: Files, said: str) -> None:
    assert said in reason(pack(tmp_path / "x.epub", epub_3(files)))


def test_locked_fonts_lock_no_words(tmp_path: Path) -> None:
    assert book_of(pack(tmp_path / "x.epub", epub_3({"META-INF/encryption.xml": FONTS}))).sentences


def test_books_cut_off_never_raise(tmp_path: Path) -> None:
    data = pack(tmp_path / "x.epub", epub_3({})).read_bytes()
    path = tmp_path / "cut.epub"
    for keep in (0, 3, 50, len(data) // 2, len(data) - 5):
        path.write_bytes(data[:keep])
        assert reason(path)


def test_nothing_outside_is_ever_fetched() -> None:
    with pytest.raises(UnreadableError, match="declares an entity"):
        parse(OUTSIDE.encode(), "x")
    outside = b'<!DOCTYPE x PUBLIC "-//x" "file:///etc/passwd"><x>a&nbsp;&unknown;b</x>'
    assert parse(outside, "x").text == "a\u00a0b"


def test_pages_keep_where_their_elements_are() -> None:
    page = read_page(
        "<p id=a>One <i id=b>two</i>\n three</p><div id=c><p>four</p>five<img id=d></div><p hidden>six</p>"
    )
    assert page.text == "One two three\n\nfour\n\nfive"
    assert {name: page.text[slice(*place)].strip() for name, place in page.places.items()} == {
        "a": "One two three",
        "b": "two",
        "c": "four\n\nfive",
        "d": "",
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:01:02.5", 62.5), ("01:02.5", 62.5), ("2h", 7200), ("1.5min", 90), ("350ms", 0.35), ("7", 7), ("npt=3s", 3)],
)
def test_clock_values(text: str, seconds: float) -> None:
    assert clock_s(text) == pytest.approx(seconds)


def test_clock_values_and_links_that_are_none() -> None:
    assert [clock_s(text) for text in ("", "x", "1:2:3:4", "1:02s", "-3s")] == [None] * 5
    assert resolve("OPS/a/b.smil", "../c%20d.xhtml#e") == ("OPS/c d.xhtml", "e")
    assert resolve("OPS/a.smil", "#f") == ("OPS/a.smil", "f")
    far = (
        "http://x/y.mp3",
        "file:///etc/passwd",
        "../../x",
        "/etc/passwd",
        "//x/y",
        "data:audio/mp3,x",
        "",
        "http://[",
    )
    assert {resolve("OPS/a.smil", link) for link in far} == {("", "")}
