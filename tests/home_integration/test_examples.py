"""What the README shows, in a Home Assistant."""

import re
from typing import Any

import pytest
from homeassistant.components import automation
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from pytest_homeassistant_custom_component.common import async_mock_service
from tests.home_integration.bedside import BASE, Bedside
from tests.home_integration.conftest import DOMAIN, ROOT

README = (ROOT / "integrations" / "custom_components" / "README.md").read_text()
EXAMPLES: list[Any] = [parse_yaml(block) for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]
ACTIONS = [example for example in EXAMPLES if "action" in example]
AUTOMATIONS = [example for example in EXAMPLES if "triggers" in example]


def test_there_are_examples_of_both() -> None:
    assert (len(ACTIONS), len(AUTOMATIONS)) == (1, 2)


@pytest.mark.usefixtures("entry")
async def test_the_action_plays_the_story_from_its_beginning(hass: HomeAssistant, bed: Bedside) -> None:
    [example] = ACTIONS
    domain, service = example["action"].split(".")
    await hass.services.async_call(domain, service, example["data"], target=example["target"], blocking=True)
    assert bed.asked("play") == [{"key": "The lamp that learned to land", "position_s": 0}]


@pytest.mark.usefixtures("entry")
async def test_the_automations_run(hass: HomeAssistant, bed: Bedside) -> None:
    lights, told = (
        async_mock_service(hass, "light", "turn_off"),
        async_mock_service(hass, "notify", "persistent_notification"),
    )
    named = [{"alias": f"example {n}", **example} for n, example in enumerate(AUTOMATIONS)]
    assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: named})
    await hass.services.async_call("media_player", "media_play", {"entity_id": "media_player.bedside"}, blocking=True)
    for _ in range(30):
        await bed.live(30.0)
    assert [call.data["entity_id"] for call in lights] == [["light.hall"]], "once, as the story fell"
    bed.box.command("begin")
    await bed.live(600.0)
    moment = '{"event_type": "left_bed", "night_id": "2026-03-14", "at": "2026-03-15T07:00:00+01:00", "confidence": 1}'
    await bed.say(f"{BASE}/sleep_moment/event", moment)
    await hass.async_block_till_done()
    [call] = told
    assert re.fullmatch(r"Between \d+(\.\d+)? and \d+(\.\d+)? minutes of sleep\.", call.data["message"])


@pytest.mark.usefixtures("entry")
async def test_home_assistant_knows_the_words(hass: HomeAssistant) -> None:
    described = (await async_get_all_descriptions(hass))[DOMAIN]
    assert described.keys() == {"get_night", "add_story"}
    assert described["get_night"]["response"] == {"optional": False}
    assert described["add_story"]["response"] == {"optional": True}
    german = await async_get_translations(hass, "de", "services", {DOMAIN})
    assert german[f"component.{DOMAIN}.services.get_night.name"] == "Nacht abfragen"
    state = hass.states.get("media_player.bedside")
    assert state is not None
    words = await async_get_translations(hass, "en", "entity", {DOMAIN})
    head = f"component.{DOMAIN}.entity.media_player.player.state_attributes."
    named = {key.removeprefix(head).split(".")[0] for key in words if key.startswith(head)}
    theirs = {"volume_level", "friendly_name", "supported_features"}
    assert named == state.attributes.keys() - theirs
