"""What the home sees and does of an evening: phase, lamp, listener and story. ``entities.py`` has the whole tuple."""

from collections.abc import Mapping
from typing import Any

from somnisphere.bedtime.phases import Phase
from somnisphere.events import MOMENTS
from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity, choice, light_json, light_state, number, press, switch
from somnisphere_home.json_schema import SECONDS, TEXT, TRUE_FALSE, or_null

MOMENT_ENTITY = "sleep_moment"
COVER_ENTITY = "story_cover"
LISTENER_ENTITY = "listener"
"""Only where the configuration names listeners: a choice of nobody is no choice."""

PLAYER = ("player",)


def _bookmark_attributes(s: Snapshot) -> Mapping[str, Any]:
    """Where the story begins next time; ``other_bookmark``: a place nearly as likely, which "Other place" takes."""
    place = s.bookmark
    return {
        "bookmark": None if place is None else round(place.position_s),
        "other_bookmark": None if place is None or place.other_s is None else round(place.other_s),
    }


def _playing_attributes(s: Snapshot) -> Mapping[str, Any]:
    """Of the story that plays or stands still; ``fade_db``: how far the falling page has lowered it."""
    story = s.story if s.story_playing or s.story_paused else None
    return {
        "story_key": None if story is None else story.key,
        "title": None if story is None else s.story_title,
        "teller": None if story is None else story.teller or None,
        "language": None if story is None else story.language or None,
        "duration_s": None if story is None or story.duration_s is None else round(story.duration_s),
        "fade_db": round(s.fade_db, 1),
        "paused": s.story_paused and not s.story_playing,
    }


def _story_titles(s: Snapshot) -> tuple[str, ...]:
    return s.story_titles


EVENING_ENTITIES: tuple[Entity[Snapshot], ...] = (
    # ---- the evening
    Entity(
        key="phase",
        platform="sensor",
        name="Phase",
        group="ritual",
        value=lambda s: s.phase,
        device_class="enum",
        options=tuple(phase.value for phase in Phase),
        icon="mdi:weather-night",
    ),
    Entity(
        key=MOMENT_ENTITY,
        platform="event",
        name="Sleep moment",
        options=MOMENTS,
        icon="mdi:bell-sleep",
    ),
    Entity(key="begin", platform="button", name="Begin", command=press(), icon="mdi:weather-sunset-down"),
    Entity(key="stop", platform="button", name="Stop", command=press(), icon="mdi:stop"),
    Entity(key="one_more_page", platform="button", name="One more page", command=press(), icon="mdi:book-plus-outline"),
    Entity(key="pause", platform="button", name="Pause", command=press(), icon="mdi:pause"),
    Entity(key="resume", platform="button", name="Go on", command=press(), icon="mdi:play"),
    Entity(
        key="lamp",
        platform="light",
        name="Lamp",
        group="lamp",
        value=lambda s: light_state(s.lamp_lightness_pct),
        command=light_json(),
        icon="mdi:lamp",
    ),
    # ---- the story
    Entity(
        key=LISTENER_ENTITY,
        platform="select",
        name="Listener",
        group="story",
        value=lambda s: s.listener or None,
        options=lambda s: s.listeners,
        command=choice(),
        icon="mdi:account-child",
    ),
    Entity(
        key="start_over",
        platform="button",
        name="Start over",
        command=press(),
        icon="mdi:book-arrow-left-outline",
    ),
    Entity(
        key="other_place",
        platform="button",
        name="Other place",
        command=press(),
        icon="mdi:bookmark-multiple-outline",
    ),
    Entity(
        key="follow_sleep",
        platform="switch",
        name="Story follows sleep",
        group="story",
        value=lambda s: s.follow_sleep,
        entity_category="config",
        command=switch(),
        icon="mdi:sleep",
    ),
    Entity(
        key="story",
        platform="select",
        name="Story",
        group="story",
        value=lambda s: s.story_title,
        attributes=_bookmark_attributes,
        attribute_schema={"bookmark": or_null(SECONDS), "other_bookmark": or_null(SECONDS)},
        options=_story_titles,
        command=choice(),
        icon="mdi:bookshelf",
    ),
    Entity(
        key=COVER_ENTITY,
        platform="image",
        name="Story cover",
        icon="mdi:image-outline",
        config={"content_type": "image/svg+xml"},
    ),
    Entity(
        key="story_playing",
        platform="sensor",
        name="Story playing",
        group="story",
        value=lambda s: s.story_title if s.story_playing else None,
        attributes=_playing_attributes,
        attribute_schema={
            **{name: or_null(TEXT) for name in ("story_key", "title", "teller", "language")},
            "duration_s": or_null(SECONDS),
            "fade_db": {"type": "number", "maximum": 0},
            "paused": TRUE_FALSE,
        },
        icon="mdi:book-play",
        parts=PLAYER,
    ),
    Entity(
        key="story_position",
        platform="sensor",
        name="Story position",
        group="story",
        value=lambda s: None if s.story_position_s is None else round(s.story_position_s),
        unit="s",
        device_class="duration",
        precision=0,
        deadband=15.0,
        icon="mdi:progress-clock",
        parts=PLAYER,
    ),
    Entity(
        key="volume",
        platform="number",
        name="Volume",
        group="story",
        value=lambda s: round(s.volume_pct),
        unit="%",
        command=number(0, 100, 1),
        icon="mdi:volume-medium",
        config={"mode": "slider"},
    ),
    Entity(
        key="fade_time",
        platform="number",
        name="Fade time",
        group="story",
        value=lambda s: round(s.fade_min),
        unit="min",
        entity_category="config",
        command=number(1, 60, 1),
        icon="mdi:sort-descending",
        config={"mode": "box"},
    ),
)
