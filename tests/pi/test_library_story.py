""".story files: what is written is what is read, and every fault in one is named with its line."""

import io
import json
import os
import shutil
import stat
import struct
import subprocess
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somnisphere.library import archive, read, scan, scan_books
from somnisphere.library.broken import Broken
from somnisphere.library.story_text import format_marks, format_text, parse_marks, parse_text
from somnisphere.library.story_writer import file_name, write_story, write_story_folder
from somnisphere.story import Book, Cover, Mark, Recording, Sentence

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
TEXT = "# for the teller\ns1 Once there was a whale.\n[Nour]\ns2 Was there?\n\n[]\ns3 There was.\n"
MANIFEST = 'format = 1\ntitle = "The whale"\nteller = "Oma"\nlanguage = "en"\nages = "4+"\ntext = "text.txt"\n'
RECORDED = '\n[[recording]]\naudio = "a.opus"\nteller = "Jo"\nmarks = "marks.json"\n'
MARKS = '[{"id": "s1", "begin_s": 0.1, "end_s": 0.9}, {"id": "s3", "begin_s": 1.0, "end_s": 1.8}]'


@pytest.fixture(scope="session")
def opus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("opus") / "a.opus"
    tone = ["-f", "lavfi", "-i", "sine=duration=2", "-metadata", "title=tone", path]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *map(str, tone)], check=True, timeout=30)
    return path


