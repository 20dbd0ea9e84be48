"""Every part of this box, in the order in which things are to be mended."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from somnisphere.config import Config, ConfigError, find, load
from somnisphere.doctor.broker import check_broker
from somnisphere.doctor.cards import check_cards
from somnisphere.doctor.chips import check_chips
from somnisphere.doctor.clock import check_clock, check_time_zone
from somnisphere.doctor.disk import check_disk
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.home import check_home_assistant
from somnisphere.doctor.journal import check_journal
from somnisphere.doctor.pins import check_pins
from somnisphere.doctor.power import check_power
from somnisphere.doctor.rights import check_rights
from somnisphere.doctor.service import check_service, daemon_runs
from somnisphere.doctor.side_by_side import side_by_side
from somnisphere.doctor.sound import check_sound
from somnisphere.doctor.stories import check_stories, check_voice
from somnisphere.doctor.world import THIS_MACHINE, World

Check = Callable[[Config, World], Iterator[Finding]]

MOST_S = 15.0
"""A doctor who takes longer is not asked."""


def check_oxygen(config: Config, _world: World = THIS_MACHINE) -> Iterator[Finding]:
    calibrated = config.oxygen_calibrated
    verdict = f"calibrated {calibrated}; no medical device" if calibrated else "uncalibrated (see calibrate oxygen)"
    yield Finding("oxygen", True, verdict)


CHECKS: tuple[tuple[str, Check], ...] = (
    ("power", check_power),
    ("service", check_service),
    ("I2C bus", check_chips),
    ("oxygen", check_oxygen),
    ("lamp", check_pins),
    ("cards", check_cards),
    ("stories", check_stories),
    ("voice", check_voice),
    ("player", check_sound),
    ("disk", check_disk),
    ("journal", check_journal),
    ("rights", check_rights),
    ("clock", check_clock),
    ("time zone", check_time_zone),
    ("broker", check_broker),
    ("home", check_home_assistant),
)
"""The part that a check is about, for when it does not end."""


def examine(config_path: Path | None, world: World = THIS_MACHINE) -> Iterator[Finding]:
    stand_in_for_the_service(world)
    try:
        config = load(config_path)
    except ConfigError as problem:
        yield Finding("config", False, str(problem), "correct this first; the rest depends on it")
        return
    path = config_path or find()
    yield Finding("config", True, str(path) if path else "no file: the defaults hold (somnisphere config --example)")
    yield from examined(config, world)


def examined(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    until_s = time.monotonic() + MOST_S
    world = replace(world, daemon_runs=daemon_runs(world))
    looks = [(part, partial(check, config, world)) for part, check in CHECKS]
    yield from side_by_side(looks, lambda: until_s - time.monotonic())


def stand_in_for_the_service(world: World = THIS_MACHINE) -> None:
    """On a box with the unit, the folders that the service is given, for who looks by hand: else another, empty
    journal would be looked at."""
    if world.at("etc/systemd/system/somnisphere.service").exists():
        for name, folder in (("STATE_DIRECTORY", "var/lib/somnisphere"), ("CACHE_DIRECTORY", "var/cache/somnisphere")):
            if world.at(folder).is_dir():
                os.environ.setdefault(name, str(world.at(folder)))
