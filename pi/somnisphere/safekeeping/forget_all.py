"""Everything forgotten: each file and folder that a box keeps. For whoever is alone with the files.

Stays: a person's choice that this bed is not sensed (an empty file); the configuration; the stories on the shelf but
those that dreams became; and whatever people took elsewhere: backups, exports, recordings.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from somnisphere.journal_schema import TROUBLE
from somnisphere.library.kept import FOLDER
from somnisphere.safekeeping.belongings import Belongings
from somnisphere.safekeeping.forget_night import dreams_of, remove
from somnisphere.safekeeping.overwriting import tables_of
from somnisphere.telling import SPOKEN

STAYS = "sensing-off"


def forget_all(belongings: Belongings, cache: Path, off_the_shelf: Callable[[Sequence[str]], None]) -> None:
    """Raises ``sqlite3.Error`` and ``OSError``; it can be asked again."""
    if belongings.household.exists():
        off_the_shelf(_stories_of_dreams(belongings.household))
    stays = belongings.files[STAYS]
    for path in (*belongings.all_places(), *belongings.leftovers()):
        if path != stays:
            remove(path)
    for path in (cache / SPOKEN, cache / FOLDER, *cache.glob("*.loudness.json")):
        remove(path)
    belongings.lock.unlink(missing_ok=True)


def _stories_of_dreams(household: Path) -> list[str]:
    """Of a file that cannot be read nothing is known; it goes all the same."""
    try:
        return [key for _, key in dreams_of(household, None)]
    except TROUBLE:
        return []


def others_who_hold_something(household: Path) -> list[str]:
    """Who was given something that is not here, each a sentence for whoever is about to forget that they were."""
    if not household.exists():
        return []
    try:
        with closing(sqlite3.connect(household, timeout=10.0)) as db:
            there = tables_of(db)
            coaches, circles = list[str](), list[str]()
            if "coach_consent" in there:
                told = "SELECT coach_name FROM coach_consent WHERE told_at_s IS NULL AND until >= date('now')"
                coaches = [str(row[0]) for row in db.execute(told)]
            if "circle" in there:
                circles = [str(row[0]) for row in db.execute("SELECT name FROM circle WHERE has_left = 0")]
    except TROUBLE:
        return []
    return [
        *(
            f"{name} still holds what was shared. Take that back on the house page first, else nobody tells them to."
            for name in coaches
        ),
        *(
            f"The circle “{name}” keeps this household as a member: somnisphere circle leave, first."
            for name in circles
        ),
    ]
