"""Commands about telling: speak a story's words now, record one with a microphone, hear one."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from somnisphere.errors import UserError
from somnisphere.story import Book, Sentence


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
    record_parser.add_argument("--device", default="", help="ALSA device, as `arecord -L` names it")
    record_parser.add_argument("--recover", action="store_true", help="finish recordings that were cut off")
    record_parser.set_defaults(handler=record)

    text = "hear a story here, from its beginning"
    play_parser = add("play", help=text, description=text)
    play_parser.add_argument("story", metavar="KEY", help="a story of the shelf, or a file of sound")
    play_parser.add_argument("--from", dest="from_s", type=_seconds, default=0.0, metavar="SECONDS", help="begin there")
    play_parser.set_defaults(handler=play)


def tell(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load
    from somnisphere.telling.spoken import Untellable
    from somnisphere.telling.spoken import tell as speak
    from somnisphere.telling.voices import choose

    config = load(arguments.config)
    path = _on_shelf(arguments.story, config.stories.folder)
    book = _words_of(path, arguments.language)
    shown = sys.stderr.isatty()

    def progress(done: int, count: int) -> None:
        if shown:
            print(f"\r{done} of {count} sentences", end="\n" if done == count else "", file=sys.stderr, flush=True)

    told = speak(book, choose(config.voice), arguments.cache or cache_folder(), progress=progress)
    if isinstance(told, Untellable):
        raise UserError(told.reason)
    print(told.path)
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
        return max([_say(microphone.finish(raw)) for raw in found], default=0)
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
        )
    )


def play(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load

    config = load(arguments.config)
    path = _on_shelf(arguments.story, config.stories.folder)
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


def cache_folder() -> Path:
    """Where spoken sound is kept: the service's cache folder (systemd, ``CacheDirectory=``), else the person's."""
    if given := os.environ.get("CACHE_DIRECTORY", "").split(":")[0]:
        return Path(given) / "spoken"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "somnisphere" / "spoken"


def _say(outcome: Any) -> int:
    from somnisphere.telling.microphone import NotTold

    if isinstance(outcome, NotTold):
        print(f"somnisphere: {outcome.reason}", file=sys.stderr)
        return 2
    print(outcome.path)
    return 0


def _on_shelf(named: str, folder: str | None) -> Path:
    """A key below the story folder (or the starter stories'), else a file by its own path."""
    from somnisphere.library import STARTER_FOLDER

    shelf = Path(folder) if folder else STARTER_FOLDER
    for path in (shelf / named, Path(named)):
        if path.is_file():
            return path
    raise UserError(f"{named}: there is no such story in {shelf}, and no such file here.")


def _words_of(path: Path, language: str) -> Book:
    """Plain words: paragraphs parted by empty lines, headings of Markdown without their marks."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise UserError(f"{path}: cannot be read: {problem.strerror or problem}.") from problem
    except UnicodeDecodeError as problem:
        raise UserError(f"{path}: this is not text in UTF-8; a file of words is needed.") from problem
    sentences: list[Sentence] = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        words = " ".join(re.sub(r"^#+\s*|[*_]{1,2}(?=\w)|(?<=[\w.,!?])[*_]{1,2}", "", paragraph, flags=re.M).split())
        parted = re.sub(r"([.!?…][”’\"')]*) +|(?<=[。！？])", r"\1\n", words)
        parts = [part for part in parted.split("\n") if part]
        for place, part in enumerate(parts):
            sentences.append(Sentence(f"s{len(sentences) + 1}", part, ends_paragraph=place == len(parts) - 1))
    title = sentences[0].text if text.lstrip().startswith("#") and sentences else path.stem
    return Book(key=path.name, title=title, path=path, language=language, sentences=tuple(sentences))


def _minutes(text: str) -> float:
    return _between(text, 0.05, 600.0)


def _seconds(text: str) -> float:
    return _between(text, 0.0, 1e6)


def _between(text: str, least: float, most: float) -> float:
    value = float(text)
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text} is not a number from {least:g} to {most:g}")
    return value
