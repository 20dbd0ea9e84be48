"""Commands that run the daemon: on this box, rehearsed, or over a recording; and the recorder."""

import argparse
import logging
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from somnisphere.assemble import assemble, bedside_settings, home_echo, shelf_reader
from somnisphere.broker import broker_settings, secret
from somnisphere.card_reading import card_reader
from somnisphere.cli import needs_extra, writes
from somnisphere.clock import SystemClock
from somnisphere.config import Config, cache_place, load
from somnisphere.dating import latest_seen_s
from somnisphere.errors import UserError
from somnisphere.events import HomeReported
from somnisphere.goodbyes import Closing, Goodbyes
from somnisphere.home_lamp import HomeLamp
from somnisphere.household_clock import ClockSetter, HouseholdClock, boot_id
from somnisphere.journal import Journal
from somnisphere.lamp_whites import lamp_whites
from somnisphere.live import Edge, Inbox, Live, PlayerSpoke
from somnisphere.machine import Machine
from somnisphere.moments import Tell
from somnisphere.own_files import tighten
from somnisphere.safekeeping.in_use import in_use
from somnisphere.service_manager import ServiceManager
from somnisphere.snapshot import Snapshot
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.button import open_button
from somnisphere_hardware.lamp import Lamp, open_lamp
from somnisphere_hardware.mpv_speaker import MpvSpeaker
from somnisphere_hardware.speaker import Speaker
from somnisphere_home.mqtt import HomeLink
from somnisphere_home.rest import HomeAssistantClient

log = logging.getLogger(__name__)

STOP_S = 2.0
"""How long a clean stop may take to tell the broker; a player or a light of the home has as long, meanwhile."""


def run(arguments: argparse.Namespace) -> int:
    """The daemon of a real box, until SIGTERM or SIGINT."""
    config = load(arguments.config)
    clock, inbox = SystemClock(), Inbox()
    goodbyes = Goodbyes()
    with ExitStack() as stack:
        path = Path(config.journal.path).expanduser()
        stack.enter_context(in_use(path))
        tighten(path, Path(config.stories.cache or cache_place()).expanduser())
        bedside = Bedside(lambda: Bus.open(config.sensor.bus), bedside_settings(config))
        stack.callback(bedside.close)
        journal = Journal(path)
        stack.callback(journal.close)
        lamp, lamp_problem = evening_lamp(config)
        (goodbyes if isinstance(lamp, HomeLamp) else stack).callback(lamp.close)
        button, button_problem = open_button(config.button.pin, lambda pressed: inbox.put(Edge(clock.now_s(), pressed)))
        if button is not None:
            stack.callback(button.close)
        for problem in filter(None, (lamp_problem, button_problem)):
            log.warning("%s", problem)
        speaker = evening_speaker(config, stack, lambda: inbox.put(PlayerSpoke()))
        household = HouseholdClock(clock, ClockSetter(), last_seen_s=latest_seen_s(journal))
        stories = shelf_reader(config, background=True)
        stack.callback(stories.close)
        tick, machine = household.tick(), Machine(journal.path.parent)
        stack.enter_context(goodbyes)
        goodbyes.callback(speaker.close)
        teller, echo = moment_teller(config, goodbyes), home_echo(config)
        made = assemble(
            config, tick, journal, bedside, lamp, speaker, stories, machine, teller, echo=echo, boot=boot_id()
        )
        stack.callback(made.door.close)
        link = HomeLink(broker_settings(config), made.session.will, inbox.put)
        made.daemon.publish_through(link.publish, lambda: inbox.blocks_dropped)
        live = Live(made.daemon, bedside, link, inbox, household, button, card_reader(config), ServiceManager())
        follow_home(config, goodbyes, inbox.put, clock.now_s)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: live.stop())
        link.start()
        goodbyes.callback(lambda: link.stop(made.session.farewell(), STOP_S))
        live.run()
    return 0


