"""``somnisphere forget``: one night, or everything, deleted for good; on this box, and what its broker keeps of it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from somnisphere.cli_backup import agree, belongings_of
from somnisphere.config import Config, load
from somnisphere.errors import UserError
from somnisphere.journal_schema import TROUBLE
from somnisphere.safekeeping.belongings import Belongings

ELSEWHERE = (
    "What was taken elsewhere stays there: backups, exports, recordings, Home Assistant's own history. "
    "A memory card may keep old blocks until it needs them."
)


def forget(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    belongings = belongings_of(config, arguments.journal)
    try:
        if arguments.everything:
            return _everything(config, belongings, asks=not arguments.yes)
        return _night(config, belongings, arguments.night, asks=not arguments.yes)
    except (*TROUBLE, OSError) as problem:
        said = problem.strerror or problem if isinstance(problem, OSError) else problem
        raise UserError(
            f"{getattr(problem, 'filename', None) or belongings.journal.parent}: {said}. Not all of it is forgotten; "
            "ask again when that is mended."
        ) from problem


def _night(config: Config, belongings: Belongings, night_id: str, *, asks: bool) -> int:
    from somnisphere.safekeeping.forget_night import forget_night, is_known, window_of
    from somnisphere.safekeeping.in_use import alone

    try:
        window_of(night_id)
    except ValueError:
        raise UserError(f"{night_id} is no night's name, such as 2026-03-14. See: somnisphere nights") from None
    if not is_known(belongings, night_id):
        raise UserError(
            f"{belongings.journal.parent}: nothing is kept of a night of {night_id}. See: somnisphere nights"
        )
    if asks:
        print(f"All that is kept of the night of {night_id} goes: what was sensed, told, dreamt and imported.")
        if leftovers := belongings.leftovers():
            print(f"These may hold it and go as well: {', '.join(path.name for path in leftovers)}.")
        agree(f"Forget the night of {night_id}, for good?", "forgotten")
    with alone(belongings.journal, "forgotten"):
        forget_night(belongings, night_id, lambda keys: off_the_shelf(config, keys), config.sleeper.born)
    print(f"The night of {night_id} is forgotten.")
    status = _broker(config, everything=False)
    print(ELSEWHERE)
    return status


def _everything(config: Config, belongings: Belongings, *, asks: bool) -> int:
    from somnisphere.safekeeping.forget_all import forget_all, others_who_hold_something
    from somnisphere.safekeeping.in_use import alone

    for sentence in others_who_hold_something(belongings.household):
        print(sentence, file=sys.stderr)
    if asks:
        print(f"Every night and every word in {belongings.journal.parent} goes: nights, tellings, dreams, recorded")
        print("voices, cards, what was learned, the page's PIN, the circle's key.")
        agree("Forget everything, for good?", "forgotten")
    with alone(belongings.journal, "forgotten"):
        forget_all(belongings, Path(config.stories.cache).expanduser(), lambda keys: off_the_shelf(config, keys))
    print("Everything is forgotten.")
    if belongings.files["sensing-off"].exists():
        print("Sensing stays off, as somebody chose.")
    if config.stories.folder is not None:
        print(f"The stories in {config.stories.folder} stay; remove that folder if they are to go.")
    status = _broker(config, everything=True)
    print(ELSEWHERE)
    return status


def off_the_shelf(config: Config, keys: Sequence[str]) -> None:
    """Stories that dreams became, and what the household's voice spoke of them. ``OSError``."""
    if config.stories.folder is None or not keys:
        return
    from somnisphere.assemble import home_speech
    from somnisphere.library import forget_gone, read
    from somnisphere.story import Book
    from somnisphere.telling import SPOKEN
    from somnisphere.telling.household import HouseholdTeller

    folder, cache = Path(config.stories.folder), Path(config.stories.cache).expanduser()
    for key in keys:
        place = (folder / key).resolve()
        if place == folder.resolve() or not place.is_relative_to(folder.resolve()) or not place.is_file():
            continue
        if isinstance(book := read(place, folder, cache), Book):
            HouseholdTeller(config.voice, cache / SPOKEN, home_speech(config)).forget(book)
        place.unlink(missing_ok=True)
    forget_gone(cache, folder)


def _broker(config: Config, *, everything: bool) -> int:
    """What the broker keeps of this box: last times, the night's picture; of everything also how it is announced."""
    from somnisphere.assemble import device_of, entities_of
    from somnisphere.broker import topics_of
    from somnisphere.cli_discovery import NOTHING, clear_all
    from somnisphere_home.announcement import Announcement
    from somnisphere_home.messages import Message
    from somnisphere_home.tags import clear_tag_message

    topics = topics_of(config)
    messages, subscriptions = list[Message](), tuple[str, ...]()
    if everything:
        announcement = Announcement(entities_of(config), topics, device_of(config))
        messages = [*announcement.everything_cleared(NOTHING), clear_tag_message(topics)]
        subscriptions = announcement.subscriptions
    try:
        clear_all(config, messages, (*subscriptions, f"{topics.base}/#"))
    except UserError as problem:
        print(f"On the broker it still stands: {problem}", file=sys.stderr)
        again = "ask for it again" if everything else "the daemon's start says all anew, without that night"
        print(f"When the broker is there, {again}.", file=sys.stderr)
        return 1
    print("The broker keeps nothing of it any more; the daemon's next start says the rest anew.")
    return 0
