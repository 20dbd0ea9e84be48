"""One box on the broker: what it says, kept; what is wished of it, asked and answered."""

import asyncio
import json
import logging
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypedDict

from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .shelf import Shelf, read_shelf
from .topics import ONLINE, Topics

_LOGGER = logging.getLogger(__name__)

ANSWER_WITHIN_S = 15.0
"""A box that adds a story may have a book to write; one that is there answers the rest within a second."""

Answer: TypeAlias = dict[str, Any]
_Waiting: TypeAlias = asyncio.Future[Answer]


class _Words(TypedDict):
    """What an error says, in the reader's language."""

    translation_domain: str
    translation_key: str
    translation_placeholders: dict[str, str]


async def mqtt_is_ready(hass: HomeAssistant) -> bool:
    """Waits for an MQTT entry that is being set up. (2025.4 falls over an MQTT integration without any entry.)"""
    return bool(hass.config_entries.async_entries("mqtt")) and await mqtt.async_wait_for_mqtt_client(hass)


class Box:
    """``story`` and ``ritual``: the latest of these groups of states, {} before the first word."""

    def __init__(self, hass: HomeAssistant, node: str) -> None:
        self.topics = Topics(node)
        self.online = False
        self.player_online = False
        self.broker_online = False
        self.story: Answer = {}
        self.story_at: datetime | None = None
        """When ``story`` was heard: its position was true then."""
        self.ritual: Answer = {}
        self.shelf = Shelf()
        self.asked = self.refused = self.unanswered = 0
        """Questions and commands since the start, for diagnostics."""
        self._hass = hass
        self._was_there: bool | None = None
        self._listeners: list[Callable[[], None]] = []
        self._leave: list[Callable[[], None]] = []
        self._questions: dict[str, _Waiting] = {}
        self._commands: defaultdict[str, deque[_Waiting]] = defaultdict(deque)

    @property
    def is_there(self) -> bool:
        return self.broker_online and self.online

    # ---- its life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Answers are subscribed to first: what is heard of the box later means that they are heard, too."""
        self.broker_online = mqtt.is_connected(self._hass)
        self._leave.append(mqtt.async_subscribe_connection_status(self._hass, self._broker_said))
        for topic, heard in (
            (self.topics.answers, self._answered),
            (self.topics.command_results, self._obeyed),
            (self.topics.shelf, self._shelf_said),
            (self.topics.story, self._story_said),
            (self.topics.ritual, self._ritual_said),
            (self.topics.player_status, self._player_said),
            (self.topics.status, self._status_said),
        ):
            self._leave.append(await mqtt.async_subscribe(self._hass, topic, heard, qos=1))

    @callback
    def stop(self) -> None:
        """Nothing is heard any more; whoever waits is told that there will be no answer."""
        while self._leave:
            self._leave.pop()()
        waiting = [*self._questions.values(), *(future for line in self._commands.values() for future in line)]
        for future in waiting:
            future.cancel()

    @callback
    def async_listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """``listener`` is called after each change; call the result to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def _changed(self) -> None:
        if self._was_there is not self.is_there:
            if self._was_there is not None:
                _LOGGER.info("The box %s is %s", self.topics.node, "back" if self.is_there else "away")
            self._was_there = self.is_there
        for listener in tuple(self._listeners):
            listener()

    # ---- what it says -----------------------------------------------------------------------------------------------

    @callback
    def _broker_said(self, connected: bool) -> None:
        self.broker_online = connected
        self._changed()

    @callback
    def _status_said(self, message: mqtt.ReceiveMessage) -> None:
        self.online = message.payload == ONLINE
        self._changed()

    @callback
    def _player_said(self, message: mqtt.ReceiveMessage) -> None:
        self.player_online = message.payload == ONLINE
        self._changed()

    @callback
    def _story_said(self, message: mqtt.ReceiveMessage) -> None:
        self.story, self.story_at = _read(message), dt_util.utcnow()
        self._changed()

    @callback
    def _ritual_said(self, message: mqtt.ReceiveMessage) -> None:
        self.ritual = _read(message)
        self._changed()

    @callback
    def _shelf_said(self, message: mqtt.ReceiveMessage) -> None:
        self.shelf = read_shelf(_read(message))
        self._changed()

    # ---- what is wished of it ---------------------------------------------------------------------------------------

    async def ask(self, name: str, **said: Any) -> Answer:
        """The answer to a question; what is None is not said. Raises ``HomeAssistantError``."""
        question = {key: value for key, value in said.items() if value is not None}
        asked_id = uuid.uuid4().hex
        future = self._hass.loop.create_future()
        self._questions[asked_id] = future
        try:
            result = await self._send(self.topics.ask(name), json.dumps({**question, "id": asked_id}), future)
        finally:
            del self._questions[asked_id]
        answer = result.get("answer")
        return answer if isinstance(answer, dict) else {}

    async def command(self, key: str, payload: str = "PRESS") -> None:
        """Done when the box says that it took it. Results carry no id: the oldest one who waits takes the next."""
        future = self._hass.loop.create_future()
        line = self._commands[key]
        line.append(future)
        try:
            await self._send(self.topics.command(key), payload, future)
        finally:
            if future in line:
                line.remove(future)

    async def _send(self, topic: str, payload: str, future: _Waiting) -> Answer:
        if not self.is_there:
            raise HomeAssistantError(**self._words("box_away"))
        self.asked += 1
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await mqtt.async_publish(self._hass, topic, payload, qos=1)
                result = await future
        except TimeoutError:
            self.unanswered += 1
            raise HomeAssistantError(**self._words("no_answer", seconds=f"{ANSWER_WITHIN_S:.0f}")) from None
        if result.get("ok") is not True:
            self.refused += 1
            # Nearly always something that whoever asked can mend: a title that is not there, a text that is too long.
            raise ServiceValidationError(**self._words("refused", reason=str(result.get("error") or "?")))
        return result

    def _words(self, key: str, **words: str) -> _Words:
        return {
            "translation_domain": DOMAIN,
            "translation_key": key,
            "translation_placeholders": {"node": self.topics.node, **words},
        }

    @callback
    def _answered(self, message: mqtt.ReceiveMessage) -> None:
        result = _read(message)
        future = self._questions.get(str(result.get("id")))
        if future is not None and not future.done():
            future.set_result(result)

    @callback
    def _obeyed(self, message: mqtt.ReceiveMessage) -> None:
        line = self._commands.get(self.topics.result_key(message.topic))
        if line:
            future = line.popleft()
            if not future.done():
                future.set_result(_read(message))


SomnisphereEntry: TypeAlias = ConfigEntry[Box]


def _read(message: mqtt.ReceiveMessage) -> Answer:
    """A JSON object, or {} for anything else: whoever wrote that to the broker, it is no reason to fall over."""
    if not message.payload:  # a topic that was cleared
        return {}
    try:
        said = json.loads(message.payload)
    except ValueError:
        said = None
    if not isinstance(said, Mapping):
        _LOGGER.warning("On %s is no JSON object; is something else writing there?", message.topic)
        return {}
    return dict(said)
