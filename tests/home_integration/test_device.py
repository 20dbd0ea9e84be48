"""On which device's page the player is, what is told to whoever mends, and how an entry ends."""

import json
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from tests.home_integration.bedside import BASE, NODE, Bedside
from tests.home_integration.conftest import DOMAIN

PLAYER = "media_player.bedside"
DISCOVERY = f"homeassistant/device/somnisphere_{NODE}/config"


def page_of(hass: HomeAssistant, entity_id: str) -> dr.DeviceEntry:
    entity = er.async_get(hass).async_get(entity_id)
    assert entity is not None
    assert entity.device_id is not None
    device = dr.async_get(hass).async_get(entity.device_id)
    assert device is not None
    return device


@pytest.mark.usefixtures("entry")
async def test_the_player_is_on_the_page_of_all_the_rest(hass: HomeAssistant) -> None:
    assert page_of(hass, PLAYER).id == page_of(hass, "sensor.bedside_phase").id
    state = hass.states.get(PLAYER)
    assert state is not None
    assert state.name == page_of(hass, PLAYER).name == "Somnisphere"


async def test_a_box_that_does_not_announce_itself_gets_a_page(hass: HomeAssistant, bed: Bedside) -> None:
    made = MockConfigEntry(domain=DOMAIN, unique_id=NODE, title="Bedside", data={"node": NODE})
    made.add_to_hass(hass)
    assert await hass.config_entries.async_setup(made.entry_id)
    page = page_of(hass, PLAYER)
    assert page.identifiers == {(DOMAIN, NODE)}
    assert (page.name, page.manufacturer) == ("Bedside", "Somnisphere")

    await bed.come()  # it announces itself after all
    await hass.async_block_till_done()
    assert made.state is ConfigEntryState.LOADED
    await bed.say_again()
    assert page_of(hass, PLAYER).id == page_of(hass, "sensor.bedside_phase").id
    assert dr.async_get(hass).async_get(page.id) is None, "the page made for it went"
    state = hass.states.get(PLAYER)
    assert state is not None
    assert state.state == "idle"


async def test_the_player_outlives_the_announcement(hass: HomeAssistant, bed: Bedside, entry: MockConfigEntry) -> None:
    """``somnisphere discovery clear``, with the box still at the broker."""
    await bed.say(DISCOVERY, "")
    await hass.async_block_till_done()
    assert er.async_get(hass).async_get("sensor.bedside_phase") is None
    assert er.async_get(hass).async_get(PLAYER) is not None
    assert entry.state is ConfigEntryState.LOADED


async def test_an_entry_ends_without_a_trace(hass: HomeAssistant, bed: Bedside, entry: MockConfigEntry) -> None:
    page = page_of(hass, PLAYER)
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(PLAYER) is None
    assert er.async_get(hass).async_get(PLAYER) is None
    left = dr.async_get(hass).async_get(page.id)
    assert left is not None, "the box's own page stays"
    assert er.async_get(hass).async_get("sensor.bedside_phase") is not None
    await bed.say(f"{BASE}/status", "offline")  # nobody listens, nothing breaks


@pytest.mark.usefixtures("socket_enabled")
async def test_diagnostics_tell_nothing_of_a_body_or_a_listener(
    hass: HomeAssistant, bed: Bedside, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    await hass.services.async_call("media_player", "media_play", {"entity_id": PLAYER}, blocking=True)
    await bed.live(30.0)
    told: dict[str, Any] = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert told["online"] is told["player_online"] is told["broker_online"] is told["announced_over_mqtt"] is True
    assert told["entry"] == {"node": NODE}
    assert told["shelf"]["stories"] == len(bed.box.states("shelf")[-1]["stories"])
    assert told["questions"] == {"asked": 1, "refused": 0, "unanswered": 0}
    assert told["story"]["story_playing_attributes"]["duration_s"] > 60
    assert told["ritual"]["phase"] == "**REDACTED**"
    text = json.dumps(told)
    for story in bed.box.states("shelf")[-1]["stories"]:
        assert story["title"] not in text
        assert story["key"] not in text
    hidden = told["story"]["story_playing_attributes"] | told["story"]["story_attributes"]
    assert hidden["fade_db"] == hidden["bookmark"] == "**REDACTED**"
    body = {"stage", "heart", "breath", "oxygen", "asleep", "likelihood", "rmssd"}
    assert not [word for word in body if word in text]
