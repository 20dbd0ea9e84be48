"""One night forgotten, in every place that knows of it. For whoever is alone with the files (``in_use.alone``).

Order: words first, then what was sensed, the night's own row last: a deletion that was cut off can be asked for again.
What the night taught of the sleeper's middle is worked out anew from the nights that stay.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from somnisphere.comfort.memory import ComfortMemory, Note
from somnisphere.comfort_file import VERSION as COMFORT_VERSION
from somnisphere.comfort_file import remembered
from somnisphere.journal import Journal
from somnisphere.safekeeping.belongings import Belongings
from somnisphere.safekeeping.overwriting import for_good, tables_of
from somnisphere.small_file import write_small

NIGHTS_THAT_TEACH = 40
"""More than any trait that is remembered goes back."""


@dataclass(frozen=True, slots=True)
class Window:
    """The night's day, noon to noon by the household's clock, Unix seconds: what has no night's name goes by it."""

    from_s: float
    until_s: float

    def holds(self, wall_s: float) -> bool:
        return self.from_s <= wall_s < self.until_s


def window_of(night_id: str) -> Window:
    """Raises ``ValueError``: this is no night's name."""
    noon = datetime.combine(date.fromisoformat(night_id[:10]), time(12))
    return Window(noon.timestamp(), (noon + timedelta(days=1)).timestamp())


def is_known(belongings: Belongings, night_id: str) -> bool:
    """Whether anything at all is kept of a night of this name."""
    where = {
        belongings.journal: (("night", "id"), ("epoch", "night"), ("moment", "night"), ("told", "night")),
        belongings.household: (("seal", "night"), ("telling", "night"), ("imported_night", "night")),
    }
    for path, columns in where.items():
        if not path.exists():
            continue
        with closing(sqlite3.connect(path, timeout=10.0)) as db:
            there = tables_of(db)
            for table, column in columns:
                if table in there and db.execute(f"SELECT 1 FROM {table} WHERE {column} = ?", (night_id,)).fetchone():
                    return True
    return False


def forget_night(
    belongings: Belongings, night_id: str, off_the_shelf: Callable[[Sequence[str]], None], born: str = ""
) -> None:
    """``off_the_shelf`` takes the keys of stories that dreams of that night became; it is asked before they are
    forgotten. ``born``: as in the configuration. Raises ``sqlite3.Error`` and ``OSError``; it can be asked again."""
    window = window_of(night_id)
    if belongings.household.exists():
        _words(belongings.household, night_id, off_the_shelf)
    _comfort(belongings.comfort, window)
    for path in belongings.leftovers():  # a broken file, or one from before: nobody can say what is in it
        remove(path)
    if belongings.journal.exists():
        _sensed(belongings, night_id, window)
        _taught(belongings.journal, born)
        with for_good(belongings.journal) as db:
            db.execute("DELETE FROM night WHERE id = ?", (night_id,))


def remove(path: Path) -> None:
    import shutil

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def dreams_of(household: Path, night_id: str | None) -> list[tuple[int, str]]:
    """Numbers and story keys of the dreams told on the day after the night; None: of all."""
    morning = None if night_id is None else (date.fromisoformat(night_id[:10]) + timedelta(days=1)).isoformat()
    with closing(sqlite3.connect(household, timeout=10.0)) as db:
        if "dream" not in tables_of(db):
            return []
        rows = db.execute("SELECT id, story_key FROM dream WHERE ? IS NULL OR told_on = ?", (morning, morning))
        return [(int(number), str(key)) for number, key in rows]


def _words(household: Path, night_id: str, off_the_shelf: Callable[[Sequence[str]], None]) -> None:
    dreams = dreams_of(household, night_id)
    off_the_shelf([key for _, key in dreams])
    with for_good(household) as db:
        there = tables_of(db)
        for table in ("seal", "telling", "imported_night"):
            if table in there:
                db.execute(f"DELETE FROM {table} WHERE night = ?", (night_id,))
        for number, _ in dreams:
            db.execute("DELETE FROM dream WHERE id = ?", (number,))


def _comfort(path: Path, window: Window) -> None:
    memory = remembered(path)
    gone = [note for note in memory.notes if window.holds(note.wall_s)]
    if not gone:
        return
    strikes = {step: _without(step, count, gone) for step, count in memory.strikes.items()}
    kept = tuple(note for note in memory.notes if not window.holds(note.wall_s))
    write_small(path, COMFORT_VERSION, "comfort", ComfortMemory(strikes, kept, memory.lit).to_dict())


def _without(step: str, count: int, gone: Sequence[Note]) -> int:
    return max(0, count - sum(note.step == step and note.what == "woke" for note in gone))


def _sensed(belongings: Belongings, night_id: str, window: Window) -> None:
    journal = Journal(belongings.journal)  # it takes in what waits in the file of minutes, and mends older tables
    journal.close()
    if trouble := journal.problem or journal.mended:  # then what waits is nowhere else, other nights' too
        raise sqlite3.OperationalError(trouble)
    belongings.minutes.unlink(missing_ok=True)
    with for_good(belongings.journal) as db:
        db.execute("DELETE FROM epoch WHERE night = ?", (night_id,))
        db.execute("DELETE FROM clock WHERE night = ?", (night_id,))
        for table in ("moment", "told"):
            in_window = "night IS NULL AND wall_s >= ? AND wall_s < ?"
            db.execute(
                f"DELETE FROM {table} WHERE night = ? OR ({in_window})", (night_id, window.from_s, window.until_s)
            )
        latest = db.execute("SELECT id FROM night ORDER BY began_s DESC LIMIT 1").fetchone()
        is_latest = latest is None or latest[0] == night_id
        if is_latest:  # how the evening stood is of that night
            db.execute("DELETE FROM ritual")
    if is_latest:
        belongings.evening.unlink(missing_ok=True)


def _taught(path: Path, born: str) -> None:
    """What is known of the sleeper, from the nights that stay."""
    from somnisphere.sleep.person import Person
    from somnisphere.sleeper import INFANT, claim

    journal = Journal(path)
    try:
        if journal.saved_person() is None:
            return
        person = Person()
        for night_id in journal.past_nights()[-NIGHTS_THAT_TEACH:]:
            try:
                kept = journal.load(night_id)
            except KeyError:  # damaged: it teaches nothing
                continue
            if kept.epochs and claim(born, kept.began_wall_s) != INFANT:
                person = person.after(kept.epochs, kept.estimates)
    finally:
        journal.close()
    with for_good(path) as db:
        db.execute("UPDATE person SET state = ?", (json.dumps(person.to_dict()),))
