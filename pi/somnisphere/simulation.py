"""What a rehearsal and a replay are made of: simulated chips, pins and speaker under the real daemon."""

import logging
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from somnisphere.assemble import assemble, bedside_settings, shelf_reader
from somnisphere.broker import broker_settings
from somnisphere.clock import utc_offset_s
from somnisphere.config import Config
from somnisphere.cues import NIGHT_OUT_S
from somnisphere.daemon import Daemon
from somnisphere.errors import UserError
from somnisphere.events import Tick
from somnisphere.journal import Journal
from somnisphere.live import Edge
from somnisphere.recordings import Recording
from somnisphere.rehearsal import Hand, Rehearsal, RehearsalClock, evening_of
from somnisphere.snapshot import Snapshot
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.button import open_button
from somnisphere_hardware.lamp import open_lamp
from somnisphere_hardware.simulated.body import Body
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050
from somnisphere_hardware.simulated.pins import SimulatedPins, simulated_pins
from somnisphere_hardware.simulated.recorded import RecordedBody
from somnisphere_hardware.simulated.sleeper import Sleeper
from somnisphere_hardware.simulated.speaker import SimulatedSpeaker
from somnisphere_home.mqtt import HomeLink, LinkEvent

log = logging.getLogger(__name__)

BUS_NUMBER = 77
LAMP_PIN, BUTTON_PIN = 18, 17

TO_BED_S = 5 * 60.0
"""The rehearsed sleeper comes to bed five minutes after the rehearsal begins, ..."""
BEGIN_S = TO_BED_S + 60.0
"""... presses the button a minute later, ..."""

FALL_ASLEEP_MIN = 10.0
"""... and is asleep about ten minutes after coming to bed, while the story is told."""

AFTER_S = 30 * 60.0
"""How long the rehearsal goes on after the sleeper has left: long enough for the night to be closed, ..."""
MORNING_AFTER_H, AFTER_SHORT_S = 7.5, NIGHT_OUT_S + 5 * 60.0
"""... which takes longer where a shorter night ends before it is morning."""

CONNECT_S = 10.0

REPLAY_START_S = 2.0


@dataclass(slots=True)
class Simulation:
    """A daemon on a simulated bed, ready to be stepped to ``until_s``."""

    rehearsal: Rehearsal
    daemon: Daemon
    body: Body
    bus: SimulatedBus
    pins: SimulatedPins
    clock: RehearsalClock
    until_s: float


@contextmanager
def simulate(
    config: Config,
    body: Body,
    clock: RehearsalClock,
    journal_path: Path,
    *,
    until_s: float,
    speed: float = 0.0,
    broker: tuple[str, int] | None = None,
    mqtt5: bool = True,
    begin_s: float | None = None,
    show: Callable[[Snapshot], None] | None = None,
) -> Iterator[Simulation]:
    """A bed with a MAX30102 and an MPU-6050 that sense ``body``, a lamp and a button on mock pins, a silent speaker.

    ``begin_s``: when a simulated hand presses the button.
    """
    bus, inbox = SimulatedBus(BUS_NUMBER), queue.SimpleQueue[LinkEvent | Edge]()
    bus.now_s = clock.at_s
    bus.attach(SimulatedMax30102(body, clock_error=0.01))
    bus.attach(SimulatedMpu6050(body, clock_error=-0.01))
    with ExitStack() as stack:
        stack.enter_context(bus.installed())
        pins = stack.enter_context(simulated_pins())
        bedside = Bedside(lambda: Bus.open(BUS_NUMBER), bedside_settings(config))
        stack.callback(bedside.close)
        lamp, _ = open_lamp(LAMP_PIN)
        stack.callback(lamp.close)
        button, _ = open_button(BUTTON_PIN, lambda pressed: inbox.put(Edge(clock.now_s(), pressed)))
        assert button is not None
        stack.callback(button.close)
        # Known before the daemon is made: it may take up a story at once.
        durations = {story.path: story.duration_s for story in shelf_reader(config).read() or ()}
        speaker = SimulatedSpeaker(durations.get)
        stack.callback(speaker.close)
        journal = Journal(journal_path)
        stack.callback(journal.close)
        tick = Tick(clock.at_s, clock.wall_s(), utc_offset_s(clock.wall_s()))
        made = assemble(config, tick, journal, bedside, lamp, speaker)
        stack.callback(made.door.close)
        link = None
        if broker is not None:
            settings = replace(broker_settings(config, broker), mqtt5=mqtt5)
            link = HomeLink(settings, made.session.will, inbox.put)
            link.start()
            stack.callback(lambda: link.stop(made.session.farewell(), 3.0))
            made.daemon.publish_through(link.publish)
            _await_broker(link)
        hands: tuple[Hand, ...] = ()
        if begin_s is not None:
            down, up = partial(pins.press, BUTTON_PIN), partial(pins.release, BUTTON_PIN)
            hands = ((begin_s, down), (begin_s + 0.2, up))
        rehearsal = Rehearsal(made.daemon, bus, clock, speed=speed, link=link, inbox=inbox, hands=hands, show=show)
        yield Simulation(rehearsal, made.daemon, body, bus, pins, clock, until_s)


