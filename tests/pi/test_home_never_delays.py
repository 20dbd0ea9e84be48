"""A Home Assistant that is down, slow, hung, refuses the token or talks nonsense: the night goes on as if it were not.

All that speaks with it at once: player, lamp, moments on its bus, and what it knows of the house.
"""

import queue
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.brokers import free_port, mosquitto
from tests.ear import Ear
from tests.home_api import FakeHome, fake_home
from tests.pi.test_live import BUS, configured, living_bus, pins, run_while

from somnisphere.assemble import assemble
from somnisphere.bedtime.phases import Phase
from somnisphere.cli_daemon import follow_home, moment_teller
from somnisphere.config import Config, load
from somnisphere.daemon import Daemon
from somnisphere.events import HomeReported, Tick
from somnisphere.home_lamp import HomeLamp
from somnisphere.home_player import HomePlayer
from somnisphere.journal import Journal
from somnisphere_hardware.bedside import Bedside
from somnisphere_hardware.bus import Bus
from somnisphere_home.audio_server import AudioServer
from somnisphere_home.rest import HomeAssistantClient
from somnisphere_home.rest_socket import HomeSocket

__all__ = ["living_bus", "pins"]

PLAYER, LIGHT, MOTION = "media_player.bedroom", "light.bedroom", "binary_sensor.kitchen"
EVENING_S = 1.8e9
NO_BUS = 250
HOME_S = 4.0
"""Whoever waits for a home that says nothing waits so long."""
LONGEST_STEP_S = 2.0
"""Far below that, and far above what a busy computer makes of a step of a few milliseconds."""
MOODS = ["down", "slow", "hangs", "401", "500", "garbage", "dead"]


@pytest.fixture
def home() -> Iterator[FakeHome]:
    with fake_home() as made:
        made.states[PLAYER] = ("idle", {"volume_level": 0.8})
        made.states[LIGHT] = ("on", {"brightness": 200})
        yield made


