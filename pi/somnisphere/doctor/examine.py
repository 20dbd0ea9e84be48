"""Every part of this box, in the order in which things are to be mended."""

from collections.abc import Callable, Iterator
from pathlib import Path

from somnisphere.config import Config, ConfigError, find, load
from somnisphere.doctor.broker import check_broker
from somnisphere.doctor.cards import check_cards
from somnisphere.doctor.chips import check_chips
from somnisphere.doctor.disk import check_journal
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.home import check_home_assistant
from somnisphere.doctor.pins import check_pins
from somnisphere.doctor.sound import check_sound
from somnisphere.doctor.stories import check_stories

Check = Callable[[Config], Iterator[Finding]]


def check_oxygen(config: Config) -> Iterator[Finding]:
    calibrated = config.oxygen_calibrated
    verdict = f"calibrated {calibrated}; no medical device" if calibrated else "uncalibrated (see calibrate oxygen)"
    yield Finding("oxygen", True, verdict)


CHECKS: tuple[Check, ...] = (
    check_chips,
    check_oxygen,
    check_pins,
    check_cards,
    check_stories,
    check_sound,
    check_broker,
    check_home_assistant,
    check_journal,
)


def examine(config_path: Path | None) -> Iterator[Finding]:
    try:
        config = load(config_path)
    except ConfigError as problem:
        yield Finding("config", False, str(problem), "correct this first; the rest depends on it")
        return
    path = config_path or find()
    yield Finding("config", True, str(path) if path else "no file: the defaults hold (somnisphere config --example)")
    for check in CHECKS:
        yield from check(config)
