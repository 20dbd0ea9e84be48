"""``somnisphere page``: the house page, a process of its own; the household's PIN; everybody signed out."""

import argparse
import getpass
import logging
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from somnisphere.cli import needs_extra
from somnisphere.config import Config, ConfigError, load
from somnisphere.errors import UserError
from somnisphere.household_file import household_beside
from somnisphere.own_files import tighten
from somnisphere.safekeeping.in_use import in_use

if TYPE_CHECKING:
    from somnisphere.coach.sender import Sender

log = logging.getLogger(__name__)


def serve(arguments: argparse.Namespace) -> int:
    """Until Ctrl-C or SIGTERM. It reads what the daemon wrote and speaks with it over MQTT; it may die at any time."""
    config = load(arguments.config)
    journal = _journal(arguments, config)
    with in_use(journal):
        return _serve(arguments, config, journal)


def _serve(arguments: argparse.Namespace, config: Config, journal: Path) -> int:
    host, port = arguments.host or config.page.host, arguments.port or config.page.port
    with needs_extra("page", "The house page"):
        from somnisphere.page.app import build_app
        from somnisphere.page.hosts import is_loopback
        from somnisphere.page.server import serve as serve_page
    from somnisphere.broker import broker_settings
    from somnisphere.clock import utc_offset_s
    from somnisphere.page.box_link import BoxLink
    from somnisphere.page.house import House

    tighten(journal)
    household = household_beside(journal)
    if not is_loopback(host) and not _has_pin(household):
        raise ConfigError(
            f"page.host is {host}, so that the whole house reaches the page, and no PIN is set. Set one first: "
            "somnisphere page pin"
        )
    settings = broker_settings(config, _place(arguments.broker))
    box = BoxLink(settings, config.box.node, f"{settings.client_id}_page_{os.getpid()}")
    post = _coach_post(config, household)
    house = House(config, journal, household, time.time, utc_offset_s, box, None if post is None else post.nudge)
    box.start()
    if post is not None:
        post.start()
    try:
        log.info("the house page is at http://%s:%d/", host, port)
        if not serve_page(build_app(house), host, port):
            raise UserError(f"The page cannot be served at {host}:{port}. Choose another page.host or page.port.")
    finally:
        box.stop()
        if post is not None:
            post.stop()
    return 0


def _coach_post(config: Config, household: Path) -> "Sender | None":
    """Who carries summaries to the coach; None: no coach is configured."""
    if not config.coach.key:
        return None
    from somnisphere.broker import coach_broker_settings
    from somnisphere.clock import utc_offset_s
    from somnisphere.coach.sender import Sender
    from somnisphere.coach.store import CoachStore
    from somnisphere.coach.told import rows
    from somnisphere.diary.store import Diary

    def today() -> date:
        now_s = time.time()
        return datetime.fromtimestamp(now_s, timezone(timedelta(seconds=utc_offset_s(now_s)))).date()

    diary = Diary(household)
    return Sender(
        CoachStore(household),
        lambda: rows({night: kept.telling for night, kept in diary.tellings().items()}),
        coach_broker_settings(config),
        today,
        time.time,
    )


@contextmanager
def page_beside(arguments: argparse.Namespace, broker: tuple[str, int], journal: Path) -> Iterator[None]:
    """The page of a rehearsal: a process of its own, as on a box; it ends with the night, and the night not with it."""
    if arguments.page is None:
        yield
        return
    from somnisphere.cli_watch import ended_like_control_c

    with needs_extra("page", "The house page"):
        import somnisphere.page.server  # noqa: F401
    config = () if arguments.config is None else ("--config", str(arguments.config))
    place = ("--broker", f"{broker[0]}:{broker[1]}", "--journal", str(journal))
    page = ("page", "--host", "127.0.0.1", "--port", str(arguments.page), *place)
    process = subprocess.Popen([sys.executable, "-m", "somnisphere", *config, *page], stdin=subprocess.DEVNULL)
    try:
        with ended_like_control_c():
            yield
    finally:
        process.terminate()
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def set_pin(arguments: argparse.Namespace) -> int:
    """Asked for twice; or one line of standard input, where nobody sits at it."""
    from somnisphere.page.sessions import Sessions
    from somnisphere.page.sign_in import hash_pin, pin_problem

    path = household_beside(_journal(arguments, load(arguments.config)))
    if sys.stdin.isatty():
        pin = getpass.getpass("The household's PIN: ").strip()
        if pin != getpass.getpass("Once more: ").strip():
            raise UserError("the two are not the same; nothing was changed")
    else:
        pin = sys.stdin.readline().strip()
    if problem := pin_problem(pin):
        raise UserError(f"{problem}; nothing was changed")
    with _opened(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Sessions(path).set_pin(hash_pin(pin, secrets.token_bytes(16)))
    print(f"The PIN is set, kept as a hash in {path}. Everybody is signed out.")
    return 0


def sign_out(arguments: argparse.Namespace) -> int:
    from somnisphere.page.sessions import Sessions

    path = household_beside(_journal(arguments, load(arguments.config)))
    with _opened(path):
        Sessions(path).end_all()
    print("Everybody is signed out.")
    return 0


def _journal(arguments: argparse.Namespace, config: Config) -> Path:
    named: Path | None = arguments.journal
    return named or Path(config.journal.path).expanduser()


def _has_pin(household: Path) -> bool:
    from somnisphere.page.sessions import Sessions

    with _opened(household):
        return household.exists() and bool(Sessions(household).pin_hash())


@contextmanager
def _opened(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise UserError(f"{path}: cannot be opened: {problem}. Look at its rights and at the disk.") from problem


def _place(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    host, colon, port = text.rpartition(":") if ":" in text else (text, "", "")
    if colon and not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise UserError(f"--broker {text}: HOST or HOST:PORT is needed, such as 192.168.1.5:1883")
    return host or text, int(port) if colon else 1883
