"""``somnisphere coach``: a professional coach's collector of summaries, list and page. Not for a household's box."""

import argparse
import json
import logging
import re
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from somnisphere.cli import needs_extra
from somnisphere.errors import UserError

if TYPE_CHECKING:
    from somnisphere.coach_desk.ledger import Ledger

Handler = Callable[[argparse.Namespace], int]
USUAL_BOOKS = "coach.db"


def add_commands(coach: argparse.ArgumentParser, handler: Callable[[str], Handler], epilog: str) -> None:
    """The subcommands of ``coach``. ``handler`` gives the lazily imported function of a name in this file."""
    commands = coach.add_subparsers(dest="coach_command", required=True, metavar="COMMAND")

    def add(name: str, function: str, text: str, level: int = logging.INFO) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, epilog=epilog)
        command.set_defaults(handler=handler(function), level=level)
        return command

    def with_books(command: argparse.ArgumentParser) -> None:
        command.add_argument(
            "--database",
            default=USUAL_BOOKS,
            metavar="FILE|URL",
            help="an SQLite file (default: %(default)s), or postgresql://… for many households or machines",
        )

    collect = add("collect", "collect", "gather the summaries that households share with this coach, until stopped")
    with_books(collect)
    collect.add_argument("--coach", required=True, metavar="NAME", help="the coach's name in topics: a-z, 0-9, _")
    collect.add_argument("--broker", metavar="HOST[:PORT]", help="the coach's broker; else the configured one")
    collect.add_argument(
        "--group", default="collectors", help="collectors of one group share the work (default: %(default)s)"
    )
    collect.add_argument("--name", default="", help="of this collector, unlike all others (default: this machine's)")
    listing = add("list", "list_households", "who asked for a word, then everybody else; never by sleep")
    with_books(listing)
    listing.add_argument("--json", action="store_true", help="JSON lines, with the summaries")
    page = add("page", "serve_page", "the coach's page, for this machine alone: who asked for a word first")
    with_books(page)
    page.add_argument("--port", type=int, default=8135, metavar="N", help="at 127.0.0.1:N (default: %(default)s)")
    add("schema", "print_schema", "what a household may say to a coach, as JSON Schema")


def collect(arguments: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT. Several side by side share the work."""
    from somnisphere.broker import broker_settings
    from somnisphere.coach_desk.collecting import Collecting
    from somnisphere.coach_desk.collector import subscriptions
    from somnisphere.config import load

    config = load(arguments.config)
    topics = subscriptions(arguments.coach, arguments.group)
    name = re.sub(r"[^a-z0-9_]", "_", (arguments.name or socket.gethostname()).lower())[:32]
    settings = broker_settings(config, broker_place(arguments.broker, config.mqtt.port) if arguments.broker else None)
    ledger = open_books(arguments.database)
    try:
        collecting = Collecting(
            replace(settings, client_id=f"somnisphere_coach_{arguments.coach}_{name}"), topics, ledger
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: collecting.stop())
        collecting.run()
    finally:
        ledger.close()
    return 0


def list_households(arguments: argparse.Namespace) -> int:
    from somnisphere.coach_desk.order import by_who_asks

    must_exist(arguments.database)
    ledger = open_books(arguments.database)
    try:
        for one in by_who_asks(ledger.standings()):
            if arguments.json:
                weeks = [json.loads(body) for body in ledger.weeks(one.id)]
                row: dict[str, Any] = {"called": one.called, "asked_on": one.asked_on, "message": one.message}
                print(json.dumps({**row, "until": one.until, "weeks": weeks}, ensure_ascii=False))
            elif one.asked_on is None:
                print(f"{'':<23}{one.called}  (until {one.until})")
            else:
                print(f"asked on {one.asked_on}    {one.called}: {one.message or 'without a message'}")
    finally:
        ledger.close()
    return 0


def serve_page(arguments: argparse.Namespace) -> int:
    """Until Ctrl-C or SIGTERM."""
    must_exist(arguments.database)
    with needs_extra("page", "The coach's page"):
        from somnisphere.coach_desk.desk_page import build_desk
        from somnisphere.page.server import serve
    open_books(arguments.database).close()
    logging.getLogger(__name__).info("the coach's page is at http://127.0.0.1:%d/", arguments.port)
    if not serve(build_desk(lambda: open_books(arguments.database)), "127.0.0.1", arguments.port):
        raise UserError(f"The page cannot be served at 127.0.0.1:{arguments.port}. Choose another --port.")
    return 0


def print_schema(arguments: argparse.Namespace) -> int:
    from somnisphere.coach.summary import schema

    del arguments
    print(json.dumps(schema(), indent=2))
    return 0


def open_books(place: str) -> "Ledger":
    """A file, or PostgreSQL's by its URL. Raises ``LedgerError``."""
    if place.startswith(("postgresql://", "postgres://")):
        with needs_extra("coach", "A coach's books in PostgreSQL"):
            from somnisphere.coach_desk.ledger_postgres import PostgresLedger
        return PostgresLedger(place)
    from somnisphere.coach_desk.ledger_sqlite import SqliteLedger

    return SqliteLedger(Path(place).expanduser())


def must_exist(place: str) -> None:
    """Reading makes no new file."""
    if "://" not in place and not Path(place).expanduser().exists():
        raise UserError(f"{place}: no such file. The books are begun by: somnisphere coach collect --database {place}")


def broker_place(text: str, usual_port: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    if not host or (colon and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise UserError(f"--broker {text}: HOST or HOST:PORT is needed")
    return host, int(port) if colon else usual_port
