"""The command line: one parser, one lazily imported function per command. Errors name what, where and the mend."""

import argparse
import errno
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from somnisphere import __version__
from somnisphere.errors import UserError
from somnisphere.own_files import as_is_due

NOT_MEDICAL = "Somnisphere is not a medical device: it guesses sleep from pulse and movement."
OPEN_HELP = "where nights are told first: open what is sealed, as “just show me” does on the house page"


def _number(least: float, most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {least:g} to {most:g}")
        return value

    return number


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 on")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port from 1 to 65535")
    return int(text)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-03-14") from None


@contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """Around imports of what not every installation has."""
    try:
        yield
    except ImportError as problem:
        raise UserError(f"{what} needs {problem.name}: pip install 'somnisphere[{extra}]'") from problem


@contextmanager
def writes(path: Path) -> Iterator[None]:
    """Around the writing of a file that a person asked for."""
    try:
        yield
    except OSError as problem:
        raise UserError(f"{path}: cannot be written: {problem.strerror or problem}. Name another place.") from problem


def _handler(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    def call(arguments: argparse.Namespace) -> int:
        # Imported only when called: `somnisphere --help` on a Pi Zero should not wait for numpy.
        result: int = getattr(importlib.import_module(f"somnisphere.{module}"), function)(arguments)
        return result

    return call


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="somnisphere",
        description="A bedside companion: senses sleep, joins light and story to the sleeper.",
        epilog=NOT_MEDICAL,
    )
    parser.add_argument("--version", action="version", version=f"somnisphere {__version__}")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (TOML); else the usual places")
    parser.add_argument("-v", "--verbose", action="store_true", help="say more")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, module: str, function: str, text: str, level: int = logging.INFO) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, epilog=NOT_MEDICAL)
        command.set_defaults(handler=_handler(module, function), level=level)
        return command

    add("run", "cli_daemon", "run", "run the daemon on this box until stopped")
    add("dark", "cli_dark", "dark", "put the sensor's light and the lamp out, after a daemon that was killed")

    setup = add("setup", "cli_setup", "setup", "the first run: find, try and write down all it needs", logging.ERROR)
    setup.add_argument("--yes", action="store_true", help="ask nothing: take what is found, and the defaults")
    setup.add_argument("--answers", type=Path, metavar="FILE", help="answers (see deploy/README.md); the rest as --yes")

    rehearse = add(
        "rehearse", "cli_daemon", "rehearse", "play a whole evening and night from simulated chips", logging.WARNING
    )
    rehearse.add_argument(
        "--speed",
        type=_number(0, 1e6),
        default=400.0,
        help="seconds of night per second; 0: as fast as it goes (default %(default)g)",
    )
    rehearse.add_argument(
        "--hours", type=_number(0.1, 24), default=8.5, help="length of the night (default %(default)g)"
    )
    rehearse.add_argument("--seed", type=_seed, default=2, help="which simulated sleeper (default %(default)d)")
    rehearse.add_argument(
        "--broker", metavar="HOST[:PORT]", help="MQTT broker; else the configured, else an embedded one"
    )
    rehearse.add_argument(
        "--out", type=Path, default=Path("out"), help="folder for journal and pictures (default: out)"
    )
    rehearse.add_argument("--page", type=_port, metavar="PORT", help="serve the house page of this night, too")
    rehearse.add_argument("--plain", action="store_true", help="lines of text in place of the live view")

    from somnisphere.cli_signals import add_commands as add_signals

    add_signals(add, _number, OPEN_HELP)

    night = add("night", "cli_nights", "night", "what the journal tells of a night")
    night.add_argument("date", nargs="?", help="ISO date of its evening (default: the latest)")
    night.add_argument("--svg", type=Path, metavar="FILE", help="draw it as SVG")
    night.add_argument("--png", type=Path, metavar="FILE", help="draw it as PNG")
    night.add_argument("--json", action="store_true", help="times and minutes with their ranges, as one JSON object")
    night.add_argument("--open", action="store_true", help=OPEN_HELP)

    nights = add("nights", "cli_nights", "nights", "all nights of the journal, for reading or as rows for scripts")
    nights.add_argument("--since", type=_date, metavar="DATE", help="from the evening of this ISO date on")
    nights.add_argument("--until", type=_date, metavar="DATE", help="up to and with the evening of this ISO date")
    form = nights.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON lines, with ranges and regularity")
    form.add_argument("--csv", action="store_true", help="the same as CSV")
    nights.add_argument("--open", action="store_true", help=OPEN_HELP)

    from somnisphere.cli_keep import add_commands as add_keeping

    add_keeping(add, _date, OPEN_HELP)
    from somnisphere.cli_story import add_commands

    story = add(
        "story", "cli_story", "list_stories", "the stories on the shelf: list, show, add, record, play and more"
    )
    add_commands(story, lambda function: _handler("cli_story", function), NOT_MEDICAL)

    from somnisphere.cli_page_options import add_commands as add_page_commands

    page = add("page", "cli_page", "serve", "the house page: serve it to browsers; its PIN")
    page.add_argument("--port", type=_port, help="its port (default: the configured one)")
    add_page_commands(page, lambda function: _handler("cli_page", function), NOT_MEDICAL)

    from somnisphere.cli_coach import add_commands as add_coach_commands

    coach = add("coach", "cli_coach", "list_households", "for professional coaches: collect what households share")
    add_coach_commands(coach, lambda function: _handler("cli_coach", function), NOT_MEDICAL)
    card = add("card", "cli_card", "show", "story cards: which card means what")
    cards = card.add_subparsers(dest="card_command", required=True, metavar="WHAT")

    def add_card(name: str, function: str, text: str, level: int = logging.INFO) -> argparse.ArgumentParser:
        command = cards.add_parser(name, help=text, description=text, epilog=NOT_MEDICAL)
        command.set_defaults(handler=_handler("cli_card", function), level=level)
        return command

    listed = add_card("list", "show", "all cards and what they mean")
    listed.add_argument("--json", action="store_true", help="JSON lines")
    linked = add_card("link", "link", "let a card mean a story, or one of begin, stop, one_more_page")
    linked.add_argument("card", metavar="CARD", help="the card's number (see watch)")
    linked.add_argument("story", metavar="STORY", help="title or key of a story, or begin, stop, one_more_page")
    unlinked = add_card("unlink", "unlink", "let a card be blank again")
    unlinked.add_argument("card", metavar="CARD", help="the card's number")
    watched = add_card(
        "watch", "watch", "see each card that is laid on; stop the daemon before: a reader obeys one program"
    )
    watched.add_argument("--seconds", type=_number(0, 1e6), metavar="S", help="how long (default: until Ctrl-C)")

    from somnisphere.cli_circle import add_commands as add_circle

    circle = add("circle", "cli_circle", "members", "stories between households: join, offer, take, take back")
    add_circle(circle, lambda function: _handler("cli_circle", function), NOT_MEDICAL)

    lamp = add("lamp", "cli_lamp", "floor", "a light of the home as the evening's lamp")
    floor = lamp.add_subparsers(dest="lamp_command", required=True, metavar="WHAT").add_parser(
        "floor", help="find out how far down a light of Home Assistant still shines", epilog=NOT_MEDICAL
    )
    floor.add_argument("light", metavar="light.X", help="the light, as Home Assistant names it")
    floor.add_argument("--dry-run", action="store_true", help="only say it, do not write it")

    doctor = add("doctor", "cli_doctor", "doctor", "check every part of this box and say the mend", logging.ERROR)
    doctor.add_argument("--json", action="store_true", help="JSON lines, for scripts")
    doctor.add_argument("--bundle", type=Path, metavar="FILE", help="for who helps you: a zip of what the doctor sees")

    calibrate = add("calibrate", "cli_calibrate", "calibrate", "fit this unit's oxygen line to a finger oximeter")
    calibrate.add_argument("what", choices=("oxygen",), help="what to calibrate")
    calibrate.add_argument(
        "file", type=Path, nargs="?", help="CSV with columns ratio, oximeter_pct; else type the readings as they come"
    )
    calibrate.add_argument("--live", action="store_true", help="type the readings as they come (without FILE: always)")
    calibrate.add_argument("--dry-run", action="store_true", help="show the line and leave the configuration alone")
    calibrate.add_argument("--against", default="a finger oximeter", metavar="NAME", help="which oximeter it was")

    config = add("config", "cli_config", "config", "show the configuration in force, or an example with every key")
    config.add_argument("--example", action="store_true", help="an example with every key explained")

    reference = add("reference", "cli_config", "reference", "every entity, topic and command as a table (Markdown)")
    reference.add_argument("--write", type=Path, metavar="FILE", help="put it between the markers of this file")
    reference.add_argument("--asyncapi", action="store_true", help="all topics and payloads as AsyncAPI 3.0 (JSON)")

    announced = add("discovery", "cli_discovery", "show", "how the home is told of this bedside, or made to forget it")
    ways = announced.add_subparsers(dest="discovery_command", required=True, metavar="WHAT")
    ways.add_parser("show", help="the announcements, as JSON lines", epilog=NOT_MEDICAL)
    cleared = ways.add_parser("clear", help="take this bedside out of the home", epilog=NOT_MEDICAL)
    cleared.add_argument("--yes", action="store_true", help="do not ask")
    cleared.set_defaults(handler=_handler("cli_discovery", "clear"))

    completion = add("completion", "cli_config", "completion", "completion script for a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    if sys.stdout is None:  # `>&-`: nobody wants to hear it
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # for as long as the program runs
    arguments = build_parser().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if arguments.verbose else arguments.level, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        with as_is_due(arguments.command):
            status: int = arguments.handler(arguments)
        sys.stdout.flush()  # a closed pipe is to be met here, not at the interpreter's end
    except UserError as problem:
        print(f"somnisphere: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head` closed our output: not a fault
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
        what = f"{problem.filename or 'what was to be said'} cannot be written: {problem.strerror}"
        print(f"somnisphere: {what}. Make room, or name another place.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what waits in it is given up
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