def pack(path: Path, files: dict[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def whole(opus: Path, **changed: str | bytes) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {"story.toml": MANIFEST + RECORDED, "text.txt": TEXT, "marks.json": MARKS}
    files["a.opus"] = opus.read_bytes()
    return files | {name.replace("_", "."): content for name, content in changed.items()}


def book_of(path: Path) -> Book:
    found = read(path, path.parent, path.parent / ".cache")
    assert isinstance(found, Book), found
    return found


def reason(path: Path) -> str:
    found = read(path, path.parent, path.parent / ".cache")
    assert isinstance(found, Broken), found
    assert found.path == path
    assert found.reason.endswith((".", "?"))
    return found.reason


@pytest.mark.parametrize("how", ["zip", "folder", "zip of a folder"])
def test_a_story_is_read(tmp_path: Path, opus: Path, how: str) -> None:
    path = tmp_path / "whale.story"
    files = whole(opus)
    if how == "folder":
        path.mkdir()
        for name, content in files.items():
            (path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    else:
        pack(path, {(name if how == "zip" else f"whale/{name}"): content for name, content in files.items()})
    books, broken = scan_books(tmp_path, tmp_path / ".cache")
    assert broken == []
    (book,) = books
    assert (book.key, book.title, book.teller, book.language, book.ages) == (
        "whale.story",
        "The whale",
        "Oma",
        "en",
        "4+",
    )
    assert book.sentences == (
        Sentence("s1", "Once there was a whale."),
        Sentence("s2", "Was there?", "Nour", True),
        Sentence("s3", "There was.", "", True),
    )
    (recording,) = book.recordings
    assert recording.teller == "Jo"
    assert recording.duration_s == pytest.approx(2.0, abs=0.1)
    assert recording.marks == (Mark(0.1, 0.9, "s1"), Mark(1.0, 1.8, "s3"))
    assert recording.path.read_bytes() == opus.read_bytes()
    (story,), _ = scan(tmp_path, tmp_path / ".cache")
    assert (story.teller, story.marks, story.path) == ("Jo", recording.marks, recording.path)


def test_audio_of_a_zip_is_unpacked_once(tmp_path: Path, opus: Path) -> None:
    path = pack(tmp_path / "whale.story", whole(opus))
    first = book_of(path).recordings[0].path
    written_ns = first.stat().st_mtime_ns
    assert book_of(path).recordings[0].path == first
    assert first.stat().st_mtime_ns == written_ns
    first.unlink()
    assert book_of(path).recordings[0].path.exists()
    path.unlink()
    assert scan_books(tmp_path, tmp_path / ".cache") == ([], [])
    assert not first.exists(), "what is kept of a story goes with it"


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, opus: Path) -> None:
    path = pack(tmp_path / "whale.story", whole(opus))
    (tmp_path / "file").write_text("x")
    found = read(path, tmp_path, tmp_path / "file")
    assert isinstance(found, Broken)
    assert "stories.cache" in found.reason


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40).map(
    lambda text: " ".join(text.split())
)
NAMES = WORDS.map(lambda text: " ".join(text.replace("[", "").replace("]", "").split()))
IDS = st.from_regex(r"[a-z0-9א][a-z0-9#.:א-]{0,8}", fullmatch=True)


@st.composite
def sentences(draw: st.DrawFn) -> tuple[Sentence, ...]:
    ids = draw(st.lists(IDS, min_size=1, max_size=8, unique=True))
    made = [Sentence(one, draw(WORDS.filter(bool)), draw(NAMES), draw(st.booleans())) for one in ids]
    return (*made[:-1], replace(made[-1], ends_paragraph=True))


@given(sentences())
def test_text_is_read_as_it_was_written(written: tuple[Sentence, ...]) -> None:
    assert parse_text(format_text(written), "text.txt") == written


@given(st.lists(st.floats(0, 1e6), min_size=0, max_size=20))
def test_marks_are_read_as_they_were_written(times_s: list[float]) -> None:
    times_s = sorted(round(at_s, 3) for at_s in times_s)
    marks = tuple(Mark(b, e, "s1") for b, e in zip(times_s[::2], times_s[1::2], strict=False))
    assert parse_marks(format_marks(marks), "marks.json", ["s1"]) == marks


LINES = NAMES.map(lambda text: " ".join("".join(c for c in text if c.isprintable()).split()))


@settings(max_examples=25, deadline=None)
@given(sentences(), LINES.filter(bool), LINES, st.sampled_from(["", "he", "zh-Hans-TW"]), st.booleans(), st.booleans())
def test_a_story_packed_is_the_same_story(
    opus: Path, text: tuple[Sentence, ...], title: str, teller: str, language: str, cover: bool, folder: bool
) -> None:
    marks = tuple(Mark(n / 10, round(n / 10 + 0.05, 3), one.id) for n, one in enumerate(text))
    recordings = (Recording(opus, "Jo", None, marks), Recording(opus, "", None, ()))
    book = Book(
        "x.story",
        title,
        opus,
        teller,
        language,
        "CC0",
        "4+",
        text,
        recordings,
        Cover(PNG, "image/png") if cover else None,
    )
    with tempfile.TemporaryDirectory() as room:
        to = Path(room, "x.story")
        (write_story_folder if folder else write_story)(book, to)
        back = book_of(to)
        assert [one.path.read_bytes() for one in back.recordings] == [opus.read_bytes()] * 2
        assert list(Path(room).glob(".*half")) == []
    same = tuple(replace(one, path=opus, duration_s=None) for one in back.recordings)
    assert replace(back, path=opus, recordings=same) == book


def test_a_packed_story_is_the_same_file_every_time(tmp_path: Path, opus: Path) -> None:
    book = book_of(pack(tmp_path / "whale.story", whole(opus)))
    write_story(book, tmp_path / "a.story")
    os.utime(tmp_path / "a.story", (0, 0))
    write_story(book, tmp_path / "b.story")
    assert (tmp_path / "a.story").read_bytes() == (tmp_path / "b.story").read_bytes()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The whale: 2!", "the-whale-2"),
        ("קישון", "קישון"),
        ("../..", "story"),
        ("鯨" * 99, "鯨" * 40),
    ],
)
def test_names_of_packed_stories(title: str, name: str) -> None:
    assert file_name(title) == f"{name}.story"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("story_toml", MANIFEST.replace("= 1", "= 2"), "story.toml, line 1: format is 2"),
        ("story_toml", 'title = "x"\n', "format is missing"),
        ("story_toml", "format = 1\ntitle = The whale\n", "story.toml, line 2: this is not TOML"),
        ("story_toml", 'format = 1\nteller = "x"\ntext = "text.txt"\n', "the title is missing"),
        ("story_toml", 'format = 1\ntitle = 7\ntext = "text.txt"\n', "story.toml, line 2: title is text in quotes"),
        ("story_toml", 'format = 1\ntitle = "x"\n', "names neither a text nor a recording"),
        (
            "story_toml",
            MANIFEST.replace("text.txt", "../text.txt"),
            "story.toml, line 6: there is no '../text",
        ),
        ("story_toml", MANIFEST + 'recording = "a.opus"\n', "recordings begin with a line [[recording]]"),
        ("story_toml", MANIFEST + "[[recording]]\n", "story.toml, line 7: it has no audio"),
        (
            "story_toml",
            MANIFEST + '[[recording]]\naudio = "b.opus"\n',
            "story.toml, line 8: there is no 'b.op",
        ),
        ("story_toml", MANIFEST + '[[recording]]\naudio = "text.txt"\n', "does not end as audio does"),
        ("story_toml", MANIFEST + 'cover = "text.txt"\n', "story.toml, line 7: 'text.txt' is no JPEG"),
        ("story_toml", b"\xff\xfe\xff", "UTF-8"),
        ("text_txt", "s1 Once.\ns1 Twice.\n", "text.txt, line 2: the id s1 is that of line 1 already"),
        ("text_txt", "s1 Once.\n\nOnce\n", "text.txt, line 3: an id and then a sentence are expected"),
        ("text_txt", "[Nour] s1 Once.\n", "text.txt, line 1: a teller's name stands alone in brackets"),
        ("text_txt", "s]1 Once.\n", "text.txt, line 1: 's]1' cannot be an id"),
        ("text_txt", "# nothing\n", "text.txt has no sentences"),
        ("text_txt", b"s1 Once.\ns2 \xff\n", "text.txt, line 2: this is not text in UTF-8"),
        ("marks_json", "[\n{,\n", "marks.json, line 2: this is not JSON"),
        ("marks_json", '{"s1": 1}', "marks.json: a list of marks"),
        ("marks_json", "[7]", "marks.json, mark 1: expected {id, begin_s, end_s}"),
        ("marks_json", '[{"id": "s9", "begin_s": 0, "end_s": 1}]', "mark 1: the text has no sentence 's9'"),
        ("marks_json", '[{"id": "s1", "begin_s": 2, "end_s": 1}]', "mark 1 ends at 1 s, before it begins"),
        ("marks_json", '[{"id": "s1", "begin_s": 0, "end_s": NaN}]', "mark 1: begin_s and end_s are seconds"),
        ("marks_json", '[{"id": "s1", "begin_s": 0, "end_s": true}]', "mark 1: begin_s and end_s are seconds"),
        ("marks_json", '[{"id": "s1", "begin_s": 0, "end_s": 99}]', "mark 1 ends at 99 s; the recording is 2"),
        (
            "marks_json",
            '[{"id": "s1", "begin_s": 0, "end_s": 1}, {"id": "s2", "begin_s": 0.5, "end_s": 1.5}]',
            "mark 2 begins at 0.5 s, before the one ahead of it ends",
        ),
        ("marks_json", "[" * 100_000, "nested too deep"),
        ("a_opus", b"OggS and nothing more", "story.toml, line 9: a.opus: "),
        ("a_opus", b"", "a.opus: The file is empty."),
    ],
)
def test_faults_are_named_with_their_line(
    tmp_path: Path, opus: Path, name: str, content: str | bytes, said: str
) -> None:
    assert said in reason(pack(tmp_path / "x.story", whole(opus, **{name: content})))


