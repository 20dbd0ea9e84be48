"""Audio files of every kind, made by ffmpeg: their tags, chapters and covers, and what is said of broken ones."""

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from mutagen.id3 import APIC, CHAP, TALB, TIT2, TXXX
from mutagen.mp3 import MP3
from mutagen.oggopus import OggOpus

from somnisphere.library import read, scan, scan_books
from somnisphere.library.broken import Broken
from somnisphere.library.marks import find_marks
from somnisphere.story import Book, Chapter

SECONDS = 3.0
TITLE, TELLER = "Der müde Wal", "Oma Ilse"
KINDS = {
    "mp3": ["-c:a", "libmp3lame"],
    "mp2": ["-c:a", "mp2"],
    "m4a": ["-c:a", "aac"],
    "m4b": ["-c:a", "aac", "-f", "ipod"],
    "mp4": ["-c:a", "alac"],
    "aac": ["-c:a", "aac", "-f", "adts"],
    "ogg": ["-c:a", "libvorbis"],
    "oga": ["-c:a", "flac"],
    "opus": ["-c:a", "libopus"],
    "spx": ["-c:a", "libspeex", "-f", "ogg"],
    "flac": ["-c:a", "flac"],
    "wav": ["-c:a", "pcm_s16le"],
    "wma": ["-c:a", "wmav2"],
    "aiff": ["-c:a", "pcm_s16be", "-write_id3v2", "1"],
    "aif": ["-c:a", "pcm_s16be", "-f", "aiff"],
    "wv": ["-c:a", "wavpack"],
    "tta": ["-c:a", "tta"],
    "ac3": ["-c:a", "ac3"],
    "mka": ["-c:a", "libopus"],
    "webm": ["-c:a", "libopus"],
    "caf": ["-c:a", "pcm_s16be"],
    "au": ["-c:a", "pcm_s16be"],
}
UNTAGGED = {"aac", "ac3", "au", "aif", "caf", "mp2", "tta"}
"""Formats that have no place for a title, or whose encoder here writes them where mutagen does not look."""


def ffmpeg(*arguments: str | Path) -> None:
    """A test without ffmpeg fails: the box that tells stories has it."""
    assert shutil.which("ffmpeg"), "ffmpeg is needed: sudo apt install ffmpeg"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=60)


def png(width: int = 8) -> bytes:
    """A grey square (PNG 1.2)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = (b"\0" + b"\x80" * width) * width
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, width, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def read_book(path: Path) -> Book:
    found = read(path, path.parent, path.parent / ".cache")
    assert isinstance(found, Book), found
    return found


def reason(path: Path) -> str:
    found = read(path, path.parent, path.parent / ".cache")
    assert isinstance(found, Broken), found
    assert found.reason.endswith(".")
    assert "\n" not in found.reason
    return found.reason


@pytest.fixture(scope="session")
def audio_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of every kind with title, artist and language: a soft tone."""
    folder = tmp_path_factory.mktemp("audio")
    tone = ["-f", "lavfi", "-i", f"sine=frequency=220:duration={SECONDS}:sample_rate=48000"]
    tags = ["-metadata", f"title={TITLE}", "-metadata", f"artist={TELLER}", "-metadata", "language=ger"]
    for kind, how in KINDS.items():
        ffmpeg(*tone, *tags, "-ac", "1", *how, folder / f"the-{kind}_file.{kind}")
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_audio_is_a_story(audio_files: Path, kind: str) -> None:
    book = read_book(audio_files / f"the-{kind}_file.{kind}")
    assert book.key == f"the-{kind}_file.{kind}"
    (recording,) = book.recordings
    assert recording.path == audio_files / book.key
    assert recording.duration_s == pytest.approx(SECONDS, abs=0.15)
    if kind in UNTAGGED:
        assert book.title in (TITLE, f"the {kind} file")
    else:
        assert (book.title, book.teller, recording.teller) == (TITLE, TELLER, TELLER)


@pytest.mark.parametrize("kind", ["mp3", "ogg", "opus", "flac", "wv", "mka"])
def test_the_language_of_the_tags_is_bcp_47(audio_files: Path, kind: str) -> None:
    assert read_book(audio_files / f"the-{kind}_file.{kind}").language == "de"


