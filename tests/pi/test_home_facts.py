"""What Home Assistant knows, as two facts: read, kept for a while, forgotten; and what an evening makes of them."""

import logging

import pytest
from tests.core_bedside import EVENING_S, Bedside, of

from somnisphere.bedtime.phases import Phase
from somnisphere.events import HomeReported, Say
from somnisphere.home_facts import AFTERGLOW_S, KEPT_S, HomeFacts, HomeQuestions
from somnisphere.home_follower import HomeFollower
from somnisphere.listeners import Listeners
from somnisphere_home.rest import HomeRefused, HomeUnreachable

MOTION, TV, LEVEL, CEILING = "binary_sensor.kitchen", "media_player.tv", "sensor.bedroom", "light.ceiling"
ALL = HomeQuestions((MOTION, TV), LEVEL, (CEILING,), dark_below_lx=5.0)


def test_each_entity_is_asked_for_once() -> None:
    assert HomeQuestions((CEILING, MOTION), LEVEL, (CEILING,)).entity_ids == (CEILING, MOTION, LEVEL)
    assert HomeQuestions().entity_ids == ()


@pytest.mark.parametrize(
    ("motion", "tv", "up"),
    [
        ("on", "off", True),
        ("off", "playing", True),
        ("unavailable", "paused", True),
        ("off", "idle", False),
        ("off", "standby", False),
        ("off", "unavailable", None),
        ("unknown", "off", None),
        (None, "off", None),
    ],
)
def test_one_who_is_seen_is_up_and_nobody_is_only_when_all_say_so(motion: str | None, tv: str, up: bool | None) -> None:
    assert ALL.someone_up({MOTION: motion, TV: tv}) is up


@pytest.mark.parametrize(
    ("level", "ceiling", "dark"),
    [
        ("0.4", "off", True),
        ("4.9", "off", True),
        ("5", "off", False),
        ("0.4", "on", False),
        ("unavailable", "on", False),
        ("300", "unavailable", False),
        ("0.4", "unavailable", None),
        ("nan", "off", None),
        ("inf", "off", None),
        (None, "off", None),
    ],
)
def test_it_is_dark_when_no_light_burns_and_the_sensor_agrees(level: str | None, ceiling: str, dark: bool) -> None:
    assert ALL.bedroom_dark({LEVEL: level, CEILING: ceiling}, None) is dark


def test_a_level_at_the_limit_does_not_flicker() -> None:
    was: bool | None = None
    seen = []
    for level in ("6", "4.9", "5.1", "5.9", "6.1", "5.5", "5.1", "4.9"):
        was = HomeQuestions(light_level=LEVEL, dark_below_lx=5.0).bedroom_dark({LEVEL: level}, was)
        seen.append(was)
    assert seen == [False, True, True, True, False, False, False, True]


def test_what_nobody_asked_for_is_not_known() -> None:
    assert HomeQuestions().someone_up({}) is None
    assert HomeQuestions().bedroom_dark({}, None) is None


def test_what_was_known_outlives_a_restart_of_the_home_but_not_more() -> None:
    facts = HomeFacts()
    assert (facts.someone_up(0.0), facts.bedroom_dark(0.0), facts.up_lately(0.0)) == (None, None, False)
    facts.heard(HomeReported(10.0, True, True, False))
    assert (facts.someone_up(1e6), facts.bedroom_dark(1e6)) == (True, False), "a connected home says what changes"
    facts.heard(HomeReported(1e6, reached=False))
    facts.heard(HomeReported(1e6 + 60.0, reached=False))
    assert facts.someone_up(1e6 + KEPT_S - 1.0) is True
    assert (facts.someone_up(1e6 + KEPT_S), facts.bedroom_dark(1e6 + KEPT_S)) == (None, None)
    assert not facts.up_lately(1e6 + KEPT_S)
    facts.heard(HomeReported(2e6, True, False, True))
    assert (facts.someone_up(2e6), facts.bedroom_dark(2e6)) == (False, True)


def test_who_stands_still_for_a_while_is_still_up() -> None:
    facts = HomeFacts()
    facts.heard(HomeReported(0.0, True, True))
    facts.heard(HomeReported(100.0, True, False))
    assert facts.someone_up(101.0) is False
    assert facts.up_lately(100.0 + AFTERGLOW_S - 1.0)
    assert not facts.up_lately(100.0 + AFTERGLOW_S)


# ---- the follower ----------------------------------------------------------------------------------------------------


