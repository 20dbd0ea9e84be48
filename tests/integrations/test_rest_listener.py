"""Following states over Home Assistant's WebSocket: silence, hanging, loss and refusal, each survived or said once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.brokers import free_port
from tests.home_socket import FakeSocketHome, fake_socket_home

from somnisphere_home.rest import HomeRefused, HomeUnreachable
from somnisphere_home.rest_listener import Patience, States, StatesListener, states_in, template_of
from somnisphere_home.rest_socket import HomeSocket, SocketLostError, SocketRefusedError

MOTION, TV = "binary_sensor.kitchen_motion", "media_player.tv"
SOON = Patience(read_s=0.5, ping_after_s=0.5, pong_within_s=2.0, waits_s=(0.02, 0.05), steady_s=60.0)

News = States | HomeUnreachable | HomeRefused


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_s, "it never came true"
        time.sleep(0.005)


@contextmanager
def listening(url: str, patience: Patience = SOON) -> Iterator[tuple[StatesListener, list[News]]]:
    heard: list[News] = []
    listener = StatesListener(url, "good", (MOTION, TV), heard.append, patience)
    listener.start()
    try:
        yield listener, heard
    finally:
        listener.close(5.0)
        assert not listener._thread.is_alive()


@pytest.fixture
def home() -> Iterator[FakeSocketHome]:
    with fake_socket_home() as running:
        running.states[MOTION] = "off"
        yield running


def test_each_connection_begins_with_all_states_and_every_change_is_told(home: FakeSocketHome) -> None:
    with listening(home.url) as (_, heard):
        until(lambda: len(heard) == 1)
        home.set(MOTION, "on")
        home.set("light.elsewhere", "on")
        home.set(TV, "playing")
        until(lambda: len(heard) == 3)
    assert heard == [
        {MOTION: "off", TV: None},
        {MOTION: "on", TV: None},
        {MOTION: "on", TV: "playing"},
    ]


def test_a_silent_home_is_pinged_and_followed_over_one_connection(home: FakeSocketHome) -> None:
    with listening(home.url) as (_, heard):
        until(lambda: home.pings >= 3)
        home.set(MOTION, "on")
        until(lambda: len(heard) == 2)
    assert home.connections == 1
    assert heard[-1] == {MOTION: "on", TV: None}


def test_a_home_that_hangs_is_noticed_said_once_and_read_again(home: FakeSocketHome) -> None:
    with listening(home.url) as (_, heard):
        until(lambda: len(heard) == 1)
        home.mood = "hangs"
        home.states[MOTION] = "on"  # changes while nobody hears of it
        until(lambda: len(heard) == 2)
        assert isinstance(heard[1], HomeUnreachable)
        assert "does not answer any more" in heard[1].reason
        until(lambda: home.connections >= 4)  # tried again, to no avail
        assert len(heard) == 2
        home.mood = "alive"
        until(lambda: len(heard) == 3)
    assert heard[2] == {MOTION: "on", TV: None}


def test_a_home_that_restarts_is_read_again(home: FakeSocketHome) -> None:
    with listening(home.url) as (_, heard):
        for turn in range(3):
            until(lambda: len(heard) == 2 * turn + 1)  # noqa: B023
            home.states[MOTION] = f"state {turn}"
            home.drop()
    kinds = [isinstance(news, HomeUnreachable) for news in heard[:5]]
    assert kinds == [False, True, False, True, False]
    assert heard[4] == {MOTION: "state 1", TV: None}


def test_a_refused_token_is_said_once_and_never_tried_again(home: FakeSocketHome) -> None:
    home.mood = "401"
    with listening(home.url) as (listener, heard):
        until(lambda: not listener._thread.is_alive())
    (refused,) = heard
    assert isinstance(refused, HomeRefused)
    assert "does not accept the access token" in refused.reason
    assert home.connections == 1


@pytest.mark.parametrize("mood", ["garbage", "odd", "hangs", "rude", "unwilling"])
def test_what_is_no_home_is_said_once_and_tried_again(home: FakeSocketHome, mood: str) -> None:
    home.mood = mood
    with listening(home.url) as (_, heard):
        until(lambda: home.connections >= 3)
        assert [type(news) for news in heard] == [HomeUnreachable]
        home.mood = "alive"
        until(lambda: len(heard) == 2)
    assert heard[1] == {MOTION: "off", TV: None}


def test_nobody_at_the_address_and_somebody_else_at_it() -> None:
    class SomebodyElse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with listening(f"http://127.0.0.1:{free_port()}") as (_, heard):
        until(lambda: len(heard) == 1)
    with listening("homeassistant.local:8123") as (_, wrong):
        until(lambda: len(wrong) == 1)
    with HTTPServer(("127.0.0.1", 0), SomebodyElse) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        with listening(f"http://127.0.0.1:{server.server_port}") as (_, other):
            until(lambda: len(other) == 1)
        server.shutdown()
        thread.join()
    assert all(isinstance(news, HomeUnreachable) for news in (*heard, *wrong, *other))


@pytest.mark.parametrize("mood", ["alive", "hangs"])
def test_it_ends_at_once_and_says_nothing_afterwards(home: FakeSocketHome, mood: str) -> None:
    home.mood = mood
    heard: list[News] = []
    listener = StatesListener(home.url, "good", (MOTION,), heard.append, Patience(read_s=2.0))
    listener.start()
    until(lambda: home.connections == 1 and (bool(heard) or mood == "hangs"))
    begun_s = time.monotonic()
    listener.close()
    assert time.monotonic() - begun_s < 1.0
    told = len(heard)
    home.set(MOTION, "on")
    listener._thread.join(5.0)
    assert not listener._thread.is_alive()
    assert len(heard) == told


def test_it_waits_longer_and_longer_but_no_longer_than_a_minute() -> None:
    assert [Patience().wait_s(failures) for failures in range(10)] == [1, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_states_come_as_a_list_or_as_its_text() -> None:
    assert template_of([MOTION, TV]) == (
        "{{ [states['binary_sensor.kitchen_motion'].state | default(''), "
        "states['media_player.tv'].state | default('')] | to_json }}"
    )
    expected = {MOTION: "on", TV: None}
    assert states_in(["on", ""], [MOTION, TV]) == expected
    assert states_in('["on", ""]', [MOTION, TV]) == expected
    for nonsense in (None, 3, "on", "{", ["on"], {"a": 1}):
        assert states_in(nonsense, [MOTION, TV]) is None


def test_a_socket_says_what_went_wrong(home: FakeSocketHome) -> None:
    with HomeSocket(home.url, "good", 0.2) as socket:
        assert socket.ask("get_config") is None
        home.mood = "hangs"
        with pytest.raises(SocketLostError, match=r"did not answer within 0\.2 s"):
            socket.ask("get_config")
    home.mood = "401"
    with pytest.raises(SocketRefusedError, match="access token"), HomeSocket(home.url, "bad", 0.2):
        pass
