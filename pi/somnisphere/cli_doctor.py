"""``somnisphere doctor``: every part of this box, each with a verdict and, where something is wrong, the mend."""

import argparse
import os
import queue
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from somnisphere.broker import broker_settings, secret
from somnisphere.card_reading import card_reader
from somnisphere.config import Config, ConfigError, find, load
from somnisphere.lamp_whites import lamp_whites
from somnisphere.library import STARTER_FOLDER, scan
from somnisphere_hardware import detect
from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.button import open_button
from somnisphere_hardware.card_reader import CardSign, ReaderState
from somnisphere_hardware.lamp import open_lamp
from somnisphere_home.messages import OFFLINE, Message, Topics
from somnisphere_home.mqtt import Connected, HomeLink, LinkEvent

BROKER_WAIT_S = 12.0
"""Two greetings of ``HomeLink``: the second with the older MQTT."""

READER_WAIT_S = 3.0

LEAST_FREE_MB = 50.0
"""A year of nights takes about half of that."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor found of one part. ``mend`` is "" where nothing is to be done, or the verdict says it."""

    part: str
    ok: bool
    verdict: str
    mend: str = ""


def doctor(arguments: argparse.Namespace) -> int:
    healthy = True
    for finding in examine(arguments.config):
        healthy &= finding.ok
        print(f"{'ok  ' if finding.ok else 'BAD '} {finding.part:<10} {finding.verdict}", flush=True)
        if finding.mend:
            print(f"     {'':<10} mend: {finding.mend}", flush=True)
    return 0 if healthy else 1


def examine(config_path: Path | None) -> Iterator[Finding]:
    """Everything, in the order in which it is to be mended."""
    try:
        config = load(config_path)
    except ConfigError as problem:
        yield Finding("config", False, str(problem), "correct this first; the rest depends on it")
        return
    path = config_path or find()
    yield Finding("config", True, str(path) if path else "no file: the defaults hold (somnisphere config --example)")
    yield from check_chips(config)
    calibrated = config.oxygen_calibrated
    verdict = f"calibrated {calibrated}; no medical device" if calibrated else "uncalibrated (see calibrate oxygen)"
    yield Finding("oxygen", True, verdict)
    yield from check_pins(config)
    yield from check_cards(config)
    yield from check_stories(config)
    yield from check_player()
    yield from check_broker(config)
    yield from check_home_assistant(config)
    yield from check_journal(config)


def check_chips(config: Config) -> Iterator[Finding]:
    try:
        bus = Bus.open(config.sensor.bus)
    except BusError as problem:
        yield Finding("I2C bus", False, f"/dev/i2c-{config.sensor.bus} cannot be opened", problem.hint)
        return
    try:
        found = detect.scan(bus)
    finally:
        bus.close()
    for chip in found:
        yield Finding("chip", chip.usable, f"0x{chip.address:02x}: {chip.problem or chip.chip}")
    for part in ("pulse", "motion"):
        if not any(chip.part == part for chip in found):
            yield Finding(
                "chip",
                False,
                f"no {part} sensor answers on I2C bus {config.sensor.bus}",
                "check 3.3 V, ground, SDA (GPIO 2) and SCL (GPIO 3); hardware/README.md shows the wiring",
            )


def check_pins(config: Config) -> Iterator[Finding]:
    taken = "is a daemon running that has it (systemctl stop somnisphere), and is this the right pin?"
    lamp, problem = open_lamp(config.lamp.pin, config.lamp.hardware_pwm, lamp_whites(config.lamp))
    lamp.close()
    yield _pin("lamp", config.lamp.pin, problem, taken)
    button, problem = open_button(config.button.pin, lambda _: None)
    stuck = button is not None and button.is_pressed
    if button is not None:
        button.close()
    if stuck:
        problem, taken = "the button is down", "let go of it; if nobody holds it, its wire touches ground"
    yield _pin("button", config.button.pin, problem, taken)


def _pin(part: str, pin: int | None, problem: str, mend: str) -> Finding:
    if pin is None:
        return Finding(part, True, f"none ({part}.pin is not set)")
    return Finding(part, not problem, problem or f"on GPIO {pin}", mend if problem else "")