def patched(path: Path, name: str, to: str) -> Path:
    """Change a name in the zip file behind Python's back."""
    assert len(name) == len(to)
    path.write_bytes(path.read_bytes().replace(name.encode(), to.encode()))
    return path


@pytest.mark.parametrize(
    ("evil", "said"),
    [
        ("/etc/shadow0", "an absolute path"),
        ("../../outsid", "'../../outsid', which would lie outside of it"),
        ("a/../../../b", "which would lie outside of it"),
        ("C:/evil/file", "an absolute path"),
        ("..\\..\\evil00", "a backslash"),
        ("text.txt\0abc", "which is no name"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, opus: Path, evil: str, said: str) -> None:
    path = pack(tmp_path / "x.story", whole(opus) | {"placeholder.": b"evil"})
    assert said in reason(patched(path, "placeholder.", evil))
    assert {one.name for one in tmp_path.iterdir()} <= {"x.story", ".cache"}


def test_links_in_a_zip_are_refused(tmp_path: Path, opus: Path) -> None:
    path = pack(tmp_path / "x.story", whole(opus))
    with zipfile.ZipFile(path, "a") as packed:
        entry = zipfile.ZipInfo("cover.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(entry, "/etc/passwd")
    assert "a link 'cover.png'" in reason(path)


def test_links_out_of_a_folder_are_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("s1 Secret.\n")
    path = tmp_path / "x.story"
    path.mkdir()
    (path / "story.toml").write_text(MANIFEST)
    (path / "text.txt").symlink_to(tmp_path / "secret.txt")
    assert "there is no 'text.txt' in it" in reason(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_twice_are_refused(tmp_path: Path, opus: Path) -> None:
    path = pack(tmp_path / "x.story", whole(opus))
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("text.txt", "s1 Another.\n")
    assert "'text.txt' twice" in reason(path)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.story", {f"{n}.txt": b"" for n in range(archive.MOST_FILES + 1)})
    assert "more than 10000 files" in reason(path)


def test_a_list_longer_than_any_is_not_even_read(tmp_path: Path) -> None:
    """A directory of 100 MB in one piece, as its end record says."""
    path = tmp_path / "x.story"
    with path.open("wb") as out:
        out.write(b"PK\x03\x04")
        out.truncate(100_000_004)
        out.seek(0, io.SEEK_END)
        out.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 65535, 65535, 100_000_000, 4, 0))
    assert "list of contents" in reason(path)


@pytest.mark.parametrize("lies", [False, True], ids=["honest", "lying about its size"])
def test_bombs_are_not_unpacked(tmp_path: Path, opus: Path, lies: bool) -> None:
    path = pack(tmp_path / "x.story", whole(opus, a_opus=bytes(60_000_000)))
    if lies:
        path.write_bytes(path.read_bytes().replace(struct.pack("<I", 60_000_000), struct.pack("<I", 1000)))
    said = reason(path)
    assert "a.opus" in said
    assert ("far more than any story" in said) or (lies and "damaged" in said)
    assert sum(one.stat().st_size for one in (tmp_path / ".cache").rglob("*") if one.is_file()) == 0


def test_a_text_that_swells_is_refused(tmp_path: Path, opus: Path) -> None:
    swollen = b"".join(b"s%d %s\n" % (n, os.urandom(40).hex().encode()) for n in range(250_000))
    assert "text.txt is too long" in reason(pack(tmp_path / "x.story", whole(opus, text_txt=swollen)))


def test_the_total_has_a_limit(tmp_path: Path, opus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its recordings is short enough; all of them together are not."""
    manifest = MANIFEST + RECORDED + '[[recording]]\naudio = "b.opus"\n'
    path = pack(tmp_path / "x.story", whole(opus, story_toml=manifest) | {"b.opus": opus.read_bytes()})
    monkeypatch.setattr(archive, "LARGEST_TOTAL_BYTES", opus.stat().st_size * 3 // 2 + 2000)
    assert reason(path).startswith("b.opus is too long")


def test_encrypted_files_are_said(tmp_path: Path, opus: Path) -> None:
    path = pack(tmp_path / "x.story", whole(opus))
    data = bytearray(path.read_bytes())
    for magic, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = data.find(magic)
        while place >= 0:
            data[place + at] |= 1
            place = data.find(magic, place + 4)
    path.write_bytes(data)
    assert "is encrypted in the zip file" in reason(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_packing_is_said(tmp_path: Path, opus: Path, method: int) -> None:
    assert "unusual way" in reason(pack(tmp_path / "x.story", whole(opus), method))


def test_an_archive_in_an_archive_is_a_file_like_any_other(tmp_path: Path, opus: Path) -> None:
    inner = pack(tmp_path / "inner.zip", {"text.txt": TEXT}).read_bytes()
    (tmp_path / "inner.zip").unlink()
    path = pack(tmp_path / "x.story", whole(opus) | {"inner.zip": inner})
    assert book_of(path).title == "The whale"
    wrong = whole(opus, story_toml=MANIFEST.replace("text.txt", "inner.zip")) | {"inner.zip": inner}
    assert "inner.zip, line" in reason(pack(tmp_path / "y.story", wrong))


def test_cut_off_and_damaged_zips_never_raise(tmp_path: Path, opus: Path) -> None:
    data = pack(tmp_path / "x.story", whole(opus), zipfile.ZIP_STORED).read_bytes()
    path = tmp_path / "cut.story"
    for keep in (0, 1, 2, 30, 100, len(data) // 2, len(data) - 22, len(data) - 1):
        path.write_bytes(data[:keep])
        assert reason(path)
    told = 0
    for at in range(0, len(data), max(1, len(data) // 300)):
        spoilt = bytearray(data)
        spoilt[at : at + 3] = b"\xff\xff\xff"
        path.write_bytes(spoilt)
        told += isinstance(read(path, tmp_path, tmp_path / ".cache"), Book)
    assert told < 300
    path.write_text("Once upon a time")
    assert "not a zip file" in reason(path)


def test_hostile_files_never_stop_the_evening(tmp_path: Path, opus: Path) -> None:
    pack(tmp_path / "bad.story", {"../x": b"x"})
    (tmp_path / "void.story").touch()
    (tmp_path / "pipe.story").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe.mp3")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "loop.epub").symlink_to(tmp_path / "loop.epub")
    (tmp_path / "folder.epub").mkdir()
    (tmp_path / "empty.story").mkdir()
    pack(tmp_path / "good.story", whole(opus))
    shutil.copy(opus, tmp_path)
    stories, broken = scan(tmp_path, tmp_path / ".cache")
    assert [story.key for story in stories] == ["a.opus", "good.story"]
    assert len(broken) == 8
    assert all(one.reason.endswith((".", "?")) for one in broken)


def test_marks_written_are_json_for_others() -> None:
    assert json.loads(format_marks([Mark(1.00049, 2.0, "s1")])) == [{"id": "s1", "begin_s": 1.0, "end_s": 2.0}]
