"""The card reader in a real Home Assistant: a tag scanner of our device, and a card is a tag that was scanned."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.home.broker import Broker
from tests.home.client import wait_until
from tests.home.harness import HomeAssistant

from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.messages import Topics
from somnisphere_home.tags import clear_tag_message, scan_message, tag_message

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

TOPICS = Topics("card_probe")
DEVICE = DeviceInfo(name="Card probe", sw_version="1")


def devices(home: HomeAssistant) -> list[dict[str, Any]]:
    every = home.client.command("config/device_registry/list")
    return [device for device in every if ["mqtt", TOPICS.device_id] in device["identifiers"]]


def scanned(home: HomeAssistant) -> set[str]:
    return {tag["id"] for tag in home.client.command("tag/list") if tag.get("last_scanned")}


@pytest.fixture
def scanner(home: HomeAssistant, broker: Broker) -> Iterator[Broker]:
    told = tag_message(TOPICS, DEVICE)
    broker.publish(told.topic, told.payload, told.retain)
    wait_until(lambda: devices(home), "the scanner's device")
    yield broker
    cleared = clear_tag_message(TOPICS)
    broker.publish(cleared.topic, cleared.payload, cleared.retain)
    wait_until(lambda: not devices(home), "the scanner's device to go")


def test_a_card_laid_on_is_a_tag_scanned(home: HomeAssistant, scanner: Broker) -> None:
    assert devices(home)[0]["name"] == "Card probe"
    for card_id in ("04A2B3C4D5E680", "0012345678", "123456E7"):  # the last two must not become numbers
        assert card_id not in scanned(home)

        def is_scanned(card_id: str = card_id) -> bool:
            scan = scan_message(TOPICS, card_id, "2026-03-14T19:30:00+01:00", "The boat")
            scanner.publish(scan.topic, scan.payload, scan.retain)  # again: nobody may have listened yet
            return card_id in scanned(home)

        wait_until(is_scanned, f"the scan of {card_id}", every_s=0.5)
    assert home.trouble() == []
