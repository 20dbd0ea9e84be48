"""Every declared entity in a real Home Assistant, told by the session alone: known, unknown, parts away, commanded."""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from tests.home.broker import Broker
from tests.home.client import RELOADED_WITHIN_S, wait_until
from tests.home.expected import Shown, alike, shown, told
from tests.home.harness import HomeAssistant

from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.shelf import Place
from somnisphere.entities import ENTITIES, NIGHT_ENTITY
from somnisphere.entities_evening import MOMENT_ENTITY
from somnisphere.events import MOMENTS
from somnisphere.night import NightTimes, Presence, Stage
from somnisphere.snapshot import Snapshot
from somnisphere_home.commands import Wish
from somnisphere_home.discovery import DeviceInfo, clear_message
from somnisphere_home.entity import Entity, LightWish
from somnisphere_home.messages import Message, Topics
from somnisphere_home.session import HomeSession
from somnisphere_home.states import group_values

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

TOPICS = Topics("probe")
STATEFUL = [entity for entity in ENTITIES if entity.value is not None]

NOTHING = Snapshot(
    at_s=0.0,
    wall_s=1.75e9,
    phase=Phase.IDLE,
    listeners=("Ada", "Zoë"),
    story_titles=("The Fox", "Der Mond – für Jörg"),
    fade_min=10.0,  # a setting: always known
)
EVERYTHING = replace(
    NOTHING,
    phase=Phase.STORY,
    stage=Stage.REM,
    probabilities=(0.1, 0.2, 0.1, 0.6),
    asleep=True,
    heart_bpm=57.4,
    rmssd_ms=41.2,
    pulse_quality=0.93,
    breath_bpm=13.6,
    spo2_pct=96.6,
    motion_count=12.0,
    presence=Presence.PULSE,
    in_bed=True,
    pulse_ok=True,
    motion_ok=True,
    listener="Ada",
    bookmark=Place(61.5, 40.0),
    likelihood=0.4,
    story_title="Der Mond – für Jörg",
    story_playing=True,
    story_position_s=61.7,
    volume_pct=35.4,
    fade_min=12.0,
    lamp_lightness_pct=17.3,
    someone_up=True,
    bedroom_dark=False,
    last_night=NightTimes("2025-06-15", 1.7499e9, 1.7499e9 + 900, 1.75e9 - 900, 1.75e9),
)


class Box:
    """Our side of the wire, without its sensors."""

    def __init__(self, broker: Broker, home: HomeAssistant) -> None:
        self._broker = broker
        self._home = home
        self.session = HomeSession(ENTITIES, TOPICS, DeviceInfo(name="Probe", sw_version="1"))
        self.at_s = 0.0

    def send(self, messages: list[Message]) -> None:
        for message in messages:
            self._broker.publish(message.topic, message.payload, message.retain)

    def show(self, snapshot: Snapshot) -> None:
        """Availability, discovery and states of this snapshot, as after a connection."""
        self.at_s += 3600.0
        for part in ("sensor", "player"):
            self.send(self.session.part_status(part, online=True))
        self.send(self.session.connected(snapshot, self.at_s))

    def ids(self) -> dict[str, str]:
        """Key -> entity id, of all entities of the device."""
        prefix = f"{TOPICS.device_id}_"
        registered = self._home.client.device_entities(TOPICS.device_id)
        return {unique.removeprefix(prefix): str(entry["entity_id"]) for unique, entry in registered.items()}


@pytest.fixture(scope="module")
def box(home: HomeAssistant, broker: Broker) -> Iterator[Box]:
    box = Box(broker, home)
    box.show(NOTHING)
    wait_until(lambda: len(box.ids()) == len(ENTITIES), "every entity in the registry")
    home.client.enable_all(TOPICS.device_id)
    wait_until(lambda: set(box.ids().values()) <= home.client.present(), "every entity enabled", RELOADED_WITHIN_S)
    yield box
    box.send([clear_message(TOPICS)])
    for topic in broker.retained(f"{TOPICS.base}/#"):
        broker.publish(topic, b"", retain=True)
    wait_until(lambda: not box.ids(), "the device to go")


