"""The shelf: which stories there are, where each listener left them, and which one comes next. Pure; ``library``
fills it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from somnisphere.bedtime.sentences import begin_of
from somnisphere.story import Story

EVERYBODY = ""
"""The listener of a household that named none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one listener left one story. ``other_s``: a second place that is nearly as likely, None: there is none."""

    position_s: float
    other_s: float | None = None


class Shelf:
    """Stories in the order of their titles, and for each listener one place per story.

    Places outlive their stories: a card pulled out or a folder not mounted for an evening forgets nothing.
    """

    def __init__(
        self,
        stories: Iterable[Story] = (),
        bookmarks: Mapping[str, float] | None = None,
        places: Mapping[tuple[str, str], Place] | None = None,
    ) -> None:
        """``bookmarks``: story key -> seconds, of the one listener; ``places``: (listener, story key) -> ``Place``."""
        self._all: tuple[Story, ...] = ()
        self._stories: dict[str, Story] = {}
        self._places: dict[tuple[str, str], Place] = dict(places or {})
        self._places |= {(EVERYBODY, key): Place(position_s) for key, position_s in (bookmarks or {}).items()}
        self._folder = ""
        self.listener = EVERYBODY
        self.chosen: Story | None = None
        self.put(stories)

    def put(self, stories: Iterable[Story]) -> None:
        """Replace the stories (the folder was read again); the choice stays when its story is still there."""
        self._all = tuple(stories)
        mine = [story for story in self._all if story.key.startswith(self._folder)]
        ordered = sorted(mine, key=lambda story: (story.title.casefold(), story.key))
        self._stories = {story.key: story for story in ordered}
        if self.chosen is not None:
            self.chosen = self._stories.get(self.chosen.key)

    def listen(self, listener: str, folder: str = "") -> None:
        """From now on the shelf is this listener's: their places, and of the stories those below ``folder``."""
        self.listener, self._folder, self.chosen = listener, folder and folder.rstrip("/") + "/", None
        self.put(self._all)

    @property
    def stories(self) -> tuple[Story, ...]:
        return tuple(self._stories.values())

    @property
    def titles(self) -> tuple[str, ...]:
        """What a person chooses from: one distinct title per story, in order."""
        return tuple(self._distinct_titles())

    def _distinct_titles(self) -> dict[str, Story]:
        titles: dict[str, Story] = {}
        for story in self._stories.values():
            title = story.title if story.title not in titles else f"{story.title} ({story.key})"
            titles[title] = story
        return titles

    def title_of(self, key: str | None) -> str | None:
        """The distinct title under which a story is offered."""
        return next((title for title, story in self._distinct_titles().items() if story.key == key), None)

    def find(self, key_or_title: str) -> Story | None:
        """By key, by offered title, or by title whatever its case."""
        titles = self._distinct_titles()
        found = self._stories.get(key_or_title) or titles.get(key_or_title)
        if found is not None:
            return found
        wanted = key_or_title.strip().casefold()
        return next((story for title, story in titles.items() if title.casefold() == wanted), None)

    def choose(self, key_or_title: str) -> Story | None:
        """Make a story the evening's. None, and no change, when there is none of that name."""
        found = self.find(key_or_title)
        if found is not None:
            self.chosen = found
        return found

    def current(self) -> Story | None:
        """The chosen story, else the first one that was begun and not finished, else the first of the shelf."""
        if self.chosen is not None:
            return self.chosen
        begun = (story for story in self._stories.values() if self.place(story.key).position_s > 0.0)
        return next(begun, next(iter(self._stories.values()), None))

    def next_after(self, key: str | None) -> Story | None:
        """The story that follows on the shelf (round and round); None when there is no other."""
        keys = list(self._stories)
        if key not in self._stories:
            return self.current()
        following = keys[(keys.index(key) + 1) % len(keys)]
        return None if following == key else self._stories[following]

    # ---- places -----------------------------------------------------------------------------------------------------

    @property
    def bookmarks(self) -> dict[str, float]:
        """Where this listener left each story, seconds from its beginning."""
        return {key: place.position_s for (who, key), place in self._places.items() if who == self.listener}

    def place(self, key: str) -> Place:
        return self._places.get((self.listener, key), Place(0.0))

    def bookmark_s(self, key: str) -> float:
        """Where a story begins next time. A bookmark behind the story's end is its beginning."""
        position_s = max(0.0, self.place(key).position_s)
        story = self._stories.get(key)
        if story is not None and story.duration_s is not None and position_s >= story.duration_s:
            return 0.0
        return position_s

    def keep(self, key: str, position_s: float, other_s: float | None = None) -> Place:
        """Remember where this listener left a story: the beginning of the sentence told there."""
        place = Place(self._snapped(key, position_s), None if other_s is None else self._snapped(key, other_s))
        if place.other_s == place.position_s:
            place = Place(place.position_s)
        self._places[self.listener, key] = place
        return place

    def _snapped(self, key: str, position_s: float) -> float:
        story = next((story for story in self._all if story.key == key), None)
        position_s = max(0.0, position_s)
        return position_s if story is None else begin_of(story.marks, position_s)
