"""A dimmable lamp that lists every call it got in its attribute ``calls`` (oldest first)."""

# Home Assistant is installed in .venv-home alone, where no type checker looks.
# mypy: disable-error-code="import-not-found,misc,no-untyped-call"

from typing import Any

from homeassistant.components.light import ColorMode, LightEntity, LightEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType


async def async_setup_platform(
    _hass: HomeAssistant,
    _config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    _discovery_info: DiscoveryInfoType | None = None,
) -> None:
    async_add_entities([StandInLamp()])


class StandInLamp(LightEntity):
    _attr_name = "Bedroom lamp"
    _attr_unique_id = "bedroom_stand_in_lamp"
    _attr_should_poll = False
    _attr_is_on = False
    _attr_brightness = 255
    _attr_color_mode = ColorMode.BRIGHTNESS
    _attr_supported_color_modes = frozenset({ColorMode.BRIGHTNESS})
    _attr_supported_features = LightEntityFeature.TRANSITION

    def __init__(self) -> None:
        self._attr_extra_state_attributes: dict[str, Any] = {"calls": []}

    def _did(self, call: str, details: dict[str, Any]) -> None:
        calls = self._attr_extra_state_attributes["calls"]
        self._attr_extra_state_attributes = {"calls": [*calls, {"call": call, **details}]}
        self.async_write_ha_state()

    async def async_turn_on(self, **kwargs: Any) -> None:
        self._attr_is_on = True
        self._attr_brightness = kwargs.get("brightness", self._attr_brightness)
        self._did("turn_on", kwargs)

    async def async_turn_off(self, **kwargs: Any) -> None:
        self._attr_is_on = False
        self._did("turn_off", kwargs)