def expected(entity: Entity[Snapshot], snapshot: Snapshot) -> Shown:
    group = [other for other in ENTITIES if other.group == entity.group]
    return told(entity, json.dumps(group_values(group, snapshot)).encode())


def wrong(home: HomeAssistant, box: Box, snapshot: Snapshot) -> list[str]:
    """Entities whose state is not what the snapshot says."""
    states, ids = home.client.states(), box.ids()
    found = []
    for entity in STATEFUL:
        state = states[ids[entity.key]]
        right = expected(entity, snapshot)
        if state["state"] == "unavailable" or not alike(shown(entity, state), right):
            found.append(f"{ids[entity.key]}: {state['state']} in place of {right}")
    return found


def settle(faults: Callable[[], object]) -> None:
    """Gives Home Assistant a few seconds to have no faults; then shows those left."""
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not faults(), "no faults", 5)
    assert not faults()


def test_each_entity_has_the_id_we_ask_for(box: Box) -> None:
    assert box.ids() == {entity.key: entity.default_id(TOPICS.node) for entity in ENTITIES}


def test_neither_name_nor_room_of_the_device_is_in_the_ids(home: HomeAssistant, broker: Broker) -> None:
    """A newer release would put both in front of them."""
    topics = Topics("roomy")
    info = DeviceInfo(name="By the window", suggested_area="Attic", sw_version="1")
    session = HomeSession(ENTITIES, topics, info)
    for message in session.connected(NOTHING, 0.0):
        broker.publish(message.topic, message.payload, message.retain)
    wait_until(lambda: len(home.client.device_entities(topics.device_id)) == len(ENTITIES), "every entity")
    ids = {str(entry["entity_id"]) for entry in home.client.device_entities(topics.device_id).values()}
    rooms = [area["name"] for area in home.client.command("config/area_registry/list")]
    for topic in (topics.discovery, *broker.retained(f"{topics.base}/#")):
        broker.publish(topic, b"", retain=True)
    wait_until(lambda: not home.client.device_entities(topics.device_id), "the device to go")
    assert ids == {entity.default_id("roomy") for entity in ENTITIES}
    assert "Attic" in rooms


def test_states_are_right(home: HomeAssistant, box: Box) -> None:
    """Known, then unknown, then known again: nothing old stays on screen."""
    for snapshot in (EVERYTHING, NOTHING, EVERYTHING):
        box.show(snapshot)
        settle(functools.partial(wrong, home, box, snapshot))


def test_attributes_are_right(home: HomeAssistant, box: Box) -> None:
    box.show(EVERYTHING)
    stage = wait_until(
        lambda: (state := home.client.states()[box.ids()["sleep_stage"]])["state"] == "rem" and state, "the stage"
    )
    assert stage["attributes"]["confidence"] == 0.6
    assert stage["attributes"]["probabilities"] == {"awake": 0.1, "light": 0.2, "deep": 0.1, "rem": 0.6}
    assert home.client.states()[box.ids()["heart_rate"]]["attributes"]["unit_of_measurement"] == "bpm"


def test_a_part_away_takes_only_its_own_entities(home: HomeAssistant, box: Box) -> None:
    box.show(EVERYTHING)
    box.send(box.session.part_status("sensor", online=False))

    def away() -> set[str]:
        states = home.client.states()
        return {key for key, entity_id in box.ids().items() if states[entity_id]["state"] == "unavailable"}

    mine = {entity.key for entity in ENTITIES if "sensor" in entity.parts}
    wait_until(lambda: away() == mine, f"{mine} to be unavailable")
    box.send(box.session.part_status("sensor", online=True))
    wait_until(lambda: not away(), "all to be back")
    box.send([box.session.will])
    wait_until(lambda: away() == {entity.key for entity in ENTITIES}, "all to be away with the box")


