"""``somnisphere story``: what is on the shelf, and putting stories there, packing them and taking them away."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from somnisphere.cli import writes
from somnisphere.cli_telling import add_commands as add_telling
from somnisphere.errors import UserError

if TYPE_CHECKING:  # reading files of all kinds is for those commands that do it
    from somnisphere.library import Broken
from somnisphere.story import Book

Handler = Callable[[argparse.Namespace], int]


def add_commands(story: argparse.ArgumentParser, handler: Callable[[str], Handler], epilog: str) -> None:
    """The subcommands of ``story``. ``handler`` gives the lazily imported function of a name in this file."""
    commands = story.add_subparsers(dest="story_command", required=True, metavar="COMMAND")

    def add(name: str, function: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, epilog=epilog)
        command.set_defaults(handler=handler(function))
        return command

    add_telling(commands)

    listing = add("list", "list_stories", "what is on the shelf, and which files are broken and why")
    listing.add_argument("--json", action="store_true", help="one JSON object for scripts")

    showing = add("show", "show_story", "what one story holds, and where each listener left it")
    showing.add_argument("key", metavar="KEY", help="key or title, as `somnisphere story list` has it")
    showing.add_argument("--words", action="store_true", help="its sentences, too, with their ids")

    adding = add("add", "add_stories", "check files and copy them into the household's story folder")
    adding.add_argument("files", type=Path, nargs="+", metavar="FILE", help="audio, .txt, .md, .epub or .story")
    adding.add_argument("--replace", action="store_true", help="also where there is a file of that name")

    marking = add("mark", "mark_stories", "find the sentences in recordings by their pauses, once, and keep them")
    marking.add_argument("keys", nargs="*", metavar="KEY", help="key or title (default: all)")

    exporting = add("export", "export_story", "pack a story with its words, recordings and marks into one file")
    exporting.add_argument("key", metavar="KEY", help="key or title, as `somnisphere story list` has it")
    exporting.add_argument("--to", type=Path, metavar="FILE.story", help="default: named by its title, here")
    exporting.add_argument("--replace", action="store_true", help="also when there is such a file")

    importing = add("import", "import_story", "unpack a .story file into the household's story folder")
    importing.add_argument("file", type=Path, metavar="FILE.story")
    importing.add_argument("--replace", action="store_true", help="also when there is a story of that name")

    removing = add("remove", "remove_story", "take a story out of the household's story folder")
    removing.add_argument("key", metavar="KEY", help="key or title, as `somnisphere story list` has it")
    removing.add_argument("--yes", action="store_true", help="do not ask")


def list_stories(arguments: argparse.Namespace) -> int:
    folder, cache = shelf_of(arguments.config)
    books, broken = _books(folder, cache)
    if arguments.json:
        rows = [_row(book) for book in books]
        bad = [{"path": _written(one.path), "reason": one.reason} for one in broken]
        print(json.dumps({"folder": _written(folder), "stories": rows, "broken": bad}, indent=2, ensure_ascii=False))
        return 0
    if not books and not broken:
        print(f"{_written(folder)}: there is no story yet. Put one there: somnisphere story add FILE")
        return 0
    for book in books:
        row = _row(book)
        facts = [row["teller"], row["language"], f"{row['minutes']:g} min" if row["minutes"] is not None else ""]
        print(f"{book.title}\n    {book.key}")
        print(f"    {', '.join([*filter(None, facts), _held(row)])}")
    for one in broken:
        print(f"BAD {_written(one.path)}\n    {one.reason}")
    return 0


def add_stories(arguments: argparse.Namespace) -> int:
    """Each file for itself: one that is broken keeps no other from its place."""
    from somnisphere.library import Broken, read
    from somnisphere.library.reading import companions

    folder, _ = household(arguments.config)
    failed = 0
    for source in arguments.files:
        try:
            source = source.absolute()
            if not source.exists():
                raise UserError(f"{source}: there is no such file. Check its name.")
            if source.resolve().is_relative_to(folder.resolve()):
                raise UserError(f"{source}: it is in the story folder already.")
            with tempfile.TemporaryDirectory(dir=folder, prefix=".checking-") as room:
                found = read(source, source.parent, Path(room))
            if isinstance(found, Broken):
                raise UserError(f"{source}: {found.reason}")
            places = {file: folder / file.name.lstrip(".") for file in (source, *companions(source))}
            for to in places.values():
                refuse_second(to, replace=arguments.replace)
            for file, to in places.items():
                put(file, to)
            print(f"{found.title}: now in {folder}, {_held(_row(found))}.")
        except UserError as problem:
            print(f"somnisphere: {_printable(str(problem))}", file=sys.stderr)
            failed += 1
    return 2 if failed else 0


def show_story(arguments: argparse.Namespace) -> int:
    from somnisphere.config import load
    from somnisphere.journal_reader import JournalReader

    folder, cache = shelf_of(arguments.config)
    book = _chosen(_books(folder, cache)[0], arguments.key, folder)
    row = _row(book)
    print(f"{book.title}\n    {_held(row)}, {_written(book.path)}")
    for name in ("teller", "language", "ages", "licence"):
        if row[name]:
            print(f"    {name}: {row[name]}")
    for recording in book.recordings:
        length = "" if recording.duration_s is None else f", {_clock(recording.duration_s)}"
        print(f"    recording{length}, {len(recording.marks)} sentences found, {len(recording.chapters)} chapters")
        for chapter in recording.chapters:
            print(f"        {_clock(chapter.begin_s)} {chapter.title}")
    path = Path(load(arguments.config).journal.path)
    if path.is_file():  # else nobody was told anything yet
        journal = JournalReader(path)
        for (listener, key), place in sorted(journal.places().items()):
            if key == book.key:
                print(f"    begins next at {_clock(place.position_s)}{f' for {listener}' if listener else ''}")
        journal.close()
    for sentence in book.sentences if arguments.words else ():
        print(f"{sentence.id} {sentence.text}")
    return 0


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def mark_stories(arguments: argparse.Namespace) -> int:
    from somnisphere.library.marks import with_marks

    folder, cache = shelf_of(arguments.config)
    books, _ = _books(folder, cache)
    chosen = [_chosen(books, key, folder) for key in arguments.keys] or [book for book in books if book.recordings]
    unmarked = 0
    for book in chosen:
        marked, problem = with_marks(book, cache)
        count = sum(len(recording.marks) for recording in marked.recordings)
        what = "sentences" if book.sentences else "stretches of speech"
        print(f"{book.title}: {problem or f'{count} {what} found.'}", flush=True)
        unmarked += bool(problem)
    return 1 if unmarked else 0


def export_story(arguments: argparse.Namespace) -> int:
    from somnisphere.library.broken import UnreadableError
    from somnisphere.library.marks import with_marks
    from somnisphere.library.story_writer import file_name, write_story

    folder, cache = shelf_of(arguments.config)
    books, _ = _books(folder, cache)
    book = _chosen(books, arguments.key, folder)
    to = arguments.to or Path(file_name(book.title))
    if to.suffix.lower() != ".story":
        raise UserError(f"{to}: a packed story is called NAME.story. Name it so with --to.")
    if to.exists() and not arguments.replace:
        raise UserError(f"{to}: there is such a file. Name another with --to, or say --replace.")
    book, problem = with_marks(book, cache)
    if problem:
        print(f"somnisphere: packed without marks: {problem}", file=sys.stderr)
    with writes(to):
        try:
            write_story(book, to)
        except UnreadableError as gone:
            raise UserError(f"{to}: {gone}") from None
    print(f"{book.title}: packed into {to}.")
    return 0


def import_story(arguments: argparse.Namespace) -> int:
    from somnisphere.library.broken import UnreadableError, reason_of
    from somnisphere.library.story_writer import unpack_story

    folder, _ = household(arguments.config)
    source = arguments.file
    if source.suffix.lower() != ".story":
        raise UserError(
            f"{source}: this is no .story file; other files are put on the shelf by `somnisphere story add`."
        )
    to = folder / (source.name.lstrip(".").removesuffix(source.suffix) + ".story")
    refuse_second(to, replace=arguments.replace)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as room:
        fresh = Path(room) / to.name
        try:
            book = unpack_story(source, fresh, Path(room))
        except UnreadableError as problem:
            raise UserError(f"{source}: {problem}") from None
        except OSError as problem:
            raise UserError(f"{source}: it cannot be unpacked into {folder}: {reason_of(problem)}.") from None
        with writes(to):
            _take_away(to)
            fresh.rename(to)
    print(f"{book.title}: now in {folder}, {_held(_row(book))}.")
    return 0


def remove_story(arguments: argparse.Namespace) -> int:
    from somnisphere.library import forget_gone
    from somnisphere.library.reading import companions

    folder, cache = household(arguments.config)
    books, broken = _books(folder, cache)
    lost = next((one.path for one in broken if arguments.key in (one.path.name, str(one.path))), None)
    path = lost if lost is not None and lost != folder else _chosen(books, arguments.key, folder).path
    files = (path, *companions(path))
    names = ", ".join(_written(file.relative_to(folder)) for file in files)
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise UserError(f"{names}: nobody is there to be asked. Say --yes to remove it.")
        if input(f"Remove {names} from {folder}? [y/N] ").strip().lower() not in ("y", "yes"):
            print("Nothing was removed.")
            return 1
    for file in files:
        with writes(file):
            _take_away(file)
    forget_gone(cache, folder)
    print(f"Removed {names}.")
    return 0


def shelf_of(config_path: Path | None) -> tuple[Path, Path]:
    """(the folder in force, the cache folder): the household's stories, else those that come along."""
    from somnisphere.config import load
    from somnisphere.library import STARTER_FOLDER

    stories = load(config_path).stories
    return (Path(stories.folder) if stories.folder else STARTER_FOLDER), Path(stories.cache)


