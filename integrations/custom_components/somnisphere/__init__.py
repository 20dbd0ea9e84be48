"""A Somnisphere bedside as a media player, and actions that answer. MQTT alone still does everything else.

The box speaks MQTT; this integration stands on Home Assistant's own and holds one entry for each box.
"""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .box import Box, SomnisphereEntry, mqtt_is_ready
from .const import CONF_NODE, DOMAIN
from .device import follow_device, leave_other_devices
from .services import register_actions

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [Platform.MEDIA_PLAYER]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:  # noqa: ARG001
    """Actions are there as soon as the integration is, so that automations can be checked without a box."""
    register_actions(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: SomnisphereEntry) -> bool:
    if not await mqtt_is_ready(hass):
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="mqtt_away")
    box = entry.runtime_data = Box(hass, entry.data[CONF_NODE])
    entry.async_on_unload(box.stop)
    await box.start()
    leave_other_devices(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    follow_device(hass, entry)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: SomnisphereEntry) -> bool:
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
