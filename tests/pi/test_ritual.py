"""The ritual, evening by evening."""

import pytest
from tests.number_bedside import LONG, SHORT, NumberBedside

from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.ritual import RitualSettings
from somnisphere.bedtime.state import SILENT_DB, volume_gain_db
from somnisphere.events import (
    DimLamp,
    PauseStory,
    PlayerReported,
    PlayStory,
    Press,
    ResumeStory,
    Say,
    SetGain,
)


def test_a_whole_evening_night_and_morning() -> None:
    bed = NumberBedside()
    assert bed.press(Press.TAP)[1:] == [DimLamp(45.0, 15.0)]
    assert bed.in_phase(Phase.WIND_DOWN)
    done = bed.live(300)
    assert done[0] == DimLamp(20.0, 285.0)
    assert PlayStory(LONG.path, 0.0, volume_gain_db(50.0)) in done
    bed.live(600)
    assert bed.gain_db == volume_gain_db(50.0), "awake: as loud as the person wants it"
    bed.live(400, 0.8)
    assert bed.in_phase(Phase.DRIFTING)
    assert bed.gain_db < volume_gain_db(50.0) - 15
    assert 0 < bed.lamp_pct < 12
    onset_s, onset_position_s = bed.at_s, bed.position_s
    bed.live(150, 0.95)
    bed.do(bed.ritual.slept(bed.at_s, onset_s))
    assert bed.in_phase(Phase.ASLEEP)
    assert bed.lamp_pct == 0.0
    assert bed.bookmarks[LONG.key] == pytest.approx(onset_position_s - 30.0, abs=1.5)
    bed.live(600, 0.95)
    assert not bed.playing
    assert bed.bookmarks[LONG.key] == pytest.approx(onset_position_s - 30.0, abs=1.5)
    bed.cue(Cue.STIRRED)
    bed.cue(Cue.RESETTLED)
    bed.live(3600, 0.95)
    bed.cue(Cue.WOKE)
    bed.cue(Cue.ROSE)
    bed.cue(Cue.NIGHT_OVER)
    assert bed.in_phase(Phase.IDLE)
    told = ["lights_down", "story_began", "drifting", "fell_asleep", "stirred", "woke_up", "morning", "left_bed"]
    assert bed.announced() == told
    assert not any(isinstance(action, Say) and action.level == "warning" for action in bed.done)


@pytest.mark.parametrize("seconds", [0.0, 120.0, 400.0])
def test_a_night_that_ends_amid_the_evening_leaves_no_lamp_on(seconds: float) -> None:
    bed = NumberBedside()
    bed.press(Press.TAP)
    bed.live(seconds, None)
    assert bed.lamp_pct > 0.0
    bed.cue(Cue.NIGHT_OVER)
    assert bed.in_phase(Phase.IDLE)
    assert bed.lamp_pct == 0.0


def test_the_next_evening_begins_at_the_bookmark_and_at_the_persons_own_volume() -> None:
    bed = NumberBedside()
    bed.do(bed.ritual.set_volume(62.0, 0.0))
    bed.begin()
    bed.live(600, 0.95)
    bed.cue(Cue.SLEPT)
    bed.live(900, 0.95)
    bed.cue(Cue.WOKE)
    bed.cue(Cue.NIGHT_OVER)
    bookmark_s = bed.bookmarks[LONG.key]
    bed.at_s += 15 * 3600
    bed.press(Press.TAP)
    done = bed.live(301)
    assert PlayStory(LONG.path, bookmark_s, volume_gain_db(62.0)) in done
    assert bed.ritual.state.volume_pct == 62.0


def test_without_a_sensor_the_plain_timer_ends_the_story_and_says_so() -> None:
    bed = NumberBedside()
    bed.press(Press.TAP)
    bed.live(300 + 1799, None)
    assert bed.playing
    assert bed.gain_db < -35
    bed.live(2, None)
    assert not bed.playing
    assert bed.in_phase(Phase.DRIFTING)
    assert bed.lamp_pct == 0.0
    assert "by the timer, in 30 minutes" in bed.said()
    assert bed.bookmarks[LONG.key] == pytest.approx(1800 - 5, abs=2)


def test_a_sensor_lost_on_the_way_leaves_the_light_and_ends_with_a_whole_fade() -> None:
    bed = NumberBedside()
    bed.press(Press.TAP)
    bed.live(300 + 2400, 0.05)
    lamp_pct = bed.lamp_pct
    assert bed.playing, "with a sensor that sees somebody awake the story goes on past the timer"
    bed.live(121 + 599, None)
    assert bed.playing
    bed.live(5, None)
    assert not bed.playing
    assert bed.lamp_pct == lamp_pct == 20.0


