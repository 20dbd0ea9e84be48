"""The story on a media player and the light on a lamp of a real Home Assistant, told by this box over REST."""

import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.home.client import wait_until
from tests.home.harness import HomeAssistant, home_assistant
from tests.home.release import RELEASE

from somnisphere.home_lamp import HomeLamp
from somnisphere.home_player import HomePlayer
from somnisphere.library import STARTER_FOLDER
from somnisphere_hardware.speaker import SpeakerReport
from somnisphere_home.audio_server import AudioServer
from somnisphere_home.rest import HomeAssistantClient

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

LAMP, SPEAKER = "light.bedroom_lamp", "media_player.bedroom_speaker"
OWN_VOLUME = 0.5


class Box:
    """Speaker and lamp at a clock that runs as fast as is wanted: its time is an argument."""

    def __init__(self, home: HomeAssistant, server: AudioServer) -> None:
        def client() -> HomeAssistantClient:
            return HomeAssistantClient(home.url, home.client.token, timeout_s=5.0)

        self.player = HomePlayer(client(), SPEAKER, server.url_for)
        self.lamp = HomeLamp(client(), LAMP)
        self.reports: list[SpeakerReport] = []
        self.now_s = 0.0

    def wait(self, seconds: float, step_s: float = 1.0) -> None:
        """The clock moves on when what was asked at a moment has been answered."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += step_s
            wait_until(self._settled, "answers", 20, 0.002)

    def _settled(self) -> bool:
        before_s = time.monotonic()
        self.reports += self.player.step(self.now_s)
        self.lamp.step(self.now_s)
        assert time.monotonic() - before_s < 0.25, "a step waited for the home"
        return not (self.player._worker.is_busy or self.lamp._worker.is_busy)

    def close(self) -> None:
        self.player.close()
        self.lamp.close()


def volumes(calls: list[dict[str, Any]]) -> list[float]:
    return [call["volume"] for call in calls if call["call"] == "volume_set"]


def test_an_evening_and_the_next_and_a_home_that_goes_away(tmp_path: Path) -> None:
    from tests.home.conftest import _missing

    if missing := _missing():
        pytest.skip(f"not installed: {missing}; run: bash {RELEASE.installer}")
    story = sorted(path for path in STARTER_FOLDER.rglob("*") if path.suffix in (".mp3", ".ogg", ".opus", ".flac"))[0]
    server = AudioServer("127.0.0.1")
    try:
        with home_assistant(tmp_path) as home:
            box = Box(home, server)
            try:
                _evening(home, box, story)
                _next_evening(home, box, story)
                home.stop()
                _night_without_home(box)
            finally:
                box.close()
    finally:
        server.close()


def _evening(home: HomeAssistant, box: Box, story: Path) -> None:
    box.lamp.dim(20.0, 300.0, box.now_s)
    box.player.play(story, 30.0, -10.0)
    box.wait(10)
    calls = home.calls_of(SPEAKER)
    assert [call["call"] for call in calls] == ["volume_set", "play_media", "media_seek"]
    assert calls[2]["position_s"] == 30.0
    with urllib.request.urlopen(calls[1]["media_id"], timeout=10) as answer:  # as the player itself would
        assert answer.read() == story.read_bytes()
    assert box.reports[-1].state == "playing"
    assert box.reports[-1].position_s == pytest.approx(38, abs=4)
    for step in range(60):  # the fade
        box.player.set_gain(-10.0 - step * 0.5)
        box.wait(5, 2.5)
    faded = volumes(home.calls_of(SPEAKER))
    assert len(faded) > 30
    assert faded == sorted(faded, reverse=True)
    assert faded[-1] < 0.08
    box.player.pause()  # asleep
    box.lamp.dim(0.0, 60.0, box.now_s)
    box.wait(100, 5)
    after = home.calls_of(SPEAKER)
    assert [call["call"] for call in after[-2:]] == ["media_pause", "volume_set"]
    state = home.client.state(SPEAKER)
    assert state is not None
    assert (state["state"], state["attributes"]["volume_level"]) == ("paused", OWN_VOLUME)
    steps = home.calls_of(LAMP)
    levels = [call["brightness"] for call in steps if call["call"] == "turn_on"]
    assert levels == sorted(levels)  # it was off, and rose to the story's light
    assert len(levels) < 10
    assert steps[-1]["call"] == "turn_off"
    assert all(2 <= call["transition"] <= 60 for call in steps)
    assert not box.lamp.is_fading


def _next_evening(home: HomeAssistant, box: Box, story: Path) -> None:
    before = len(home.calls_of(SPEAKER))
    box.player.play(story, 60.0, -20.0)
    box.lamp.dim(20.0, 600.0, box.now_s)
    box.wait(20)
    assert volumes(home.calls_of(SPEAKER)[before:]) == [0.25]
    box.player.stop()
    box.wait(5)
    assert home.calls_of(SPEAKER)[-1] == {"call": "volume_set", "volume": OWN_VOLUME}
    box.player.play(story, 60.0, -20.0)
    box.wait(20)
    assert box.reports[-1].state == "playing"


def _night_without_home(box: Box) -> None:
    """Nobody waits for it; after some tries it is said, with the place that was reached."""
    place_s = box.reports[-1].position_s
    box.wait(200, 5)
    assert box.reports[-1].state == "failed"
    assert SPEAKER in box.reports[-1].problem
    assert box.reports[-1].position_s >= place_s
    assert LAMP in box.lamp.problem
