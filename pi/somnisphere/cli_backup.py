"""``somnisphere backup`` and ``restore``: everything a box keeps as one file, and back."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from somnisphere.config import Config, load
from somnisphere.errors import UserError
from somnisphere.safekeeping.belongings import Belongings
from somnisphere.safekeeping.manifest import Manifest

LEFT_OUT = (
    "Not in it: the configuration with its passwords, and what waits in the daemon's memory (a minute at the most). "
    "Whoever has the file knows your nights and can sign as your household in the circle: keep it accordingly."
)


def backup(arguments: argparse.Namespace) -> int:
    from somnisphere.safekeeping.backup import back_up, write_backup

    config = load(arguments.config)
    belongings = belongings_of(config, arguments.journal)
    shelf = _shelf(config) if arguments.stories else None
    made, box = datetime.now().astimezone(), config.box.node
    said = made.isoformat(timespec="seconds")
    to = arguments.file or Path(f"somnisphere-{box}-{made:%Y-%m-%d}.zip")
    try:
        if str(to) == "-":
            if sys.stdout.isatty():
                raise UserError(
                    "A backup is no text for a terminal. Name a file, or send it somewhere: … backup - >FILE"
                )
            manifest = write_backup(belongings, sys.stdout.buffer, box=box, made=said, shelf=shelf)
            sys.stdout.buffer.flush()
        else:
            manifest = back_up(belongings, to, box=box, made=said, shelf=shelf)
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise UserError(
            f"{problem.filename or to}: {problem.strerror or problem}. Nothing was saved; check disk and rights."
        ) from problem
    print(f"{to}: {_contents(manifest)}.\n{LEFT_OUT}", file=sys.stderr if str(to) == "-" else sys.stdout)
    return 0


def restore(arguments: argparse.Namespace) -> int:
    from somnisphere.safekeeping.restore import restore as put_back
    from somnisphere.safekeeping.restore import staged

    config = load(arguments.config)
    belongings = belongings_of(config, arguments.journal)
    folder = belongings.journal.parent
    shelf = _shelf(config) if arguments.stories else None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (arguments.yes or arguments.dry_run):
            agree(f"Put {arguments.file} in place of what is kept in {folder}? What is there is set aside.", "put back")
        with _named(arguments.file, folder) as file:
            if arguments.dry_run:
                with staged(file, folder) as (_, manifest, nights):
                    print(f"{arguments.file}: {_contents(manifest)}, {_nights(nights)}. It is whole, can be put back.")
                return 0
            done = put_back(file, belongings, stamp=time.strftime("%Y-%m-%d-%H%M%S"), shelf=shelf)
    except OSError as problem:
        raise UserError(
            f"{problem.filename or folder}: {problem.strerror or problem}. Nothing was put back; check disk and rights."
        ) from problem
    print(f"{folder} is as it was on {done.manifest.made}: {_nights(done.nights)}.")
    if done.aside is not None:
        print(f"What was there lies in {done.aside}. Remove that folder when you miss nothing.")
    if shelf is not None:
        print(f"{done.stories} files were put on the shelf {shelf}.")
        for name in done.others:
            print(f"  left as it is, for it is another one: {name}")
    print("Whoever was signed in at the house page signs in anew.")
    return 0


@contextmanager
def _named(file: Path, folder: Path) -> Iterator[Path]:
    """The backup as a file; what comes on standard input lies in ``folder`` for as long."""
    if str(file) != "-":
        yield file
        return
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".restoring-", suffix=".zip") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
        copy.flush()
        yield Path(copy.name)


def belongings_of(config: Config, journal: Path | None) -> Belongings:
    return Belongings((journal or Path(config.journal.path)).expanduser().absolute())


def agree(question: str, deed: str) -> None:
    """``UserError`` unless somebody says yes. ``deed`` ends the sentence of what was not done."""
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody is there to be asked, so nothing was {deed}. Say --yes.")
    try:
        if input(f"{question} [y/N] ").strip().lower() in ("y", "yes"):
            return
    except (EOFError, KeyboardInterrupt):
        pass
    raise UserError(f"Nothing was {deed}.")


def _shelf(config: Config) -> Path:
    if config.stories.folder is None:
        raise UserError("There is no story folder of your own: [stories] folder names none. Leave --stories out.")
    return Path(config.stories.folder)


def _contents(manifest: Manifest) -> str:
    count, megabytes = len(manifest.files), sum(file.bytes for file in manifest.files) / 1e6
    return f"{count} file{'s' * (count != 1)}, {megabytes:.1f} MB before packing, made on {manifest.made}"


def _nights(count: int) -> str:
    return "one night" if count == 1 else f"{count} nights"
