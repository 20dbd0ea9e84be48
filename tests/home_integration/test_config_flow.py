"""A box is added when it speaks up, or when it is looked for."""

from types import SimpleNamespace

import pytest
from homeassistant.config_entries import SOURCE_MQTT, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service_info.mqtt import MqttServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry
from tests.home_integration.bedside import BASE, NODE, Bedside
from tests.home_integration.conftest import DOMAIN

from custom_components.somnisphere import config_flow


def spoke(topic: str = f"{BASE}/status", payload: str = "online") -> MqttServiceInfo:
    return MqttServiceInfo(
        topic=topic, payload=payload, qos=1, retain=True, subscribed_topic="somnisphere/+/status", timestamp=0.0
    )


async def test_a_box_that_speaks_up_is_offered_and_added(hass: HomeAssistant, bed: Bedside) -> None:
    """Through Home Assistant's own listening to the topic of the manifest."""
    await bed.come()
    offered = hass.config_entries.flow.async_progress()
    assert [flow["handler"] for flow in offered] == [DOMAIN]
    assert offered[0]["context"]["title_placeholders"] == {"name": NODE}, "it is announced a moment later"
    form = await hass.config_entries.flow.async_configure(offered[0]["flow_id"])
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"] == {"name": "Somnisphere", "node": NODE}
    made = await hass.config_entries.flow.async_configure(offered[0]["flow_id"], {})
    await hass.async_block_till_done()
    assert made["type"] is FlowResultType.CREATE_ENTRY
    assert (made["title"], made["data"]) == ("Somnisphere", {"node": NODE})
    assert made["result"].unique_id == NODE
    assert made["result"].state is ConfigEntryState.LOADED
    assert er.async_get(hass).async_get("media_player.bedside") is not None


@pytest.mark.usefixtures("entry")
async def test_a_box_is_offered_once(hass: HomeAssistant, bed: Bedside) -> None:
    await bed.say(f"{BASE}/status", "offline")
    await bed.say(f"{BASE}/status", "online")
    assert hass.config_entries.flow.async_progress() == []
    again = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_MQTT}, data=spoke())
    assert (again["type"], again["reason"]) == (FlowResultType.ABORT, "already_configured")


@pytest.mark.usefixtures("mqtt_mock")
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (spoke(payload="offline"), "box_away"),
        (spoke(payload=""), "box_away"),
        (spoke("somnisphere/house/status"), "not_a_box"),
        (spoke("somnisphere/a bed/status"), "not_a_box"),
    ],
)
async def test_what_is_no_box_that_is_there_is_passed_over(
    hass: HomeAssistant, said: MqttServiceInfo, reason: str
) -> None:
    found = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_MQTT}, data=said)
    assert (found["type"], found["reason"]) == (FlowResultType.ABORT, reason)


async def test_a_box_is_looked_for(hass: HomeAssistant, bed: Bedside, monkeypatch: pytest.MonkeyPatch) -> None:
    async def time_passes(_seconds: float) -> None:
        for node, status in (("attic", "offline"), ("nursery", "online"), ("house", "online")):
            await bed.say(f"somnisphere/{node}/status", status)
        await bed.say_again()

    await bed.come()
    monkeypatch.setattr(config_flow, "asyncio", SimpleNamespace(sleep=time_passes))
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "user")
    assert form["data_schema"] is not None
    selector = form["data_schema"].schema["node"]
    assert selector.config["options"] == [
        {"value": "bedside", "label": "Somnisphere (bedside)"},
        {"value": "nursery", "label": "nursery"},
    ]
    made = await hass.config_entries.flow.async_configure(form["flow_id"], {"node": "bedside"})
    await hass.async_block_till_done()
    assert made["type"] is FlowResultType.CREATE_ENTRY
    assert made["data"] == {"node": "bedside"}
    again = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert again["data_schema"] is not None
    assert [each["value"] for each in again["data_schema"].schema["node"].config["options"]] == ["nursery"]


@pytest.mark.usefixtures("mqtt_mock")
async def test_nobody_there_is_said(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_flow, "LISTEN_S", 0.0)
    found = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (found["type"], found["reason"]) == (FlowResultType.ABORT, "no_box")


@pytest.mark.usefixtures("mqtt_mock")
async def test_without_mqtt_it_is_said(hass: HomeAssistant) -> None:
    for each in hass.config_entries.async_entries("mqtt"):
        await hass.config_entries.async_remove(each.entry_id)
    found = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (found["type"], found["reason"]) == (FlowResultType.ABORT, "mqtt_away")
    waiting = MockConfigEntry(domain=DOMAIN, unique_id=NODE, title="Bedside", data={"node": NODE})
    waiting.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(waiting.entry_id)
    assert waiting.state is ConfigEntryState.SETUP_RETRY
    assert (
        waiting.reason == "Home Assistant's MQTT integration is not set up, or not connected"
    )  # Home Assistant drops the full stop
