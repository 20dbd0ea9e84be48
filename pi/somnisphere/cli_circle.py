"""``somnisphere circle``: households that share stories. Nothing here counts, rates or lists what anybody hears."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from somnisphere.errors import UserError

if TYPE_CHECKING:  # cryptography is for those who are in a circle
    from somnisphere.circle.desk import Desk
    from somnisphere.config import Config

Handler = Callable[[argparse.Namespace], int]


def add_commands(circle: argparse.ArgumentParser, handler: Callable[[str], Handler], epilog: str) -> None:
    """The subcommands of ``circle``. ``handler`` gives the lazily imported function of a name in this file."""
    commands = circle.add_subparsers(dest="circle_command", required=True, metavar="COMMAND")

    def add(name: str, function: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, epilog=epilog)
        command.set_defaults(handler=handler(function))
        return command

    new = add("new", "new", "begin a circle, with this household in it")
    new.add_argument("name", metavar="NAME", help="what the circle is called")
    new.add_argument("--household", required=True, metavar="NAME", help="what the others call this household")

    inviting = add("invite", "invite", "an invitation for one more household, as a QR code; it holds for a day, once")
    inviting.add_argument("--address", metavar="HOST:PORT", help="where the circle's brokers meet, as others reach it")
    inviting.add_argument("--no-tls", action="store_true", help="the way there is private already, such as WireGuard")
    inviting.add_argument("--svg", type=Path, metavar="FILE", help="write the code as a picture, too")

    joining = add("join", "join", "join a circle by its invitation")
    joining.add_argument("invitation", metavar="TEXT", help="the text of the code; - reads it from standard input")
    joining.add_argument("--household", required=True, metavar="NAME", help="what the others call this household")
    joining.add_argument("--yes", action="store_true", help="do not ask")

    add("members", "members", "who belongs to the circle, who asks to join, and this household's own words")
    for name, text in (
        ("admit", "let a household in that asks to join; compare the five words with them before"),
        ("part", "no more stories to or from a household"),
    ):
        add(name, name, text).add_argument("household", metavar="NAME", help="its name or its five words")

    offering = add("offer", "offer", "offer a story of the shelf to the circle")
    offering.add_argument("story", metavar="KEY", help="key or title, as `somnisphere story list` has it")
    offering.add_argument("--licence", default="", help="what others may do with it; else what the story says itself")
    offering.add_argument("--stick", type=Path, metavar="FOLDER", help="put it there, too, for those without a network")

    add("offers", "offers", "what the others offer, and what this household does")
    taking = add("take", "take", "fetch a story that another household offers")
    taking.add_argument("story", metavar="TITLE|FILE.story", help="its title, its number, or a file with its .offer")
    backing = add("take-back", "take_back", "take back a story: every household removes it, for good")
    backing.add_argument("story", metavar="TITLE", help="its title, or the beginning of its number")
    backing.add_argument("--yes", action="store_true", help="do not ask")
    leaving = add("leave", "leave", "leave the circle; offers are withdrawn, what others took stays with them")
    leaving.add_argument("--yes", action="store_true", help="do not ask")
    bridging = add("bridge", "bridge", "mosquitto's configuration: exactly the circle's topics cross")
    bridging.add_argument("--access", action="store_true", help="the access list for the broker where the circle meets")
    bridging.add_argument("--address", metavar="HOST:PORT", help="another address than the invitation's")
    bridging.add_argument("--no-tls", action="store_true", help="the way there is private already, such as WireGuard")
    bridging.add_argument("--own-broker", action="store_true", help="for a mosquitto of the circle's own on this box")
    add("run", "run", "share stories until stopped: a small process beside the daemon")


@contextmanager
def _desk(arguments: argparse.Namespace) -> "Iterator[tuple[Desk, Config]]":
    from somnisphere.cli import needs_extra
    from somnisphere.config import load

    with needs_extra("circle", "the circle"):
        from somnisphere.circle.desk import Desk
    config = load(arguments.config)
    with Desk(config) as desk:
        yield desk, config


def new(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as (desk, _):
        known = desk.begin(arguments.name, arguments.household, time.time())
        print(f"“{known.circle.name}” has begun. This household's words: {desk.identity().household}")
        print("Invite the next one: somnisphere circle invite --address HOST:PORT")
    return 0


def invite(arguments: argparse.Namespace) -> int:
    from somnisphere.cli import needs_extra, writes

    with _desk(arguments) as (desk, config), needs_extra("circle", "the QR code"):
        from somnisphere.circle.qr import in_terminal, svg

        circle = desk.known.circle
        host, port = _address(arguments.address) or (circle.host, circle.port)
        if not host:
            raise UserError(
                f"Where do the brokers meet? --address HOST:PORT, such as this box's name ({config.box.node})."
            )
        text = desk.invite(host, port, time.time(), tls=not arguments.no_tls)
        if arguments.svg is not None:
            with writes(arguments.svg):
                arguments.svg.write_text(svg(text), encoding="utf-8")
        print(in_terminal(text))
        print(text)
        print(f"For one household, until this time tomorrow. Theirs to compare: {desk.identity().household}")
    return 0


def join(arguments: argparse.Namespace) -> int:
    text = sys.stdin.read(4000) if arguments.invitation == "-" else arguments.invitation
    with _desk(arguments) as (desk, _):
        from somnisphere.circle.identity import household_id

        key, said = desk.read(text, time.time())
        print(f"{said.household_name} invites you to “{said.circle_name}”. Compare their words: {household_id(key)}")
        if not arguments.yes and not _agrees("Join?"):
            print("Nothing was joined.")
            return 1
        desk.join(text, arguments.household, time.time())
        print(f"Tell them yours, and that they let you in: {desk.identity().household}")
        print("Next: somnisphere circle bridge, and then somnisphere circle run")
    return 0


def members(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as (desk, _):
        known = desk.known
        left = " (left)" if known.circle.left else ""
        print(
            f"{known.circle.name}{left}\n    {known.circle.household_name}, this household: {desk.identity().household}"
        )
        words = {"asks": "asks to join", "member": "", "left": "has left", "parted": "we parted"}
        for member in sorted(known.members.values(), key=lambda one: one.name.casefold()):
            state = words[member.state]
            print(f"    {member.name}{', ' if state else ''}{state}: {member.household}")
    return 0


def admit(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as (desk, _):
        print(f"{desk.admit(arguments.household, time.time()).name} belongs to the circle.")
    return 0


def part(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as (desk, _):
        print(f"{desk.part(arguments.household, time.time()).name}: no more stories to or from them.")
    return 0


def offer(arguments: argparse.Namespace) -> int:
    from somnisphere.cli_story import _books, _chosen, shelf_of

    folder, cache = shelf_of(arguments.config)
    book = _chosen(_books(folder, cache)[0], arguments.story, folder)
    with _desk(arguments) as (desk, _):
        held = desk.offer(book, arguments.licence, _today())
        print(f"{held.offer.title}: offered under {held.offer.licence}.")
        if arguments.stick is not None:
            print(f"On the stick: {desk.to_stick(held, arguments.stick)}")
    return 0


def offers(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as (desk, _):
        from somnisphere.circle.manifest import shown

        known = desk.known
        for held in known.offered():
            take = known.takes.get(held.offer.sha256)
            state = "" if take is None else f" [{take.state}{': ' + take.problem if take.problem else ''}]"
            print(f"{shown(held.offer)}, from {known.name_of(held.household)}{state}\n    {held.offer.sha256[:12]}")
        for held in (held for held in known.offers.values() if held.mine):
            print(f"{shown(held.offer)}, ours\n    {held.offer.sha256[:12]}")
    return 0


def take(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as (desk, _):
        file = Path(arguments.story)
        if file.suffix == ".story" and file.is_file():
            print(f"{desk.take_from_stick(file).offer.title}: now on the shelf.")
            return 0
        held = desk.take(arguments.story)
        print(f"{held.offer.title}: it is fetched while `somnisphere circle run` runs.")
    return 0


def take_back(arguments: argparse.Namespace) -> int:
    if not arguments.yes and not _agrees(f"Take back {arguments.story}? Every household removes it, for good."):
        print("Nothing was taken back.")
        return 1
    with _desk(arguments) as (desk, _):
        print(
            f"{desk.take_back(arguments.story, _today()).offer.title}: taken back. Your own copy stays on your shelf."
        )
    return 0


def leave(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as (desk, _):
        name = desk.known.circle.name
        if not arguments.yes and not _agrees(f"Leave “{name}”?"):
            print("Nothing was left.")
            return 1
        desk.leave(time.time())
        print(f"“{name}” is left; let `somnisphere circle run` say so to the others, then take the bridge out.")
    return 0


def bridge(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as (desk, config):
        from somnisphere.circle.bridge import access_list, bridge_configuration, own_broker
        from somnisphere.circle.topics import CircleTopics

        known = desk.known
        circle = known.circle
        topics = CircleTopics(circle.id, desk.identity().household)
        if arguments.access:
            print(
                access_list(
                    topics, tuple(one for one, it in sorted(known.members.items()) if it.state in ("asks", "member"))
                ),
                end="",
            )
            return 0
        host, port = _address(arguments.address) or (circle.host, circle.port)
        if not host:
            raise UserError(
                "This household's broker is where the circle meets: it needs no bridge, but --access for the others."
            )
        tls = circle.tls and not arguments.no_tls
        if arguments.own_broker:
            own_port = config.circle.own_broker_port or 1884
            print(own_broker(topics, host, port, tls=tls, circle_name=circle.name, own_port=own_port), end="")
            return 0
        print(bridge_configuration(topics, host, port, tls=tls, circle_name=circle.name), end="")
    return 0


def run(arguments: argparse.Namespace) -> int:
    import os
    import signal
    import threading

    from somnisphere.config import load
    from somnisphere.safekeeping.in_use import in_use

    stopping = threading.Event()
    with in_use(Path(load(arguments.config).journal.path)), _desk(arguments) as (desk, config):
        from somnisphere.circle.process import circle_runner

        os.nice(15)
        runner = circle_runner(desk, config)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        runner.run(stopping.is_set)
    return 0


def _address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, 8883
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UserError(f"--address {text}: HOST or HOST:PORT is needed, such as stories.example.org:8883")
    return host.strip("[]"), int(port)


def _agrees(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody is there to be asked. Say --yes.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _today() -> date:
    return datetime.now().astimezone().date()
