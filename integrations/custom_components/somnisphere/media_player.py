"""The bedside speaker as a media player: one story at a time, which follows its sleeper."""

import hashlib
from typing import Any

from homeassistant.components.media_player import (
    ATTR_MEDIA_ENQUEUE,
    ATTR_MEDIA_EXTRA,
    BrowseMedia,
    MediaPlayerEnqueue,
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.util import slugify

from .box import SomnisphereEntry
from .browse import STORY_TYPE, browse
from .const import DOMAIN
from .covers import NO_PICTURE, Covers
from .device import LINKS_ENTITIES, announced_device, own_device

PARALLEL_UPDATES = 0
"""The box puts wishes in order itself, and nothing is polled."""

ADDS_TO_A_QUEUE = (MediaPlayerEnqueue.ADD, MediaPlayerEnqueue.NEXT)


async def async_setup_entry(
    hass: HomeAssistant, entry: SomnisphereEntry, async_add_entities: AddEntitiesCallback
) -> None:
    async_add_entities([StoryPlayer(hass, entry)])


class StoryPlayer(MediaPlayerEntity):
    """Says what the box says; its own volume is the person's, and ``fade_db`` is how far sleep has lowered it."""

    _attr_has_entity_name = True
    _attr_name = None
    _attr_translation_key = "player"
    _attr_should_poll = False
    _attr_media_content_type = None
    _attr_supported_features = (
        MediaPlayerEntityFeature.PLAY
        | MediaPlayerEntityFeature.PAUSE
        | MediaPlayerEntityFeature.STOP
        | MediaPlayerEntityFeature.SEEK
        | MediaPlayerEntityFeature.VOLUME_SET
        | MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.BROWSE_MEDIA
    )

    def __init__(self, hass: HomeAssistant, entry: SomnisphereEntry) -> None:
        self._box = entry.runtime_data
        self._title = entry.title
        self._covers = Covers(self._box)
        self._attr_unique_id = f"{self._box.topics.node}_player"
        # As the box's other entities, whose ids it suggests itself: of the node, whatever the device is called.
        self.entity_id = f"{Platform.MEDIA_PLAYER}.{slugify(self._box.topics.node)}"
        device = announced_device(hass, self._box.topics.node)
        if device is None:
            self._attr_device_info = own_device(entry)
        elif LINKS_ENTITIES:
            self.device_entry = device
        else:
            self._attr_device_info = DeviceInfo(identifiers={self._box.topics.device_identifier})

    async def async_added_to_hass(self) -> None:
        self._take()
        self.async_on_remove(self._box.async_listen(self._box_changed))

    @callback
    def _box_changed(self) -> None:
        self._take()
        self.async_write_ha_state()

    @callback
    def _take(self) -> None:
        """All that is shown, from what the box said last."""
        box, story = self._box, self._box.story
        now = story.get("story_playing_attributes") or {}
        place = story.get("story_attributes") or {}
        is_playing = story.get("story_playing") is not None
        is_told = is_playing or bool(now.get("paused"))
        self._attr_available = box.is_there and box.player_online and bool(story)
        if is_playing:
            self._attr_state = MediaPlayerState.PLAYING
        else:
            self._attr_state = MediaPlayerState.PAUSED if is_told else MediaPlayerState.IDLE
        self._attr_media_content_id = now.get("story_key") if is_told else None
        self._attr_media_content_type = STORY_TYPE if is_told else None
        self._attr_media_title = now.get("title") if is_told else None
        self._attr_media_artist = now.get("teller") if is_told else None
        self._attr_media_duration = now.get("duration_s") if is_told else None
        self._attr_media_position = story.get("story_position") if is_told else None
        self._attr_media_position_updated_at = box.story_at if is_told else None
        volume_pct = story.get("volume")
        self._attr_volume_level = None if volume_pct is None else volume_pct / 100
        self._attr_extra_state_attributes = {
            "fade_db": now.get("fade_db"),
            "follow_sleep": story.get("follow_sleep"),
            "fade_time_min": story.get("fade_time"),
            "phase": box.ritual.get("phase"),
            "next_story": story.get("story"),
            "bookmark_s": place.get("bookmark"),
            "other_bookmark_s": place.get("other_bookmark"),
            "language": now.get("language"),
            "listener": story.get("listener"),
        }

    # ---- what it looks like -----------------------------------------------------------------------------------------

    @property
    def media_image_hash(self) -> str | None:
        key = self._attr_media_content_id
        return None if key is None else hashlib.sha256(key.encode()).hexdigest()[:16]

    async def async_get_media_image(self) -> tuple[bytes | None, str | None]:
        key = self._attr_media_content_id
        return NO_PICTURE if key is None else await self._covers.of(key)

    async def async_get_browse_image(
        self,
        media_content_type: str,
        media_content_id: str,
        media_image_id: str | None = None,  # noqa: ARG002
    ) -> tuple[bytes | None, str | None]:
        return await self._covers.of(media_content_id) if media_content_type == STORY_TYPE else NO_PICTURE

    async def async_browse_media(
        self, media_content_type: MediaType | str | None = None, media_content_id: str | None = None
    ) -> BrowseMedia:
        return browse(
            self._box.shelf,
            media_content_type,
            media_content_id,
            self._title,
            self.hass.config.language,
            lambda key: self.get_browse_image_url(STORY_TYPE, key),
        )

    # ---- what it does -----------------------------------------------------------------------------------------------

    async def async_play_media(self, media_type: MediaType | str, media_id: str, **kwargs: Any) -> None:  # noqa: ARG002
        """A story by its key or title, from its bookmark, or from ``extra: {position_s: ...}``."""
        if kwargs.get(ATTR_MEDIA_ENQUEUE) in ADDS_TO_A_QUEUE:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_queue")
        position_s = (kwargs.get(ATTR_MEDIA_EXTRA) or {}).get("position_s")
        if position_s is not None and (isinstance(position_s, bool) or not isinstance(position_s, int | float)):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="no_position",
                translation_placeholders={"position": str(position_s)},
            )
        await self._box.ask("play", key=media_id, position_s=position_s)

    async def async_media_play(self) -> None:
        """What was paused goes on; else the story whose turn it is, from its bookmark."""
        if self.state == MediaPlayerState.PAUSED:
            await self._box.command("resume")
        elif self.state != MediaPlayerState.PLAYING:
            title = self._box.story.get("story")
            if title is None:
                raise ServiceValidationError(translation_domain=DOMAIN, translation_key="empty_shelf")
            await self._box.ask("play", title=title)

    async def async_media_pause(self) -> None:
        await self._box.command("pause")

    async def async_media_stop(self) -> None:
        """Ends the evening, as the button "Stop" does."""
        await self._box.command("stop")

    async def async_media_seek(self, position: float) -> None:
        await self._box.ask("seek", position_s=position)

    async def async_set_volume_level(self, volume: float) -> None:
        await self._box.command("volume", str(round(volume * 100)))