def test_a_moment_is_an_event_and_a_device_trigger(home: HomeAssistant, box: Box) -> None:
    box.show(EVERYTHING)
    moment = box.ids()[MOMENT_ENTITY]

    def said(kind: str) -> bool:
        attributes = home.client.states()[moment]["attributes"]
        return bool(attributes["event_type"] == kind and attributes["confidence"] == 0.8)

    for kind in MOMENTS:
        box.send(box.session.moment(kind, {"confidence": 0.8}, box.at_s))
        wait_until(functools.partial(said, kind), kind)
    (device,) = [
        device
        for device in home.client.command("config/device_registry/list")
        if ["mqtt", TOPICS.device_id] in device["identifiers"]
    ]
    triggers = home.client.command("device_automation/trigger/list", device_id=device["id"])
    assert {trigger["type"] for trigger in triggers if trigger["domain"] == "mqtt"} == set(MOMENTS)
    assert device["name"] == "Probe"


def test_the_picture_is_served(home: HomeAssistant, box: Box) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><path d="M0 0h4v4z"/></svg>'
    box.show(EVERYTHING)
    box.send(box.session.image(NIGHT_ENTITY, svg.encode()))
    image = box.ids()[NIGHT_ENTITY]
    wait_until(lambda: home.client.states()[image]["state"] not in ("unknown", "unavailable"), "a picture")
    assert home.client.request("GET", home.client.states()[image]["attributes"]["entity_picture"]) == svg


COMMANDS: list[tuple[str, str, dict[str, object], Callable[[object], bool]]] = [
    ("begin", "button.press", {}, lambda value: value is True),
    ("stop", "button.press", {}, lambda value: value is True),
    ("one_more_page", "button.press", {}, lambda value: value is True),
    ("pause", "button.press", {}, lambda value: value is True),
    ("resume", "button.press", {}, lambda value: value is True),
    ("sensing", "switch.turn_off", {}, lambda value: value is False),
    ("start_over", "button.press", {}, lambda value: value is True),
    ("other_place", "button.press", {}, lambda value: value is True),
    ("listener", "select.select_option", {"option": "Zoë"}, lambda value: value == "Zoë"),
    ("follow_sleep", "switch.turn_off", {}, lambda value: value is False),
    ("story", "select.select_option", {"option": "Der Mond – für Jörg"}, lambda value: value == "Der Mond – für Jörg"),
    ("volume", "number.set_value", {"value": 22}, lambda value: value == 22.0),
    ("fade_time", "number.set_value", {"value": 15}, lambda value: value == 15.0),
    ("lamp", "light.turn_off", {"transition": 60}, lambda value: value == LightWish(False, 0.0, 60.0)),
    ("lamp", "light.turn_on", {}, lambda value: value == LightWish(True)),
    (
        "lamp",
        "light.turn_on",
        {"brightness_pct": 50, "transition": 5},
        lambda value: isinstance(value, LightWish) and value.over_s == 5 and abs((value.level_pct or 0) - 50) < 0.5,
    ),
]


@pytest.mark.parametrize(("key", "action", "data", "right"), COMMANDS, ids=[f"{c[0]}-{c[1]}" for c in COMMANDS])
def test_a_command_of_the_home_is_understood(
    key: str,
    action: str,
    data: dict[str, object],
    right: Callable[[object], bool],
    home: HomeAssistant,
    broker: Broker,
    box: Box,
) -> None:
    box.show(EVERYTHING)
    wait_until(lambda: home.client.states()[box.ids()[key]]["state"] != "unavailable", "the box online")
    with broker.listening(TOPICS.commands) as listener:
        home.client.call(action, entity_id=box.ids()[key], **data)
        wait_until(lambda: listener.received, "a command")
        (message,) = listener.received
    wish = box.session.received(message.topic, message.payload, message.retained, EVERYTHING, box.at_s)
    assert isinstance(wish, Wish), wish
    assert wish.key == key
    assert right(wish.value), wish


def test_every_command_is_tried() -> None:
    assert {command[0] for command in COMMANDS} == {entity.key for entity in ENTITIES if entity.command is not None}


def test_none_of_it_left_a_warning(home: HomeAssistant) -> None:
    assert home.trouble() == []
    assert home.client.complaints() == []
