"""Plain texts, Markdown, sentences, audio tags, and the note of what a teller allowed: a book, or ``Broken``."""

from collections.abc import Iterator

from tests.fuzz.books import check_read
from tests.fuzz.dough import Dough
from tests.fuzz.room import room
from tests.fuzz.target import Target, sentence
from tests.fuzz.targets.story import wav

from somnisphere.library.text_adder import NotAddedError, add_text

_SUFFIXES = (".txt", ".md", ".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wma", ".ape", ".aiff", ".wv")
_ID3 = b"ID3\x03\0\0\0\0\0\x20TIT2\0\0\0\x06\0\0\0whaleTPE1\0\0\0\x05\0\0\0Ilse" + b"\xff\xfb\x90\x64" * 60
_OGG = b"OggS\0\x02" + bytes(20) + b"\x01\x1e\x01vorbis" + bytes(4) + b"\x01\x40\x1f" + bytes(16)


def one(data: bytes) -> None:
    dough = Dough(data)
    way = dough.number(len(_SUFFIXES))
    if way == len(_SUFFIXES):
        _added(dough)
        return
    book = check_read(f"a{_SUFFIXES[way]}", dough.rest(), again=True)
    for sentence_ in book.sentences if book else ():
        assert sentence_.text == " ".join(sentence_.text.split())


def _added(dough: Dough) -> None:
    """What anybody on the broker may put onto the shelf: one text file in it, or nothing."""
    with room() as folder:
        title, teller, language = dough.text(90), dough.text(20), dough.text(8)
        try:
            key = add_text(folder, title, dough.rest().decode("utf-8", "replace"), teller, language)
        except NotAddedError as problem:
            sentence(problem)
            assert not list(folder.iterdir())
            return
        assert [entry.name for entry in folder.iterdir()] == [key]
        assert key.endswith(".txt")
        assert (folder / key).is_file()


def seeds() -> Iterator[bytes]:
    text = (
        "---\ntitle: The whale\nlanguage: de\nteller: Ilse\n---\n\nOnce. “There,” he said… Dr. No! – 3.5 m.\n\nEnd.\n"
    )
    yield b"\0" + text.encode()
    yield b"\0" + text.encode("utf-16")
    yield b"\x01# A\n\n*b* **c** [d](e) ![f](g) `h` ~~i~~ <b> <!-- j -->\n> k\n- l\n1. m\n***\nn\n===\n[^1] \\* &amp;\n"
    yield b"\x02" + wav(20)
    yield b"\x03" + _ID3
    yield b"\x04fLaC\x80\0\0\x22" + bytes(34)
    for number in (5, 6):
        yield bytes([number]) + _OGG
    yield b"\x07\0\0\0\x14ftypM4A \0\0\0\0M4A \0\0\0\x10moov\0\0\0\x08udta"
    yield bytes([len(_SUFFIXES), 9]) + b"The whale\x04Ilse\x02deOnce there was a whale."


_CHUNKS = ("LIST", "INFO", "INAM", "APIC", "CHAP", "TXXX", "METADATA_BLOCK_PICTURE", "covr", "chpl", "©nam", "OpusHead")

TARGET = Target(
    one,
    seeds,
    words=(*_CHUNKS, "OpusTags", "chapter001", "APETAGEX", "---", "title:", "<!--", "***", "```", "“", "…", "Dr."),
)