def evening_lamp(config: Config) -> tuple[Lamp | HomeLamp, str]:
    """The configured light, and a sentence when it could not be had."""
    if config.lamp.home_light:
        return HomeLamp(home_client(config), config.lamp.home_light, config.lamp.home_light_floor_pct), ""
    return open_lamp(config.lamp.pin, config.lamp.hardware_pwm, lamp_whites(config.lamp))


def evening_speaker(config: Config, stack: ExitStack, wake: Callable[[], None]) -> Speaker:
    """A player of the home, with the server that lends it the stories, else mpv."""
    if not config.speaker.home_player:
        return MpvSpeaker(runtime_folder(stack), config.speaker.ao, config.speaker.device, wake=wake)
    from somnisphere.home_player import HomePlayer
    from somnisphere_home.audio_server import AudioServer

    stories = config.stories
    try:
        server = AudioServer(stories.serve_host, stories.serve_port, stories.serve_url, config.home_assistant.url or "")
    except OSError as problem:
        place = f"{stories.serve_host or '*'}:{stories.serve_port}"
        raise UserError(
            f"Stories cannot be lent at {place}: {problem}. Choose another stories.serve_port."
        ) from problem
    stack.callback(server.close)
    return HomePlayer(home_client(config), config.speaker.home_player, server.url_for, wake)


def moment_teller(config: Config, stack: Closing) -> Tell | None:
    """Who puts moments on the home's own bus, where that is wished."""
    if not config.home_assistant.fire_events:
        return None
    from somnisphere.home_events import HomeEvents

    events = HomeEvents(home_client(config), config.box.node)
    stack.callback(events.close)
    return events.tell


def follow_home(
    config: Config, stack: Closing, put: Callable[[HomeReported], None], now_s: Callable[[], float]
) -> None:
    """From now on what Home Assistant knows of the house is told, where the household named entities."""
    questions = config.home_questions
    if not questions.entity_ids:
        return
    from somnisphere.home_follower import HomeFollower
    from somnisphere_home.rest_listener import StatesListener

    follower = HomeFollower(questions, put, now_s)
    token = secret(config.home_assistant.token_file, "home_assistant.token_file")
    listener = StatesListener(config.home_assistant.url or "", token, questions.entity_ids, follower.hear)
    stack.callback(listener.close)
    listener.start()


def home_client(config: Config) -> HomeAssistantClient:
    """A connection of its own, for one thread."""
    token = secret(config.home_assistant.token_file, "home_assistant.token_file")
    return HomeAssistantClient(config.home_assistant.url or "", token, timeout_s=10.0)


def runtime_folder(stack: ExitStack) -> Path:
    """Where the player's private socket lives: what the service manager gives, else a folder of this run's own."""
    if folder := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(folder.split(":")[0])
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="somnisphere-")))


def broker_place(text: str) -> tuple[str, int]:
    """``HOST`` or ``HOST:PORT``."""
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "1883")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UserError(f"--broker {text}: HOST or HOST:PORT is needed, such as 192.168.1.5:1883")
    return host, int(port)


@contextmanager
def broker_of(arguments: argparse.Namespace, config: Config) -> Iterator[tuple[tuple[str, int], bool]]:
    """The broker named on the command line, else the configured one if it answers, else an embedded one (True)."""
    if arguments.broker:
        yield broker_place(arguments.broker), False
        return
    place = (config.mqtt.host, config.mqtt.port)
    try:
        socket.create_connection(place, timeout=1).close()
    except OSError:
        try:
            from somnisphere_home.embedded_broker import EmbeddedBroker
        except ImportError as problem:
            raise UserError(
                f"No broker answers at {place[0]}:{place[1]}. Start one, name one with --broker, or install the one"
                " that comes along: pip install 'somnisphere[broker]'"
            ) from problem
        with EmbeddedBroker() as embedded:
            yield embedded, True
        return
    yield place, False