def test_the_whole_folder_is_a_shelf(audio_files: Path, tmp_path: Path) -> None:
    stories, broken = scan(audio_files, tmp_path)
    assert broken == []
    assert [story.key for story in stories] == sorted(f"the-{kind}_file.{kind}" for kind in KINDS)
    assert all(story.marks == () for story in stories), "nothing is decoded while a shelf is read"


@pytest.mark.parametrize("track", [False, True], ids=["as a list", "as a track of text"])
def test_chapters_of_an_m4b(tmp_path: Path, track: bool) -> None:
    said = tmp_path / "chapters.txt"
    chapters = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={begin}\nEND={end}\ntitle={title}\n"
        for begin, end, title in ((0, 1500, "Am Meer"), (1500, 3000, "在海边"))
    )
    said.write_text(f";FFMETADATA1\ntitle=Zwei Teile\nartist=Oma\n{chapters}", encoding="utf-8")
    path = tmp_path / "b.m4b"
    silent = ("-f", "lavfi", "-i", "anullsrc=r=22050:cl=mono:d=3", "-i", said, "-map_metadata", "1")
    ffmpeg(*silent, "-c:a", "aac", "-f", "ipod", path)
    if track:  # what other makers leave out
        data = path.read_bytes()
        assert data.count(b"chpl") == 1
        path.write_bytes(data.replace(b"chpl", b"free"))
    (recording,) = read_book(path).recordings
    assert recording.chapters == (Chapter("Am Meer", 0.0), Chapter("在海边", 1.5))


def test_chapters_narrator_and_cover_of_an_mp3(audio_files: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(audio_files / "the-mp3_file.mp3", tmp_path / "x.mp3"))
    audio = MP3(path)  # type: ignore[no-untyped-call]
    assert audio.tags is not None
    for n, (begin_ms, title) in enumerate(((2000, "Zwei"), (0, "Eins"))):
        audio.tags.add(
            CHAP(element_id=f"c{n}", start_time=begin_ms, end_time=begin_ms + 1000, sub_frames=[TIT2(text=title)])
        )
    audio.tags.add(TXXX(desc="NARRATOR", text="Vorleserin"))
    audio.tags.add(TALB(text="x"))
    audio.tags.add(APIC(mime="image/png", type=4, data=png(4)))
    audio.tags.add(APIC(mime="image/png", type=3, desc="front", data=png()))
    audio.save()
    book = read_book(path)
    assert book.teller == "Vorleserin"
    assert book.recordings[0].chapters == (Chapter("Eins", 0.0), Chapter("Zwei", 2.0))
    assert book.cover is not None
    assert (book.cover.data, book.cover.media_type) == (png(), "image/png")


