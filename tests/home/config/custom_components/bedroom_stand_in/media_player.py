"""Speakers that play nothing; each lists every call it got in its attribute ``calls`` (oldest first)."""

# Home Assistant is installed in .venv-home alone, where no type checker looks.
# mypy: disable-error-code="import-not-found,misc,no-untyped-call"

from typing import Any

from homeassistant.components.media_player import MediaPlayerEntity, MediaPlayerEntityFeature, MediaPlayerState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType


async def async_setup_platform(
    _hass: HomeAssistant,
    _config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    _discovery_info: DiscoveryInfoType | None = None,
) -> None:
    async_add_entities([StandInSpeaker("Bedroom speaker"), StandInSpeaker("Kitchen speaker")])


class StandInSpeaker(MediaPlayerEntity, RestoreEntity):
    _attr_should_poll = False
    _attr_state = MediaPlayerState.IDLE
    _attr_volume_level = 0.5
    _attr_supported_features = (
        MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.PLAY
        | MediaPlayerEntityFeature.PAUSE
        | MediaPlayerEntityFeature.STOP
        | MediaPlayerEntityFeature.SEEK
        | MediaPlayerEntityFeature.VOLUME_SET
        | MediaPlayerEntityFeature.TURN_ON
        | MediaPlayerEntityFeature.TURN_OFF
    )

    def __init__(self, name: str) -> None:
        self._attr_name = name
        self._attr_unique_id = f"stand_in_{name.lower().replace(' ', '_')}"
        self._attr_extra_state_attributes: dict[str, Any] = {"calls": []}

    async def async_added_to_hass(self) -> None:
        """A speaker goes on playing while Home Assistant is restarted."""
        if (last := await self.async_get_last_state()) and last.state in (*MediaPlayerState,):
            self._attr_state = MediaPlayerState(last.state)
            self._attr_volume_level = last.attributes.get("volume_level", self._attr_volume_level)

    def _did(self, call: str, **details: Any) -> None:
        calls = self._attr_extra_state_attributes["calls"]
        self._attr_extra_state_attributes = {"calls": [*calls, {"call": call, **details}]}
        self.async_write_ha_state()

    async def async_play_media(self, media_type: str, media_id: str, **kwargs: Any) -> None:
        self._attr_state = MediaPlayerState.PLAYING
        self._attr_media_content_type = media_type
        self._attr_media_content_id = media_id
        self._did("play_media", media_type=str(media_type), media_id=media_id, extra=kwargs.get("extra") or {})

    async def async_media_play(self) -> None:
        self._attr_state = MediaPlayerState.PLAYING
        self._did("media_play")

    async def async_media_pause(self) -> None:
        self._attr_state = MediaPlayerState.PAUSED
        self._did("media_pause")

    async def async_media_stop(self) -> None:
        self._attr_state = MediaPlayerState.IDLE
        self._did("media_stop")

    async def async_media_seek(self, position: float) -> None:
        self._did("media_seek", position_s=position)

    async def async_set_volume_level(self, volume: float) -> None:
        self._attr_volume_level = volume
        self._did("volume_set", volume=volume)

    async def async_turn_on(self) -> None:
        self._attr_state = MediaPlayerState.IDLE
        self._did("turn_on")

    async def async_turn_off(self) -> None:
        self._attr_state = MediaPlayerState.OFF
        self._did("turn_off")
