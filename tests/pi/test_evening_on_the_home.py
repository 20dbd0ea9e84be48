"""The whole daemon with a player and a light of the home: an evening, and one while the home is slow or dead."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.home_api import FakeHome, fake_home

from somnisphere.assemble import assemble
from somnisphere.bedtime.phases import Phase
from somnisphere.config import Config
from somnisphere.config_keys import Ritual
from somnisphere.daemon import Daemon
from somnisphere.events import Tick
from somnisphere.home_lamp import HomeLamp
from somnisphere.home_player import HomePlayer, volume_level
from somnisphere.journal import Journal
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_home.audio_server import AudioServer
from somnisphere_home.rest import HomeAssistantClient

PLAYER, LIGHT = "media_player.bedroom", "light.bedroom"
EVENING_S = 1.8e9
NO_BUS = 250
LONGEST_STEP_S = 0.25


class Box:
    """The daemon at a clock of its own; it moves on when the home has answered, or has not for a while."""

    def __init__(self, daemon: Daemon, player: HomePlayer, lamp: HomeLamp, patience_s: float) -> None:
        self.daemon, self.player, self.lamp, self.patience_s = daemon, player, lamp, patience_s
        self.at_s = 0.0
        self.slowest_s = 0.0

    def live(self, seconds: float, step_s: float = 1.0) -> None:
        for _ in range(round(seconds / step_s)):
            self.at_s += step_s
            self._step()
            until_s = time.monotonic() + self.patience_s
            while (self.player._worker.is_busy or self.lamp._worker.is_busy) and time.monotonic() < until_s:
                self._step()
                time.sleep(0.001)

    def _step(self) -> None:
        begun_s = time.monotonic()
        self.daemon.handle(Tick(self.at_s, EVENING_S + self.at_s))
        self.daemon.step_lamp(self.at_s)
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun_s)

    def say(self, key: str, payload: str = "PRESS") -> None:
        self.daemon.home_said(f"somnisphere/bedside/{key}/set", payload.encode(), retained=False, at_s=self.at_s)


@contextmanager
def box(folder: Path, home: FakeHome, patience_s: float = 5.0) -> Iterator[Box]:
    config = Config(ritual=Ritual(wind_down_min=1.0, sleep_timer_min=6.0, fade_min=5.0))
    journal, server = Journal(folder / "j.db"), AudioServer("127.0.0.1")

    def client() -> HomeAssistantClient:
        return HomeAssistantClient(home.url, "token", timeout_s=0.3)

    player = HomePlayer(client(), PLAYER, server.url_for)
    lamp = HomeLamp(client(), LIGHT)
    made = assemble(config, Tick(0.0, EVENING_S), journal, Bedside(lambda: Bus.open(NO_BUS)), lamp, player)
    try:
        yield Box(made.daemon, player, lamp, patience_s)
    finally:
        player.close()
        lamp.close()
        server.close()
        journal.close()


@pytest.fixture
def home() -> Iterator[FakeHome]:
    with fake_home() as made:
        made.states[PLAYER] = ("idle", {"volume_level": 0.8})
        made.states[LIGHT] = ("on", {"brightness": 200})
        yield made


def evening(it: Box) -> None:
    it.say("begin")
    it.live(75.0)
    assert it.daemon.snapshot().phase is Phase.STORY


def test_an_evening_on_the_homes_own(tmp_path: Path, home: FakeHome) -> None:
    with box(tmp_path, home) as it:
        evening(it)
        assert home.states[PLAYER][0] == "playing"
        (played,) = home.data("play_media")
        assert played["media_content_id"].startswith("http://127.0.0.1:")
        assert home.data("volume_set")[0]["volume_level"] == pytest.approx(volume_level(-10.0), abs=0.01)
        it.live(500.0)
        levels = [data["volume_level"] for data in home.data("volume_set")]
        assert levels[-1] == 0.8, "the fade never leaks into the person's volume"
        assert levels[:-1] == sorted(levels[:-1], reverse=True)
        assert min(levels) < volume_level(-36.0), "it fell to a whisper first"
        assert home.states[PLAYER][0] == "paused"
        it.live(400.0)
        lights = [data["brightness"] for data in home.data("turn_on")]
        assert lights == sorted(lights, reverse=True), "from the light that was there, down"
        assert home.states[LIGHT][0] == "off"
        it.say("stop")
        it.live(5 * 3600.0, step_s=60.0)
        home.calls.clear()
        evening(it)
        assert home.data("volume_set")[0]["volume_level"] == pytest.approx(volume_level(-10.0), abs=0.01)
        assert it.slowest_s < LONGEST_STEP_S


@pytest.mark.parametrize("mood", ["hangs", "dead", "500"])
def test_a_home_that_is_slow_or_dead_never_blocks_the_night(tmp_path: Path, home: FakeHome, mood: str) -> None:
    with box(tmp_path, home, patience_s=0.02) as it:
        home.mood = mood
        evening(it)
        it.live(60.0)
        assert it.slowest_s < LONGEST_STEP_S
        assert it.player.problem or it.lamp.problem or mood == "hangs"
        home.mood = "alive"
        home.release.set()
        it.patience_s = 5.0
        it.say("one_more_page")
        it.live(90.0)
        assert home.states[PLAYER][0] == "playing", "nothing was lost: the story is told once the home is back"
        assert it.slowest_s < LONGEST_STEP_S
