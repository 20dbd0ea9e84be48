"""Commands that run the daemon: on this box, rehearsed, or over a recording; and the recorder."""

import argparse
import logging
import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from somnisphere.assemble import broker_settings, make_core, make_daemon
from somnisphere.cli import UserError
from somnisphere.cli_doctor import read_config
from somnisphere.clock import SystemClock
from somnisphere.config import Config
from somnisphere.live import Edge, Inbox, Live
from somnisphere_hardware.bedside import Bedside, BedsideSettings
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.button import open_button
from somnisphere_hardware.lamp import open_lamp
from somnisphere_hardware.speaker import MpvSpeaker
from somnisphere_home.mqtt import HomeLink, LinkEvent

log = logging.getLogger(__name__)

STOP_S = 3.0
"""How long a clean stop may take to tell the broker."""


def bedside_settings(config: Config) -> BedsideSettings:
    sensor = config.sensor
    return BedsideSettings(
        pulse_rate_hz=sensor.pulse_rate_hz,
        motion_rate_hz=sensor.motion_rate_hz,
        led_cap_ma=sensor.led_cap_ma,
        swap_leds=sensor.swap_leds,
    )


def run(arguments: argparse.Namespace) -> int:
    """The daemon of a real box, until SIGTERM or SIGINT."""
    config = read_config(arguments.config)
    clock, inbox = SystemClock(), Inbox()
    with ExitStack() as stack:
        bedside = Bedside(lambda: Bus.open(config.sensor.bus), bedside_settings(config))
        stack.callback(bedside.close)
        lamp, lamp_problem = open_lamp(config.lamp.pin, hardware_pwm=config.lamp.hardware_pwm)
        stack.callback(lamp.close)
        button, button_problem = open_button(config.button.pin, lambda pressed: inbox.put(Edge(clock.now_s(), pressed)))
        if button is not None:
            stack.callback(button.close)
        for problem in filter(None, (lamp_problem, button_problem)):
            log.warning("%s", problem)
        speaker = MpvSpeaker(runtime_folder(), ao=config.speaker.ao, device=config.speaker.device)
        stack.callback(speaker.close)
        core, journal = make_core(config, clock)
        stack.callback(journal.close)
        daemon, session = make_daemon(config, core, bedside, lamp, speaker, journal)
        link = HomeLink(broker_settings(config), session.will, inbox.put)
        daemon.publish_through(link.publish, lambda: inbox.blocks_dropped)
        live = Live(daemon, bedside, link, inbox, clock)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: live.stop())
        link.start()
        stack.callback(lambda: link.stop(session.farewell(), STOP_S))
        live.run()
        bedside.rest()
    return 0


def runtime_folder() -> Path:
    """Where the player's private socket lives: what the service manager gives, else the user's runtime folder."""
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        if folder := os.environ.get(name):
            return Path(folder.split(":")[0])
    import tempfile

    return Path(tempfile.mkdtemp(prefix="somnisphere-"))


@contextmanager
def broker_of(arguments: argparse.Namespace, config: Config, *, embedded: bool) -> Iterator[tuple[str, int] | None]:
    """The broker named on the command line, else the configured one if it answers, else an embedded one."""
    import socket

    if arguments.broker:
        host, _, port = arguments.broker.partition(":")
        if port and not port.isdigit():
            raise UserError(f"--broker {arguments.broker}: HOST or HOST:PORT is needed, such as 192.168.1.5:1883")
        yield host, int(port or 1883)
        return
    if not embedded and arguments.config is None:
        yield None
        return
    try:
        socket.create_connection((config.mqtt.host, config.mqtt.port), timeout=1).close()
    except OSError:
        if not embedded:
            raise UserError(
                f"No broker answers at {config.mqtt.host}:{config.mqtt.port}; start it, or name one with --broker."
            ) from None
        from somnisphere_home.embedded_broker import EmbeddedBroker

        with EmbeddedBroker() as place:
            yield place
        return
    yield config.mqtt.host, config.mqtt.port


def rehearse(arguments: argparse.Namespace) -> int:
    """A whole evening and night from simulated chips, shown as it goes; ends with its picture."""
    from somnisphere.simulation import open_rehearsal
    from somnisphere.view import LiveView

    config = read_config(arguments.config)
    logging.getLogger().setLevel(logging.DEBUG if arguments.verbose else logging.WARNING)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        broker = stack.enter_context(broker_of(arguments, config, embedded=True))
        assert broker is not None
        hint = (
            f"Watch it:  mosquitto_sub -h {broker[0]} -p {broker[1]} -v -t 'somnisphere/#'\n"
            "(no sensor, lamp or sound is needed: chips, pins and speaker are simulated)"
        )
        view = stack.enter_context(LiveView(hint, plain=arguments.plain))
        night = stack.enter_context(open_rehearsal(config, arguments, broker, view.show))
        night.rehearsal.run(night.until_s)
    svg, png = arguments.out / "night.svg", arguments.out / "night.png"
    for line in night.lines():
        print(line)
    night.save_pictures(svg, png)
    print(f"The night's picture: {svg.resolve()} and {png.resolve()}")
    return 0


def replay(arguments: argparse.Namespace) -> int:
    """A recording through the registers of a simulated chip, the driver and all the rest."""
    from somnisphere.columns import RecordingError
    from somnisphere.simulation import open_replay

    config = read_config(arguments.config)
    if not arguments.verbose:
        logging.getLogger().setLevel(logging.WARNING)
    with ExitStack() as stack:
        broker = stack.enter_context(broker_of(arguments, config, embedded=False))
        try:
            replayed = stack.enter_context(open_replay(config, arguments, broker, sys.stdout.write))
        except RecordingError as problem:
            raise UserError(str(problem)) from problem
        replayed.rehearsal.run(replayed.until_s)
    return 0


def record(arguments: argparse.Namespace) -> int:
    """This box's chips into a file that ``replay`` and ``beats`` read. What is written survives a kill."""
    from somnisphere.recordings import RecordingWriter
    from somnisphere_hardware.samples import PartState

    config = read_config(arguments.config)
    clock = SystemClock()
    bedside = Bedside(lambda: Bus.open(config.sensor.bus), bedside_settings(config))
    until_s = clock.now_s() + arguments.minutes * 60.0
    try:
        with RecordingWriter(arguments.file) as writer:
            while clock.now_s() < until_s:
                for sample in bedside.poll(clock.now_s()):
                    if isinstance(sample, PartState):
                        log.info("%s: %s", sample.part, sample.chip if sample.ok else sample.problem)
                    writer.add(sample)
                time.sleep(max(0.0, bedside.due_s - clock.now_s()))
    finally:
        bedside.rest()
        bedside.close()
    print(f"Recorded {arguments.file}. Look at it with: somnisphere beats {arguments.file}")
    return 0


__all__ = ["LinkEvent", "queue", "record", "rehearse", "replay", "run"]
