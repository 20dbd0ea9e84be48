"""What a household may ask the box, and the answers. What touches the disk is a job for whoever has the time."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from somnisphere.bedtime.shelf import Shelf
from somnisphere.cli import NOT_MEDICAL
from somnisphere.covers import to_svg
from somnisphere.journal_reader import JournalReader
from somnisphere.library.text_adder import MOST_CHARS, NotAddedError, add_text
from somnisphere.listeners import Listener
from somnisphere.story import Cover, Story
from somnisphere_home.commands import Wish
from somnisphere_home.questions import Field, Question, Questions

Answer = dict[str, Any]
Job = Callable[[], Answer]
"""Raises ``NoAnswerError``."""

QUESTIONS: Questions = {
    "shelf": {},
    "cover": {"key": Field("text", required=True, about="of a story, as the shelf has it")},
    "nights": {},
    "night": {"night_id": Field("text", most=40, about="as nights has it; the latest when left out")},
    "add_story": {
        "title": Field("text", required=True),
        "text": Field("text", required=True, most=MOST_CHARS, about="plain, or Markdown's words"),
        "teller": Field("text", about="who tells it"),
        "language": Field("text", most=20, about="such as en or de-AT"),
    },
    "play": {
        "key": Field("text", about="of a story, or its title"),
        "title": Field("text", about="instead of a key"),
        "position_s": Field("number", about="the bookmark when left out"),
    },
    "seek": {"position_s": Field("number", required=True)},
}

MOST_NIGHTS = 1000


SEALED_WORDS = "sealed until it is told: tell it on the house page, or open it with somnisphere night {night} --open"


class NoAnswerError(Exception):
    """Why there is none, for the one who asked."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are on this box. ``own_stories``: the household's folder, None: it named none."""

    journal: Path
    own_stories: Path | None = None


class Answers:
    """``cover`` opens a story's file and may take its time; so may every ``Job``. ``shows``: whether a night may be
    seen, or is sealed until it is told; asked on any thread."""

    def __init__(
        self,
        shelf: Shelf,
        listeners: Sequence[Listener],
        places: Places,
        cover: Callable[[str], Cover | None],
        shows: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._shelf = shelf
        self._listeners = tuple(listener for listener in listeners if listener.name)
        self._places = places
        self._cover = cover
        self._shows = shows

    def shelf(self) -> Answer:
        """The stories of whoever listens now, in the order in which they are offered."""
        return {"stories": [self._row(story) for story in self._shelf.stories]}

    def to(self, question: Question, *, has_story: bool) -> Answer | Wish | Job:
        """At once what is at hand, a wish for the core, or a job. ``has_story``: one plays, or was paused. Raises
        ``NoAnswerError``."""
        said = question.said
        match question.name:
            case "shelf":
                return self.shelf()
            case "play":
                return Wish("play", (self._story(said).key, said.get("position_s")))
            case "seek":
                if not has_story:
                    raise NoAnswerError("no story is playing; play one first")
                return Wish("seek", float(said["position_s"]))
            case "cover":
                story = self._story(said)
                return lambda: self._picture(story)
            case "nights":
                return self._nights
            case "night":
                return lambda: self._night(said.get("night_id"))
            case _:
                return lambda: self._add(said)

    def _row(self, story: Story) -> Answer:
        place = self._shelf.place(story.key)
        return {
            "key": story.key,
            "title": self._shelf.title_of(story.key) or story.title,
            "teller": story.teller,
            "language": story.language,
            "duration_s": None if story.duration_s is None else round(story.duration_s, 1),
            "bookmark_s": round(place.position_s, 1) if place.position_s > 0 else None,
            "listeners": [
                listener.name
                for listener in self._listeners
                if not listener.folder or story.key.startswith(listener.folder.rstrip("/") + "/")
            ],
        }

    def _story(self, said: Mapping[str, Any]) -> Story:
        name = said.get("key") or said.get("title")
        if name is None:
            raise NoAnswerError('say which story: "key", or "title"')
        if (story := self._shelf.find(str(name))) is None:
            raise NoAnswerError(f"there is no story {str(name)!r} on the shelf; ask/shelf has all of them")
        return story

    def _picture(self, story: Story) -> Answer:
        picture = to_svg(story.title, self._cover(story.key))
        return {"content_type": "image/svg+xml", "data": base64.b64encode(picture).decode()}

    def _nights(self) -> Answer:
        with_nights = JournalReader(self._places.journal)
        try:
            nights = with_nights.nights()[-MOST_NIGHTS:]
            return {"nights": nights, "sealed": [night for night in nights if not self._shows(night)]}
        finally:
            with_nights.close()

    def _night(self, wanted: str | None) -> Answer:
        from somnisphere.night_export import RANGES, night_row

        journal = JournalReader(self._places.journal)
        try:
            nights = journal.nights()
            if journal.problem:
                raise NoAnswerError(journal.problem)
            if not nights:
                raise NoAnswerError("no night is kept yet")
            if wanted is not None and wanted not in nights:
                raise NoAnswerError(f"no night of {wanted!r} is kept; the latest are {', '.join(nights[-7:])}")
            night = wanted or nights[-1]
            if not self._shows(night):
                raise NoAnswerError(f"the night of {night} is {SEALED_WORDS.format(night=night)}")
            try:
                kept = journal.load(night)
            except KeyError:  # it was there a moment ago: the file broke, or was put aside
                raise NoAnswerError(journal.problem or f"the night of {night} cannot be read any more") from None
            return night_row(kept) | {"ranges": RANGES, "note": NOT_MEDICAL}
        finally:
            journal.close()

    def _add(self, said: Mapping[str, Any]) -> Answer:
        folder = self._places.own_stories
        if folder is None:
            raise NoAnswerError('this box has only the stories that came with it; put folder = "..." below [stories]')
        try:
            key = add_text(folder, said["title"], said["text"], said.get("teller", ""), said.get("language", ""))
        except NotAddedError as problem:
            raise NoAnswerError(str(problem)) from None
        return {"key": key}
