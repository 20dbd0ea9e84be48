"""The blueprints in a real Home Assistant: what each does at its moment, in order, and what it leaves alone.

The device is told by the session alone. Lights, lock, thermostat and switch of the house are made by MQTT discovery;
they take what they are told. Every call of an action is recorded by Home Assistant's own events.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.home.broker import Broker
from tests.home.harness import HomeAssistant
from tests.home.house import (
    AMBER,
    BEDROOM,
    BELL,
    DOOR,
    FLOOR,
    HEATING,
    HOUSE,
    KITCHEN,
    PATH,
    SHIPPED,
    SOUND,
    clock,
    house,
    note,
    noted,
    off,
    on,
    volume,
)
from tests.home.household import IN_BED, MOMENT, QUIET, STAGE, TOPICS, Household
from tests.home.recorder import recording

from somnisphere_home.discovery import clear_message

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def house_hold(home: HomeAssistant, broker: Broker) -> Iterator[Household]:
    household = Household(broker, home)
    broker.publish(HOUSE, json.dumps(house()), retain=True)
    household.show()
    household.until(lambda: "absent" not in household.states(MOMENT, FLOOR, PATH, DOOR, BELL, HEATING), "the house")
    with recording(home.client) as recorder:
        household.recorder = recorder
        yield household
    home.put_automations([])
    clear = clear_message(TOPICS)
    for topic in (clear.topic, HOUSE, *broker.retained(f"{TOPICS.base}/#")):
        broker.publish(topic, b"", retain=True)
    household.until(
        lambda: not home.client.device_entities(TOPICS.device_id) and not home.client.device_entities("prints_house"),
        "the devices to go",
    )


@pytest.fixture
def it(house_hold: Household) -> Household:
    """The household at night: somebody is in bed, all is dark."""
    house_hold.home.put_automations([])
    house_hold.show(stage="deep", in_bed=True, quiet=False)
    house_hold.dark()
    return house_hold


# ---- asleep ------------------------------------------------------------------------------------------------------


def test_asleep_lights_lock_heating_and_the_rest_in_this_order(it: Household) -> None:
    it.load(
        "fell_asleep", moment=MOMENT, lights=[FLOOR, PATH], out_seconds=2, locks=[DOOR], thermostats=[HEATING],
        temperature=16.5, more=note("good night"),
    )  # fmt: skip
    it.home.client.call("light.turn_on", entity_id=PATH)
    it.until(lambda: it.states(PATH) == ["on"], "a light")
    it.count_from_here()
    it.say("drifting")
    it.say("fell_asleep", latency_s=400)
    it.does(
        off(PATH, transition=2),
        ("lock.lock", {"entity_id": DOOR}),
        ("climate.set_temperature", {"entity_id": HEATING, "temperature": 16.5}),
        noted("good night"),
    )
    it.until(lambda: it.states(PATH, DOOR) == ["off", "locked"], "the house to be asleep")
    it.count_from_here()
    it.say("fell_asleep")
    it.does(("climate.set_temperature", {"entity_id": HEATING, "temperature": 16.5}), noted("good night"))


def test_asleep_all_of_it_is_optional(it: Household) -> None:
    automation = it.load("fell_asleep", moment=MOMENT)
    it.say("fell_asleep")
    it.until(lambda: it.home.client.states()[automation]["attributes"]["last_triggered"], "a run")
    it.does()


# ---- stirring ----------------------------------------------------------------------------------------------------


def test_stirring_a_glow_that_goes_out_by_itself(it: Household) -> None:
    automation = it.load("stirring", moment=MOMENT, light=FLOOR, glow_seconds=1.0, fade_seconds=0)
    it.say("stirred")
    glow = on(FLOOR, brightness=1, rgb_color=AMBER, transition=0)
    it.does(glow)
    it.say("stirred")  # during the glow
    it.does(glow, off(FLOOR, transition=0))
    it.idle(automation)


def test_stirring_a_light_that_is_on_is_left_alone(it: Household) -> None:
    it.load("stirring", moment=MOMENT, light=FLOOR, glow_seconds=0.2, fade_seconds=0)
    it.home.client.call("light.turn_on", entity_id=FLOOR)
    it.until(lambda: it.states(FLOOR) == ["on"], "a light")
    it.count_from_here()
    it.say("stirred")
    it.does()


# ---- up at night -------------------------------------------------------------------------------------------------


def up_at_night(it: Household, out_minutes: float, first: float = -60, last: float = 60) -> str:
    return it.load(
        "up_at_night", moment=MOMENT, in_bed=IN_BED, lights=[FLOOR, PATH], out_minutes=out_minutes,
        night_from=clock(first), night_until=clock(last),
    )  # fmt: skip


def test_up_at_night_the_way_is_lit_until_back_in_bed(it: Household) -> None:
    it.home.client.call("light.turn_on", entity_id=FLOOR)
    it.until(lambda: it.states(FLOOR) == ["on"], "a light")
    it.count_from_here()
    up_at_night(it, out_minutes=5)
    it.show(in_bed=False)
    it.say("left_bed")
    it.does(on(PATH, brightness_pct=3, rgb_color=AMBER, transition=1))
    it.show(in_bed=True)
    it.does(on(PATH, brightness_pct=3, rgb_color=AMBER, transition=1), off(PATH, transition=3))


def test_up_at_night_the_lights_go_out_after_a_while_in_any_case(it: Household) -> None:
    up_at_night(it, out_minutes=0.01)
    it.show(in_bed=False)
    it.say("left_bed")
    both = [FLOOR, PATH]
    it.does(
        ("light.turn_on", {"entity_id": both, "brightness_pct": 3, "rgb_color": AMBER, "transition": 1}),
        ("light.turn_off", {"entity_id": both, "transition": 3}),
    )


def test_up_by_day_nothing_is_lit(it: Household) -> None:
    up_at_night(it, out_minutes=0.01, first=60, last=120)
    it.show(in_bed=False)
    it.say("left_bed")
    it.does()


# ---- dawn --------------------------------------------------------------------------------------------------------


def dawn(it: Household, first: float, last: float, **more: object) -> str:
    given = {"dawn_minutes": 0.01, "brightness": 50, "day": note("day"), **more}
    window = {"window_from": clock(first), "window_until": clock(last)}
    return it.load("dawn", stage=STAGE, in_bed=IN_BED, lights=[FLOOR], **window, **given)


def a_whole_dawn(it: Household) -> None:
    it.until(lambda: noted("day") in it.calls(), "the day")
    *steps, last = it.calls()
    levels = [data["brightness"] for _, data in steps]
    kelvins = [data["color_temp_kelvin"] for _, data in steps]
    assert {(action, data["entity_id"]) for action, data in steps} == {("light.turn_on", FLOOR)}
    assert (levels[0], levels[9], levels[-1], len(levels)) == (1, 32, 128, 20)
    assert (kelvins[0], kelvins[-1]) == (2050, 3000)
    assert levels == sorted(levels)
    assert last == noted("day")


def test_dawn_begins_when_sleep_is_light_and_once(it: Household) -> None:
    automation = dawn(it, -60, 60)
    it.show(stage="rem")
    it.does()
    it.show(stage="light")
    a_whole_dawn(it)
    it.idle(automation)
    it.dark()
    it.show(stage="deep")
    it.show(stage="light")
    it.does()


def test_dawn_comes_at_the_latest_at_the_end_of_the_window(it: Household) -> None:
    dawn(it, -60, 0.04)
    it.until(lambda: it.calls(), "the end of the window")
    a_whole_dawn(it)


def test_dawn_comes_at_the_begin_of_the_window_if_sleep_is_light_then(it: Household) -> None:
    it.show(stage="light")
    dawn(it, 0.04, 60)
    it.until(lambda: it.calls(), "the begin of the window")
    a_whole_dawn(it)


@pytest.mark.parametrize("why", ["nobody in bed", "a day without", "before the window", "stage back from unknown"])
def test_no_dawn(it: Household, why: str) -> None:
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    first, last = (30.0, 60.0) if why == "before the window" else (-60.0, 60.0)
    it.show(in_bed=why != "nobody in bed", stage=None if why == "stage back from unknown" else "deep")
    dawn(it, first, last, skip_days=days if why == "a day without" else [])
    it.show(stage="light")
    it.does()


@pytest.mark.parametrize("by", ["getting up", "the switch"])
def test_a_dawn_is_stopped(it: Household, by: str) -> None:
    automation = dawn(it, -60, 60, dawn_minutes=0.1)
    it.show(stage="awake")
    it.until(lambda: it.calls(), "the dawn")
    if by == "getting up":
        it.show(in_bed=False)
    else:
        it.home.client.call("light.turn_off", entity_id=FLOOR)
    it.idle(automation)
    assert len([call for call in it.calls() if call[0] == "light.turn_on"]) < 15
    assert noted("day") not in it.calls()


# ---- quiet house -------------------------------------------------------------------------------------------------


def quiet_house(it: Household, over_minutes: float = 0.0) -> str:
    return it.load(
        "quiet_house", quiet=QUIET, players=[BEDROOM, KITCHEN], volume=10, switches=[BELL], over_minutes=over_minutes,
        quiet_actions=note("hush"), loud_actions=note("over"),
    )  # fmt: skip


HUSHED = (
    volume(BEDROOM, 0.1),
    volume(KITCHEN, 0.1),
    ("homeassistant.turn_on", {"entity_id": BELL}),
    noted("hush"),
)


def test_quiet_house_all_as_before_afterwards(it: Household) -> None:
    automation = quiet_house(it)
    it.show(quiet=True)
    it.does(*HUSHED)
    it.leave_and_return()
    it.does(*HUSHED)
    it.show(quiet=False)
    it.does(
        *HUSHED,
        volume(BEDROOM, 0.5),
        volume(KITCHEN, 0.4),
        ("homeassistant.turn_off", {"entity_id": BELL}),
        noted("over"),
    )
    it.idle(automation)


def test_quiet_house_what_a_hand_changed_meanwhile_stays(it: Household) -> None:
    """And what was low or on before is not touched at all."""
    automation = quiet_house(it)
    it.volumes(0.5, 0.05)
    it.home.client.call("switch.turn_on", entity_id=BELL)
    it.count_from_here()
    it.show(quiet=True)
    it.does(volume(BEDROOM, 0.1), noted("hush"))
    it.volumes(0.3, 0.05)
    it.count_from_here()
    it.show(quiet=False)
    it.does(noted("over"))
    it.idle(automation)


def test_quiet_house_a_short_waking_is_not_the_end(it: Household) -> None:
    quiet_house(it, over_minutes=0.02)
    it.show(quiet=True)
    it.does(*HUSHED)
    it.show(quiet=False)
    it.show(quiet=True)
    time.sleep(1.2)
    it.does(*HUSHED)
    it.show(quiet=False)
    it.until(lambda: noted("over") in it.calls(), "the end")


# ---- out of bed --------------------------------------------------------------------------------------------------


def out_of_bed(it: Household, up_minutes: float, first: float = -60, last: float = 60, rest_hours: float = 0) -> str:
    return it.load(
        "out_of_bed", moment=MOMENT, in_bed=IN_BED, actions=note("coffee"), up_minutes=up_minutes,
        rest_hours=rest_hours, morning_from=clock(first), morning_until=clock(last),
    )  # fmt: skip


def test_out_of_bed_once_a_morning(it: Household) -> None:
    out_of_bed(it, up_minutes=0.005, rest_hours=1)
    for _ in range(2):
        it.show(in_bed=False)
        it.say("left_bed")
        it.does(noted("coffee"))
        it.show(in_bed=True)


def test_back_in_bed_is_not_up(it: Household) -> None:
    automation = out_of_bed(it, up_minutes=0.02)
    it.show(in_bed=False)
    it.say("left_bed")
    it.show(in_bed=True)
    it.idle(automation)
    time.sleep(1.2)
    it.does()
    it.show(in_bed=False)
    it.say("left_bed")
    it.does(noted("coffee"))


def test_out_of_bed_at_another_hour_is_not_the_morning(it: Household) -> None:
    out_of_bed(it, up_minutes=0, first=30, last=60)
    it.show(in_bed=False)
    it.say("left_bed")
    it.does()


# ---- comfort -----------------------------------------------------------------------------------------------------


def comfort(it: Household, **more: object) -> str:
    given = {"lights": [FLOOR], "player": BEDROOM, "sound": SOUND, "notify": note("restless"), **more}
    return it.load("comfort", moment=MOMENT, glow_seconds=0.2, sound_seconds=0.7, volume=8, **given)


PLAY = ("media_player.play_media", {"entity_id": BEDROOM, **SOUND})
STOP = ("media_player.media_stop", {"entity_id": BEDROOM})
GLOW, DARK = on(FLOOR, brightness=1, rgb_color=AMBER, transition=3), off(FLOOR, transition=5)


def test_comfort_glow_sound_and_a_word_then_nothing_for_a_while(it: Household) -> None:
    comfort(it, cool_down_minutes=1)
    it.say("distress")
    begun = (GLOW, volume(BEDROOM, 0.08), PLAY, noted("restless"))
    it.does(*begun)
    whole = (*begun, STOP, volume(BEDROOM, 0.5), DARK)
    it.does(*whole)
    it.say("distress")
    it.does(*whole)


def test_comfort_leaves_what_plays_and_what_is_lit_alone(it: Household) -> None:
    comfort(it, cool_down_minutes=0)
    it.home.client.call("light.turn_on", entity_id=FLOOR)
    it.home.client.call("media_player.play_media", entity_id=BEDROOM, **SOUND)
    it.until(lambda: it.states(FLOOR, BEDROOM) == ["on", "playing"], "light and music")
    it.count_from_here()
    it.say("distress")
    it.does(noted("restless"))


def test_comfort_all_of_it_is_optional(it: Household) -> None:
    it.load("comfort", moment=MOMENT, cool_down_minutes=0, notify=note("restless"))
    it.say("distress")
    it.does(noted("restless"))


# ---- no moment at all --------------------------------------------------------------------------------------------

AT_A_MOMENT: dict[str, tuple[str, Callable[[Household], str]]] = {
    "fell_asleep": ("fell_asleep", lambda it: it.load("fell_asleep", moment=MOMENT, more=note("here"))),
    "stirring": (
        "stirred",
        lambda it: it.load("stirring", moment=MOMENT, light=FLOOR, glow_seconds=0.1, fade_seconds=0),
    ),
    "up_at_night": ("left_bed", lambda it: up_at_night(it, out_minutes=0.001)),
    "out_of_bed": ("left_bed", lambda it: out_of_bed(it, up_minutes=0)),
    "comfort": ("distress", lambda it: comfort(it, cool_down_minutes=0)),
    "evening": ("story_began", lambda it: evening(it)),
}


def evening(it: Household) -> str:
    """What it does is seen in the rehearsal's test."""
    return it.load(
        "evening", moment=MOMENT, light={"entity_id": FLOOR}, player=BEDROOM, story=SOUND, dim_minutes=0, sink_seconds=0
    )


