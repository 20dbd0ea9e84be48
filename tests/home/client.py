"""Home Assistant asked and told over its own REST and WebSocket interfaces, with as little between as can be."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tests.home.release import RELEASE
from websockets.sync.client import connect

CLIENT_ID = "http://127.0.0.1/"
TIMEOUT_S = 20.0

Answer = TypeVar("Answer")


class HomeAssistantSaidNoError(Exception):
    """An answer other than success, with Home Assistant's own words."""


def wait_until(
    condition: Callable[[], Answer | None], what: str, within_s: float = 20.0, every_s: float = 0.05
) -> Answer:
    """The first true answer of ``condition``; it is a real process that is waited for, so by the wall clock."""
    end_s = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end_s:
            raise TimeoutError(f"waited {within_s:.0f} s for {what}; last seen: {answer!r}")
        time.sleep(every_s)


RELOADED_WITHIN_S = 90.0
"""Home Assistant loads an integration again 30 s after an entity of it was enabled."""


class Client:
    """One signed-in user. ``token`` "" until ``onboard``."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self.token = token

    # ---- REST -------------------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: object = None, form: Mapping[str, str] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        elif body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                raise HomeAssistantSaidNoError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text

    def answers(self) -> bool:
        """Whether somebody listens at all. After the first steps there is no onboarding to ask for."""
        try:
            self.request("GET", "/api/config" if self.token else "/api/onboarding")
        except (OSError, HomeAssistantSaidNoError):
            return False
        return True

    def is_running(self) -> bool:
        return bool(self.request("GET", "/api/config")["state"] == "RUNNING")

    def states(self) -> dict[str, dict[str, Any]]:
        """All entities: id -> {state, attributes, last_changed, ...}."""
        return {state["entity_id"]: state for state in self.request("GET", "/api/states")}

    def present(self) -> set[str]:
        """Entities that an integration stands behind. For one that is turned on but not yet loaded, 2026.11 shows a
        stand-in out of its registry."""
        return {entity_id for entity_id, state in self.states().items() if not state["attributes"].get("restored")}

    def state(self, entity_id: str) -> dict[str, Any] | None:
        return self.states().get(entity_id)

    def call(self, action: str, **data: object) -> None:
        """``call("light.turn_on", entity_id="light.x")``; done when it returns."""
        self.request("POST", f"/api/services/{action.replace('.', '/', 1)}", data)

    def render(self, template: str, **variables: object) -> str:
        """What Home Assistant itself makes of a template."""
        return str(self.request("POST", "/api/template", {"template": template, "variables": variables}))

    # ---- first steps ------------------------------------------------------------------------------------------------

    def onboard(self) -> None:
        """Makes the owner and keeps a long-lived token, as the first page of a new Home Assistant does."""
        owner = {"name": "Sleeper", "username": "sleeper", "password": "good night", "language": "en"}
        made = self.request("POST", "/api/onboarding/users", {"client_id": CLIENT_ID, **owner})
        form = {"grant_type": "authorization_code", "code": made["auth_code"], "client_id": CLIENT_ID}
        self.token = self.request("POST", "/auth/token", form=form)["access_token"]
        self.token = self.command("auth/long_lived_access_token", client_name="tests", lifespan=30)

    def add_mqtt(self, port: int) -> None:
        """The MQTT integration, through the same form a person fills in."""
        flow = self.request(
            "POST", "/api/config/config_entries/flow", {"handler": "mqtt", "show_advanced_options": False}
        )
        filled_in = {"broker": "127.0.0.1", "port": port, **RELEASE.mqtt_form}
        answer = self.request("POST", f"/api/config/config_entries/flow/{flow['flow_id']}", filled_in)
        if answer["type"] != "create_entry":
            raise HomeAssistantSaidNoError(f"MQTT entry: {answer}")

    # ---- WebSocket --------------------------------------------------------------------------------------------------

    def command(self, kind: str, **details: object) -> Any:
        """One command and its result, over a connection of its own."""
        with connect(self.url.replace("http", "ws", 1) + "/api/websocket", max_size=None, proxy=None) as socket:
            json.loads(socket.recv(TIMEOUT_S))  # auth_required
            socket.send(json.dumps({"type": "auth", "access_token": self.token}))
            hello = json.loads(socket.recv(TIMEOUT_S))
            if hello["type"] != "auth_ok":
                raise HomeAssistantSaidNoError(str(hello))
            socket.send(json.dumps({"id": 1, "type": kind, **details}))
            answer = json.loads(socket.recv(TIMEOUT_S))
        if not answer["success"]:
            raise HomeAssistantSaidNoError(f"{kind}: {answer['error']}")
        return answer["result"]

    def device_entities(self, identifier: str) -> dict[str, dict[str, Any]]:
        """Registry entries of the MQTT device with this identifier: unique id -> entry (with ``entity_id``)."""
        devices = {
            device["id"]
            for device in self.command("config/device_registry/list")
            if ["mqtt", identifier] in device["identifiers"]
        }
        every = self.command("config/entity_registry/list")
        return {entry["unique_id"]: entry for entry in every if entry["device_id"] in devices}

    def enable_all(self, identifier: str) -> None:
        """Entities off by default turned on, as on the device's page. Home Assistant loads MQTT again half a minute
        later: wait for them to be ``present``, up to ``RELOADED_WITHIN_S``."""
        for entry in self.device_entities(identifier).values():
            if entry["disabled_by"] is not None:
                self.command("config/entity_registry/update", entity_id=entry["entity_id"], disabled_by=None)

    def logged(self) -> list[dict[str, Any]]:
        """Warnings and errors as Home Assistant's own page "Logs" lists them."""
        listed: list[dict[str, Any]] = self.command("system_log/list")
        return listed

    def complaints(self) -> list[dict[str, Any]]:
        """Open issues of the page "Repairs", but for those of the way the tests run it."""
        issues: list[dict[str, Any]] = self.command("repairs/list_issues")["issues"]
        return [issue for issue in issues if (issue["domain"], issue["issue_id"]) not in RELEASE.expected_issues]
