"""``somnisphere setup``: the guided first run, at a terminal or unattended."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from somnisphere.broker import secret
from somnisphere.config import PLACES, Config, find, load
from somnisphere.errors import UserError
from somnisphere.setup.dialogue import examination, setup_dialogue
from somnisphere.setup.draft import SECRETS, Present
from somnisphere.setup.hands import Hands
from somnisphere.setup.shells import Answers, Terminal, Unattended, hold, read_answers
from somnisphere.setup.writing import FILE_NAMES, rights_here

UNIT = "somnisphere.service"


def setup(arguments: argparse.Namespace) -> int:
    """0: the configuration is as wished, whatever may be missing around it; 1: it was not written."""
    rights = rights_here()
    config = (arguments.config or find() or PLACES[0 if rights.for_service else 1]).expanduser()
    answers: Answers
    if arguments.answers is not None:
        answers = Unattended(read_answers(arguments.answers), str(arguments.answers))
    elif arguments.yes:
        answers = Unattended({})
    elif sys.stdin.isatty():
        answers = Terminal()
    else:
        raise UserError(
            "setup asks questions, and there is no terminal here: run it in one, take what is found with --yes, or "
            "give answers with --answers FILE.toml"
        )
    must_be_writable(config)
    present = present_at(config)
    try:
        hands = Hands(config, rights)
        with ends_as_ctrl_c(), service_resting(answers.say) as rested:
            written = hold(setup_dialogue(present, str(config)), answers, hands.do)
        if written:
            hold(examination(), answers, hands.do)
    except KeyboardInterrupt:
        print("\nBroken off.", file=sys.stderr)
        raise
    if written and not rested:
        print(f"\nIt holds from the next start: {start_of(rights.for_service)}")
    return 0 if written else 1


def start_of(for_service: bool) -> str:
    return f"sudo systemctl restart {UNIT}" if for_service and _systemctl("cat", UNIT) else "somnisphere run"


def present_at(config: Path) -> Present:
    """How it stands. ``ConfigError``: it cannot be used as it is, and a person has to look first."""
    if not config.exists():
        return Present(Config())
    loaded = load(config)
    found = tomllib.loads(config.read_text(encoding="utf-8"))
    named = {f"{section}.{key}" for section, keys in found.items() if isinstance(keys, dict) for key in keys}
    secrets = {}
    for key, file_key in SECRETS.items():
        section, _, name = file_key.partition(".")
        path = getattr(getattr(loaded, section), name)
        beside = config.parent / FILE_NAMES[key]
        if path or beside.exists():
            secrets[key] = secret(path or str(beside), file_key)
    return Present(loaded, frozenset(named), secrets, has_file=True)


def must_be_writable(config: Path) -> None:
    """Before anything is asked."""
    folder = config.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        raise UserError(f"{folder} may not be written by this user: sudo somnisphere setup, or another --config FILE")


@contextmanager
def ends_as_ctrl_c() -> Iterator[None]:
    """A terminal that goes away (a dropped ssh) must leave no lamp lit and no service stopped."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, interrupt)) for number in (signal.SIGHUP, signal.SIGTERM)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def service_resting(say: Callable[[str], None]) -> Iterator[bool]:
    """A daemon that runs has the lamp's pin, the button and the speaker: it is stopped meanwhile, and started again
    however the dialogue ends. True: it was."""
    if not _systemctl("is-active", "--quiet", UNIT):
        yield False
        return
    if not _systemctl("stop", UNIT):
        say(f"{UNIT} runs, has lamp, button and speaker, and is root's to stop. mend: sudo somnisphere setup")
        yield False
        return
    say(f"({UNIT} rests meanwhile.)")
    try:
        yield True
    finally:
        started = _systemctl("start", UNIT)
        say(f"({UNIT} runs again.)" if started else f"{UNIT} does not start. mend: journalctl -u {UNIT} says why")


def _systemctl(*words: str) -> bool:
    program = shutil.which("systemctl")
    if program is None:
        return False
    done = subprocess.run([program, *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0
