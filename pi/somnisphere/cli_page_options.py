"""The house page's commands: their options alone, so that no other command loads what they need."""

import argparse
from collections.abc import Callable
from pathlib import Path

Handler = Callable[[argparse.Namespace], int]


def add_commands(page: argparse.ArgumentParser, handler: Callable[[str], Handler], epilog: str) -> None:
    """The subcommands of ``page``; without one it is served."""
    page.add_argument("--host", help="address to serve it at (default: the configured one)")
    page.add_argument("--broker", metavar="HOST[:PORT]", help="MQTT broker (default: the configured one)")
    page.add_argument("--journal", type=Path, metavar="FILE", help="another journal, such as a rehearsal's")
    commands = page.add_subparsers(dest="page_command", metavar="COMMAND")
    for name, function, text in (
        ("pin", "set_pin", "set the household's PIN; whoever was signed in is signed out"),
        ("sign-out", "sign_out", "sign everybody out"),
    ):
        command = commands.add_parser(name, help=text, description=text, epilog=epilog)
        command.set_defaults(handler=handler(function))
