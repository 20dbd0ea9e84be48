"""As much of Home Assistant's REST interface as is used, over real HTTP, with moods: alive, slow, dead, refusing."""

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TIME = "2026-01-01T00:00:00+00:00"


class FakeHome:
    """``states`` by entity id as (state, attributes); ``rendered``: of any template. ``mood``: alive,
    slow, hangs, 401, 500, garbage or dead."""

    def __init__(self) -> None:
        self.states: dict[str, tuple[str, dict[str, Any]]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.configuration: dict[str, Any] = {"version": "2026.1.0", "time_zone": "UTC"}
        self.rendered = "0"
        self.mood = "alive"
        self.release = threading.Event()
        self.url = ""
        self.held = 0
        """Requests that hang, or did."""

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def data(self, name: str) -> list[dict[str, Any]]:
        return [data for called, data in self.calls if called == name]

    def does(self, service: str, data: dict[str, Any]) -> None:
        """What a good player and a good light do."""
        entity_id = data["entity_id"]
        state, attributes = self.states[entity_id]
        match service:
            case "media_player/play_media":
                state, attributes["media_content_id"] = "playing", data["media_content_id"]
            case "media_player/media_play":
                state = "playing"
            case "media_player/media_pause":
                state = "paused"
            case "media_player/media_stop":
                state = "idle"
            case "media_player/volume_set":
                attributes["volume_level"] = data["volume_level"]
            case "light/turn_on":
                state, attributes["brightness"] = "on", data["brightness"]
            case "light/turn_off":
                state = "off"
        self.states[entity_id] = (state, attributes)


@contextmanager
def fake_home(host: str = "127.0.0.1") -> Iterator[FakeHome]:
    home = FakeHome()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self._is_moody():
                return
            if self.path == "/api/config":
                self._send(200, home.configuration)
                return
            entity_id = self.path.rpartition("/")[2]
            if entity_id not in home.states:
                self._send(404, {"message": "Entity not found."})
                return
            state, attributes = home.states[entity_id]
            times = {"last_changed": TIME, "last_updated": TIME, "last_reported": TIME}
            context = {"id": "x", "parent_id": None, "user_id": None}
            body = {"entity_id": entity_id, "state": state, "attributes": attributes, "context": context, **times}
            self._send(200, body)

        def do_POST(self) -> None:
            data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self._is_moody():
                return
            if self.path.startswith("/api/events/"):
                home.events.append((self.path.removeprefix("/api/events/"), data))
                self._send(200, {"message": "Event fired."})
                return
            if self.path == "/api/template":
                self._send(200, home.rendered.encode(), "text/plain")
                return
            service = self.path.removeprefix("/api/services/")
            home.calls.append((service.partition("/")[2], data))
            home.does(service, data)
            self._send(200, [])

        def _is_moody(self) -> bool:
            if home.mood == "slow":
                home.held += 1
                home.release.wait(20)
            if home.mood in ("alive", "slow"):
                return False
            if home.mood == "hangs":
                home.held += 1
                home.release.wait(10)
            elif home.mood == "garbage":
                self._send(200, b"<html>")
            elif home.mood in ("401", "500"):
                self._send(int(home.mood), {"message": "no"})
            self.close_connection = True
            return True

        def _send(self, code: int, body: Any, kind: str = "application/json") -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def server_bind(self) -> None:
            """As the base class, which would ask the network for a name of this machine."""
            socketserver.TCPServer.server_bind(self)
            self.server_name, self.server_port = host, int(self.server_address[1])

    with Server((host, 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        home.url = f"http://{host}:{server.server_address[1]}"
        yield home
        home.release.set()
        server.shutdown()
        thread.join()


def settle(is_busy: Callable[[], bool], step: Callable[[], None], within_s: float = 5.0) -> None:
    """Step, at a standing clock, until nothing more is asked. (The HTTP is real, so some real time passes.)"""
    end_s = time.monotonic() + within_s
    while True:
        step()
        if not is_busy():
            return
        assert time.monotonic() < end_s, "still busy"
        time.sleep(0.002)