def check_cards(config: Config) -> Iterator[Finding]:
    reader = card_reader(config)
    if reader is None:
        return
    until_s, said = time.monotonic() + READER_WAIT_S, list[CardSign]()
    while not said and time.monotonic() < until_s:
        said = reader.poll(time.monotonic())
        time.sleep(max(0.0, min(reader.due_s, until_s) - time.monotonic()))
    reader.close()
    state = next((sign for sign in said if isinstance(sign, ReaderState)), None)
    if state is None:
        yield Finding("cards", False, "the card reader says nothing", "hardware/README.md shows its wiring")
    elif not state.ok:
        yield Finding("cards", False, state.problem)
    else:
        yield Finding("cards", True, f"{state.reader} answers")


def check_stories(config: Config) -> Iterator[Finding]:
    folder = Path(config.stories.folder) if config.stories.folder else STARTER_FOLDER
    stories, broken = scan(folder, Path(config.stories.cache) if config.stories.cache else None)
    verdict = f"{len(stories)} on the shelf {folder}"
    yield Finding("stories", bool(stories), verdict, "" if stories else "put one there: somnisphere story add FILE")
    for file in broken:
        yield Finding("story", False, f"{file.path}: {file.reason}", "replace or remove it; the others are told")


def check_player() -> Iterator[Finding]:
    mpv = shutil.which("mpv")
    yield Finding("player", mpv is not None, mpv or "mpv is not installed", "" if mpv else "sudo apt install mpv")


def check_broker(config: Config) -> Iterator[Finding]:
    place = f"{config.mqtt.host}:{config.mqtt.port}"
    try:
        settings = broker_settings(config)
    except ConfigError as problem:
        yield Finding("broker", False, str(problem), "correct this key in the configuration")
        return
    topics = Topics(config.box.node)
    answers: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    link = HomeLink(
        replace(settings, client_id=f"{settings.client_id}_doctor"),
        Message(f"{topics.base}/doctor/status", OFFLINE),  # a will of its own: the daemon may be connected too
        answers.put,
    )
    link.start()
    try:
        answer: LinkEvent | None = answers.get(timeout=BROKER_WAIT_S)
    except queue.Empty:
        answer = None
    finally:
        link.stop()
    if isinstance(answer, Connected):
        yield Finding("broker", True, f"{place} lets us in, with MQTT {'5' if answer.mqtt5 else '3.1.1'}")
        return
    yield Finding(
        "broker",
        False,
        getattr(answer, "reason", f"{place} says nothing"),
        "start one (sudo apt install mosquitto), or correct mqtt.host, port, username, password_file",
    )


def check_home_assistant(config: Config) -> Iterator[Finding]:
    home = config.home_assistant
    if home.url is None:
        return
    from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable

    try:
        client = HomeAssistantClient(home.url, secret(home.token_file, "home_assistant.token_file"))
        answer = client.state("zone.home")
        reached = not isinstance(answer, HomeUnreachable | HomeRefused)
        missing = [entity for entity in named_in_the_home(config) if reached and client.attributes(entity) is None]
        client.close()
    except ConfigError as problem:
        yield Finding("home", False, str(problem), "correct this key in the configuration")
        return
    bad = not reached
    mend = "correct home_assistant.url and token_file; without them all but questions to the home works" if bad else ""
    yield Finding("home", not bad, getattr(answer, "reason", f"{home.url} answers"), mend)
    for entity in missing:
        yield Finding("home", False, f"there is no {entity} in Home Assistant", "correct it in the configuration")


def named_in_the_home(config: Config) -> list[str]:
    """Every entity of Home Assistant's that the configuration names."""
    named = (config.speaker.home_player, config.lamp.home_light, config.voice.home_engine)
    return [entity for entity in dict.fromkeys((*named, *config.home_questions.entity_ids)) if entity]


def check_journal(config: Config) -> Iterator[Finding]:
    path = Path(config.journal.path)
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))):
        mend = "correct journal.path, or give this user the right to write there"
        yield Finding("journal", False, f"{path} cannot be written", mend)
        return
    free_mb = shutil.disk_usage(folder).free / 1e6
    short = free_mb < LEAST_FREE_MB
    yield Finding(
        "journal", not short, f"{path}, {free_mb:.0f} MB free", "free some space on this disk" if short else ""
    )