def household(config_path: Path | None) -> tuple[Path, Path]:
    """(the household's own story folder, the cache folder). ``UserError`` when there is none."""
    from somnisphere.config import find, load

    stories = load(config_path).stories
    if not stories.folder:
        where = config_path or find() or "the configuration (somnisphere config --example shows one)"
        raise UserError(f'no story folder is configured: put folder = "/srv/stories" below [stories] in {where}.')
    folder = Path(stories.folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder. Make it (mkdir -p), or correct stories.folder.")
    return folder, Path(stories.cache)


def put(source: Path, to: Path) -> None:
    """Copy a file or folder to its place, whole or not at all; what was there before goes."""
    with writes(to):
        half = to.with_name(f".{to.name}.half")
        try:
            _take_away(half)
            if source.is_dir():
                shutil.copytree(source, half)
            else:
                shutil.copyfile(source, half)
                with half.open("rb") as copied:
                    os.fsync(copied.fileno())
            if to.is_dir():
                _take_away(to)
            half.replace(to)
        finally:
            _take_away(half)


def refuse_second(to: Path, *, replace: bool) -> None:
    """``UserError`` when something stands in a story's place and shall not be replaced."""
    if to.exists() and not replace:
        raise UserError(f"{to}: there is such a story. Rename the new one, or say --replace.")


def _take_away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _books(folder: Path, cache: Path) -> "tuple[list[Book], list[Broken]]":
    from somnisphere.library import scan_books

    return scan_books(folder, cache)


def _chosen(books: "Sequence[Book]", key: str, folder: Path) -> "Book":
    """By key, else by title whatever its case, if only one has it."""
    wanted = key.strip().casefold()
    found = [book for book in books if book.key == key] or [b for b in books if b.title.casefold() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(book.key for book in found)
        raise UserError(f"{key!r}: several stories have this title. Name one by its key: {keys}.")
    raise UserError(f"{_written(folder)}: there is no story {key!r}. `somnisphere story list` shows what there is.")


def _row(book: "Book") -> dict[str, Any]:
    recording = book.recordings[0] if book.recordings else None
    duration_s = recording.duration_s if recording else None
    return {
        "key": book.key,
        "title": book.title,
        "teller": (recording.teller if recording else "") or book.teller,
        "language": book.language,
        "licence": book.licence,
        "ages": book.ages,
        "minutes": None if duration_s is None else round(duration_s / 60.0, 1),
        "words": sum(len(sentence.text.split()) for sentence in book.sentences),
        "sentences": len(book.sentences),
        "recordings": len(book.recordings),
        "marks": len(recording.marks) if recording else 0,
        "chapters": len(recording.chapters) if recording else 0,
        "cover": book.cover is not None,
    }


def _held(row: dict[str, Any]) -> str:
    """Words or recording, as one says it."""
    words = f"{row['words']} words" if row["words"] else ""
    recording = {0: "", 1: "a recording"}.get(row["recordings"], f"{row['recordings']} recordings")
    marked = " (with marks)" if row["marks"] else ""
    return " and ".join(filter(None, (f"{recording}{marked}" if recording else "", words)))


def _written(path: Path) -> str:
    """A path that can be printed, whatever its bytes."""
    return _printable(str(path))


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
