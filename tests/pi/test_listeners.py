"""Several listeners at one bedside, through the core: stories, places, loudness and hours of their own."""

import pytest
from tests.core_bedside import ATTIC, BOAT, EVENING_S, Bedside, of

from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.state import RitualSettings, volume_gain_db
from somnisphere.events import (
    DimLamp,
    FreezeLamp,
    KeepBookmark,
    LampReported,
    LandLamp,
    PlayerReported,
    PlayStory,
    Say,
    SetGain,
    StopStory,
)
from somnisphere.listeners import Listener, Listeners
from somnisphere_home.entity import LightWish


def bedside() -> Bedside:
    return Bedside(names=("Ada", "Ben"))


def story_of(bed: Bedside) -> str | None:
    return bed.core.snapshot().story_title


def listened(bed: Bedside, seconds: float) -> None:
    """Seconds of story, with a player that says where it is."""
    for _ in range(round(seconds)):
        bed.live(1.0)
        position_s = bed.core.snapshot().story_position_s
        assert position_s is not None
        bed._note(bed.core.receive(PlayerReported(bed.at_s, "playing", None, position_s)))


def test_two_children_in_one_book_each_find_their_own_place() -> None:
    bed = bedside()
    bed.wish("story", ATTIC.title)
    bed.until_story()
    listened(bed, 100.0)
    bed.wish("stop")
    (ada,) = of(KeepBookmark, bed.done)[-1:]
    assert ada.listener == "Ada"
    assert ada.position_s > 90.0
    bed.wish("listener", "Ben")
    assert bed.core.snapshot().listener == "Ben"
    bed.wish("story", ATTIC.title)
    bed.wish("one_more_page")
    assert of(PlayStory, bed.done)[-1].position_s == 0.0
    listened(bed, 30.0)
    bed.wish("stop")
    assert of(KeepBookmark, bed.done)[-1].listener == "Ben"
    bed.wish("listener", "Ada")
    bed.wish("story", ATTIC.title)
    bed.wish("one_more_page")
    assert of(PlayStory, bed.done)[-1].position_s == pytest.approx(ada.position_s)


def test_another_listener_ends_what_is_told_to_the_first() -> None:
    bed = bedside()
    bed.until_story()
    listened(bed, 30.0)
    done = bed.wish("listener", "Ben")
    assert of(StopStory, done)
    assert of(PlayStory, done)[-1].position_s == 0.0
    assert bed.in_phase(Phase.STORY)


def test_each_has_a_volume_of_their_own() -> None:
    bed = bedside()
    bed.wish("volume", 70.0)
    bed.wish("listener", "Ben")
    bed.wish("volume", 30.0)
    bed.wish("listener", "Ada")
    assert bed.core.snapshot().volume_pct == 70.0
    bed.wish("listener", "Ben")
    assert bed.core.snapshot().volume_pct == 30.0


def test_a_listener_nobody_knows_is_said() -> None:
    bed = bedside()
    (said,) = of(Say, bed.wish("listener", "Zoe"))
    assert "Ada, Ben" in said.text
    assert bed.core.snapshot().listener == "Ada"


def test_each_evening_begins_at_its_own_time_and_none_cuts_another_short() -> None:
    bed = Bedside(wall_s=EVENING_S)
    core = bed.core
    early, late = RitualSettings(wind_down_s=60.0), RitualSettings(wind_down_s=60.0, volume_pct=25.0)
    since_midnight_s = EVENING_S % 86_400.0
    core._listeners = Listeners(
        core._ritual,
        core._shelf,
        [Listener("Ada", early, "", since_midnight_s + 60.0), Listener("Ben", late, "", since_midnight_s + 600.0)],
    )
    bed.tick()
    bed.live(120.0)
    assert core.snapshot().listener == "Ada"
    assert bed.in_phase(Phase.STORY) or bed.in_phase(Phase.WIND_DOWN)
    bed.live(600.0)
    assert core.snapshot().listener == "Ada", "whose evening is not over"
    bed.wish("stop")


def test_start_over_and_the_other_place() -> None:
    bed = Bedside()
    shelf = bed.core._shelf
    shelf.keep(BOAT.key, 300.0, 180.0)
    bed.wish("story", BOAT.title)
    shown = bed.core.snapshot().bookmark
    assert shown is not None
    assert (shown.position_s, shown.other_s) == (300.0, 180.0)
    (kept,) = of(KeepBookmark, bed.wish("other_place"))
    assert (kept.position_s, kept.other_s) == (180.0, 300.0)
    bed.until_story()
    assert of(PlayStory, bed.done)[-1].position_s == 180.0
    done = bed.wish("start_over")
    assert of(PlayStory, done)[-1].position_s == 0.0
    bed.wish("stop")
    (kept,) = of(KeepBookmark, bed.wish("start_over"))
    assert kept.position_s == 0.0
    assert of(Say, bed.wish("other_place")), "there is no other place now"


def test_a_plain_timer_is_one_switch() -> None:
    bed = Bedside()
    bed.wish("follow_sleep", False)
    assert bed.core.snapshot().follow_sleep is False
    bed.wish("follow_sleep", True)
    assert bed.core.snapshot().follow_sleep is True


def test_a_touch_stops_the_lamp_and_it_lands_later() -> None:
    bed = Bedside()
    bed.until_story()
    bed._note(bed.core.receive(LampReported(bed.at_s, 20.0)))
    bed.wish("stop")
    bed.live(10.0)
    bed._note(bed.core.receive(LampReported(bed.at_s, 13.0)))
    assert of(FreezeLamp, bed.wish("lamp", LightWish(on=True)))
    assert not of(LandLamp, bed.live(590.0))
    assert of(LandLamp, bed.live(20.0))


def test_a_lamp_that_a_hand_sent_away_stays_where_a_touch_stopped_it() -> None:
    bed = Bedside()
    bed.until_story()
    bed._note(bed.core.receive(LampReported(bed.at_s, 60.0)))
    bed.wish("lamp", LightWish(on=False, over_s=600.0))
    bed._note(bed.core.receive(LampReported(bed.at_s, 40.0)))
    assert of(FreezeLamp, bed.wish("lamp", LightWish(on=True)))
    done = bed.live(700.0)
    assert not of(DimLamp, done)
    assert not of(LandLamp, done)


def test_the_gain_is_the_listeners_own() -> None:
    bed = bedside()
    bed.until_story()
    assert of(SetGain, bed.wish("volume", 40.0))[-1].gain_db == pytest.approx(volume_gain_db(40.0))
