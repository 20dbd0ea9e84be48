"""Asking Home Assistant over REST: whatever goes wrong is an answer."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.brokers import free_port

from somnisphere_home.rest import EntityState, HomeAssistantClient, HomeRefused, HomeUnreachable

TIME = "2026-01-01T00:00:00+00:00"


class Home(BaseHTTPRequestHandler):
    """As much of the interface as is used, answering as 2025.4 does."""

    calls: list[tuple[str, Any]]
    more: list[Any] = []  # noqa: RUF012
    """Actions of newer versions."""

    def do_GET(self) -> None:
        if self.path == "/api/services":
            self._send(200, [{"domain": "light", "services": {"turn_off": {}, "picky": {}}}, *type(self).more])
            return
        if self.path.startswith("/api/tts_proxy/"):  # no token is needed: its name cannot be guessed
            if self.path.endswith("trickle.mp3"):
                self._send(200, b"", length=10_000)
                with suppress(OSError):  # the other end hangs up
                    while True:
                        self.wfile.write(b"x")
                        threading.Event().wait(0.05)
            sound = {"/api/tts_proxy/good.mp3": b"sound", "/api/tts_proxy/endless.mp3": b"x" * 2000}.get(self.path)
            self._send(500 if sound is None else 200, sound or {})
            return
        self._answer({"light.lamp": "on", "light.gone": "unavailable"}.get(self.path.rpartition("/")[2]))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/services/light/turn_off":
            type(self).calls.append((self.path, body))
            self._send(200, [])
        elif self.path == "/api/tts_get_url":
            type(self).calls.append((self.path, body))
            name = {"tts.good": "good", "tts.endless": "endless", "tts.mute": "mute", "tts.trickle": "trickle"}.get(
                body["engine_id"]
            )
            path = f"/api/tts_proxy/{name}.mp3"
            if body["engine_id"] in ("tts.odd", "tts.elsewhere"):
                odd = {"surprise": 1} if body["engine_id"] == "tts.odd" else {"path": "@elsewhere/x.mp3"}
                self._send(200, odd)
                return
            self._send(*((200, {"url": f"http://elsewhere{path}", "path": path}) if name else (500, {})))
        elif self.path == "/api/services/ai_task/generate_data?return_response" and type(self).more:
            type(self).calls.append((self.path, body))
            written = {"number": 7} if body["task_name"] == "odd" else "Once upon a time."
            answer = {"conversation_id": "x", "data": written}
            self._send(200, {"changed_states": [], "service_response": answer})
        elif self.path == "/api/services/light/crash":
            self._send(500, {})
        elif self.path == "/api/services/light/garbled":
            self._send(200, b"<html>")
        else:
            self._send(400, {"message": "Bad Request"})

    def _answer(self, state: str | None) -> None:
        if self.headers["Authorization"] != "Bearer good":
            self._send(401, {"message": "Unauthorized"})
        elif state is None:
            self._send(404, {"message": "Entity not found."})
        else:
            entity_id = self.path.rpartition("/")[2]
            times = {"last_changed": TIME, "last_updated": TIME, "last_reported": TIME}
            context = {"id": "x", "parent_id": None, "user_id": None}
            self._send(200, {"entity_id": entity_id, "state": state, "attributes": {}, "context": context, **times})

    def _send(self, code: int, body: Any, length: int | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    Home.calls = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Home) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@contextmanager
def client(url: str, token: str = "good") -> Iterator[HomeAssistantClient]:
    home = HomeAssistantClient(url, token, timeout_s=0.5)
    try:
        yield home
    finally:
        home.close()


def test_a_state_is_its_word(url: str) -> None:
    with client(url + "/") as home:
        assert home.state("light.lamp") == "on"


def test_what_is_not_there_or_not_known_is_none(url: str) -> None:
    with client(url) as home:
        assert home.state("light.nowhere") is None
        assert home.state("light.gone") is None


def test_a_state_with_its_attributes(url: str) -> None:
    with client(url) as home:
        assert home.attributes("light.gone") == EntityState("unavailable", {})
        assert home.attributes("light.nowhere") is None


def test_an_action_is_done(url: str) -> None:
    with client(url) as home:
        assert home.call("light", "turn_off", {"entity_id": "light.lamp"}) is None
    assert Home.calls == [("/api/services/light/turn_off", {"entity_id": "light.lamp"})]


def test_a_refusal_is_an_answer(url: str) -> None:
    with client(url) as home:
        for service in ("nonsense", "crash"):
            assert isinstance(home.call("light", service), HomeRefused)
    with client(url, token="bad") as home:
        answer = home.state("light.lamp")
        assert isinstance(answer, HomeRefused)
        assert "does not accept the access token" in answer.reason


def test_a_reply_that_is_no_reply_is_an_answer(url: str) -> None:
    with client(url) as home:
        assert isinstance(home.call("light", "garbled"), HomeUnreachable)


def test_a_home_that_is_down_is_an_answer() -> None:
    with client(f"http://127.0.0.1:{free_port()}") as home:
        answer = home.state("light.lamp")
        assert isinstance(answer, HomeUnreachable)
        assert "127.0.0.1" in answer.reason


def test_a_home_that_hangs_is_an_answer_in_time() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        client(f"http://127.0.0.1:{server.getsockname()[1]}") as home,
    ):
        answer = home.state("light.lamp")
        assert isinstance(answer, HomeUnreachable)
        assert "did not answer within 0.5 s" in answer.reason


def test_an_address_that_is_none_is_an_answer() -> None:
    with client("homeassistant") as home:
        assert isinstance(home.state("light.lamp"), HomeUnreachable)


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "homeassistant_api", None)
    with client("http://127.0.0.1") as home:
        answer = home.state("light.lamp")
        assert isinstance(answer, HomeUnreachable)
        assert "pip install 'somnisphere[home]'" in answer.reason


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    source = HomeAssistantClient("http://127.0.0.1", "good")
    assert source._client is None


def test_an_action_that_is_not_there_is_told_from_one_that_is_refused(url: str) -> None:
    with client(url) as home:
        assert home.call("light", "nonsense") == HomeRefused("there is no action light.nonsense")
        picky = home.call("light", "picky", {"brightness": "very"})
    assert isinstance(picky, HomeRefused)
    assert "refused" in picky.reason
    assert "there is no action" not in picky.reason


def test_a_call_on_what_is_not_there_is_refused_and_not_made(url: str) -> None:
    Home.calls.clear()
    with client(url) as home:
        assert home.call_on("light.nowhere", "turn_off") == HomeRefused("there is no light.nowhere")
        gone = home.call_on("light.gone", "turn_off")
        assert Home.calls == []
        assert home.call_on("light.lamp", "turn_off", {"transition": 3}) is None
    assert isinstance(gone, HomeRefused)
    assert "unavailable" in gone.reason
    assert Home.calls == [("/api/services/light/turn_off", {"entity_id": "light.lamp", "transition": 3})]


def test_a_call_on_something_in_a_home_that_is_away_is_an_answer() -> None:
    with client(f"http://127.0.0.1:{free_port()}") as home:
        assert isinstance(home.call_on("light.lamp", "turn_off"), HomeUnreachable)
        assert isinstance(home.ask_ai_task("dream", "Tell one."), HomeUnreachable)
        assert isinstance(home.ask_ai_task("dream", "Tell one.", "ai_task.x"), HomeUnreachable)
        assert isinstance(home.speech("tts.good", "Good night."), HomeUnreachable)


def test_an_older_home_has_no_ai_task(url: str) -> None:
    with client(url) as home:
        assert home.ask_ai_task("dream", "Tell one.") == HomeRefused("there is no action ai_task.generate_data")


def test_an_ai_task_writes(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "more", [{"domain": "ai_task", "services": {"generate_data": {}}}])
    Home.calls.clear()
    with client(url) as home:
        assert home.ask_ai_task("dream", "Tell one.") == "Once upon a time."
        assert isinstance(home.ask_ai_task("odd", "Count."), HomeRefused)
        assert home.ask_ai_task("dream", "Tell one.", "ai_task.none") == HomeRefused("there is no ai_task.none")
    assert [body for _, body in Home.calls] == [
        {"task_name": "dream", "instructions": "Tell one."},
        {"task_name": "odd", "instructions": "Count."},
    ]


def test_words_are_spoken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Home.calls.clear()
    monkeypatch.setattr("somnisphere_home.rest.MOST_SOUND_BYTES", 1000)
    with client(url) as home:
        assert home.speech("tts.good", "Good night.", "en_GB") == b"sound"
        assert home.speech("tts.good", "Good night.") == b"sound"
        for engine in ("tts.mute", "tts.endless", "tts.none", "tts.elsewhere"):
            assert isinstance(home.speech(engine, "Good night."), HomeRefused), engine
        for engine in ("tts.odd", "tts.trickle"):
            assert isinstance(home.speech(engine, "Good night."), HomeUnreachable), engine
    asked = {"engine_id": "tts.good", "message": "Good night."}
    assert [body for _, body in Home.calls[:2]] == [{**asked, "language": "en_GB"}, asked]
