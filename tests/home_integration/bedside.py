"""A whole box beside Home Assistant, in one process: its daemon says and hears over Home Assistant's MQTT client.

Only the broker between them is played: what one publishes the other hears at once, and retained words are kept.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message
from pytest_homeassistant_custom_component.typing import MqttMockHAClient
from tests.box import Box, box

from somnisphere_home.messages import Message

NODE = "bedside"
BASE = f"somnisphere/{NODE}"
STORY_S = 900.0


class Bedside:
    """``box`` is the real daemon. ``heard``: what Home Assistant published, oldest first."""

    def __init__(self, hass: HomeAssistant, mqtt: MqttMockHAClient, it: Box) -> None:
        self.box = it
        self.heard: list[tuple[str, str]] = []
        self.deaf = False
        self._hass = hass
        self._retained: dict[str, Message] = {}
        mqtt.async_publish.side_effect = self._home_says
        it.daemon.publish_through(self._say)

    async def settle(self) -> None:
        await self._hass.async_block_till_done()

    async def come(self) -> None:
        """It reaches the broker."""
        self.box.daemon.home_connected(self.box.at_s)
        await self.live(10.0)  # the shelf is said with the next look

    async def live(self, seconds: float) -> None:
        self.box.live(seconds)
        await self.settle()

    async def say_again(self) -> None:
        """What the broker holds, as a newcomer hears it; whoever heard it so before passes over it."""
        for message in tuple(self._retained.values()):
            async_fire_mqtt_message(self._hass, message.topic, message.payload, message.qos, retain=True)
        await self.settle()

    async def say(self, topic: str, payload: str | bytes) -> None:
        async_fire_mqtt_message(self._hass, topic, payload)
        await self.settle()

    def forget(self, *topics: str) -> None:
        """The broker holds these no more."""
        for topic in topics:
            self._retained.pop(topic, None)

    def asked(self, name: str) -> list[dict[str, Any]]:
        """What Home Assistant asked, without the mark of each question."""
        said = [json.loads(payload) for topic, payload in self.heard if topic == f"{BASE}/ask/{name}"]
        return [{key: value for key, value in each.items() if key != "id"} for each in said]

    def told(self, key: str) -> list[str]:
        return [payload for topic, payload in self.heard if topic == f"{BASE}/{key}/set"]

    def _say(self, message: Message) -> None:
        self.box.messages.append(message)
        if message.retain:
            self._retained[message.topic] = message
        async_fire_mqtt_message(self._hass, message.topic, message.payload, message.qos)

    async def _home_says(self, topic: str, payload: str | bytes, qos: int, retain: bool, **_newer: object) -> None:
        """``_newer``: what releases after 2025.4 say besides, such as how long the message is good for."""
        text = payload.decode() if isinstance(payload, bytes) else payload
        if not topic.startswith(f"{BASE}/"):
            return  # its own birth
        assert (qos, retain) == (1, False), "a wish is delivered once, and never kept"
        self.heard.append((topic, text))
        if not self.deaf:
            self.box.daemon.home_said(topic, text.encode(), retained=False, at_s=self.box.at_s)


@contextmanager
def bedside(
    hass: HomeAssistant, mqtt: MqttMockHAClient, folder: Path, stories: Path | None = None
) -> Iterator[Bedside]:
    with box(folder / "journal.db", connected=False, stories=stories, story_s=STORY_S) as it:
        yield Bedside(hass, mqtt, it)
