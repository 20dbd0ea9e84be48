"""The stories that a box offers, as it says them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ShelfStory:
    """``key`` names it to the box. None: not known, or for ``bookmark_s``: it begins at its beginning."""

    key: str
    title: str
    teller: str = ""
    language: str = ""
    duration_s: float | None = None
    bookmark_s: float | None = None
    listeners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """In the order in which the box offers them. ``left_out``: more than a message holds."""

    stories: tuple[ShelfStory, ...] = ()
    left_out: int = 0

    @property
    def tellers(self) -> tuple[str, ...]:
        return tuple(sorted({story.teller for story in self.stories if story.teller}, key=str.casefold))

    @property
    def listeners(self) -> tuple[str, ...]:
        return tuple(sorted({name for story in self.stories for name in story.listeners}, key=str.casefold))

    def by_teller(self, name: str) -> tuple[ShelfStory, ...]:
        return tuple(story for story in self.stories if story.teller == name)

    def by_listener(self, name: str) -> tuple[ShelfStory, ...]:
        return tuple(story for story in self.stories if name in story.listeners)

    def find(self, key_or_title: str) -> ShelfStory | None:
        """By its key, else by its title."""
        for wanted in ("key", "title"):
            for story in self.stories:
                if getattr(story, wanted) == key_or_title:
                    return story
        return None


def read_shelf(said: Mapping[str, Any]) -> Shelf:
    """The shelf's message. A row that is no story is passed over: a newer box may say more than is known here."""
    rows = said.get("stories")
    stories = tuple(_story(row) for row in rows if _is_story(row)) if isinstance(rows, list) else ()
    left_out = said.get("left_out")
    return Shelf(stories, left_out if isinstance(left_out, int) else 0)


def _is_story(row: object) -> bool:
    return isinstance(row, Mapping) and all(isinstance(row.get(name), str) for name in ("key", "title"))


def _story(row: Mapping[str, Any]) -> ShelfStory:
    listeners = row.get("listeners")
    return ShelfStory(
        key=row["key"],
        title=row["title"],
        teller=row.get("teller") or "",
        language=row.get("language") or "",
        duration_s=row.get("duration_s"),
        bookmark_s=row.get("bookmark_s"),
        listeners=tuple(map(str, listeners)) if isinstance(listeners, list) else (),
    )
