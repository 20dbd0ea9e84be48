"""Puts a daemon together from a configuration. Which chips, lamp, speaker and broker it gets is the caller's choice."""

import logging
from dataclasses import dataclass
from pathlib import Path

from somnisphere import __version__
from somnisphere.answers import Answers, Places
from somnisphere.bedtime.ritual import Ritual
from somnisphere.bedtime.shelf import Shelf
from somnisphere.broker import secret, topics_of
from somnisphere.card_desk import CardDesk
from somnisphere.card_file import CardFile
from somnisphere.card_file import beside as cards_beside
from somnisphere.cards import CardBook, CardTable
from somnisphere.comfort.at_the_bed import Comfort
from somnisphere.comfort_file import ComfortFile
from somnisphere.comfort_file import beside as comfort_beside
from somnisphere.config import Config, cache_place
from somnisphere.core import Core
from somnisphere.covers import Covers
from somnisphere.daemon import Daemon
from somnisphere.dating import Dating
from somnisphere.diary.door import Door
from somnisphere.entities import ENTITIES
from somnisphere.entities_evening import LISTENER_ENTITY
from somnisphere.entities_house import DARK_ENTITY, UP_ENTITY
from somnisphere.entity_names import is_the_sleepers, named
from somnisphere.evening_file import EveningFile
from somnisphere.events import Tick
from somnisphere.home_desk import HomeDesk
from somnisphere.home_lamp import HomeLamp
from somnisphere.household_file import household_beside
from somnisphere.journal import Journal
from somnisphere.library import STARTER_FOLDER
from somnisphere.light_memory import LightMemory, beside
from somnisphere.machine import Machine
from somnisphere.machine_signs import MachineSigns
from somnisphere.moments import Moments, Tell
from somnisphere.night_screen import NightScreen
from somnisphere.parts import Parts
from somnisphere.sensing_switch import SensingSwitch
from somnisphere.shelf_reader import ShelfReader
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere.sleep.saturation import MAXIM_CURVE
from somnisphere.sleeper import Sleeper
from somnisphere.snapshot import Snapshot
from somnisphere.telling import SPOKEN
from somnisphere.telling.household import HouseholdTeller
from somnisphere_hardware.bedside import Bedside, BedsideSettings
from somnisphere_hardware.lamp import Lamp
from somnisphere_hardware.speaker import Speaker
from somnisphere_home.announcement import FURTHER
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.echo import Echo
from somnisphere_home.entity import Entity
from somnisphere_home.house import House
from somnisphere_home.rest_speech import HomeSpeech
from somnisphere_home.session import HomeSession

log = logging.getLogger(__name__)

VITALS_EVERY_S = 30.0
"""Heart and breath change all the time; the home is told this often at the most."""
HEARTBEAT_S = BOX_EVERY_S = 900.0
"""What does not expire is retained and said when it changes: again so often is enough."""


def bedside_settings(config: Config) -> BedsideSettings:
    sensor = config.sensor
    return BedsideSettings(
        pulse_rate_hz=float(sensor.pulse_rate_hz),
        motion_rate_hz=float(sensor.motion_rate_hz),
        led_start_ma=min(BedsideSettings().led_start_ma, sensor.led_cap_ma),
        led_cap_ma=sensor.led_cap_ma,
        swap_leds=sensor.swap_leds,
    )


def device_of(config: Config) -> DeviceInfo:
    return DeviceInfo(name=config.box.name, sw_version=__version__)


def entities_of(config: Config) -> list[Entity[Snapshot]]:
    """What the home is told of, under its names in the configured language."""
    home = config.home_questions
    asked = {
        LISTENER_ENTITY: bool(config.listener),
        UP_ENTITY: bool(home.still_up),
        DARK_ENTITY: bool(home.light_level or home.lights),
    }
    return named((entity for entity in ENTITIES if asked.get(entity.key, True)), config.box.language)


def home_session(config: Config) -> HomeSession[Snapshot]:
    entities = entities_of(config)
    name, ours = config.sleeper.name, [entity.key for entity in entities]
    return HomeSession(
        entities,
        topics_of(config),
        device_of(config),
        heartbeat_s=HEARTBEAT_S,
        min_intervals_s={"vitals": VITALS_EVERY_S, "box": BOX_EVERY_S},
        discovery=config.mqtt.discovery,
        further=DeviceInfo(name=name, model="Sleeper", sw_version=__version__) if name else None,
        further_keys=frozenset(key for key in ours if is_the_sleepers(key)),
    )


