"""The shelf as folders to look through: all stories, by teller, by listener."""

from collections.abc import Callable, Sequence

from homeassistant.components.media_player import BrowseError, BrowseMedia, MediaClass, MediaType

from .const import DOMAIN
from .shelf import Shelf, ShelfStory

ROOT, STORIES, TELLERS, TELLER, LISTENERS, LISTENER = "root", "stories", "tellers", "teller", "listeners", "listener"
"""Kinds of folders, as ``media_content_type``."""

STORY_TYPE = MediaType.MUSIC
"""Home Assistant shows the artist, here who tells it, of no other kind."""

FOLDER_NAMES = {
    "en": {STORIES: "Stories", TELLERS: "By teller", LISTENERS: "By listener"},
    "de": {STORIES: "Geschichten", TELLERS: "Nach Erzähler", LISTENERS: "Nach Zuhörer"},
}
"""Home Assistant translates no titles of media; these are in the language of its settings."""

Thumbnail = Callable[[str], str | None]
"""The address of a story's cover by its key."""


def browse(
    shelf: Shelf, kind: str | None, name: str | None, title: str, language: str, thumbnail: Thumbnail
) -> BrowseMedia:
    """One folder with what is in it, or one story. ``title``: of the whole shelf."""
    names = FOLDER_NAMES.get(language.split("-")[0], FOLDER_NAMES["en"])
    match kind:
        case None | "" | "root":
            inside = [STORIES, *([TELLERS] if shelf.tellers else []), *([LISTENERS] if shelf.listeners else [])]
            return _folder(ROOT, "", title, [_folder(each, each, names[each]) for each in inside])
        case "stories":
            found = _folder(STORIES, STORIES, names[STORIES], _stories(shelf.stories, thumbnail))
            found.not_shown = shelf.left_out
            return found
        case "tellers":
            return _folder(TELLERS, TELLERS, names[TELLERS], [_folder(TELLER, each, each) for each in shelf.tellers])
        case "listeners":
            return _folder(
                LISTENERS, LISTENERS, names[LISTENERS], [_folder(LISTENER, each, each) for each in shelf.listeners]
            )
        case "teller" if name and (told := shelf.by_teller(name)):
            return _folder(TELLER, name, name, _stories(told, thumbnail))
        case "listener" if name and (theirs := shelf.by_listener(name)):
            return _folder(LISTENER, name, name, _stories(theirs, thumbnail))
        case MediaType.MUSIC if name and (story := shelf.find(name)) is not None:
            return _story(story, thumbnail)
    raise BrowseError(
        translation_domain=DOMAIN,
        translation_key="not_on_the_shelf",
        translation_placeholders={"kind": str(kind), "name": str(name)},
    )


def _folder(kind: str, name: str, title: str, children: Sequence[BrowseMedia] | None = None) -> BrowseMedia:
    return BrowseMedia(
        media_class=MediaClass.DIRECTORY,
        media_content_id=name,
        media_content_type=kind,
        title=title,
        can_play=False,
        can_expand=True,
        children=children,
    )


def _stories(stories: Sequence[ShelfStory], thumbnail: Thumbnail) -> list[BrowseMedia]:
    return [_story(story, thumbnail) for story in stories]


def _story(story: ShelfStory, thumbnail: Thumbnail) -> BrowseMedia:
    return BrowseMedia(
        media_class=MediaClass.TRACK,
        media_content_id=story.key,
        media_content_type=STORY_TYPE,
        title=story.title,
        can_play=True,
        can_expand=False,
        thumbnail=thumbnail(story.key),
    )
