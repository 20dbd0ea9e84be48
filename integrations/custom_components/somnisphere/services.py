"""Actions that answer: what a night was, and a story put on the shelf."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .box import Box, SomnisphereEntry
from .const import DOMAIN

GET_NIGHT = "get_night"
ADD_STORY = "add_story"
CONF_ENTRY = "config_entry_id"

GET_NIGHT_SCHEMA = vol.Schema({vol.Optional(CONF_ENTRY): cv.string, vol.Optional("night_id"): cv.string})
ADD_STORY_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_ENTRY): cv.string,
        vol.Required("title"): cv.string,
        vol.Required("text"): cv.string,
        vol.Optional("teller"): cv.string,
        vol.Optional("language"): cv.string,
    }
)


@callback
def register_actions(hass: HomeAssistant) -> None:
    async def get_night(call: ServiceCall) -> ServiceResponse:
        return await _box(hass, call.data).ask("night", night_id=call.data.get("night_id"))

    async def add_story(call: ServiceCall) -> ServiceResponse:
        said = {name: value for name, value in call.data.items() if name != CONF_ENTRY}
        added = await _box(hass, call.data).ask("add_story", **said)
        return added if call.return_response else None

    hass.services.async_register(
        DOMAIN, GET_NIGHT, get_night, schema=GET_NIGHT_SCHEMA, supports_response=SupportsResponse.ONLY
    )
    hass.services.async_register(
        DOMAIN, ADD_STORY, add_story, schema=ADD_STORY_SCHEMA, supports_response=SupportsResponse.OPTIONAL
    )


def _box(hass: HomeAssistant, said: Mapping[str, Any]) -> Box:
    """The one that is meant: named, or the only one there is."""
    wanted = said.get(CONF_ENTRY)
    loaded: list[SomnisphereEntry] = [
        entry for entry in hass.config_entries.async_entries(DOMAIN) if entry.state is ConfigEntryState.LOADED
    ]
    if wanted is not None:
        loaded = [entry for entry in loaded if entry.entry_id == wanted]
    if len(loaded) == 1:
        return loaded[0].runtime_data
    if loaded:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="which_box",
            translation_placeholders={"boxes": ", ".join(sorted(entry.title for entry in loaded))},
        )
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_such_box")
