"""Pause, go on, another place, another story: what a player's buttons ask of an evening, at any hour."""

import pytest
from tests.number_bedside import LONG, SHORT, NumberBedside

from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.state import volume_gain_db
from somnisphere.events import PauseStory, PlayStory, ResumeStory, Say


def test_pause_stands_still_and_resume_goes_on() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.live(60)
    assert PauseStory() in bed.do(bed.ritual.pause(bed.at_s))
    assert bed.do(bed.ritual.pause(bed.at_s)) == [Say("No story is playing.")]
    position_s = bed.position_s
    bed.live(120)
    assert bed.position_s == position_s
    assert bed.do(bed.ritual.resume(bed.at_s)) == [ResumeStory(volume_gain_db(50))]
    assert bed.do(bed.ritual.resume(bed.at_s)) == [Say("No story was paused.")]


def test_a_story_paused_by_hand_and_slept_over_goes_on_as_one_more_page() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.do(bed.ritual.pause(bed.at_s))
    bed.cue(Cue.SLEPT)
    assert bed.in_phase(Phase.ASLEEP)
    bed.do(bed.ritual.resume(bed.at_s))
    assert bed.in_phase(Phase.STORY)
    assert bed.playing


def test_seek_moves_what_plays_and_what_was_paused() -> None:
    bed = NumberBedside()
    bed.begin()
    played = bed.do(bed.ritual.seek(100.0, bed.at_s))
    assert played[-1] == PlayStory(LONG.path, 100.0, volume_gain_db(50))
    assert PauseStory() not in played, "no gap, no click"
    bed.do(bed.ritual.pause(bed.at_s))
    assert bed.do(bed.ritual.seek(-5.0, bed.at_s)) != []
    assert bed.do(bed.ritual.resume(bed.at_s)) == [PlayStory(LONG.path, 0.0, volume_gain_db(50))]
    assert LONG.duration_s is not None
    bed.do(bed.ritual.seek(1e9, bed.at_s))
    assert bed.position_s == pytest.approx(LONG.duration_s - 1.0)


def test_seek_without_a_story_says_so() -> None:
    bed = NumberBedside()
    assert bed.do(bed.ritual.seek(10.0, 0.0)) == [Say("No story is playing.")]


@pytest.mark.parametrize("position_s", [None, 12.0])
def test_play_tells_a_story_now_even_from_idle(position_s: float | None) -> None:
    bed = NumberBedside()
    done = bed.do(bed.ritual.play(SHORT.key, position_s, bed.at_s))
    assert PlayStory(SHORT.path, position_s or 0.0, volume_gain_db(50)) in done
    assert bed.in_phase(Phase.STORY)


def test_play_of_another_story_keeps_the_place_of_the_first() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.live(60)
    done = bed.do(bed.ritual.play(SHORT.title, None, bed.at_s))
    assert done[-1] == PlayStory(SHORT.path, 0.0, volume_gain_db(50))
    assert bed.bookmarks[LONG.key] > 30.0


def test_play_of_the_paused_story_goes_on_with_it() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.do(bed.ritual.pause(bed.at_s))
    assert bed.do(bed.ritual.play(LONG.key, None, bed.at_s)) == [ResumeStory(volume_gain_db(50))]
    assert bed.do(bed.ritual.play(LONG.key, None, bed.at_s)) == [], "it plays already"


def test_play_of_no_story_says_so_and_changes_nothing() -> None:
    bed = NumberBedside()
    before = bed.ritual.state
    (said,) = bed.do(bed.ritual.play("nothing.story", None, bed.at_s))
    assert isinstance(said, Say)
    assert said.level == "warning"
    assert bed.ritual.state == before


def test_play_in_the_night_after_sleep_is_a_page_in_the_dark() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.live(60, 0.95)
    bed.cue(Cue.SLEPT)
    bed.live(900, 0.95)
    assert not bed.playing
    bed.do(bed.ritual.play(SHORT.key, None, bed.at_s))
    assert bed.playing
    assert bed.lamp_pct == 0.0