def test_the_parents_limit_holds_whatever_is_pressed() -> None:
    bed = NumberBedside(RitualSettings(story_limit_s=1200.0))
    bed.press(Press.TAP)
    for _ in range(200):
        bed.live(30)
        bed.press(Press.TAP)
    bed.press(Press.HOLD)
    bed.press(Press.TAP)
    bed.live(600)
    assert not bed.playing
    assert bed.heard_s <= 1201
    assert "limit for tonight" in bed.said()


def test_one_more_page_gives_more_time_and_is_heard_again() -> None:
    bed = NumberBedside()
    bed.press(Press.TAP)
    bed.live(300 + 1700, None)
    faint_db = bed.gain_db
    bed.press(Press.TAP)
    bed.live(120, None)
    assert bed.playing
    assert bed.gain_db == pytest.approx(volume_gain_db(50) + (faint_db - volume_gain_db(50)) / 2, abs=0.5)
    bed.live(560, None)
    assert bed.playing
    bed.live(30, None)
    assert not bed.playing


def test_one_more_page_in_the_night_plays_quietly_from_the_bookmark_and_in_the_dark() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.live(600, 0.95)
    bed.cue(Cue.SLEPT)
    bed.live(900, 0.95)
    bed.cue(Cue.STIRRED)
    (played,) = [action for action in bed.press(Press.TAP) if isinstance(action, PlayStory)]
    assert played.position_s == bed.bookmarks[LONG.key]
    assert played.gain_db == pytest.approx(volume_gain_db(40) - 15, abs=0.5), "under the night's ceiling"
    assert bed.ritual.state.volume_pct == 50, "which leaves the person's volume alone"
    bed.live(100, 0.1)
    assert bed.lamp_pct == 0.0


def test_a_hand_pauses_and_goes_on_where_it_was() -> None:
    bed = NumberBedside()
    bed.begin()
    assert PauseStory() in bed.press(Press.DOUBLE)
    position_s = bed.position_s
    bed.live(300)
    assert bed.position_s == position_s
    assert bed.press(Press.DOUBLE) == [ResumeStory(volume_gain_db(50))]


def test_hold_stops_everything() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.press(Press.HOLD)
    assert bed.in_phase(Phase.IDLE)
    assert bed.path is None
    assert bed.lamp_pct == 0.0
    assert bed.bookmarks[LONG.key] == pytest.approx(60 - 5, abs=2)


def test_a_lamp_touched_by_hand_is_the_hands_until_the_next_phase() -> None:
    bed = NumberBedside()
    bed.press(Press.TAP)
    assert bed.do(bed.ritual.lamp_by_hand(70.0, 1.0, bed.at_s)) == [DimLamp(70.0, 1.0)]
    bed.live(299)
    assert bed.lamp_pct == 70.0
    bed.live(60)
    bed.do(bed.ritual.lamp_by_hand(60.0, 1.0, bed.at_s))
    bed.live(90, 0.27)
    assert bed.lamp_pct == 60.0
    bed.cue(Cue.SLEPT)
    assert bed.lamp_pct == 0.0


def test_the_lamp_never_jumps_when_the_ritual_takes_it_back() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.do(bed.ritual.lamp_by_hand(80.0, 1.0, bed.at_s))
    done = bed.live(900, 0.9)
    first = next(action for action in done if isinstance(action, DimLamp))
    assert first.over_s >= (80 - first.lightness_pct) * 2


def test_a_story_that_ends_leaves_a_quiet_evening_and_the_next_page_is_the_next_story() -> None:
    bed = NumberBedside(stories=[SHORT, LONG])
    bed.do(bed.ritual.choose_story("the boat", 0.0))
    bed.press(Press.TAP)
    bed.live(300 + 601)
    assert bed.in_phase(Phase.DRIFTING)
    assert bed.bookmarks[SHORT.key] == 0.0
    assert bed.lamp_pct == 0.0
    assert PlayStory(LONG.path, 0.0, volume_gain_db(50)) in bed.press(Press.TAP)


def test_a_story_that_ends_while_somebody_sleeps_keeps_the_bookmark_of_sleep() -> None:
    bed = NumberBedside(stories=[SHORT])
    bed.press(Press.TAP)
    bed.live(300 + 560, 0.3)
    bed.do(bed.ritual.slept(bed.at_s, bed.at_s - 100))
    bed.live(60, 0.9)
    assert bed.bookmarks[SHORT.key] == pytest.approx(560 - 130, abs=2)