@pytest.mark.parametrize("name", AT_A_MOMENT)
def test_neither_a_return_nor_a_reload_nor_an_echo_is_a_moment(it: Household, name: str) -> None:
    kind, load = AT_A_MOMENT[name]
    automation = load(it)
    it.show(in_bed=False)
    moment = it.say(kind)
    it.until(lambda: it.calls(), "the run at the moment itself")
    it.idle(automation)
    it.dark()
    it.leave_and_return()
    it.home.client.call("automation.reload")
    it.repeat(moment)
    it.leave_and_return()
    it.repeat(moment)
    if name != "evening":  # which goes by the home's clock, so that it can be rehearsed
        it.say(kind, at=datetime.now(UTC) - timedelta(minutes=4))  # held somewhere on its way
    it.say("in_bed")
    it.does()
    it.say(kind)
    it.until(lambda: it.calls(), "the run at the next moment")
    it.idle(automation)


@pytest.mark.parametrize("name", ["dawn", "quiet_house"])
def test_neither_a_return_nor_a_reload_is_a_change(it: Household, name: str) -> None:
    """The states that would begin it are there all the time."""
    it.show(stage="light", quiet=True)
    _ = dawn(it, -60, 60) if name == "dawn" else quiet_house(it)
    it.leave_and_return()
    it.home.client.call("automation.reload")
    it.show(stage=None, quiet=None)
    it.show(stage="light", quiet=True)
    it.does()


def test_every_blueprint_is_tried() -> None:
    there = {file.stem for file in SHIPPED.glob("*.yaml")}
    assert there == {*AT_A_MOMENT, "dawn", "quiet_house"}


def test_none_of_it_left_a_warning(it: Household) -> None:
    assert it.home.trouble() == []
    assert it.home.client.complaints() == []