def rehearse(arguments: argparse.Namespace) -> int:
    """A whole evening and night from simulated chips, shown as it goes; ends with its picture."""
    from somnisphere.cli_nights import night_lines
    from somnisphere.cli_page import page_beside
    from somnisphere.picture import to_svg
    from somnisphere.simulation import open_rehearsal

    with needs_extra("view", "The rehearsal's view and picture"):
        from somnisphere.picture_png import save_png
        from somnisphere.view import LiveView

    config = load(arguments.config)
    with writes(arguments.out):
        arguments.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        broker, embedded = stack.enter_context(broker_of(arguments, config))
        stack.enter_context(page_beside(arguments, broker, arguments.out / "rehearsal.sqlite"))
        view = stack.enter_context(LiveView(watch_hint(broker, config.box.node), plain=arguments.plain))
        simulation = stack.enter_context(
            open_rehearsal(
                config,
                arguments.out,
                seed=arguments.seed,
                hours=arguments.hours,
                speed=arguments.speed,
                broker=broker,
                mqtt5=not embedded,
                show=view.show,
            )
        )
        simulation.rehearsal.run(simulation.until_s)
        shapes, ended = simulation.daemon.picture(), simulation.daemon.night.finished
    if ended is not None:
        for line in night_lines(ended.times, ended.epochs, ended.estimates):
            print(line)
    svg, png = arguments.out / "night.svg", arguments.out / "night.png"
    with writes(arguments.out):
        svg.write_text(to_svg(shapes), encoding="utf-8")
        save_png(shapes, png)
    print(f"The night's picture: {svg.resolve()} and {png.resolve()}")
    return 0


def watch_hint(broker: tuple[str, int], node: str) -> str:
    return (
        f"Watch it:  mosquitto_sub -h {broker[0]} -p {broker[1]} -v -t 'somnisphere/{node}/#'\n"
        "Chips, pins and speaker are simulated; everything else is what runs on a Pi."
    )


def replay(arguments: argparse.Namespace) -> int:
    """A recording through the registers of a simulated chip, the driver and all the rest."""
    from somnisphere.cli_files import vitals_row, write_rows
    from somnisphere.recordings import read_recording
    from somnisphere.simulation import open_replay

    config = load(arguments.config)
    recording = read_recording(arguments.file)
    broker = None if arguments.broker is None else broker_place(arguments.broker)
    due_s = 0.0

    def show(snapshot: Snapshot) -> None:
        nonlocal due_s
        if snapshot.at_s >= due_s:
            due_s = snapshot.at_s + arguments.every
            write_rows([vitals_row(snapshot)], as_csv=False)

    with (
        tempfile.TemporaryDirectory(prefix="somnisphere-") as folder,
        open_replay(config, recording, Path(folder), speed=arguments.speed, broker=broker, show=show) as simulation,
    ):
        simulation.rehearsal.run(simulation.until_s)
    return 0


def record(arguments: argparse.Namespace) -> int:
    """This box's chips into a file that ``replay`` and ``beats`` read. What is written survives a kill."""
    from somnisphere.recorder import SUFFIX, RecordingWriter
    from somnisphere_hardware.samples import PartState

    path: Path = arguments.file
    if not path.name.endswith(SUFFIX):
        raise UserError(f"{path}: a recording is named like {path.name.split('.')[0]}{SUFFIX}")
    config = load(arguments.config)
    clock = SystemClock()
    bedside = Bedside(lambda: Bus.open(config.sensor.bus), bedside_settings(config))
    until_s = clock.now_s() + arguments.minutes * 60.0
    blocks = 0
    try:
        with writes(path), RecordingWriter(path) as writer:
            while clock.now_s() < until_s:
                for sample in bedside.poll(clock.now_s()):
                    if not isinstance(sample, PartState):
                        blocks += 1
                    elif sample.ok:
                        log.info("%s: %s", sample.part, sample.chip)
                    else:
                        log.warning("%s", sample.problem)
                    writer.add(sample)
                time.sleep(max(0.0, min(bedside.due_s, until_s) - clock.now_s()))
    except KeyboardInterrupt:
        pass  # the usual way to end a recording early: all of it is kept
    finally:
        bedside.close()
    if not blocks:
        raise UserError(f"{path}: no chip said anything; find out why with: somnisphere doctor")
    print(f"Recorded {path}. Look at it with: somnisphere beats {path}")
    return 0
