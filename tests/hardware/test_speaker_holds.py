"""Pauses between sentences, with the real mpv in real time."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hardware.listening import PATIENCE_S, Listener, ask_mpv, make_story

from somnisphere_hardware.mpv_speaker import MpvSpeaker
from somnisphere_hardware.simulated.speaker import SimulatedSpeaker
from somnisphere_hardware.speaker import Speaker

needs_mpv = [
    pytest.mark.mpv,
    pytest.mark.skipif(shutil.which("mpv") is None, reason="there is no mpv; install it: sudo apt install mpv"),
]


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    speaker = MpvSpeaker(tmp_path / "run", ao="null")
    yield Listener(speaker)
    speaker.close()


def step_until(speaker: MpvSpeaker, paused: bool) -> float:
    """Steps it as the box does, when it is due and twice a second; real time when mpv is or is no longer paused."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        now_s = time.monotonic()
        speaker.step(now_s)
        if ask_mpv(speaker, "pause") is paused:
            return time.monotonic()
        due_s = speaker.due_s
        time.sleep(min(0.02, max(0.0, 0.5 if due_s is None else due_s - now_s)))
    raise AssertionError(f"mpv never came to pause={paused}")


class TestWithMpv:
    pytestmark = needs_mpv

    def test_the_story_stands_still_where_and_as_long_as_it_was_asked_to(
        self, listener: Listener, tmp_path: Path
    ) -> None:
        speaker = listener.speaker
        speaker.play(make_story(tmp_path / "story.wav", 60.0), 5.0, 0.0)
        listener.until_place(5.0)
        for place_s in (7.0, 9.0):
            speaker.hold(place_s, 0.8)
            held_s = step_until(speaker, paused=True)
            stands_s = ask_mpv(speaker, "time-pos")
            assert isinstance(stands_s, float)
            assert stands_s == pytest.approx(place_s, abs=0.4), "within the silence of a sentence"
            assert all(report.state == "playing" for report in listener.reports)
            assert step_until(speaker, paused=False) - held_s == pytest.approx(0.8, abs=0.25)
        assert speaker.due_s is None

    def test_a_hand_ends_a_hold(self, listener: Listener, tmp_path: Path) -> None:
        speaker = listener.speaker
        speaker.play(make_story(tmp_path / "story.wav", 60.0), 5.0, 0.0)
        listener.until_place(5.0)
        speaker.hold(5.5, 60.0)
        step_until(speaker, paused=True)
        speaker.resume(-10.0)
        assert speaker.due_s is None
        step_until(speaker, paused=False)  # the hold itself would last a minute
        speaker.hold(6.5, 60.0)
        speaker.pause()
        assert speaker.due_s is None
        listener.until_state("paused")
        assert ask_mpv(speaker, "pause") is True

    def test_another_story_is_not_held(self, listener: Listener, tmp_path: Path) -> None:
        speaker = listener.speaker
        story = make_story(tmp_path / "story.wav", 60.0)
        speaker.play(story, 5.0, 0.0)
        listener.until_place(5.0)
        speaker.hold(5.5, 60.0)
        step_until(speaker, paused=True)
        speaker.play(story, 20.0, 0.0)
        listener.until_place(21.0)
        assert ask_mpv(speaker, "pause") is False


def test_the_simulated_speaker_holds_too() -> None:
    speaker: Speaker = SimulatedSpeaker(lambda _: 100.0)
    speaker.play(Path("a"), 0.0, 0.0)
    speaker.step(0.0)
    speaker.hold(3.0, 2.0)
    places = {}
    for at_s in range(1, 12):
        for report in speaker.step(float(at_s)):
            places[at_s] = report.position_s
            assert report.state == "playing"
    assert places[2] == 2.0
    assert places[4] == 3.0
    assert places[5] == 3.0
    assert places[6] == 4.0
    assert places[10] == 8.0