@pytest.fixture
def askers(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of the threads that asked the home anything, over REST or over its socket."""
    names: set[str] = set()
    ask, enter = HomeAssistantClient._ask, HomeSocket.__enter__

    def noted_ask(client: HomeAssistantClient, question: object) -> object:
        names.add(threading.current_thread().name)
        return ask(client, question)  # type: ignore[arg-type]

    def noted_enter(socket: HomeSocket) -> HomeSocket:
        names.add(threading.current_thread().name)
        return enter(socket)

    monkeypatch.setattr(HomeAssistantClient, "_ask", noted_ask)
    monkeypatch.setattr(HomeSocket, "__enter__", noted_enter)
    return names


def written(folder: Path, url: str, more: str = "") -> Path:
    (folder / "token").write_text("good")
    path = folder / "somnisphere.toml"
    path.write_text(
        f'{more}[home_assistant]\nurl = "{url}"\ntoken_file = "{folder}/token"\nfire_events = true\n'
        f'still_up = ["{MOTION}"]\nbegin_waits_min = 60\nbedroom_lights = ["{LIGHT}"]\n'
    )
    return path


class Evening:
    """The daemon at a clock of its own; only what stands still on its thread takes time."""

    def __init__(self, daemon: Daemon, reports: "queue.SimpleQueue[HomeReported]") -> None:
        self.daemon, self.reports = daemon, reports
        self.at_s = self.slowest_s = 0.0
        self.phases: list[tuple[float, Phase]] = []

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.at_s += 1.0
            begun_s = time.monotonic()
            while not self.reports.empty():
                self.daemon.handle(self.reports.get())
            self.daemon.handle(Tick(self.at_s, EVENING_S + self.at_s))
            self.daemon.step_lamp(self.at_s)
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun_s)
            phase = self.daemon.snapshot().phase
            if not self.phases or self.phases[-1][1] is not phase:
                self.phases.append((self.at_s, phase))
            time.sleep(0.002)  # the other threads have their turn

    def say(self, key: str) -> None:
        self.daemon.home_said(f"somnisphere/bedside/{key}/set", b"PRESS", retained=False, at_s=self.at_s)


@contextmanager
def evening(folder: Path, config: Config) -> Iterator[Evening]:
    def client() -> HomeAssistantClient:
        return HomeAssistantClient(config.home_assistant.url or "", "good", timeout_s=HOME_S)

    reports: queue.SimpleQueue[HomeReported] = queue.SimpleQueue()
    with ExitStack() as stack:
        server = AudioServer("127.0.0.1")
        stack.callback(server.close)
        player, lamp = HomePlayer(client(), PLAYER, server.url_for), HomeLamp(client(), LIGHT)
        stack.callback(player.close)
        stack.callback(lamp.close)
        journal = Journal(folder / "j.db")
        stack.callback(journal.close)
        bedside = Bedside(lambda: Bus.open(NO_BUS))
        teller = moment_teller(config, stack)
        made = assemble(config, Tick(0.0, EVENING_S), journal, bedside, lamp, player, tell_moment=teller)
        follow_home(config, stack, reports.put, lambda: made.daemon._tick.at_s)
        yield Evening(made.daemon, reports)


@pytest.mark.parametrize("mood", MOODS)
def test_the_night_waits_for_no_home(tmp_path: Path, home: FakeHome, askers: set[str], mood: str) -> None:
    home.mood = mood
    url = f"http://127.0.0.1:{free_port()}" if mood == "down" else home.url
    config = load(written(tmp_path, url, "[ritual]\nwind_down_min = 1\n"))
    with evening(tmp_path, config) as it:
        it.live(10.0)
        it.say("begin")
        it.live(300.0)
        assert [phase for _, phase in it.phases[:3]] == [Phase.IDLE, Phase.WIND_DOWN, Phase.STORY]
        assert it.phases[2][0] == pytest.approx(70.0, abs=2.0), "light alone for a minute, as every evening"
        it.say("stop")
        it.live(60.0)
        assert it.daemon.snapshot().phase is Phase.IDLE
        assert (it.daemon.snapshot().someone_up, it.daemon.snapshot().bedroom_dark) == (None, None)
        begun_s = time.monotonic()
    assert it.slowest_s < LONGEST_STEP_S
    assert time.monotonic() - begun_s < 12.0, "nor does it hold up the end"
    assert threading.current_thread().name not in askers
    assert askers >= {"home-worker", "home-events", "home-listener"}, "they did try"


@pytest.mark.broker
@pytest.mark.mpv
@pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed (apt install mpv)")
@pytest.mark.usefixtures("pins", "living_bus")
@pytest.mark.parametrize("mood", ["hangs", "401"])
def test_a_real_box_beside_a_home_that_is_no_help(tmp_path: Path, home: FakeHome, askers: set[str], mood: str) -> None:
    """``somnisphere run`` with all its threads: it starts, tells its evening and ends."""
    home.mood = mood

    def user() -> None:
        ear.wait("status", b"online")
        ear.say("begin")
        ear.wait_for("ritual", lambda state: state["phase"] == "wind_down")
        shown = ear.wait_for("house", lambda _: True)
        assert (shown["someone_up"], shown["bedroom_dark"]) == (None, None)
        ear.say("one_more_page")
        ear.wait_for("story", lambda state: state["story_playing"] is not None)
        ear.say("stop")
        ear.wait_for("ritual", lambda state: state["phase"] == "idle")
        told_s.append(time.monotonic())

    told_s: list[float] = []
    with mosquitto() as place, Ear(place) as ear:
        more = configured(tmp_path, place, BUS).read_text()
        run_while(written(tmp_path, home.url, more), user)
        assert time.monotonic() - told_s[0] < 12.0
        ear.wait("status", b"offline")
    assert askers == {"home-events", "home-listener"}
