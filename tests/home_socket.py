"""As much of Home Assistant's WebSocket as is used, over a real one, with moods: alive, hangs, drops, 401, garbage."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve


class FakeSocketHome:
    """``states`` by entity id; ``set`` tells whoever follows them. ``connections``, ``pings``: how many there were."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.engines: dict[str, list[str]] = {}
        self.mood = "alive"
        self.url = ""
        self.connections = 0
        self.pings = 0
        self.asked: list[dict[str, Any]] = []
        self._followers: list[tuple[ServerConnection, int, list[str]]] = []
        self._lock = threading.Lock()

    def set(self, entity_id: str, state: str) -> None:
        with self._lock:
            self.states[entity_id] = state
            for socket, number, entity_ids in list(self._followers):
                if entity_id in entity_ids:
                    self._tell(socket, number, entity_ids)

    def drop(self) -> None:
        """Every connection is lost, as when the home restarts."""
        with self._lock:
            followers, self._followers = self._followers, []
        for socket, _, _ in followers:
            socket.close()

    def handle(self, socket: ServerConnection) -> None:
        self.connections += 1
        with suppress(ConnectionClosed):
            if self.mood == "garbage":
                socket.send("<html>")
                return
            if self.mood == "hangs":
                socket.recv()  # which never comes: the other end waits for us
            socket.send(json.dumps({"type": "auth_required", "ha_version": "2025.4.4"}))
            json.loads(socket.recv())
            if self.mood == "rude":
                socket.send(json.dumps({"type": "what?"}))
                return
            if self.mood == "401":
                socket.send(json.dumps({"type": "auth_invalid", "message": "Invalid access token or password"}))
                return
            socket.send(json.dumps({"type": "auth_ok", "ha_version": "2025.4.4"}))
            for text in socket:
                if self.mood != "hangs":
                    self._answer(socket, json.loads(text))

    def _answer(self, socket: ServerConnection, asked: dict[str, Any]) -> None:
        result: Any = None
        self.asked.append(asked)
        if self.mood == "unwilling" and asked["type"] != "supported_features":
            error = {"code": "unknown_command", "message": "Unknown command."}
            socket.send(json.dumps({"id": asked["id"], "type": "result", "success": False, "error": error}))
            return
        match asked["type"]:
            case "ping":
                self.pings += 1
                socket.send(json.dumps({"id": asked["id"], "type": "pong"}))
                return
            case "tts/engine/list":
                result = {"providers": [_engine(*engine, asked.get("language", "")) for engine in self.engines.items()]}
        socket.send(json.dumps({"id": asked["id"], "type": "result", "success": True, "result": result}))
        if asked["type"] == "render_template":
            with self._lock:
                follower = (socket, asked["id"], re.findall(r"states\['([a-z0-9_.]+)'\]", asked["template"]))
                self._followers.append(follower)
                self._tell(*follower)

    def _tell(self, socket: ServerConnection, number: int, entity_ids: list[str]) -> None:
        result: Any = [self.states.get(entity_id, "") for entity_id in entity_ids]
        if self.mood == "odd":
            result = "nonsense"
        event = {"id": number, "type": "event", "event": {"result": result, "listeners": {}}}
        with suppress(ConnectionClosed):
            socket.send(json.dumps(event))


def _engine(engine_id: str, languages: list[str], language: str) -> dict[str, Any]:
    return {"engine_id": engine_id, "supported_languages": [one for one in languages if one.startswith(language[:2])]}


@contextmanager
def fake_socket_home(host: str = "127.0.0.1") -> Iterator[FakeSocketHome]:
    home = FakeSocketHome()
    with serve(home.handle, host, 0, close_timeout=0.2) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        home.url = f"http://{host}:{server.socket.getsockname()[1]}"
        yield home
        home.drop()
        server.shutdown()
        thread.join()
