"""Voices at the weaver's table: sent in whatever a browser records, kept evened and private, gone with their line."""

import os
import re
import stat
import subprocess
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.pi.page_house import GUEST, Browser, house_in, with_pin
from tests.pi.test_page_weaver import begin, seen, tell

from somnisphere.library.reading import read
from somnisphere.page import weaver_voices
from somnisphere.page.house import House
from somnisphere.story import Book
from somnisphere.telling import encoding
from somnisphere.telling.loudness import TARGET_LUFS, Loudness, measure
from somnisphere.weaver.store import WeaverStore
from somnisphere.weaver.table import Table
from somnisphere.weaver.voices import LARGEST_SOUND_BYTES, Voices

FORMS = {
    "webm": ("voice.webm", "audio/webm", ("-c:a", "libopus", "-f", "webm", "-live", "1")),
    "ogg": ("voice.ogg", "audio/ogg", ("-c:a", "libopus", "-f", "ogg")),
    "mp4": ("voice.m4a", "audio/mp4", ("-c:a", "aac", "-f", "mp4", "-movflags", "frag_keyframe+empty_moov")),
    "aac": ("voice.aac", "audio/aac", ("-c:a", "aac", "-f", "adts")),
    "wav": ("voice.wav", "audio/wav", ("-f", "wav")),
}
"""As browsers and telephones send it: streamed, so that no head says how long it is."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "stories").mkdir()
    return house_in(tmp_path, stories={"folder": str(tmp_path / "stories"), "cache": str(tmp_path / "cache")})


@pytest.fixture
def browser(house: House) -> Browser:
    return Browser(house)


@pytest.fixture
def number(browser: Browser) -> str:
    made = begin(browser)
    tell(browser, made, "Once there was an otter.")
    tell(browser, made, "It could sing. And how it could!")
    return made


def folder(tmp_path: Path) -> Path:
    return tmp_path / "household-voices"


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in folder(tmp_path).iterdir()) if folder(tmp_path).exists() else []


def voice(form: str = "webm", seconds: float = 2.0, pitch_hz: int = 300, gain: str = "-12dB") -> Any:
    name, kind, how = FORMS[form]
    source = f"sine=frequency={pitch_hz}:duration={seconds}:sample_rate=48000"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-af", f"volume={gain}", *how, "pipe:1"]
    return name, subprocess.run(command, capture_output=True, check=True).stdout, kind


def record(browser: Browser, number: str, line: int, sound: Any, **more: str) -> str:
    """What the page says afterwards."""
    version = seen(browser, number)[1]
    answer = browser.fill_in(
        "/weaver/record", n=number, seen=version, line=str(line), files={"sound": sound} if sound else None, **more
    )
    return said(browser, number) if answer.status_code == 303 else answer.text


def said(browser: Browser, number: str) -> str:
    return " ".join(re.findall(r'<p class="note[^>]*>([^<]*)<', seen(browser, number)[0]))


def table(tmp_path: Path, number: str) -> Table:
    return WeaverStore(tmp_path / "household.db").versions(int(number))[0].table


@pytest.mark.parametrize("form", FORMS)
def test_a_line_is_recorded_evened_kept_for_the_household_alone_and_heard_again(
    browser: Browser, number: str, tmp_path: Path, form: str
) -> None:
    assert record(browser, number, 0, voice(form)) == "The voice is kept."
    line = table(tmp_path, number).lines[0]
    assert files(tmp_path) == [line.recording]
    kept = folder(tmp_path) / line.recording
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder(tmp_path).stat().st_mode) == 0o700
    assert line.recording_s == pytest.approx(2.0, abs=0.15)
    assert (line.recorded_on, line.circle) == ("2026-06-14", False)
    loudness = measure(kept)
    assert isinstance(loudness, Loudness)
    assert loudness.integrated_lufs == pytest.approx(TARGET_LUFS, abs=1.0)
    (address,) = set(re.findall(r'src="(/weaver/voice[^"]*)"', seen(browser, number)[0]))
    heard = browser.get(address.replace("&amp;", "&"))
    assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/ogg")
    assert heard.headers["content-security-policy"] == "sandbox"
    assert heard.headers["cache-control"] == "no-store"
    assert heard.content == kept.read_bytes()


def test_the_last_of_two_recordings_is_the_lines_and_the_first_is_gone(
    browser: Browser, number: str, tmp_path: Path
) -> None:
    record(browser, number, 0, voice(seconds=1.0))
    record(browser, number, 0, voice("wav", seconds=3.0), circle="yes")
    line = table(tmp_path, number).lines[0]
    assert files(tmp_path) == [line.recording]
    assert line.recording_s == pytest.approx(3.0, abs=0.15)
    assert line.circle


BROKEN = {
    "text": ("voice.webm", b"Once upon a time there was no sound at all.", "audio/webm"),
    "empty": ("voice.webm", b"", "audio/webm"),
    "a playlist": ("voice.m3u8", b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n", "audio/mpeg"),
    "a list": ("voice.ogg", b"ffconcat version 1.0\nfile '/etc/passwd'\n", "audio/ogg"),
    "only a head": ("voice.webm", b"\x1aE\xdf\xa3" + bytes(5000), "audio/webm"),
    "half a head": ("voice.m4a", b"\x00\x00\x00\x20ftypisom" + b"x" * 5000, "audio/mp4"),
    "rubbish after a head": ("voice.ogg", b"OggS" + b"\xff" * 5000, "audio/ogg"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_sound_is_refused_in_words_and_leaves_nothing(
    browser: Browser, number: str, tmp_path: Path, what: str
) -> None:
    assert record(browser, number, 0, BROKEN[what]) == "This is no recording that can be played. Record it again."
    assert files(tmp_path) == []
    assert not table(tmp_path, number).voices


def test_a_broken_file_is_kept_as_far_as_it_goes_or_refused(browser: Browser, number: str, tmp_path: Path) -> None:
    """A telephone that lost its power in mid recording: what can be heard of it is a voice."""
    name, sound, kind = voice("webm", seconds=4.0)
    assert record(browser, number, 0, (name, sound[: len(sound) // 2], kind)) == "The voice is kept."
    assert 1.0 < table(tmp_path, number).lines[0].recording_s < 3.0


def test_silence_too_much_and_nothing_at_all_are_said(
    browser: Browser, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "muted" in record(browser, number, 0, voice(gain="-100dB"))
    assert "muted" in record(browser, number, 0, voice("wav", seconds=0.05))
    assert "no recording in it" in record(browser, number, 0, None)
    monkeypatch.setattr("somnisphere.weaver.voices.MOST_S", 1.0)
    assert "too long for one line" in record(browser, number, 0, voice())
    huge = ("voice.wav", b"RIFF" + bytes(4) + b"WAVE" + bytes(LARGEST_SOUND_BYTES + 70_000), "audio/wav")
    assert "more than the page takes at once" in record(browser, number, 0, huge)
    large = ("voice.wav", b"RIFF" + bytes(4) + b"WAVE" + bytes(LARGEST_SOUND_BYTES), "audio/wav")
    assert "too large" in record(browser, number, 0, large)
    assert "no longer there" in record(browser, number, 7, voice())
    assert files(tmp_path) == []


def test_without_ffmpeg_it_is_said_with_the_mend(
    browser: Browser, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = voice()
    monkeypatch.setenv("PATH", "/nowhere")
    assert encoding.NO_FFMPEG in record(browser, number, 0, sound)


def test_a_voice_goes_with_its_line_and_stays_away(browser: Browser, number: str, tmp_path: Path) -> None:
    for line in (0, 1):
        record(browser, number, line, voice())
    first, second = (line.recording for line in table(tmp_path, number).lines)
    browser.fill_in("/weaver/change", n=number, seen=seen(browser, number)[1], line="0", text="Once there were two.")
    assert files(tmp_path) == [second]
    record(browser, number, 1, None, wish="out")
    assert files(tmp_path) == []
    versions = WeaverStore(tmp_path / "household.db").versions(int(number))
    version = next(one for one in versions if {first, second} <= one.table.voices)
    browser.fill_in("/weaver/back", n=number, seen=seen(browser, number)[1], version=str(version.number))
    assert table(tmp_path, number).lines[0].text == "Once there was an otter."
    assert not table(tmp_path, number).voices, "what was taken away is not promised again"
    assert browser.get(f"/weaver/voice?n={number}&line=0").status_code == 404

    record(browser, number, 0, voice())
    other = begin(browser)
    tell(browser, other, "Another table.")
    record(browser, other, 0, voice())
    assert len(files(tmp_path)) == 2
    browser.fill_in("/weaver/change", n=number, seen=seen(browser, number)[1], line="0", text="", wish="out")
    assert files(tmp_path) == [table(tmp_path, other).lines[0].recording]
    browser.fill_in("/weaver/clear", n=other, seen=seen(browser, other)[1])
    assert files(tmp_path) == []


def test_who_changed_the_table_meanwhile_is_not_recorded_over(
    browser: Browser, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = seen(browser, number)[1]
    ready = Voices.ready

    def slow(self: Voices, *sent: Any) -> Any:
        tell(browser, number, "Somebody was quicker.")
        return ready(self, *sent)

    with monkeypatch.context() as patch:
        patch.setattr(Voices, "ready", slow)
        browser.fill_in("/weaver/record", n=number, seen=version, line="0", files={"sound": voice()})
    assert "Look at it first" in said(browser, number)
    assert files(tmp_path) == []


def test_many_at_once_each_keep_their_own(house: House, browser: Browser, number: str, tmp_path: Path) -> None:
    numbers = [number]
    for _ in range(3):
        numbers.append(begin(browser))
        tell(browser, numbers[-1], "One.")
    sounds = {one: voice(seconds=1.0 + index) for index, one in enumerate(numbers)}
    app = browser.app
    hands = []
    for one in numbers:
        own = Browser(house)
        own.app, own._transport = app, browser._transport  # the same process, another browser
        own.desk = browser.desk
        hands.append(threading.Thread(target=record, args=(own, one, 0, sounds[one])))
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    kept = {one: table(tmp_path, one).lines[0] for one in numbers}
    assert [round(line.recording_s) for line in kept.values()] == [1, 2, 3, 4]
    assert files(tmp_path) == sorted(line.recording for line in kept.values())


def test_when_every_line_has_a_voice_the_story_is_told_by_them_with_marks(
    browser: Browser, number: str, tmp_path: Path
) -> None:
    record(browser, number, 0, voice("webm", seconds=2.0))
    browser.fill_in("/weaver/finish", n=number, seen=seen(browser, number)[1], title="Half")
    record(browser, number, 1, voice("mp4", seconds=3.0, pitch_hz=500))
    assert "Every line has a voice" in seen(browser, number)[0]
    browser.fill_in("/weaver/finish", n=number, seen=seen(browser, number)[1], title="Whole")
    assert "“Whole” is on the shelf." in said(browser, number)
    shelf = tmp_path / "stories"
    half, whole = (read(shelf / f"{name}.story", shelf, tmp_path / "cache") for name in ("half", "whole"))
    assert isinstance(half, Book)
    assert isinstance(whole, Book)
    assert half.recordings == ()
    (told,) = whole.recordings
    assert told.teller == "Mira, Oma"
    assert [mark.sentence_id for mark in told.marks] == [sentence.id for sentence in whole.sentences]
    assert told.marks[0].end_s == pytest.approx(2.0, abs=0.15)
    assert told.marks[-1].end_s == pytest.approx(5.0, abs=0.3)
    pitches = [pitch(told.path, at_s) for at_s in (1.0, 4.0)]
    assert pitches == [pytest.approx(300, abs=15), pytest.approx(500, abs=15)]


def pitch(path: Path, at_s: float) -> float:
    """By its zero crossings in half a second."""
    command = ["ffmpeg", "-v", "error", "-ss", str(at_s), "-t", "0.5", "-i", str(path)]
    command += ["-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"]
    sound = subprocess.run(command, capture_output=True, check=True).stdout
    samples = memoryview(sound).cast("h")
    return sum(a < 0 <= b for a, b in pairwise(samples)) * 8000 / len(samples)


def test_a_voice_is_nobody_elses(house: House, browser: Browser, number: str) -> None:
    record(browser, number, 0, voice())
    guest = Browser(with_pin(house), GUEST)
    for address in (f"/weaver/voice?n={number}&line=0", f"/weaver/aloud?n={number}"):
        assert browser.get(address).status_code == 200
        answer = guest.get(address)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


def test_the_households_voice_reads_a_line_and_all_of_it(browser: Browser, number: str, tmp_path: Path) -> None:
    line, whole, again = (browser.get(f"/weaver/aloud?n={number}{more}") for more in ("&line=1", "", ""))
    assert {one.headers["content-type"] for one in (line, whole, again)} == {"audio/ogg"}
    lengths = []
    for sound in (line, whole):
        path = tmp_path / "heard.ogg"
        path.write_bytes(sound.content)
        lengths.append(float(subprocess.run(
            ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path],
            capture_output=True, check=True,
        ).stdout))  # fmt: skip
    assert 1.5 < lengths[0] < lengths[1] - 1.0
    assert whole.content == again.content
    spoken = tmp_path / "cache" / "spoken"
    assert len(list(spoken.glob("*.opus"))) == 2, "the second time it was only fetched"
    browser.fill_in("/weaver/change", n=number, seen=seen(browser, number)[1], line="1", text="It was silent.")
    assert browser.get(f"/weaver/aloud?n={number}").status_code == 200
    browser.fill_in("/weaver/clear", n=number, seen=seen(browser, number)[1])
    assert list(spoken.iterdir()) == [], "a cleared table is not even to be heard any more"


def test_several_who_listen_at_once_all_hear_it_whole(house: House, browser: Browser, number: str) -> None:
    heard: list[Any] = []

    def listen() -> None:
        heard.append(own.get(f"/weaver/aloud?n={number}"))

    own = Browser(house)
    hands = [threading.Thread(target=listen) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert [one.status_code for one in heard] == [200] * 4
    assert {one.content for one in heard} == {browser.get(f"/weaver/aloud?n={number}").content}


def test_what_cannot_be_read_aloud_is_said(
    house: House, browser: Browser, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for more in ("&line=9", "&line=x", "&line="):
        assert browser.get(f"/weaver/aloud?n={number}{more}").status_code == 404
        assert browser.get(f"/weaver/voice?n={number}{more}").status_code == 404
    assert browser.get("/weaver/aloud?n=77").status_code == 404
    monkeypatch.setattr(weaver_voices, "MOST_ALOUD_CHARS", 30)
    assert "All of it" not in seen(browser, number)[0]
    assert browser.get(f"/weaver/aloud?n={number}").status_code == 413
    monkeypatch.undo()
    silent = Browser(replace(house))
    monkeypatch.setenv("PATH", "/nowhere")
    answer = silent.get(f"/weaver/aloud?n={number}")
    assert answer.status_code == 503
    assert "could not tell it" in answer.text


def test_what_somebody_killed_left_half_done_is_swept_away(browser: Browser, number: str, tmp_path: Path) -> None:
    for name, age_s in (("old", 7200.0), ("new", 10.0)):
        room = folder(tmp_path) / name
        room.mkdir(parents=True)
        (room / "sent.webm").write_bytes(b"half a voice")
        made_s = time.time() - age_s
        os.utime(room, (made_s, made_s))
    record(browser, number, 0, voice())
    assert files(tmp_path) == sorted(["new", table(tmp_path, number).lines[0].recording])