@pytest.mark.parametrize("kind", ["m4a", "flac"])
def test_covers_in_other_formats(audio_files: Path, tmp_path: Path, kind: str) -> None:
    picture, path = tmp_path / "p.png", tmp_path / f"x.{kind}"
    picture.write_bytes(png())
    files = ("-i", audio_files / f"the-{kind}_file.{kind}", "-i", picture)
    ffmpeg(*files, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic", path)
    cover = read_book(path).cover
    assert cover is not None
    assert cover.media_type == "image/png"
    assert cover.data == png()


def test_cover_and_chapters_in_comments(audio_files: Path, tmp_path: Path) -> None:
    import base64

    from mutagen.flac import Picture

    path = Path(shutil.copy(audio_files / "the-opus_file.opus", tmp_path / "x.opus"))
    picture = Picture()  # type: ignore[no-untyped-call]
    picture.data, picture.mime, picture.type = png(), "image/png", 3
    audio = OggOpus(path)  # type: ignore[no-untyped-call]
    audio["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]  # type: ignore[no-untyped-call]
    audio["chapter000"], audio["chapter000name"] = "00:00:00.000", "Anfang"
    audio["chapter001"], audio["chapter001name"] = "00:00:01.250", "Ende"
    audio["chapter002"], audio["chapter002name"] = "a quarter past", "no time"
    audio.save()
    book = read_book(path)
    assert book.cover is not None
    assert book.cover.data == png()
    assert book.recordings[0].chapters == (Chapter("Anfang", 0.0), Chapter("Ende", 1.25))


def test_a_picture_beside_is_the_cover_and_a_text_beside_the_words(audio_files: Path, tmp_path: Path) -> None:
    shutil.copy(audio_files / "the-aac_file.aac", tmp_path / "whale.aac")
    (tmp_path / "whale.md").write_text("---\ntitle: The whale\nteller: Jo\nlanguage: en\n---\n\nOnce. And *again*.\n")
    (tmp_path / "whale.png").write_bytes(png())
    books, broken = scan_books(tmp_path, tmp_path / ".c")
    assert broken == []
    (book,) = books
    assert (book.title, book.teller, book.language) == ("The whale", "Jo", "en")
    assert [sentence.text for sentence in book.sentences] == ["Once.", "And again."]
    assert book.recordings[0].path.name == "whale.aac"
    assert book.cover is not None


@pytest.mark.parametrize("title", ["קישון הים", "قصة الحوت", "星の王子さま", "می‌خواهم", "👩‍👧 Zwei"])
@pytest.mark.parametrize("kind", ["opus", "m4a"])
def test_titles_of_any_script(audio_files: Path, tmp_path: Path, title: str, kind: str) -> None:
    path = tmp_path / f"{title}.{kind}"
    source = audio_files / f"the-{kind}_file.{kind}"
    ffmpeg("-i", source, "-c", "copy", "-metadata", f"title={title}", "-metadata:s:a", f"title={title}", path)
    assert read_book(path).title == title
    assert path.name.startswith(title[:2])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep", [0, 3, 40, 400])
def test_files_cut_off_are_said_or_told_but_never_raise(
    audio_files: Path, tmp_path: Path, kind: str, keep: int
) -> None:
    path = tmp_path / f"cut.{kind}"
    path.write_bytes((audio_files / f"the-{kind}_file.{kind}").read_bytes()[:keep])
    found = read(path, tmp_path, tmp_path / ".c")
    if keep == 0:
        assert found == Broken(path, "The file is empty.")
    elif keep == 3:
        assert isinstance(found, Broken)
        assert found.reason.endswith(".")
    else:
        assert isinstance(found, Book | Broken)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_heads_never_raise(audio_files: Path, tmp_path: Path, kind: str) -> None:
    whole = bytearray((audio_files / f"the-{kind}_file.{kind}").read_bytes()[:4000])
    path = tmp_path / f"bad.{kind}"
    for at in range(4, 400, 37):
        spoilt = bytearray(whole)
        spoilt[at : at + 4] = b"\xff\xff\xff\xff"
        path.write_bytes(spoilt)
        found = read(path, tmp_path, tmp_path / ".c")
        assert isinstance(found, Book | Broken)


def test_a_playlist_in_disguise_fetches_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=2", secret)
    (tmp_path / "list.mka").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.wav\n#EXT-X-ENDLIST\n")
    disguised = tmp_path / "list.webm"
    disguised.write_text("ffconcat version 1.0\nfile secret.wav\n")
    asked = ["ffprobe", "-v", "error", "-show_format", str(disguised)]
    assert b"concat" in subprocess.run(asked, capture_output=True, timeout=30).stdout, "ffmpeg alone would read it"
    assert "not audio" in reason(tmp_path / "list.mka")
    assert "not audio" in reason(disguised)
    disguised.rename(tmp_path / "list.mp3")
    assert find_marks(tmp_path / "list.mp3").problem == "ffmpeg cannot read list.mp3 as audio."


def test_odd_names_are_read_and_kept_apart(audio_files: Path, tmp_path: Path) -> None:
    import os

    source = audio_files / "the-flac_file.flac"
    names = [b"a:b.flac", b"-v.flac", b"new\nline.flac", b"M\xe4rchen.flac", b"M\xe5rchen.flac", "ים.FLAC".encode()]
    for name in names:
        shutil.copy(source, tmp_path / os.fsdecode(name))
    books, broken = scan_books(tmp_path, tmp_path / ".c")
    keys = {book.key for book in books}
    assert keys == {"a:b.flac", "-v.flac", "new line.flac", "M\ufffdrchen.flac", "ים.FLAC"}
    (twin,) = broken
    assert "Rename one" in twin.reason


def test_flac_keeps_its_licence(audio_files: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(audio_files / "the-flac_file.flac", tmp_path / "x.flac"))
    audio = FLAC(path)  # type: ignore[no-untyped-call]
    audio["license"] = "CC-BY-SA-4.0"
    audio.save()
    assert read_book(path).licence == "CC-BY-SA-4.0"
