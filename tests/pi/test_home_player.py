"""The story on a media player of the home: told in order, never loud, given back as it was, and never waited for."""

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.home.client import wait_until
from tests.home_api import FakeHome, fake_home, settle

from somnisphere.home_player import GIVE_UP_S, HomePlayer, volume_level
from somnisphere_hardware.speaker import SpeakerReport
from somnisphere_home.rest import HomeAssistantClient

PLAYER = "media_player.bedroom"


class Evening:
    """A player, a clock that stands until it is moved, and all that was reported."""

    def __init__(self, home: FakeHome, story: Path) -> None:
        self.home, self.story = home, story
        self.player = HomePlayer(
            HomeAssistantClient(home.url, "good", timeout_s=0.3), PLAYER, lambda path: f"http://box/{path.name}"
        )
        self.now_s = 100.0
        self.reports: list[SpeakerReport] = []

    def settle(self) -> None:
        def step() -> None:
            before_s = time.monotonic()
            self.reports += self.player.step(self.now_s)
            assert time.monotonic() - before_s < 0.1, "step waited"

        settle(lambda: self.player._worker.is_busy, step)

    def wait(self, seconds: float, step_s: float = 0.5) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += step_s
            self.settle()

    def states(self) -> list[str]:
        return [report.state for report in self.reports]


@pytest.fixture
def home() -> Iterator[FakeHome]:
    with fake_home() as made:
        made.states[PLAYER] = ("idle", {"volume_level": 0.7})
        yield made


@pytest.fixture
def evening(home: FakeHome, tmp_path: Path) -> Iterator[Evening]:
    story = tmp_path / "fox.mp3"
    story.write_bytes(b"x")
    made = Evening(home, story)
    yield made
    made.player.close()


def test_gains_are_loudness() -> None:
    assert volume_level(0.0) == 1.0
    assert volume_level(-10.0) == pytest.approx(0.5)
    assert volume_level(-20.0) == pytest.approx(0.25)
    assert volume_level(-60.0) == 0.0
    assert volume_level(6.0) == 1.0


def test_the_volume_is_low_before_the_first_sound(evening: Evening) -> None:
    evening.player.play(evening.story, 42.0, -20.0)
    evening.wait(3)
    assert evening.home.names() == ["volume_set", "play_media", "media_seek"]
    assert evening.home.data("volume_set") == [{"entity_id": PLAYER, "volume_level": 0.25}]
    assert evening.home.data("play_media")[0]["media_content_id"] == "http://box/fox.mp3"
    assert evening.home.data("media_seek")[0]["seek_position"] == 42.0
    assert set(evening.states()) == {"playing"}
    assert evening.reports[0].position_s == pytest.approx(42.0, abs=2)


def test_a_fade_goes_down_in_few_steps_and_does_not_leak(evening: Evening) -> None:
    evening.player.play(evening.story, 0.0, -10.0)
    evening.wait(3)
    begin_s, told_at_s = evening.now_s, []
    for step in range(120):
        evening.player.set_gain(-10.0 - step * 0.25)
        before = len(evening.home.calls)
        evening.wait(0.5)
        told_at_s += [evening.now_s] * (len(evening.home.calls) - before)
    levels = [data["volume_level"] for data in evening.home.data("volume_set")]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < 0.08
    assert len(told_at_s) > 10
    assert min(b - a for a, b in itertools.pairwise(told_at_s)) >= 2.0
    assert begin_s < told_at_s[0]
    evening.player.pause()
    evening.wait(2)
    assert evening.home.names()[-2:] == ["media_pause", "volume_set"]
    assert evening.home.states[PLAYER] == ("paused", {**evening.home.states[PLAYER][1], "volume_level": 0.7})
    assert evening.states()[-1] == "paused"


def test_going_on_is_low_first_and_ends_with_the_volume_as_it_was(evening: Evening) -> None:
    evening.player.play(evening.story, 0.0, -10.0)
    evening.wait(3)
    evening.player.pause()
    evening.wait(3)
    evening.home.calls.clear()
    evening.player.resume(-30.0)
    evening.wait(2)
    assert evening.home.names() == ["volume_set", "media_play"]
    assert evening.home.data("volume_set")[0]["volume_level"] == 0.125
    evening.home.calls.clear()
    evening.player.stop()
    evening.wait(2)
    assert evening.home.names() == ["media_stop", "volume_set"]
    assert evening.home.states[PLAYER][1]["volume_level"] == 0.7
    assert evening.states()[-1] == "stopped"


def test_resumed_keeps_the_own_volume(evening: Evening) -> None:
    """The faded volume must not be taken for the person's own after a pause."""
    for _ in range(3):
        evening.player.play(evening.story, 0.0, -40.0)
        evening.wait(3)
        evening.player.pause()
        evening.player.resume(-40.0)
        evening.wait(3)
        evening.player.play(evening.story, 5.0, -50.0)
        evening.wait(3)
        evening.player.stop()
        evening.wait(3)
        assert evening.home.states[PLAYER][1]["volume_level"] == 0.7


def test_a_person_takes_the_player(evening: Evening) -> None:
    evening.player.play(evening.story, 0.0, -30.0)
    evening.wait(8)
    evening.home.states[PLAYER] = ("playing", {"volume_level": 0.9, "media_content_id": "spotify:song"})
    evening.home.calls.clear()
    evening.wait(10)
    assert evening.states()[-1] == "stopped"
    evening.player.set_gain(-50.0)
    evening.player.stop()
    evening.wait(10)
    assert evening.home.calls == []


