"""The heart of the daemon, all real but for the world: ritual, shelf, pipeline and stager in a ``for`` loop."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core_bedside import ATTIC, BOAT, HOUR_S, UTC, Bedside, of

from somnisphere.bedtime.phases import Phase
from somnisphere.cues import NIGHT_LIMIT_S
from somnisphere.entities import ENTITIES
from somnisphere.events import (
    PLAYER_TROUBLE_S,
    Announce,
    BeginNight,
    BrokerReported,
    DateAnew,
    DimLamp,
    EndNight,
    LampReported,
    PlayerReported,
    PlayStory,
    Say,
    SetGain,
    ShelfChanged,
    StopStory,
    Tick,
)
from somnisphere.lamp_by_hand import TOUCH_PCT as LAMP_TOUCH_PCT
from somnisphere.lamp_by_hand import TOUCH_S as LAMP_TOUCH_S
from somnisphere.listeners import BEGIN_LATE_S, BeginClock
from somnisphere.night import NightTimes, unknown_epoch
from somnisphere.night_in_progress import night_id_of
from somnisphere.story import Story
from somnisphere_home.commands import Wish, decode
from somnisphere_home.entity import Entity, LightWish
from somnisphere_home.messages import Topics

# ---- an evening begins -----------------------------------------------------------------------------------------------


def test_a_tap_begins_the_evening_and_opens_a_night() -> None:
    bed = Bedside()
    bed.live(5.0)
    assert bed.in_phase(Phase.IDLE)
    assert bed.done == []
    done = bed.tap()
    assert bed.in_phase(Phase.WIND_DOWN)
    assert done[0] == BeginNight("2026-03-14", 5.0), "the night is there before anything is announced of it"
    assert of(Announce, done) == [Announce("lights_down", 5.0)]
    assert of(DimLamp, done) == [DimLamp(45.0, 15.0)]
    assert bed.core.snapshot().night_id == "2026-03-14"
    bed.live(60.0)
    assert of(PlayStory, bed.done) == [PlayStory(ATTIC.path, 0.0, -10.0)]


def test_a_night_that_a_power_cut_left_open_ends_no_evening_that_began_since() -> None:
    bed = Bedside()
    bed.at_s = 2 * NIGHT_LIMIT_S
    bed.tick()
    long_ago_s = bed.at_s - NIGHT_LIMIT_S - 60.0
    bed.core.carry_on(NightTimes("2026-03-13"), [unknown_epoch(k, long_ago_s) for k in range(3)])
    bed.tap()
    bed.live(90.0)
    assert bed.in_phase(Phase.STORY)
    (ended,) = of(EndNight, bed.done)
    assert ended.times.night_id == "2026-03-13"
    (begun,) = of(BeginNight, bed.done)
    assert bed.done.index(ended) < bed.done.index(begun)
    assert bed.core.snapshot().night_id == begun.night_id != "2026-03-13"
    assert of(DimLamp, bed.done)[-1].lightness_pct > 0.0


def test_an_evening_that_was_killed_before_its_night_was_kept_opens_one() -> None:
    before = Bedside()
    before.live(5.0)
    before.tap()
    before.live(4.0)
    after = Bedside()
    after.tick()
    done = after.core.restore_ritual(before.core.ritual_state(), -before.at_s, 0.0)
    assert after.in_phase(Phase.WIND_DOWN)
    assert of(BeginNight, done) == [BeginNight("2026-03-14", 0.0)]
    assert after.core.snapshot().night_id == "2026-03-14"


def test_a_second_tap_opens_no_second_night() -> None:
    bed = Bedside()
    bed.until_story()
    bed.tap()
    bed.wish("stop")
    bed.tap()
    assert len(of(BeginNight, bed.done)) == 1


def test_the_configured_time_begins_it_once() -> None:
    bed = Bedside(begin_at="20:31")
    bed.live(59.0)
    assert bed.done == []
    done = bed.live(2.0)
    assert [type(action) for action in done][:2] == [BeginNight, Announce]
    bed.live(600.0)
    assert [moment.type for moment in of(Announce, bed.done)].count("lights_down") == 1


@pytest.mark.parametrize("begin_at", ["00:00", "00:10", "23:59"])
def test_the_configured_time_may_be_about_midnight(begin_at: str) -> None:
    bed = Bedside(datetime.datetime(2026, 3, 14, 23, 50, tzinfo=UTC).timestamp(), begin_at=begin_at)
    bed.live(30 * 60.0, step_s=10.0)
    (night,) = of(BeginNight, bed.done)
    assert night.night_id == "2026-03-14", "ten past midnight is still that evening"
    began = datetime.datetime.fromtimestamp(bed.wall_s + night.at_s, UTC)
    assert began.strftime("%H:%M") == begin_at


def test_a_time_that_the_clock_leaves_out_in_spring_is_not_left_out() -> None:
    """Berlin, 29 March 2026: 02:00 becomes 03:00."""
    bed = Bedside(datetime.datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC).timestamp(), begin_at="02:30", offset_s=HOUR_S)
    bed.live(29.0)
    bed.offset_s = 2 * HOUR_S
    bed.live(3.0)
    assert bed.in_phase(Phase.WIND_DOWN)
    assert of(BeginNight, bed.done)[0].night_id == "2026-03-28"


def test_a_time_that_comes_twice_in_autumn_begins_one_evening() -> None:
    """Berlin, 25 October 2026: 03:00 becomes 02:00."""
    bed = Bedside(datetime.datetime(2026, 10, 25, 0, 29, tzinfo=UTC).timestamp(), begin_at="02:30", offset_s=2 * HOUR_S)
    bed.live(120.0)
    bed.wish("stop")
    bed.live(29 * 60.0, step_s=5.0)
    bed.offset_s = HOUR_S
    bed.live(90 * 60.0, step_s=5.0)
    assert [moment.type for moment in of(Announce, bed.done)].count("lights_down") == 1
    bed.live(24 * HOUR_S, step_s=30.0)
    assert [moment.type for moment in of(Announce, bed.done)].count("lights_down") == 2, "and again on the next day"


def test_a_clock_that_is_put_right_hours_late_wakes_nobody() -> None:
    """A Pi without a battery clock boots with the time of its last shutdown."""
    bed = Bedside(datetime.datetime(2026, 3, 14, 18, 0, tzinfo=UTC).timestamp(), begin_at="20:00")
    bed.live(10.0)
    bed.wall_s += 5 * HOUR_S
    bed.live(10.0)
    assert bed.in_phase(Phase.IDLE)
    assert bed.done == [Say("The clock was set forward by 5.0 hours."), DateAnew(5 * HOUR_S)]
    bed.live(24 * HOUR_S, step_s=30.0)
    assert "lights_down" in [moment.type for moment in of(Announce, bed.done)]


@given(
    begin_minute=st.integers(0, 1439),
    start_minute=st.integers(0, 1439),
    steps_s=st.lists(st.floats(0.5, BEGIN_LATE_S - 1), min_size=1, max_size=60),
)
def test_every_day_the_clock_passes_the_time_once(begin_minute: int, start_minute: int, steps_s: list[float]) -> None:
    begin_s = begin_minute * 60.0
    clock = BeginClock(begin_s)
    wall_s = start_minute * 60.0 + 20_000 * 86_400.0
    due = 0
    clock.is_due(Tick(0.0, wall_s))
    crossed = 0
    for step_s in steps_s:
        due += int((wall_s + step_s - begin_s) // 86_400.0) - int((wall_s - begin_s) // 86_400.0)
        wall_s += step_s
        crossed += clock.is_due(Tick(0.0, wall_s))
    assert crossed == due


@pytest.mark.parametrize(
    ("local", "night_id"),
    [
        ("2026-03-14T20:30", "2026-03-14"),
        ("2026-03-14T23:59", "2026-03-14"),
        ("2026-03-15T01:00", "2026-03-14"),
        ("2026-03-15T11:59", "2026-03-14"),
        ("2026-03-15T12:00", "2026-03-15"),
        ("2026-01-01T00:30", "2025-12-31"),
        ("2024-03-01T03:00", "2024-02-29"),
    ],
)
def test_a_night_is_named_after_its_evening(local: str, night_id: str) -> None:
    assert night_id_of(datetime.datetime.fromisoformat(f"{local}+00:00").timestamp()) == night_id


def test_a_night_is_named_by_the_households_clock() -> None:
    """23:30 in Auckland is 10:30 in Greenwich, of the same day; at 12:30 there it is half past midnight."""
    bed = Bedside(datetime.datetime(2026, 3, 14, 11, 30, tzinfo=UTC).timestamp(), offset_s=13 * HOUR_S)
    bed.tick()
    bed.tap()
    assert of(BeginNight, bed.done)[0].night_id == "2026-03-14"


# ---- hands -----------------------------------------------------------------------------------------------------------

Declared = Entity[Any]


def wish_for(entity: Declared) -> list[bytes]:
    """Payloads that the home may send to an entity, by the kind of its command."""
    assert entity.command is not None
    match entity.command.kind:
        case "press":
            return [b"PRESS"]
        case "switch":
            return [b"ON", b"OFF"]
        case "number":
            return [str(entity.command.min).encode(), str(entity.command.max).encode()]
        case "choice":
            return [b"Ada", b"Ben"] if entity.key == "listener" else [ATTIC.title.encode(), BOAT.title.encode()]
        case "light":
            return [b'{"state":"ON"}', b'{"state":"ON","brightness":2000,"transition":5}', b'{"state":"OFF"}']


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("entity", [e for e in ENTITIES if e.command is not None], ids=lambda e: e.key)
def test_whatever_the_home_may_ask_for_the_core_can_do(entity: Declared, begun: bool) -> None:
    bed = Bedside(names=("Ada", "Ben"))
    if begun:
        bed.until_story()
    topics = Topics("bedside")
    for payload in wish_for(entity):
        wish = decode(ENTITIES, bed.core.snapshot(), topics, topics.command(entity.key), payload, retained=False)
        assert isinstance(wish, Wish)
        bed.wish(wish.key, wish.value)
        bed.live(2.0)


def test_wishes_are_obeyed_in_the_call_that_brings_them() -> None:
    bed = Bedside()
    bed.tick()
    assert of(DimLamp, bed.wish("begin"))
    assert bed.wish("one_more_page")
    assert of(PlayStory, bed.done)
    assert of(PlayStory, bed.wish("story", "The boat")) == [PlayStory(BOAT.path, 0.0, -10.0)]
    (quieter,) = of(SetGain, bed.wish("volume", 25.0))
    assert quieter.gain_db == pytest.approx(-20.0)
    bed.wish("fade_time", 3.0)
    shown = bed.core.snapshot()
    assert (shown.volume_pct, shown.fade_min, shown.story_title) == (25.0, 3.0, "The boat")
    done = bed.wish("stop")
    assert of(StopStory, done)
    assert of(DimLamp, done)[0].lightness_pct == 0.0
    assert bed.in_phase(Phase.IDLE)


def test_a_hand_on_the_lamp_is_obeyed_and_kept() -> None:
    bed = Bedside()
    bed.tick()
    bed.tap()
    assert bed.wish("lamp", LightWish(on=True, level_pct=70.0, over_s=3.0)) == [DimLamp(70.0, 3.0)]
    assert of(DimLamp, bed.live(50.0)) == [], "the sinking of winding down leaves it alone"
    assert bed.wish("lamp", LightWish(on=False, level_pct=0.0)) == [DimLamp(0.0, LAMP_TOUCH_S)]


def test_on_without_a_brightness() -> None:
    bed = Bedside()
    bed.tick()
    assert bed.wish("lamp", LightWish(on=True)) == [DimLamp(LAMP_TOUCH_PCT, LAMP_TOUCH_S)]
    assert bed.wish("lamp", LightWish(on=True, level_pct=62.0)) == [DimLamp(62.0, LAMP_TOUCH_S)]
    assert bed.wish("lamp", LightWish(on=True)) == [DimLamp(62.0, LAMP_TOUCH_S)], "lit: stays as it is"
    bed.wish("lamp", LightWish(on=False))
    for passing_pct in (30.0, 8.0, 0.7, 0.0):  # reported on the way out
        bed.core.receive(LampReported(bed.at_s, passing_pct))
    assert bed.wish("lamp", LightWish(on=True)) == [DimLamp(62.0, LAMP_TOUCH_S)], "not the last glimmer of the fade"


def test_the_story_that_plays_is_shown_where_it_is() -> None:
    bed = Bedside()
    bed.until_story()
    bed.core.receive(PlayerReported(bed.at_s, "playing", ATTIC.path, 12.0))
    shown = bed.core.snapshot()
    assert (shown.story_title, shown.story_playing, shown.story_position_s) == ("The attic", True, 12.0)
    bed.core.receive(PlayerReported(bed.at_s, "failed", ATTIC.path, 12.0, "no speaker"))
    shown = bed.core.snapshot()
    assert (shown.player_ok, shown.player_problem, shown.story_playing) == (False, "no speaker", False)


def test_a_player_that_nobody_tried_since_is_in_no_trouble_that_is_known() -> None:
    """Its speaker may be plugged in again by now; the next story finds out."""
    bed = Bedside()
    bed.core.receive(PlayerReported(bed.at_s, "failed", ATTIC.path, 12.0, "no speaker"))
    bed.live(PLAYER_TROUBLE_S - 2.0)
    assert (bed.core.snapshot().player_ok, bed.core.snapshot().player_problem) == (False, "no speaker")
    bed.core.receive(PlayerReported(bed.at_s, "failed", ATTIC.path, 12.0, "no speaker still"))
    bed.live(PLAYER_TROUBLE_S - 2.0)
    assert bed.core.snapshot().player_problem == "no speaker still", "it was tried again"
    bed.live(4.0)
    assert (bed.core.snapshot().player_ok, bed.core.snapshot().player_problem) == (True, "")


def test_stories_come_and_go() -> None:
    bed = Bedside()
    new = Story("new.opus", "A new one", Path("/shelf/new.opus"), 60.0)
    bed.core.receive(ShelfChanged(0.0, (ATTIC, new)))
    assert bed.core.snapshot().story_titles == ("A new one", "The attic")
    bed.core.receive(ShelfChanged(0.0, ()))
    shown = bed.core.snapshot()
    assert (shown.story_titles, shown.story_title) == ((), None)


def test_a_lost_broker_changes_nothing() -> None:
    bed = Bedside()
    bed.until_story()
    before = bed.core.snapshot()
    assert bed.core.receive(BrokerReported(bed.at_s, False, "gone")) == []
    assert bed.core.snapshot() == before
    assert bed.core.receive(BrokerReported(bed.at_s, True)) == [Say("The broker answers.")]


def test_without_a_sensor_the_evening_after_a_nap_can_be_begun() -> None:
    it = Bedside()
    it.wish("begin")
    it.live(65.0)
    it.core.receive(PlayerReported(it.at_s, "playing", Path("/shelf/attic.opus"), 1.0))
    it.live(0.9 * HOUR_S, step_s=5.0)
    assert it.in_phase(Phase.DRIFTING)
    it.wish("begin")
    assert it.in_phase(Phase.DRIFTING), "who is falling asleep is left in the dark"
    it.live(6 * HOUR_S, step_s=10.0)
    it.wish("begin")
    assert it.in_phase(Phase.WIND_DOWN)
