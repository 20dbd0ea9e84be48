"""A folder becomes a shelf; what is broken is said and stops nothing."""

import os
import struct
import wave
from pathlib import Path

import pytest

from somnisphere.library import STARTER_FOLDER, changed_ns, scan


def write_wav(path: Path, seconds: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\0\0" * round(8000 * seconds))
    return path


def write_mp3(path: Path, title: str | None, seconds: float = 2.0) -> Path:
    """Silent MPEG-1 layer III frames (ISO 11172-3): 128 kbit/s, 44.1 kHz, 417 bytes and 26.12 ms each."""
    tag = b""
    if title is not None:
        text = b"\x01" + title.encode("utf-16")
        frame = b"TIT2" + struct.pack(">IH", len(text), 0) + text
        size = len(frame)
        tag = b"ID3\x03\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + frame
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tag + (b"\xff\xfb\x90\x00" + b"\0" * 413) * round(seconds / 0.02612))
    return path


def test_titles_and_lengths_come_from_the_files(tmp_path: Path) -> None:
    write_mp3(tmp_path / "one.mp3", "Der Dachboden", 2.0)
    write_wav(tmp_path / "deep" / "the_quiet-boat.wav", 1.5)
    stories, broken = scan(tmp_path)
    assert broken == []
    assert [(story.key, story.title) for story in stories] == [
        ("deep/the_quiet-boat.wav", "the quiet boat"),
        ("one.mp3", "Der Dachboden"),
    ]
    assert stories[0].duration_s == pytest.approx(1.5)
    assert stories[1].duration_s == pytest.approx(2.0, abs=0.1)
    assert stories[1].path == tmp_path / "one.mp3"


@pytest.mark.parametrize("title", ["星の王子", "قصة قبل النوم", "A “quoted”\ntitle"])
def test_titles_of_any_script(tmp_path: Path, title: str) -> None:
    write_mp3(tmp_path / "x.mp3", title)
    (story,), _ = scan(tmp_path)
    assert story.title == title.replace("\n", " ")


def test_names_of_another_encoding_can_be_written_down(tmp_path: Path) -> None:
    write_wav(tmp_path / os.fsdecode(b"M\xe4rchen.wav"))
    (story,), _ = scan(tmp_path)
    assert story.title.encode() == "M\ufffdrchen".encode()
    assert story.key.encode()
    assert story.path.exists()


def test_a_title_is_one_line_and_not_endless(tmp_path: Path) -> None:
    write_mp3(tmp_path / "x.mp3", "word \x00" * 100)
    (story,), _ = scan(tmp_path)
    assert len(story.title) <= 120
    assert story.title.isprintable()


def test_broken_files_are_listed_with_their_reason(tmp_path: Path) -> None:
    write_wav(tmp_path / "good.wav")
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "letter.mp3").write_text("Dear Santa, " * 500)
    (tmp_path / "noise.ogg").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "cut.flac").write_bytes(b"fLaC\x00\x00")
    (tmp_path / "folder.mp3").mkdir()
    (tmp_path / "gone.mp3").symlink_to(tmp_path / "nowhere.mp3")
    stories, broken = scan(tmp_path)
    assert [story.key for story in stories] == ["good.wav"]
    reasons = {found.path.name: found.reason for found in broken}
    assert reasons.keys() == {"empty.mp3", "letter.mp3", "noise.ogg", "cut.flac", "folder.mp3", "gone.mp3"}
    assert reasons["empty.mp3"] == "The file is empty."
    assert "audio" in reasons["letter.mp3"]
    assert all(reason.endswith(".") for reason in reasons.values())


def test_hidden_files_and_other_files_are_no_stories(tmp_path: Path) -> None:
    write_wav(tmp_path / ".trash" / "old.wav")
    write_wav(tmp_path / "._x.wav")
    (tmp_path / "notes.md").write_text("# notes")
    (tmp_path / "tale.txt").write_text("Once")
    assert scan(tmp_path) == ([], [])


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    stories, (broken,) = scan(tmp_path / "nowhere")
    assert stories == []
    assert "There is no story folder" in broken.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    write_wav(tmp_path / "mine.wav").chmod(0)
    _, (broken,) = scan(tmp_path)
    assert "Permission denied" in broken.reason


def test_the_starter_stories_are_all_sound() -> None:
    stories, broken = scan(STARTER_FOLDER)
    assert broken == []
    assert all(story.duration_s is not None and story.duration_s > 10 for story in stories)


def test_what_comes_and_goes_deep_below_is_noticed(tmp_path: Path) -> None:
    assert changed_ns(tmp_path / "nowhere") == 0
    deep = tmp_path / "a" / "b.story"
    deep.mkdir(parents=True)
    for folder in (deep, deep.parent, tmp_path):
        os.utime(folder, ns=(10**18, 10**18))
    assert changed_ns(tmp_path) == 10**18
    (deep / "text.txt").touch()
    later = changed_ns(tmp_path)
    assert later > 10**18
    assert changed_ns(tmp_path) == later
