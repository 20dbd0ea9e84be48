"""The one line about a rewoven dream on Tonight: offered, not pushed, and gone with the first answer."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from somnisphere.bedtime.shelf import Shelf
from somnisphere.config import cache_place
from somnisphere.dreams.daylight import is_offered
from somnisphere.dreams.store import DreamStore, KeptDream
from somnisphere.library import STARTER_FOLDER, Broken, books_of
from somnisphere.page.house import BoxError, House
from somnisphere.page.words import Words
from somnisphere.story import Story

OFFERED_DAYS = 7
"""After so many days it waits in the dreams' room alone."""


def phase_of(house: House) -> str | None:
    """Of the evening, None when nobody says. The broker is anybody's: what is no word is no phase that we know."""
    said = None if house.box is None else house.box.view().value("ritual", "phase")
    return None if said is None else str(said)


def offered(house: House) -> KeptDream | None:
    """The latest that may be this evening's story. Trouble with the household's file is no trouble of the evening."""
    moment = house.moment(house.now_s())
    folder = house.config.stories.folder
    if folder is None or not is_offered(moment.hour + moment.minute / 60.0, phase_of(house)):
        return None
    try:
        waiting = DreamStore(house.household).offered(moment.date())
    except (sqlite3.Error, OSError):
        return None
    oldest = moment.date() - timedelta(days=OFFERED_DAYS)
    return next((kept for kept in waiting if kept.told_on >= oldest and (Path(folder) / kept.story_key).exists()), None)


def choose(house: House, kept: KeptDream, words: Words) -> None:
    """It is the evening's story, by the title under which the bedside offers it: another story may have the same.
    Raises ``BoxError``."""
    if house.box is None:
        raise BoxError(words.gettext("this page was started without a way to the bedside"))
    stories = house.config.stories
    books = books_of(Path(stories.folder or STARTER_FOLDER), Path(stories.cache or cache_place()))
    shelf = Shelf(Story(book.key, book.title, book.path) for book in books if not isinstance(book, Broken))
    listener = house.box.view().value("story", "listener")
    if named := next((one for one in house.config.listeners if one.name == listener), None):
        shelf.listen(named.name, named.folder)
    title = shelf.title_of(kept.story_key)
    if title is None:
        raise BoxError(words.gettext("the story is not on the shelf of whose evening it is"))
    house.box.command("story", title)
