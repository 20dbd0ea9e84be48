"""The speaker where mpv is missing, dying or babbling, and what needs none."""

import math
import sys
import time
from pathlib import Path

import pytest
from tests.hardware.listening import PATIENCE_S, make_story

from somnisphere_hardware.mpv_ipc import MpvLink
from somnisphere_hardware.mpv_speaker import MpvSpeaker, volume_pct
from somnisphere_hardware.speaker import SpeakerReport


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return make_story(tmp_path / "story.wav", 1.0)


def make_program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_no_mpv_names_the_mend(runtime: Path, story: Path) -> None:
    speaker = MpvSpeaker(runtime, program="mpv-that-is-not-installed")
    speaker.play(story, 3.0, 0.0)
    (report,) = speaker.step(1.0)
    assert (report.state, report.path, report.position_s) == ("failed", story, 3.0)
    assert "sudo apt install mpv" in report.problem
    speaker.resume(0.0)
    assert speaker.step(2.0) == []
    speaker.close()


def test_a_story_that_is_gone_fails_with_a_sentence(runtime: Path, tmp_path: Path) -> None:
    speaker = MpvSpeaker(runtime)
    speaker.play(tmp_path / "gone.opus", 0.0, 0.0)
    (report,) = speaker.step(1.0)
    assert report.state == "failed"
    assert "gone.opus" in report.problem
    speaker.close()


def test_an_mpv_that_keeps_dying_is_given_up(runtime: Path, tmp_path: Path, story: Path) -> None:
    """Killed at each start: tried again at once, then after 1, 2, 4 and 8 s, then said to have failed."""
    count = tmp_path / "starts"
    speaker = MpvSpeaker(runtime, program=make_program(tmp_path / "mpv", f"echo x >> {count}\nkill -9 $$"))
    speaker.play(story, 3.0, 0.0)
    at_s = 0.0
    reports: list[SpeakerReport] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while not reports and time.monotonic() < deadline_s:
        reports = speaker.step(at_s)
        if speaker.pid is None:
            at_s += 0.5  # only waiting: let the clock run
        else:
            time.sleep(0.005)
    assert [report.state for report in reports] == ["failed"]
    assert "keeps ending" in reports[0].problem
    assert len(count.read_text().split()) == 6
    assert 15.0 <= at_s <= 20.0
    speaker.close()


def test_a_socket_path_that_is_too_long_is_a_sentence(tmp_path: Path, story: Path) -> None:
    speaker = MpvSpeaker(tmp_path / ("x" * 120))
    speaker.play(story, 0.0, 0.0)
    (report,) = speaker.step(0.0)
    assert "shorter runtime folder" in report.problem
    speaker.close()


def test_nonsense_from_mpv_is_passed_over(runtime: Path, tmp_path: Path) -> None:
    """A program that answers with lines that are not JSON, or not objects."""
    script = tmp_path / "chatter.py"
    script.write_text(
        "import socket, sys\n"
        "path = sys.argv[-1].split('=', 1)[1]\n"
        "server = socket.socket(socket.AF_UNIX)\nserver.bind(path)\nserver.listen()\n"
        "peer, _ = server.accept()\n"
        r"peer.sendall(b'hello\n[1]\n\xff\xfe\n{\"event\": \"idle\"}\n')" + "\npeer.close()\n"
    )
    link = MpvLink([sys.executable, str(script)], runtime / "mpv.sock")
    messages: list[object] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while len(messages) < 3 and time.monotonic() < deadline_s:
        messages += [message["event"] for message in link.messages()]
        time.sleep(0.005)
    assert messages == ["link-up", "idle", "link-down"]
    link.close()


@pytest.mark.parametrize(
    ("gain_db", "volume"), [(0.0, 100.0), (-60.0, 10.0), (-18.06, 50.0), (3.0, 100.0), (-math.inf, 0.0)]
)
def test_volume_is_cubic(gain_db: float, volume: float) -> None:
    assert volume_pct(gain_db) == pytest.approx(volume, abs=0.01)


def test_a_gain_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="number"):
        volume_pct(math.nan)
