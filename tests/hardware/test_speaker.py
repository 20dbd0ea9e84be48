"""The real mpv, silent: what it is told, what it says, and what becomes of a story when it dies."""

import math
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.hardware.listening import PATIENCE_S, Listener, ask_mpv, make_story, reaches_gain, runs

from somnisphere_hardware.mpv_speaker import MpvSpeaker

needs_mpv = [
    pytest.mark.mpv,
    pytest.mark.skipif(shutil.which("mpv") is None, reason="there is no mpv; install it: sudo apt install mpv"),
]


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def listener(runtime: Path) -> Iterator[Listener]:
    speaker = MpvSpeaker(runtime, ao="null")
    yield Listener(speaker)
    speaker.close()


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return make_story(tmp_path / "story.wav", 60.0)


class TestWithMpv:
    pytestmark = needs_mpv

    def test_a_story_begins_where_it_is_told_to_and_goes_on(self, listener: Listener, story: Path) -> None:
        listener.speaker.play(story, 20.0, -12.0)
        first = listener.until_state("playing")
        assert first.path == story
        assert first.position_s == pytest.approx(20.0)
        later = listener.until_place(21.0)
        third = listener.until_place(22.0)
        assert third.position_s - later.position_s == pytest.approx(third.at_s - later.at_s, abs=0.7)
        gaps_s = [after.at_s - before.at_s for before, after in pairwise(listener.reports)]
        assert min(gaps_s) >= 1.0  # about one a second
        assert reaches_gain(listener.speaker, -12.0)

    def test_pause_and_resume(self, listener: Listener, story: Path) -> None:
        speaker = listener.speaker
        speaker.play(story, 5.0, 0.0)
        listener.until_place(5.5)
        speaker.pause()
        paused = listener.until_state("paused")
        assert ask_mpv(speaker, "pause") is True
        assert paused.position_s == pytest.approx(ask_mpv(speaker, "time-pos"), abs=0.5)
        speaker.resume(-30.0)
        resumed = listener.until_state("playing")
        assert resumed.position_s == pytest.approx(paused.position_s, abs=0.5)
        assert reaches_gain(speaker, -30.0)
        speaker.set_gain(-40.0)
        assert reaches_gain(speaker, -40.0)
        speaker.set_gain(6.0)  # nothing is louder than 0 dB
        assert reaches_gain(speaker, 0.0)

    def test_the_end_of_a_story_is_said_once(self, listener: Listener, tmp_path: Path) -> None:
        story = make_story(tmp_path / "short.wav", 1.0)
        listener.speaker.play(story, 0.5, 0.0)
        assert listener.until_state("ended").path == story
        listener.speaker.play(story, 0.0, 0.0)
        listener.until_state("ended")
        assert [report.state for report in listener.reports].count("ended") == 2

    def test_stopping_says_where(self, listener: Listener, story: Path) -> None:
        listener.speaker.play(story, 10.0, 0.0)
        place = listener.until_place(10.5)
        listener.speaker.stop()
        assert place.position_s <= listener.until_state("stopped").position_s < 12.0
        assert ask_mpv(listener.speaker, "idle-active") is True
        listener.speaker.pause()
        listener.speaker.stop()
        assert listener.speaker.step(time.monotonic()) == []

    def test_another_story_takes_over_at_once(self, listener: Listener, story: Path, tmp_path: Path) -> None:
        other = make_story(tmp_path / "other.wav", 30.0)
        listener.speaker.play(story, 10.0, 0.0)
        listener.until_state("playing")
        listener.speaker.pause()
        listener.speaker.play(other, 3.0, -6.0)
        report = listener.until(lambda report: report.path == other)
        assert report.state == "playing"
        assert report.position_s == pytest.approx(3.0)
        listener.until_place(3.5)
        assert all(report.path == other for report in listener.reports[listener.reports.index(report) :])

    def test_wishes_made_before_mpv_is_up_are_kept(self, listener: Listener, story: Path) -> None:
        listener.speaker.play(story, 7.0, 0.0)
        listener.speaker.set_gain(-20.0)
        listener.speaker.pause()
        listener.until_state("paused")
        listener.until_state("paused")  # the first is the wish, the second mpv's own word
        assert ask_mpv(listener.speaker, "time-pos") == pytest.approx(7.0, abs=0.05)
        assert reaches_gain(listener.speaker, -20.0)

    @pytest.mark.parametrize("paused", [False, True])
    def test_a_killed_mpv_is_replaced_where_it_was(self, listener: Listener, story: Path, paused: bool) -> None:
        speaker = listener.speaker
        speaker.play(story, 30.0, -18.0)
        listener.until_place(31.0)
        if paused:
            speaker.pause()
            listener.until_state("paused")
        killed, before_s = speaker.pid, ask_mpv(speaker, "time-pos")
        assert killed is not None
        assert isinstance(before_s, float)
        os.kill(killed, signal.SIGKILL)
        report = listener.until(lambda _: speaker.pid not in (killed, None))
        assert report.state == ("paused" if paused else "playing")
        assert before_s - 1.0 <= report.position_s <= before_s + 0.1
        assert reaches_gain(speaker, -18.0)
        assert ask_mpv(speaker, "pause") is paused
        with pytest.raises(ProcessLookupError):  # not even a zombie is left
            os.kill(killed, 0)

    def test_an_mpv_that_hangs_is_replaced(
        self, listener: Listener, story: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("somnisphere_hardware.mpv_speaker.SILENT_S", 2.0)
        speaker = listener.speaker
        speaker.play(story, 30.0, 0.0)
        listener.until_place(30.2)
        hung = speaker.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        report = listener.until(lambda report: speaker.pid not in (hung, None) and report.state == "playing")
        assert report.position_s == pytest.approx(31.0, abs=1.0)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("letter.mp3", b"Dear mpv, this is a letter.\n" * 40),
            ("nothing.ogg", b""),
            ("picture.m4a", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
            ("list.m3u", b"#EXTM3U\n/etc/passwd\n"),
            ("web.mp3", b"#EXTM3U\nhttp://127.0.0.1:9/story.mp3\n"),
            ("header.wav", b"RIFF\x24\x00\x00\x00WAVE"),
        ],
    )
    def test_what_is_not_audio_fails_with_a_sentence(
        self, listener: Listener, tmp_path: Path, story: Path, name: str, content: bytes
    ) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        listener.speaker.play(path, 0.0, 0.0)
        report = listener.until_state("failed")
        assert report.path == path
        assert report.problem.startswith(f"{name} cannot be told")
        listener.speaker.play(story, 0.0, 0.0)
        assert listener.until_state("playing").path == story

    @pytest.mark.parametrize(
        "name", ["-", "--version", "[1] a, b=c.wav", "Gute Nacht, 夜の話 \U0001f319.wav", "a\udcff.wav"]
    )
    def test_odd_file_names(self, listener: Listener, tmp_path: Path, name: str) -> None:
        story = make_story(tmp_path / name, 3.0)
        listener.speaker.play(story, 1.0, 0.0)
        assert listener.until_state("playing").path == story

    def test_a_relative_path_is_a_file_too(
        self, listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        story = make_story(tmp_path / "near.wav", 3.0)
        monkeypatch.chdir(tmp_path)
        listener.speaker.play(Path("near.wav"), 0.0, 0.0)
        assert listener.until_state("playing").path == story

    def test_a_speaker_that_cannot_sound_says_so(self, runtime: Path, story: Path) -> None:
        speaker = MpvSpeaker(runtime, ao="alsa", audio_device="alsa/hw:CARD=nobody")
        speaker.play(story, 0.0, 0.0)
        assert "speaker cannot be used" in Listener(speaker).until_state("failed").problem
        speaker.close()

    def test_an_mpv_that_does_not_start_says_so(self, runtime: Path, story: Path) -> None:
        speaker = MpvSpeaker(runtime, options=["--no-such-option"])
        speaker.play(story, 0.0, 0.0)
        assert "mpv does not start" in Listener(speaker).until_state("failed").problem
        speaker.close()

    def test_the_socket_is_ours_alone(self, listener: Listener, runtime: Path, story: Path) -> None:
        listener.speaker.play(story, 0.0, 0.0)
        listener.until_state("playing")
        assert stat.S_IMODE(listener.speaker.socket_path.stat().st_mode) == 0o600
        assert stat.S_IMODE(runtime.stat().st_mode) == 0o700

    def test_closing_is_quick_and_leaves_nothing(self, listener: Listener, story: Path) -> None:
        speaker = listener.speaker
        speaker.play(story, 0.0, 0.0)
        listener.until_state("playing")
        pid = speaker.pid
        assert pid is not None
        begun_s = time.monotonic()
        speaker.close()
        assert time.monotonic() - begun_s < 1.0
        assert not speaker.socket_path.exists()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not [thread for thread in threading.enumerate() if thread.name == "mpv reader"]
        speaker.close()

    def test_closing_a_hung_mpv_is_quick_too(self, listener: Listener, story: Path) -> None:
        listener.speaker.play(story, 0.0, 0.0)
        listener.until_state("playing")
        pid = listener.speaker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        begun_s = time.monotonic()
        listener.speaker.close()
        assert time.monotonic() - begun_s < 1.0

    def test_closing_while_mpv_starts(self, listener: Listener, story: Path) -> None:
        listener.speaker.play(story, 0.0, 0.0)
        pid = listener.speaker.pid
        assert pid is not None
        listener.speaker.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_no_voice_outlives_us(self, runtime: Path, story: Path) -> None:
        """Killed with -9, in the middle of a story, we take our mpv along; its leftover socket is no hindrance."""
        code = (
            "import os, sys, time\nfrom pathlib import Path\n"
            "from somnisphere_hardware.mpv_speaker import MpvSpeaker\n"
            "speaker = MpvSpeaker(Path(sys.argv[1]), ao='null')\nspeaker.play(Path(sys.argv[2]), 0.0, 0.0)\n"
            "while not any(report.state == 'playing' for report in speaker.step(time.monotonic())):\n"
            "    time.sleep(0.01)\n"
            "print(speaker.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
        )
        killed = subprocess.run(
            [sys.executable, "-c", code, str(runtime), str(story)],
            stdout=subprocess.PIPE,
            timeout=PATIENCE_S,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        orphan = int(killed.stdout)
        deadline_s = time.monotonic() + PATIENCE_S
        while runs(orphan) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert not runs(orphan)
        (runtime / "mpv.sock").touch()
        speaker = MpvSpeaker(runtime, ao="null")
        speaker.play(story, 5.0, 0.0)
        assert Listener(speaker).until_state("playing").position_s == pytest.approx(5.0)
        speaker.close()

    def test_the_gain_is_heard(self, runtime: Path, tmp_path: Path) -> None:
        """The level mpv puts out follows the gain within 0.1 dB, down to a whisper."""
        story = make_story(tmp_path / "tone.wav", 1.0, amplitude=16000)
        gains_db = (0.0, -20.0, -50.0)
        peaks = []
        for gain_db in gains_db:
            out = tmp_path / "out.pcm"
            speaker = MpvSpeaker(runtime, ao="pcm", options=[f"--ao-pcm-file={out}", "--ao-pcm-waveheader=no"])
            speaker.play(story, 0.0, gain_db)
            Listener(speaker).until_state("ended")
            speaker.close()
            peaks.append(max(array("f", out.read_bytes())))
        levels_db = [20 * math.log10(peak / peaks[0]) for peak in peaks]
        assert levels_db == pytest.approx(gains_db, abs=0.1)

    def test_wake_is_called_when_there_is_news(self, runtime: Path, story: Path) -> None:
        news = threading.Event()
        speaker = MpvSpeaker(runtime, ao="null", wake=news.set)
        speaker.play(story, 0.0, 0.0)
        assert news.wait(PATIENCE_S)
        speaker.close()