def shelf_reader(config: Config, *, background: bool = False) -> ShelfReader:
    """The household's stories, else those that come along. Broken files are said, and stop nothing."""
    folder = Path(config.stories.folder).expanduser() if config.stories.folder else STARTER_FOLDER
    cache = Path(config.stories.cache or cache_place()).expanduser()
    teller = HouseholdTeller(config.voice, cache / SPOKEN, home_speech(config))
    return ShelfReader(folder, cache, teller, background=background)


def home_speech(config: Config) -> HomeSpeech | None:
    """Asks Home Assistant to speak, where the household chose a voice of its."""
    home = config.home_assistant
    if not config.voice.home_engine or home.url is None:
        return None
    return HomeSpeech(home.url, secret(home.token_file, "home_assistant.token_file"))


def home_echo(config: Config) -> Echo:
    """Finds out whether the broker drops anything."""
    topics = topics_of(config)
    return Echo(
        topics,
        (
            topics.quiet_of("+"),
            topics.discovery_of(""),
            topics.discovery_of(FURTHER),
            topics.single_discovery("+", "+"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Assembled:
    """``door`` holds the household's file open: close it when the daemon ends."""

    daemon: Daemon
    session: HomeSession[Snapshot]
    door: Door


def assemble(
    config: Config,
    tick: Tick,
    journal: Journal,
    bedside: Bedside,
    lamp: Lamp | HomeLamp,
    speaker: Speaker,
    reader: ShelfReader | None = None,
    machine: Machine | None = None,
    tell_moment: Tell | None = None,
    echo: Echo | None = None,
    boot: str = "",
) -> Assembled:
    """A daemon that has taken up, at ``tick``, the evening and the night that the journal holds. ``reader``: of the
    shelf, else one that works nothing out; ``tell_moment``: is told of each moment beside MQTT; ``boot``: names
    this start of the machine."""
    reader = reader or shelf_reader(config)
    shelf = Shelf(reader.read() or (), places=journal.places())
    ritual = Ritual(config.ritual_settings, shelf)
    memory = LightMemory(beside(journal.path))
    pipeline = SleepPipeline(oxygen_curve=config.oxygen_curve or MAXIM_CURVE, learned_light=memory.light)
    sleeper = Sleeper(config.sleeper.born, journal.saved_person(), journal.save_person)
    remembered = ComfortFile(comfort_beside(journal.path))
    comfort = Comfort(config.comfort_settings, remembered.memory, lambda: len(sleeper.person.middles))
    waits_s = config.begin_waits_s
    core = Core(ritual, shelf, pipeline, sleeper.stager, sleeper.revise, config.listeners, waits_s, comfort)
    session = home_session(config)
    cards = None
    if config.cards.reader != "none":
        table = CardTable(
            CardBook(), shelf.find, story_begins=config.cards.story_begins, lift_pauses=config.cards.lift_pauses
        )
        cards = CardDesk(CardFile(cards_beside(journal.path)), table, topics_of(config), device_of(config))
    door = Door(household_beside(journal.path), tell_first=config.sleeper.tell_first)
    own_stories = Path(config.stories.folder).expanduser() if config.stories.folder else None
    answers = Answers(shelf, config.listeners, Places(journal.path, own_stories), reader.cover, door.shows)
    parts = Parts(
        bedside,
        lamp,
        speaker,
        journal,
        session,
        HomeDesk(session, topics_of(config), answers, background=reader.background),
        House(topics_of(config)),
        Moments(journal, config.sleeper.name, tell_moment),
        SensingSwitch(journal.path),
        Covers(reader.cover, background=reader.background),
        remembered,
        NightScreen(door, journal, ritual.learned),
        Dating(journal, boot),
        rescan=reader.read,
        light_memory=memory,
    )
    parts.machine = machine
    parts.echo = echo or Echo()
    parts.boot = boot
    parts.put_off = reader.put_off
    parts.signs = None if machine is None else MachineSigns()
    parts.evening_file = EveningFile(journal.path.with_name(f"{journal.path.name}.evening"))
    parts.cards = cards
    parts.announces = config.mqtt.discovery != "off"
    parts.oxygen_calibrated = config.oxygen_calibrated
    daemon = Daemon(core, parts)
    core.last_night = journal.last_times()
    for sentence in (journal.mended, memory.mended, memory.problem, remembered.mended, remembered.problem):
        if sentence:
            log.warning("%s", sentence)
    daemon.carry_on(tick)
    return Assembled(daemon, session, door)