def _await_broker(link: HomeLink) -> None:
    """A rehearsed minute may last a fraction of a second: the home must be there when it begins."""
    give_up_s = time.monotonic() + CONNECT_S
    while not link.is_connected and time.monotonic() < give_up_s:
        time.sleep(0.02)


@contextmanager
def open_rehearsal(
    config: Config,
    out: Path,
    *,
    seed: int,
    hours: float,
    speed: float,
    broker: tuple[str, int] | None,
    mqtt5: bool = True,
    show: Callable[[Snapshot], None] | None = None,
) -> Iterator[Simulation]:
    """An evening and a night of ``hours`` in bed. A rehearsal that was killed is carried on where its journal ends."""
    journal_path = out / "rehearsal.sqlite"
    start_s, begin_s = 0.0, BEGIN_S
    wall_start_s = evening_of(time.time())
    if (last_wall_s := _interrupted(journal_path)) is not None:
        wall_start_s = evening_of(last_wall_s)
        start_s = last_wall_s - wall_start_s
    sleeper = Sleeper.usual_night(
        seed,
        hours=hours,
        fall_asleep_min=FALL_ASLEEP_MIN,
        absent_before_min=TO_BED_S / 60.0,
        absent_after_min=(AFTER_S if hours >= MORNING_AFTER_H else AFTER_SHORT_S) / 60.0,
    )
    with simulate(
        config,
        sleeper,
        RehearsalClock(start_s, wall_start_s),
        journal_path,
        until_s=sleeper.end_s,
        speed=speed,
        broker=broker,
        mqtt5=mqtt5,
        begin_s=begin_s if start_s < begin_s else None,
        show=show,
    ) as simulation:
        yield simulation


def _interrupted(journal_path: Path) -> float | None:
    """Unix time at which the journal of a killed rehearsal ends, or None when there is nothing to carry on."""
    if not journal_path.exists():
        return None
    journal = Journal(journal_path)
    try:
        nights = journal.nights()
        if not nights:
            return None
        night = journal.load(nights[-1])
    finally:
        journal.close()
    if night.ended_wall_s is not None or not night.epochs:
        return None
    return night.epochs[-1].start_s + 30.0


@contextmanager
def open_replay(
    config: Config,
    recording: Recording,
    out: Path,
    *,
    speed: float,
    broker: tuple[str, int] | None,
    show: Callable[[Snapshot], None] | None = None,
) -> Iterator[Simulation]:
    """A recording played once, from ``REPLAY_START_S`` on: the chips want a moment to be set up."""
    try:
        body = RecordedBody(
            recording.ir,
            recording.rate_hz,
            recording.polarity,
            red=recording.red,
            accel=recording.accel_g,
            accel_fs_hz=recording.accel_rate_hz or None,
            start_s=REPLAY_START_S,
        )
    except ValueError as problem:
        raise UserError(f"{recording.name} cannot be played through a chip: {problem}.") from problem
    clock = RehearsalClock(0.0, time.time())
    with simulate(
        config, body, clock, out / "replay.sqlite", until_s=body.end_s, speed=speed, broker=broker, show=show
    ) as simulation:
        yield simulation
