"""The shelf: which stories there are, where each was left, and which one comes next. Pure; ``library.py`` fills it."""

from collections.abc import Iterable, Mapping

from somnisphere.story import Story


class Shelf:
    """Stories in the order of their titles, and one bookmark per story (seconds from its beginning).

    Bookmarks outlive their stories: a card pulled out or a folder not mounted for an evening forgets nothing.
    """

    def __init__(self, stories: Iterable[Story] = (), bookmarks: Mapping[str, float] | None = None) -> None:
        self._stories: dict[str, Story] = {}
        self.bookmarks: dict[str, float] = dict(bookmarks or {})
        self.chosen: Story | None = None
        self.put(stories)

    def put(self, stories: Iterable[Story]) -> None:
        """Replace the stories (the folder was read again); the choice stays when its story is still there."""
        ordered = sorted(stories, key=lambda story: (story.title.casefold(), story.key))
        self._stories = {story.key: story for story in ordered}
        if self.chosen is not None:
            self.chosen = self._stories.get(self.chosen.key)

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
        begun = (story for story in self._stories.values() if self.bookmarks.get(story.key, 0.0) > 0.0)
        return next(begun, next(iter(self._stories.values()), None))

    def next_after(self, key: str | None) -> Story | None:
        """The story that follows on the shelf (round and round); None when there is no other."""
        keys = list(self._stories)
        if key not in self._stories:
            return self.current()
        following = keys[(keys.index(key) + 1) % len(keys)]
        return None if following == key else self._stories[following]

    def bookmark_s(self, key: str) -> float:
        """Where a story begins next time. A bookmark behind the story's end is its beginning."""
        position_s = max(0.0, self.bookmarks.get(key, 0.0))
        story = self._stories.get(key)
        if story is not None and story.duration_s is not None and position_s >= story.duration_s:
            return 0.0
        return position_s

    def keep(self, key: str, position_s: float) -> None:
        self.bookmarks[key] = max(0.0, position_s)
