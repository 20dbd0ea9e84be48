"""Everything that happens in Home Assistant while a test looks: its own events, in order, over the WebSocket."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.home.client import TIMEOUT_S, Client, HomeAssistantSaidNoError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

KINDS = ("state_changed", "call_service", "automation_triggered", "system_log_event")


@dataclass(frozen=True, slots=True)
class Happening:
    """One event; ``kind`` is one of ``KINDS``."""

    kind: str
    data: dict[str, Any]


class Recorder:
    """Use ``recording``. Thread-safe to read while it goes on."""

    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        self._lock = threading.Lock()
        self._happenings: list[Happening] = []

    def keep(self) -> None:
        while True:
            try:
                message = json.loads(self._socket.recv())
            except ConnectionClosed:
                return
            if message["type"] == "event":
                event = message["event"]
                with self._lock:
                    self._happenings.append(Happening(event["event_type"], event["data"]))

    def of(self, kind: str) -> list[dict[str, Any]]:
        with self._lock:
            return [happening.data for happening in self._happenings if happening.kind == kind]

    def states_of(self, entity_id: str) -> list[dict[str, Any]]:
        """Each state that an entity came to, in order (its removal left out)."""
        return [
            data["new_state"]
            for data in self.of("state_changed")
            if data["entity_id"] == entity_id and data["new_state"] is not None
        ]

    def actions(self) -> list[tuple[str, dict[str, Any]]]:
        """``("light.turn_on", {...})`` for each action that anybody called."""
        return [(f"{data['domain']}.{data['service']}", data["service_data"]) for data in self.of("call_service")]


@contextmanager
def recording(client: Client) -> Iterator[Recorder]:
    """Records from here to the end of the block."""
    with connect(client.url.replace("http", "ws", 1) + "/api/websocket", max_size=None, proxy=None) as socket:
        json.loads(socket.recv(TIMEOUT_S))  # auth_required
        socket.send(json.dumps({"type": "auth", "access_token": client.token}))
        if json.loads(socket.recv(TIMEOUT_S))["type"] != "auth_ok":
            raise HomeAssistantSaidNoError("the token is not accepted")
        for number, kind in enumerate(KINDS, 1):
            socket.send(json.dumps({"id": number, "type": "subscribe_events", "event_type": kind}))
            # Events of the kinds before it may come first: they belong to nobody yet.
            while json.loads(socket.recv(TIMEOUT_S)).get("id") != number:
                pass
        recorder = Recorder(socket)
        thread = threading.Thread(target=recorder.keep, name="recorder")
        thread.start()
        try:
            yield recorder
        finally:
            socket.close()
            thread.join(10)