def test_the_core_hears_only_of_facts_that_changed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told: list[HomeReported] = []
    follower = HomeFollower(ALL, told.append, lambda: 7.0)
    for level in ("100", "120", "90"):
        follower.hear({MOTION: "off", TV: "off", LEVEL: level, CEILING: "off"})
    follower.hear({MOTION: "on", TV: "off", LEVEL: "90", CEILING: "off"})
    follower.hear({MOTION: "on", TV: "playing", LEVEL: "90", CEILING: "off"})
    assert told == [HomeReported(7.0, True, False, False), HomeReported(7.0, True, True, False)]
    assert caplog.messages == []


def test_trouble_is_said_once_until_it_is_over_and_a_refusal_always(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told: list[HomeReported] = []
    follower = HomeFollower(ALL, told.append, lambda: 7.0)
    states = {MOTION: "off", TV: None, LEVEL: "1", CEILING: "off"}
    follower.hear(HomeUnreachable("it is down"))
    follower.hear(HomeUnreachable("it is down"))
    follower.hear(states)
    follower.hear(states)
    follower.hear(HomeUnreachable("it is down again"))
    follower.hear(HomeRefused("the token is old"))
    reached = [report.reached for report in told]
    assert reached == [False, False, True, False, False]
    said = " ".join(caplog.messages)
    assert (said.count("it is down"), said.count("tells of the house again"), said.count("token is old")) == (2, 1, 1)
    assert said.count(f"There is no {TV}") == 1


# ---- an evening that begins by itself --------------------------------------------------------------------------------


def evening(waits_min: float, at: str = "20:35") -> Bedside:
    """Its time is five minutes from now."""
    bed = Bedside(EVENING_S, begin_at=at)
    core = bed.core
    listeners = list(core._listeners._all.values())
    core._listeners = Listeners(core._ritual, core._shelf, listeners, waits_min * 60.0)
    bed.tick()
    return bed


def report(bed: Bedside, up: bool | None, *, reached: bool = True) -> None:
    bed._note(bed.core.receive(HomeReported(bed.at_s, reached, up)))


def test_it_waits_while_somebody_is_up_and_begins_when_the_house_is_quiet() -> None:
    bed = evening(waits_min=60.0)
    report(bed, up=True)
    bed.live(1200.0)
    assert bed.in_phase(Phase.IDLE)
    assert [say.text for say in of(Say, bed.done)] == ["The evening waits, for somebody in the house is still up."]
    report(bed, up=False)
    bed.live(AFTERGLOW_S - 10.0)
    assert bed.in_phase(Phase.IDLE)
    bed.live(20.0)
    assert bed.in_phase(Phase.WIND_DOWN)


def test_it_waits_no_longer_than_it_was_told() -> None:
    bed = evening(waits_min=30.0)
    report(bed, up=True)
    bed.live(300.0 + 1790.0)
    assert bed.in_phase(Phase.IDLE)
    bed.live(20.0)
    assert bed.in_phase(Phase.WIND_DOWN)


def test_it_does_not_wait_unless_that_is_wished() -> None:
    bed = evening(waits_min=0.0)
    report(bed, up=True)
    bed.live(310.0)
    assert bed.in_phase(Phase.WIND_DOWN)


@pytest.mark.parametrize("up", [None, False])
def test_what_is_not_known_holds_nothing_up(up: bool | None) -> None:
    bed = evening(waits_min=60.0)
    report(bed, up)
    bed.live(310.0)
    assert bed.in_phase(Phase.WIND_DOWN)


def test_a_home_that_goes_away_lets_the_evening_begin() -> None:
    bed = evening(waits_min=60.0)
    report(bed, up=True)
    bed.live(400.0)
    assert bed.in_phase(Phase.IDLE)
    report(bed, None, reached=False)
    bed.live(KEPT_S - 10.0)
    assert bed.in_phase(Phase.IDLE)
    bed.live(20.0)
    assert bed.in_phase(Phase.WIND_DOWN)


def test_an_evening_begun_by_hand_waits_for_nobody_and_comes_once() -> None:
    bed = evening(waits_min=60.0)
    report(bed, up=True)
    bed.live(400.0)
    bed.tap()
    bed.live(5.0)
    assert bed.in_phase(Phase.WIND_DOWN)
    bed.wish("stop")
    report(bed, up=False)
    bed.live(1.5 * 3600.0, step_s=10.0)
    assert bed.in_phase(Phase.IDLE)