def test_the_end_of_the_story(evening: Evening) -> None:
    evening.player.play(evening.story, 0.0, -30.0)
    evening.wait(8)
    evening.home.states[PLAYER] = ("idle", {"volume_level": 0.125, "media_duration": 12})
    evening.wait(10)
    assert evening.states()[-1] == "ended"
    assert evening.home.states[PLAYER][1]["volume_level"] == 0.7


def test_a_player_that_never_begins_has_failed(evening: Evening) -> None:
    evening.home.does = lambda *_: None  # type: ignore[method-assign]
    evening.player.play(evening.story, 0.0, -30.0)
    evening.wait(30)
    assert evening.states()[-1] == "failed"
    assert "stories.serve_url" in evening.reports[-1].problem


@pytest.mark.parametrize("mood", ["hangs", "401", "500", "garbage", "dead"])
def test_trouble_is_a_sentence_tried_again_and_in_the_end_a_failure(evening: Evening, mood: str) -> None:
    evening.home.mood = mood
    evening.player.play(evening.story, 7.0, -30.0)
    evening.wait(20, 5.0)
    assert evening.reports == []
    assert PLAYER in evening.player.problem
    evening.home.mood = "alive"
    evening.wait(20, 5.0)
    assert evening.player.problem == ""
    assert evening.states()[-1] == "playing"
    assert evening.home.data("media_seek")[0]["seek_position"] == 7.0
    place_s = evening.reports[-1].position_s
    evening.home.mood = mood
    evening.wait(GIVE_UP_S + 40, 10.0)
    assert evening.states()[-1] == "failed"
    assert evening.reports[-1].position_s >= place_s
    # Nothing is lost: when the home is back, what was left playing is stopped and the volume is the person's again.
    evening.home.mood = "alive"
    evening.wait(40, 5.0)
    assert evening.home.names()[-2:] == ["media_stop", "volume_set"]
    assert evening.home.states[PLAYER] == ("idle", {**evening.home.states[PLAYER][1], "volume_level": 0.7})


def test_wishes_during_a_hang_are_not_queued(evening: Evening) -> None:
    evening.player.play(evening.story, 0.0, -10.0)
    evening.wait(3)
    evening.home.calls.clear()
    evening.home.mood = "hangs"
    for step in range(20):
        evening.now_s += 3
        evening.player.set_gain(-11.0 - step)
        evening.reports += evening.player.step(evening.now_s)
        wait_until(lambda: evening.home.held > 0, "a request that hangs", 5)
    evening.home.mood = "alive"
    evening.wait(40, 5.0)
    assert [data["volume_level"] for data in evening.home.data("volume_set")] == [0.125]


def test_no_such_player(evening: Evening) -> None:
    del evening.home.states[PLAYER]
    evening.player.play(evening.story, 0.0, -10.0)
    evening.wait(GIVE_UP_S + 40, 5.0)
    assert evening.states() == ["failed"]
    assert "check speaker.home_player" in evening.reports[0].problem


def test_a_player_that_is_gone_is_not_paused_until_it_is_back(evening: Evening) -> None:
    evening.player.play(evening.story, 0.0, -10.0)
    evening.wait(3)
    kept = evening.home.states.pop(PLAYER)  # as while Home Assistant starts
    evening.player.pause()
    evening.wait(3)
    assert "media_pause" not in evening.home.names()
    assert "there is no media_player.bedroom" in evening.player.problem
    evening.home.states[PLAYER] = kept
    evening.wait(20)
    assert evening.home.states[PLAYER][0] == "paused"
    assert evening.player.problem == ""


def test_a_player_that_is_off_is_stopped_without_fuss(evening: Evening) -> None:
    evening.player.play(evening.story, 0.0, -10.0)
    evening.wait(3)
    evening.home.states[PLAYER] = ("unavailable", {})
    evening.player.stop()
    evening.wait(3)
    assert "media_stop" in evening.home.names()
    assert evening.player.problem == ""


def test_closing_leaves_quiet_and_the_own_volume(evening: Evening) -> None:
    evening.player.play(evening.story, 0.0, -30.0)
    evening.wait(3)
    evening.player.close()
    assert evening.home.names()[-2:] == ["media_pause", "volume_set"]
    assert evening.home.states[PLAYER][1]["volume_level"] == 0.7


@pytest.mark.parametrize(
    ("plays", "stopped"),
    [(f"http://box:8124/{'a-_Z' * 10}123/story.mp3", True), ("http://radio.example/a/story.mp3", False)],
)
def test_a_story_that_a_killed_run_left_playing_is_stopped(evening: Evening, plays: str, stopped: bool) -> None:
    evening.home.states[PLAYER] = ("playing", {"volume_level": 0.3, "media_content_id": plays})
    evening.wait(10.0)
    assert ("media_stop" in evening.home.names()) is stopped
    assert evening.home.states[PLAYER][0] == ("idle" if stopped else "playing")
    assert evening.reports == [], "nobody wished for anything"


def test_an_address_that_takes_long_is_not_waited_for(evening: Evening) -> None:
    asked = threading.Event()

    def slow(_: Path) -> str:
        asked.wait(0.4)
        raise OSError("no such host")

    evening.player._url_for = slow
    evening.player.play(evening.story, 0.0, -30.0)
    evening.wait(3)  # each step is timed there
    assert "stories.serve_url" in evening.player.problem
    evening.player._url_for = lambda _: "http://box/late.mp3"
    evening.wait(20)
    assert evening.home.data("play_media")[0]["media_content_id"] == "http://box/late.mp3"


def test_no_file_no_address(evening: Evening) -> None:
    evening.player.play(evening.story.with_name("gone.mp3"), 0.0, -30.0)
    evening.wait(1)
    assert evening.states() == ["failed"]
    assert evening.home.calls == []
