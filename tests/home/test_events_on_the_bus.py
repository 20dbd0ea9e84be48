"""Moments on a real Home Assistant's bus, as an automation with an event trigger would hear them."""

import json

import pytest
from tests.home.client import TIMEOUT_S, wait_until
from tests.home.harness import HomeAssistant
from websockets.sync.client import connect

from somnisphere.home_events import EVENT, HomeEvents
from somnisphere_home.rest import HomeAssistantClient, HomeRefused

pytestmark = pytest.mark.home


def test_a_moment_is_an_event_of_the_home(home: HomeAssistant) -> None:
    client = home.client
    with connect(client.url.replace("http", "ws", 1) + "/api/websocket", max_size=None, proxy=None) as socket:
        json.loads(socket.recv(TIMEOUT_S))
        socket.send(json.dumps({"type": "auth", "access_token": client.token}))
        assert json.loads(socket.recv(TIMEOUT_S))["type"] == "auth_ok"
        socket.send(json.dumps({"id": 1, "type": "subscribe_events", "event_type": EVENT}))
        assert json.loads(socket.recv(TIMEOUT_S))["success"]
        events = HomeEvents(HomeAssistantClient(client.url, client.token), "bedside")
        events.tell("stirred", {"confidence": 0.8})
        event = json.loads(socket.recv(TIMEOUT_S))["event"]
        events.close()
    assert (event["event_type"], event["data"]) == (
        EVENT,
        {"node": "bedside", "type": "stirred", "confidence": 0.8},
    )


def test_a_wrong_token_is_an_answer(home: HomeAssistant) -> None:
    stranger = HomeAssistantClient(home.client.url, "not-a-token")
    assert isinstance(stranger.fire_event(EVENT, {}), HomeRefused)
    stranger.close()
    wait_until(lambda: any(EVENT in entry.text for entry in home.trouble()), "the home to write of a stranger", 10)
    home.forgive([entry for entry in home.trouble() if EVENT in entry.text])
