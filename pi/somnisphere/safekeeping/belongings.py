"""Where everything lies that a box keeps of its nights and of its people: the one list for backup, restore, forgetting.

A program that begins to keep something names it here, else it is neither saved nor forgotten
(``tests/pi/safekeeping/test_belongings.py`` looks at what a whole night leaves behind).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from somnisphere import card_file, comfort_file, journal_tail, light_memory, sensing_switch
from somnisphere.household_file import household_beside

DATABASES = ("journal.db", "household.db")
SQLITE_BESIDE = ("-wal", "-shm", "-journal")
PASSING = (".partial", ".had")
"""Ends of names of stories that are only arriving."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """All of a box with this journal. Names are those of a backup, whatever the journal's file is called."""

    journal: Path

    @property
    def household(self) -> Path:
        return household_beside(self.journal)

    @property
    def evening(self) -> Path:
        return self.journal.with_name(f"{self.journal.name}.evening")

    @property
    def minutes(self) -> Path:
        return journal_tail.beside(self.journal)

    @property
    def comfort(self) -> Path:
        return comfort_file.beside(self.journal)

    @property
    def files(self) -> dict[str, Path]:
        """Single files by their name in a backup. What waits for the journal comes before it: whoever copies in this
        order has each half minute in one of them, or in both."""
        return {
            "minutes": self.minutes,
            "journal.db": self.journal,
            "household.db": self.household,
            "evening": self.evening,
            "light.json": light_memory.beside(self.journal),
            "comfort.json": self.comfort,
            "cards.json": card_file.beside(self.journal),
            "sensing-off": self.journal.with_name(self.journal.stem + sensing_switch.FILE_SUFFIX),
        }

    @property
    def folders(self) -> dict[str, Path]:
        """Whole folders by their name in a backup: recorded voices, and what is the circle's."""
        return {
            "voices": self.household.with_name(f"{self.household.stem}-voices"),
            "circle": self.journal.with_name("circle"),
        }

    @property
    def lock(self) -> Path:
        return self.journal.with_name(f"{self.journal.name}.in-use")

    def all_places(self) -> list[Path]:
        """What is there of all this: files, folders, and what SQLite keeps beside its files."""
        beside = [path.with_name(path.name + end) for path in (self.journal, self.household) for end in SQLITE_BESIDE]
        return [path for path in (*self.files.values(), *beside, *self.folders.values()) if path.exists()]

    def leftovers(self) -> list[Path]:
        """Broken files that were put aside, halves of writes, and what a restore put aside."""
        patterns = [f"{path.name}{end}" for path in self.files.values() for end in (".broken-*", ".*.new")]
        folders = ("before-restore-*", ".restoring-*", ".backup-*")
        return sorted({path for pattern in (*patterns, *folders) for path in self.journal.parent.glob(pattern)})


def files_below(folder: Path) -> Iterator[Path]:
    """Regular files in a folder at any depth, in order; links are not followed, and none is there without a folder."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root) / name
            if path.is_file() and not path.is_symlink() and path.suffix not in PASSING:
                yield path


def own_as_the_folder(path: Path) -> None:
    """What root makes here belongs to whom the folder belongs, so that the service may write it."""
    if os.geteuid() != 0:
        return
    owner, now = path.parent.stat(), path.lstat()
    if (owner.st_uid, owner.st_gid) != (now.st_uid, now.st_gid):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
