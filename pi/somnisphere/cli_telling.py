"""Commands about telling: speak a story's words now, record one with a microphone, hear one."""

import argparse
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from somnisphere.errors import UserError
from somnisphere.story import Book, Recording
from somnisphere.telling import SPOKEN

if TYPE_CHECKING:
    from somnisphere.config import Config


def add_commands(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """``tell``, ``record`` and ``play`` below ``somnisphere story``."""
    add = subparsers.add_parser
    text = "speak a story's words into a recording now, and print its file"
    tell_parser = add("tell", help=text, description=text)
    tell_parser.add_argument("story", metavar="KEY|FILE", help="a story of the shelf, or a file of words")
    tell_parser.add_argument("--language", default="", help="its language, such as en or he; else what it says itself")
    tell_parser.add_argument("--cache", type=Path, metavar="FOLDER", help="where spoken sound is kept")
    tell_parser.set_defaults(handler=tell)

    text = "tell a story into a microphone; Enter or Ctrl-C ends it"
    record_parser = add("record", help=text, description=text)
    record_parser.add_argument("title", metavar="TITLE", nargs="?", help="what the story is called")
    record_parser.add_argument("--teller", default="", metavar="NAME", help="who tells it")
    record_parser.add_argument("--minutes", type=_minutes, default=60.0, help="at the most (default %(default)g)")
    record_parser.add_argument(
        "--consent", choices=("house", "circle"), help="whether it may go to other households; else it is asked"
    )
    record_parser.add_argument("--consent-by", default="", metavar="NAME", help="who says so (default: the teller)")
    record_parser.add_argument("--device", default="", help="ALSA device, as `arecord -L` names it")
    record_parser.add_argument("--recover", action="store_true", help="finish recordings that were cut off")
    record_parser.set_defaults(handler=record)

    text = "write down whether who is heard in a recording allows that it goes to other households"
    consent_parser = add("consent", help=text, description=text)
    consent_parser.add_argument("story", metavar="KEY", help="a story of the shelf")
    consent_parser.add_argument("--by", default="", metavar="NAME", help="who says so (default: the teller)")
    where = consent_parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--circle", action="store_true", help="it may go to the households of the circle")
    where.add_argument("--house", action="store_true", help="it stays in this house")
    consent_parser.set_defaults(handler=consent)

    text = "hear a story here, from its beginning"
    play_parser = add("play", help=text, description=text)
    play_parser.add_argument("story", metavar="KEY", help="a story of the shelf, or a file of sound")
    play_parser.add_argument("--from", dest="from_s", type=_seconds, default=0.0, metavar="SECONDS", help="begin there")
    play_parser.set_defaults(handler=play)


def tell(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load

    config = load(arguments.config)
    book = _book(arguments.story, config)
    if not book.sentences:
        raise UserError(f"{book.title}: there are no words in it to tell.")
    print(_spoken(book, config, arguments.cache, arguments.language).path)
    return 0


def record(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load
    from somnisphere.telling import microphone

    folder = load(arguments.config).stories.folder
    if folder is None:
        raise UserError("There is no story folder to record into; name one in the configuration: [stories] folder.")
    if arguments.recover:
        found = microphone.unfinished(Path(folder))
        if not found:
            print("No recording was cut off.")
        return max([_say(microphone.finish(raw), arguments) for raw in found], default=0)
    if not arguments.title:
        raise UserError("A recording needs a title: somnisphere story record “The owl” --teller Grandma")
    if sys.stdin.isatty():
        print(f"Listening, {arguments.minutes:g} minutes at the most. Enter or Ctrl-C ends it.", file=sys.stderr)
    return _say(
        microphone.record(
            arguments.title,
            arguments.teller,
            Path(folder),
            limit_s=arguments.minutes * 60,
            device=arguments.device,
            stop=microphone.enter_pressed,
        ),
        arguments,
    )


def play(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load

    config = load(arguments.config)
    book = _book(arguments.story, config)
    path = (book.recordings[0] if book.recordings else _spoken(book, config)).path
    program = shutil.which("mpv")
    if program is None:
        raise UserError("There is no mpv on this box; install it: sudo apt install mpv")
    command = [program, "--no-config", "--no-video", "--no-resume-playback", f"--start={arguments.from_s:g}"]
    command += [f"--ao={config.speaker.ao}"] if config.speaker.ao else []
    command += [f"--audio-device={config.speaker.device}"] if config.speaker.device else []
    volume_pct = min(config.speaker.volume_pct, config.speaker.volume_ceiling_pct)
    status = subprocess.run([*command, f"--volume={volume_pct:g}", "--", str(path.absolute())], check=False).returncode
    if status in (0, 4):  # 4: ended by a signal or a key, which is the listener's choice
        return 0
    raise UserError(f"{path}: mpv could not play it (it ended with {status}).")


def consent(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load

    book = _book(arguments.story, load(arguments.config))
    if not book.recordings:
        raise UserError(f"{book.title}: nobody is heard in it, so nobody has to be asked.")
    by = arguments.by or book.recordings[0].teller or book.teller
    if not by:
        raise UserError(f"{book.title}: who allows it? Name them with --by.")
    _write_consent(book.path, by, circle=arguments.circle)
    where = "may go to the households of the circle" if arguments.circle else "stays in this house"
    print(f"{book.title}: it {where}, says {by}.")
    return 0


def _write_consent(path: Path, by: str, *, circle: bool) -> None:
    from datetime import datetime

    from somnisphere.cli import writes
    from somnisphere.library.consent import beside, write_consent
    from somnisphere.library.titles import one_line
    from somnisphere.story import Consent

    with writes(beside(path)):
        today = datetime.now().astimezone().date()
        write_consent(path, Consent(one_line(by), today.isoformat(), circle))


def _ask_consent(path: Path, arguments: argparse.Namespace) -> None:
    """What the teller allows, recorded with the voice: said as options, or asked where somebody sits."""
    said = arguments.consent
    if said is None and sys.stdin.isatty():
        answer = input("May this recording go to other households of your circle? [y/N] ")
        said = "circle" if answer.strip().lower() in ("y", "yes") else "house"
    by = arguments.consent_by or arguments.teller
    if said is not None and by:
        _write_consent(path, by, circle=said == "circle")
    elif said == "circle":
        print("somnisphere: who allows it? Say so: somnisphere story consent KEY --by NAME --circle", file=sys.stderr)


def _say(outcome: Any, arguments: argparse.Namespace) -> int:
    from somnisphere.telling.microphone import NotTold

    if isinstance(outcome, NotTold):
        print(f"somnisphere: {outcome.reason}", file=sys.stderr)
        return 2
    print(outcome.path)
    _ask_consent(outcome.path, arguments)
    return 0


def _book(named: str, config: "Config") -> Book:
    """A story of the shelf by its key or title, else a file by its own path."""
    from somnisphere.library import STARTER_FOLDER, Broken, read, scan_books

    shelf, cache = Path(config.stories.folder or STARTER_FOLDER), Path(config.stories.cache)
    if not Path(named).is_file():
        books, _ = scan_books(shelf, cache)
        wanted = named.casefold()
        for book in books:
            if wanted in (book.key.casefold(), book.title.casefold()):
                return book
        raise UserError(f"{named}: there is no such story in {shelf}, and no such file here.")
    found = read(Path(named), Path(named).parent, cache)
    if isinstance(found, Broken):
        raise UserError(f"{named}: {found.reason}")
    return found


def _spoken(book: Book, config: "Config", cache: Path | None = None, language: str = "") -> Recording:
    """The words of a book as sound."""
    from somnisphere.assemble import home_speech
    from somnisphere.telling.spoken import Untellable, tell
    from somnisphere.telling.voices import choose

    shown = sys.stderr.isatty()

    def progress(done: int, count: int) -> None:
        if shown:
            print(f"\r{done} of {count} sentences", end="\n" if done == count else "", file=sys.stderr, flush=True)

    book = replace(book, language=language or book.language)
    told = tell(
        book, choose(config.voice, home_speech(config)), cache or Path(config.stories.cache) / SPOKEN, progress=progress
    )
    if isinstance(told, Untellable):
        raise UserError(told.reason)
    return told


def _minutes(text: str) -> float:
    return _between(text, 0.05, 600.0)


def _seconds(text: str) -> float:
    return _between(text, 0.0, 1e6)


def _between(text: str, least: float, most: float) -> float:
    value = float(text)
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text} is not a number from {least:g} to {most:g}")
    return value