def test_a_story_that_ended_after_sleep_had_come_is_found_where_sleep_came() -> None:
    bed = NumberBedside(stories=[SHORT, LONG])
    bed.do(bed.ritual.choose_story("the boat", 0.0))
    bed.press(Press.TAP)
    bed.live(300 + 650, 0.3)
    assert bed.bookmarks[SHORT.key] == 0.0  # told to its end, as far as anybody knew then
    bed.do(bed.ritual.slept(bed.at_s, bed.at_s - 250))
    assert 300 < bed.bookmarks[SHORT.key] < 400
    assert bed.shelf.current() == SHORT


def test_a_story_that_ended_before_sleep_came_is_over() -> None:
    bed = NumberBedside(stories=[SHORT, LONG])
    bed.do(bed.ritual.choose_story("the boat", 0.0))
    bed.press(Press.TAP)
    bed.live(300 + 900, 0.3)
    bed.do(bed.ritual.slept(bed.at_s, bed.at_s - 60))
    assert bed.bookmarks[SHORT.key] == 0.0
    assert bed.shelf.current() == LONG


def test_a_broken_story_gives_way_to_the_next_and_then_to_quiet() -> None:
    bed = NumberBedside()
    bed.begin()
    report = PlayerReported(bed.at_s, "failed", LONG.path, 0.0, "no audio in it")
    assert PlayStory(SHORT.path, 0.0, volume_gain_db(50)) in bed.do(bed.ritual.player(report))
    assert "no audio in it" in bed.said()
    for _ in range(4):
        bed.playing = False
        bed.do(bed.ritual.player(PlayerReported(bed.at_s, "failed", None, 0.0, "no player")))
    assert not bed.playing
    assert bed.in_phase(Phase.DRIFTING)
    assert bed.shelf.bookmarks.get(SHORT.key, 0.0) == 0.0


def test_old_news_of_the_player_changes_nothing() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.do(bed.ritual.choose_story(SHORT.key, bed.at_s))
    before = bed.ritual.state
    assert bed.ritual.player(PlayerReported(bed.at_s, "ended", LONG.path, 99.0)) == []
    assert bed.ritual.state == before


def test_an_empty_shelf_is_a_quiet_evening() -> None:
    bed = NumberBedside(stories=[])
    bed.press(Press.TAP)
    bed.live(301)
    assert bed.in_phase(Phase.DRIFTING)
    assert "no story on the shelf" in bed.said()
    assert "story_began" not in bed.announced()


def test_choosing_a_story_while_one_is_told_changes_it_and_keeps_the_place() -> None:
    bed = NumberBedside()
    bed.begin()
    done = bed.do(bed.ritual.choose_story(SHORT.title, bed.at_s))
    assert done[-1] == PlayStory(SHORT.path, 0.0, volume_gain_db(50))
    assert bed.bookmarks[LONG.key] == pytest.approx(60 - 5, abs=2)
    assert "There is no story “Moby”" in str(bed.ritual.choose_story("Moby", bed.at_s))


def test_sleep_in_the_middle_of_the_story_lands_softly() -> None:
    bed = NumberBedside()
    bed.begin()
    before_db = bed.gain_db
    bed.cue(Cue.SLEPT)
    bed.live(200, 0.95)
    assert bed.playing
    assert before_db - bed.gain_db == pytest.approx(10.0, abs=0.3)
    bed.live(500, 0.95)
    assert not bed.playing


def test_sleep_onset_known_better_later_moves_the_bookmark() -> None:
    bed = NumberBedside()
    bed.begin()
    bed.live(600, 0.5)
    bed.do(bed.ritual.slept(bed.at_s, bed.at_s - 60))
    position_s = bed.position_s
    bed.live(800, 0.95)
    bed.do(bed.ritual.date_onset(bed.at_s - 800 - 300))
    assert bed.bookmarks[LONG.key] == pytest.approx(position_s - 330, abs=2)


def test_volume_stays_between_floor_and_ceiling_and_is_heard_at_once() -> None:
    bed = NumberBedside(RitualSettings(volume_floor_pct=10.0, volume_ceiling_pct=70.0))
    bed.begin()
    assert bed.do(bed.ritual.set_volume(100.0, bed.at_s)) == [SetGain(volume_gain_db(70.0))]
    assert bed.do(bed.ritual.set_volume(0.0, bed.at_s)) == [SetGain(volume_gain_db(10.0))]


def test_half_the_volume_is_ten_decibels() -> None:
    assert volume_gain_db(100) == 0.0
    assert volume_gain_db(50) == pytest.approx(-10.0)
    assert volume_gain_db(25) == pytest.approx(-20.0)
    assert volume_gain_db(0) == SILENT_DB


def test_nobody_there_ends_the_evening_by_itself() -> None:
    bed = NumberBedside(RitualSettings(quiet_limit_s=4000.0))
    bed.press(Press.TAP)
    bed.live(300 + 1800 + 4001, None)
    assert bed.in_phase(Phase.IDLE)
    assert bed.path is None
