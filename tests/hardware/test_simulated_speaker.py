"""The speaker that makes no sound: the same reports, at any speed."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_hardware.simulated.speaker import SimulatedSpeaker
from somnisphere_hardware.speaker import Speaker, SpeakerReport

STORY = Path("/shelf/story.opus")


def make(duration_s: float | None = 600.0) -> SimulatedSpeaker:
    return SimulatedSpeaker(lambda _: duration_s)


def test_it_is_a_speaker() -> None:
    speaker: Speaker = make()
    speaker.play(STORY, 0.0, -3.0)
    assert speaker.step(5.0) == [SpeakerReport(5.0, "playing", STORY, 0.0)]


def test_time_goes_into_the_story_from_the_first_step_on() -> None:
    speaker = make()
    speaker.step(0.0)
    speaker.play(STORY, 30.0, 0.0)
    assert speaker.step(1000.0)[0].position_s == 30.0
    assert speaker.step(1000.5) == []
    assert speaker.step(1001.25) == [SpeakerReport(1001.25, "playing", STORY, 31.25)]


def test_pause_resume_and_stop() -> None:
    speaker = make()
    speaker.play(STORY, 0.0, 0.0)
    speaker.step(0.0)
    speaker.step(0.5)
    speaker.pause()
    assert speaker.step(10.0) == [SpeakerReport(10.0, "paused", STORY, 0.5)]
    assert speaker.step(20.0) == []
    speaker.resume(-12.0)
    assert speaker.gain_db == -12.0
    assert speaker.step(30.0) == [SpeakerReport(30.0, "playing", STORY, 0.5)]
    speaker.step(40.0)
    speaker.stop()
    assert speaker.step(40.5) == [SpeakerReport(40.5, "stopped", STORY, 10.5)]
    speaker.resume(0.0)
    speaker.pause()
    speaker.stop()
    assert speaker.step(50.0) == []


def test_a_story_ends_at_its_length_once() -> None:
    speaker = make(60.0)
    speaker.play(STORY, 50.0, 0.0)
    speaker.step(0.0)
    assert speaker.step(30.0) == [SpeakerReport(30.0, "ended", STORY, 60.0)]
    assert speaker.step(60.0) == []


def test_what_is_not_audio_fails() -> None:
    speaker = make(None)
    speaker.play(STORY, 0.0, 0.0)
    (report,) = speaker.step(1.0)
    assert (report.state, report.path) == ("failed", STORY)
    assert "story.opus" in report.problem
    assert speaker.step(2.0) == []


def test_closed_it_says_nothing() -> None:
    speaker = make()
    speaker.play(STORY, 0.0, 0.0)
    speaker.step(0.0)
    speaker.close()
    assert speaker.step(10.0) == []


@given(st.lists(st.floats(0.01, 120.0), min_size=1, max_size=50), st.floats(1.0, 600.0))
def test_at_any_speed_the_place_is_the_time_that_passed(waits_s: list[float], duration_s: float) -> None:
    speaker = make(duration_s)
    speaker.play(STORY, 0.0, 0.0)
    at_s = 100.0
    reports = speaker.step(at_s)
    for wait_s in waits_s:
        at_s += wait_s
        reports += speaker.step(at_s)
    for report in reports:
        assert report.position_s == pytest.approx(min(duration_s, report.at_s - 100.0))
    if abs(sum(waits_s) - duration_s) > 1e-6:  # at the very end, rounding decides
        assert (reports[-1].state == "ended") == (sum(waits_s) > duration_s)
    gaps_s = [b.at_s - a.at_s for a, b in pairwise(reports) if b.state == "playing"]
    assert all(gap_s >= 1.0 for gap_s in gaps_s)
