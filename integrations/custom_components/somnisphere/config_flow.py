"""How a box is added: the one that spoke up on the broker, or one chosen among those that are there."""

import asyncio
from collections.abc import Sequence
from typing import Any

import voluptuous as vol
from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import SelectOptionDict, SelectSelector, SelectSelectorConfig
from homeassistant.helpers.service_info.mqtt import MqttServiceInfo

from .box import mqtt_is_ready
from .const import CONF_NODE, DOMAIN
from .device import name_of
from .topics import EVERY_STATUS, ONLINE, node_of

LISTEN_S = 2.0
"""A broker says what it holds at once; this is for slow radios."""


class SomnisphereConfigFlow(ConfigFlow, domain=DOMAIN):
    """One entry for each box; its name on the broker is its unique id."""

    VERSION = 1

    def __init__(self) -> None:
        self._node = ""

    async def async_step_mqtt(self, discovery_info: MqttServiceInfo) -> ConfigFlowResult:
        """A box said how it is. Those that are away are left alone until they come."""
        node = node_of(discovery_info.topic)
        if node is None:
            return self.async_abort(reason="not_a_box")
        if discovery_info.payload != ONLINE:
            return self.async_abort(reason="box_away")
        await self.async_set_unique_id(node)
        self._abort_if_unique_id_configured()
        self._node = node
        self.context["title_placeholders"] = {"name": name_of(self.hass, node)}
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        name = name_of(self.hass, self._node)
        if user_input is not None:
            return self.async_create_entry(title=name, data={CONF_NODE: self._node})
        self._set_confirm_only()
        return self.async_show_form(step_id="confirm", description_placeholders={"name": name, "node": self._node})

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        if user_input is not None:
            node = str(user_input[CONF_NODE])
            await self.async_set_unique_id(node, raise_on_progress=False)
            self._abort_if_unique_id_configured()
            return self.async_create_entry(title=name_of(self.hass, node), data={CONF_NODE: node})
        if not await mqtt_is_ready(self.hass):
            return self.async_abort(reason="mqtt_away")
        known = {entry.unique_id for entry in self._async_current_entries(include_ignore=False)}
        found = [node for node in await boxes_there(self.hass) if node not in known]
        if not found:
            return self.async_abort(reason="no_box")
        choices: Sequence[SelectOptionDict] = [
            SelectOptionDict(
                value=node, label=name if (name := name_of(self.hass, node)) == node else f"{name} ({node})"
            )
            for node in found
        ]
        selector = SelectSelector(SelectSelectorConfig(options=choices))
        return self.async_show_form(
            step_id="user", data_schema=vol.Schema({vol.Required(CONF_NODE, default=found[0]): selector})
        )


async def boxes_there(hass: HomeAssistant) -> list[str]:
    """The boxes that are online, as the broker holds it."""
    online: dict[str, bool] = {}

    @callback
    def heard(message: mqtt.ReceiveMessage) -> None:
        if (node := node_of(message.topic)) is not None:
            online[node] = message.payload == ONLINE

    leave = await mqtt.async_subscribe(hass, EVERY_STATUS, heard, qos=1)
    try:
        await asyncio.sleep(LISTEN_S)
    finally:
        leave()
    return sorted(node for node, is_online in online.items() if is_online)
