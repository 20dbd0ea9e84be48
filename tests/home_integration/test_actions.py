"""Actions that answer."""

from pathlib import Path
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import MqttMockHAClient
from tests.home_integration.bedside import NODE, Bedside, bedside
from tests.home_integration.conftest import DOMAIN

STORY = {"title": "The Short Owl", "text": "An owl sat down. It slept.", "teller": "Ben", "language": "en"}


async def act(hass: HomeAssistant, action: str, *, answers: bool = True, **data: Any) -> Any:
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=answers)


@pytest.mark.usefixtures("entry")
async def test_a_night_is_asked_for(hass: HomeAssistant, bed: Bedside) -> None:
    with pytest.raises(HomeAssistantError, match="no night is kept yet"):
        await act(hass, "get_night")
    bed.box.command("begin")
    await bed.live(3600.0)
    await hass.async_block_till_done()
    night = await act(hass, "get_night")
    assert night["night"] == "2026-03-14"
    assert "no medical device" in night["note"] or "not a medical device" in night["note"].lower()
    assert await act(hass, "get_night", night_id="2026-03-14") == night
    with pytest.raises(HomeAssistantError, match="no night of '1999-01-01' is kept"):
        await act(hass, "get_night", night_id="1999-01-01")


async def test_a_story_is_put_on_the_shelf(hass: HomeAssistant, mqtt_mock: MqttMockHAClient, tmp_path: Path) -> None:
    shelf = tmp_path / "stories"
    shelf.mkdir()
    with bedside(hass, mqtt_mock, tmp_path, shelf) as bed:
        await bed.come()
        made = MockConfigEntry(domain=DOMAIN, unique_id=NODE, title="Bedside", data={"node": NODE})
        made.add_to_hass(hass)
        assert await hass.config_entries.async_setup(made.entry_id)
        await bed.say_again()
        added = await act(hass, "add_story", **STORY)
        assert (shelf / added["key"]).is_file()
        assert "An owl sat down." in (shelf / added["key"]).read_text()
        assert bed.asked("add_story") == [STORY]
        assert await act(hass, "add_story", answers=False, **{**STORY, "title": "Another"}) is None
        assert len(list(shelf.iterdir())) == 2


@pytest.mark.usefixtures("entry")
async def test_a_box_without_a_folder_of_its_own_says_so(hass: HomeAssistant) -> None:
    with pytest.raises(HomeAssistantError, match="only the stories that came with it"):
        await act(hass, "add_story", **STORY)


async def test_which_box_is_meant(hass: HomeAssistant, bed: Bedside, entry: MockConfigEntry) -> None:
    with pytest.raises(ServiceValidationError, match="No Somnisphere of that entry"):
        await act(hass, "get_night", config_entry_id="nothing")
    second = MockConfigEntry(domain=DOMAIN, unique_id="nursery", title="Nursery", data={"node": "nursery"})
    second.add_to_hass(hass)
    assert await hass.config_entries.async_setup(second.entry_id)
    with pytest.raises(ServiceValidationError, match="several Somnispheres: Bedside, Nursery"):
        await act(hass, "get_night")
    with pytest.raises(HomeAssistantError, match="no night is kept yet"):
        await act(hass, "get_night", config_entry_id=entry.entry_id)
    with pytest.raises(HomeAssistantError, match="nursery is not online"):
        await act(hass, "get_night", config_entry_id=second.entry_id)
    for each in (entry, second):
        await hass.config_entries.async_unload(each.entry_id)
    with pytest.raises(ServiceValidationError, match="No Somnisphere"):
        await act(hass, "get_night")
    assert len(bed.asked("night")) == 1
