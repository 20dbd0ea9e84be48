"""Commands about the box itself: doctor, config, reference, completion."""

import argparse
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from somnisphere.cli import UserError, build_parser
from somnisphere.config import Config, ConfigError, example, load

ENTITIES_BEGIN, ENTITIES_END = "<!-- entities -->", "<!-- /entities -->"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor found of one part. ``mend`` is "" where nothing is to be done."""

    part: str
    ok: bool
    verdict: str
    mend: str = ""


def read_config(path: Path | None) -> Config:
    """The configuration in force, or ``UserError`` naming file, key and mend."""
    try:
        return load(path)
    except ConfigError as problem:
        raise UserError(str(problem)) from problem


def doctor(arguments: argparse.Namespace) -> int:
    config = read_config(arguments.config)
    findings = [*check_chips(config), *check_story_side(config), *check_broker(config), *check_journal(config)]
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'BAD '} {finding.part:<10} {finding.verdict}")
        if finding.mend:
            print(f"     {'':<10} mend: {finding.mend}")
    return 0 if all(finding.ok for finding in findings) else 1


def check_chips(config: Config) -> Iterator[Finding]:
    from somnisphere_hardware.bus import Bus, BusError
    from somnisphere_hardware.detect import scan

    try:
        bus = Bus.open(config.sensor.bus)
    except BusError as problem:
        yield Finding("I2C bus", False, str(problem), problem.hint)
        return
    try:
        found = scan(bus)
    finally:
        bus.close()
    if not found:
        yield Finding(
            "chips",
            False,
            f"nothing answers on I2C bus {config.sensor.bus}",
            "check power (3.3 V), ground, SDA (GPIO 2) and SCL (GPIO 3); hardware/README.md shows the wiring",
        )
    for chip in found:
        yield Finding("chip", chip.usable, f"0x{chip.address:02x}: {chip.problem or chip.chip}")


def check_story_side(config: Config) -> Iterator[Finding]:
    from somnisphere.library import STARTER_FOLDER, scan

    folder = Path(config.stories.folder) if config.stories.folder else STARTER_FOLDER
    stories, broken = scan(folder)
    yield Finding(
        "stories", bool(stories), f"{len(stories)} on the shelf {folder}", "" if stories else "put an audio file there"
    )
    for file in broken:
        yield Finding("story", False, f"{file.path}: {file.reason}", "replace or remove this file")
    mpv = shutil.which("mpv")
    yield Finding("player", mpv is not None, mpv or "mpv is not installed", "" if mpv else "sudo apt install mpv")


def check_broker(config: Config) -> Iterator[Finding]:
    place = f"{config.mqtt.host}:{config.mqtt.port}"
    try:
        socket.create_connection((config.mqtt.host, config.mqtt.port), timeout=3).close()
    except OSError as problem:
        yield Finding(
            "broker",
            False,
            f"{place}: {problem.strerror or problem}",
            "start one (sudo apt install mosquitto), or set mqtt.host and mqtt.port in the configuration",
        )
    else:
        yield Finding("broker", True, f"{place} answers")


def check_journal(config: Config) -> Iterator[Finding]:
    path = Path(config.journal.path)
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free / 1e6
    yield Finding(
        "journal",
        free_mb > 50,
        f"{path}, {free_mb:.0f} MB free",
        "" if free_mb > 50 else "free some space on this disk",
    )


def config(arguments: argparse.Namespace) -> int:
    if arguments.example:
        print(example(), end="")
        return 0
    from somnisphere.config import show

    print(show(read_config(arguments.config)), end="")
    return 0


def reference(arguments: argparse.Namespace) -> int:
    from somnisphere.entities import ENTITIES
    from somnisphere_home.messages import Topics
    from somnisphere_home.reference import reference_table

    table = reference_table(ENTITIES, Topics(read_config(arguments.config).box.node))
    if arguments.write is None:
        print(table)
        return 0
    text = arguments.write.read_text()
    if ENTITIES_BEGIN not in text or ENTITIES_END not in text:
        raise UserError(f"{arguments.write}: the markers {ENTITIES_BEGIN} and {ENTITIES_END} are missing; put them in.")
    head, rest = text.split(ENTITIES_BEGIN, 1)
    tail = rest.split(ENTITIES_END, 1)[1]
    arguments.write.write_text(f"{head}{ENTITIES_BEGIN}\n\n{table.strip()}\n\n{ENTITIES_END}{tail}")
    return 0


def completion(arguments: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError as problem:
        raise UserError("Shell completion needs shtab: pip install 'somnisphere[completion]'") from problem
    print(shtab.complete(build_parser(), arguments.shell))
    return 0
