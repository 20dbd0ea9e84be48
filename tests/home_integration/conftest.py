"""Our folder among the custom components, MQTT that is real but for its socket, and a box beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import MqttMockHAClient
from tests.home_integration.bedside import NODE, Bedside, bedside

import custom_components

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = "somnisphere"

custom_components.__path__ = [str(ROOT / "integrations" / "custom_components"), *custom_components.__path__]
"""The plugin brings a package of that name along, which would hide ours."""


@pytest.fixture(autouse=True)
def our_integration(enable_custom_integrations: None) -> None:
    """Home Assistant finds it."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def expected_lingering_timers() -> bool:
    """The MQTT integration's own outlive a test."""
    return True


@pytest.fixture
def bed(hass: HomeAssistant, mqtt_mock: MqttMockHAClient, tmp_path: Path) -> Iterator[Bedside]:
    """A box with the starter stories, not yet at the broker."""
    with bedside(hass, mqtt_mock, tmp_path) as made:
        yield made


@pytest.fixture
async def entry(hass: HomeAssistant, bed: Bedside) -> MockConfigEntry:
    """The box is at the broker, announced over MQTT, and set up."""
    await bed.come()
    made = MockConfigEntry(domain=DOMAIN, unique_id=NODE, title="Bedside", data={"node": NODE})
    made.add_to_hass(hass)
    assert await hass.config_entries.async_setup(made.entry_id)
    await bed.say_again()
    for offered in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(offered["flow_id"])  # an entry that a person added would have done it
    return made
