"""The evening's light on a bulb of the home: few long steps down, no flash, hands off a person's light."""

import time
from collections.abc import Iterator

import pytest
from tests.home_api import FakeHome, fake_home, settle

from somnisphere.home_lamp import HomeLamp
from somnisphere_hardware.fade import luminance
from somnisphere_home.rest import HomeAssistantClient

LIGHT = "light.bedroom"


class Evening:
    def __init__(self, home: FakeHome, floor_pct: float = 1.0) -> None:
        self.home = home
        self.lamp = HomeLamp(HomeAssistantClient(home.url, "good", timeout_s=0.3), LIGHT, floor_pct)
        self.now_s = 0.0

    def settle(self) -> None:
        def step() -> None:
            before_s = time.monotonic()
            self.lamp.step(self.now_s)
            assert time.monotonic() - before_s < 0.1, "step waited"

        settle(lambda: self.lamp._worker.is_busy, step)

    def wait(self, seconds: float, step_s: float = 5.0) -> None:
        self.settle()
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += step_s
            self.settle()


@pytest.fixture
def home() -> Iterator[FakeHome]:
    with fake_home() as made:
        modes = {"supported_color_modes": ["color_temp"], "min_color_temp_kelvin": 2200}
        made.states[LIGHT] = ("on", {"brightness": 60, **modes})
        yield made


@pytest.fixture
def evening(home: FakeHome) -> Iterator[Evening]:
    made = Evening(home)
    yield made
    made.lamp.close()


def test_it_sinks_evenly_in_few_long_steps_and_goes_out(evening: Evening) -> None:
    evening.lamp.dim(0.0, 600.0, 0.0)
    evening.wait(620)
    steps, off = evening.home.data("turn_on"), evening.home.data("turn_off")
    assert 5 <= len(steps) <= 10
    assert len(off) == 1
    assert 2 <= off[0]["transition"] <= 60
    levels = [step["brightness"] for step in steps]
    assert levels[0] < 60
    assert levels == sorted(levels, reverse=True)
    assert all(0 < step["transition"] <= 60 for step in steps)
    from_pct = 54.8  # L* of 60/255 is 55.6
    assert levels[4] == pytest.approx(255 * luminance(from_pct * 0.5), abs=2)
    kelvins = [step["color_temp_kelvin"] for step in steps]
    assert kelvins == sorted(kelvins, reverse=True)
    assert kelvins[0] == 2700
    assert kelvins[-1] == 2200
    assert not evening.lamp.is_fading
    assert evening.lamp.lightness_pct == 0.0


def test_below_the_floor_it_is_off(home: FakeHome) -> None:
    evening = Evening(home, floor_pct=8.0)
    evening.lamp.dim(0.0, 600.0, 0.0)
    evening.wait(620)
    assert min(step["brightness"] for step in home.data("turn_on")) >= 0.08 * 255
    assert len(home.data("turn_off")) == 1
    evening.lamp.close()


def test_it_begins_at_the_light_that_is_there(evening: Evening) -> None:
    """Our own idea of the light is 0 at first: the bulb must not be put out and lit again."""
    evening.home.states[LIGHT] = ("on", {"brightness": 200})
    evening.lamp.dim(45.0, 120.0, 0.0)
    evening.wait(140)
    levels = [step["brightness"] for step in evening.home.data("turn_on")]
    assert evening.home.data("turn_off") == []
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == round(255 * luminance(45.0))
    assert "color_temp_kelvin" not in evening.home.data("turn_on")[0]


@pytest.mark.parametrize("by_hand", [("on", 255), ("off", 0)])
def test_a_persons_light_is_theirs_until_the_next_phase(evening: Evening, by_hand: tuple[str, int]) -> None:
    evening.lamp.dim(5.0, 600.0, 0.0)
    evening.wait(150)
    evening.home.states[LIGHT] = (by_hand[0], {"brightness": by_hand[1]} if by_hand[1] else {})
    evening.home.calls.clear()
    evening.wait(600)
    assert evening.home.calls == []
    assert evening.lamp.hands_off
    assert not evening.lamp.is_fading
    evening.lamp.dim(0.0, 30.0, evening.now_s)
    evening.wait(60)
    assert evening.home.states[LIGHT][0] == "off"


@pytest.mark.parametrize("mood", ["hangs", "401", "500", "garbage", "dead"])
def test_trouble_is_a_sentence_and_the_light_arrives_afterwards(evening: Evening, mood: str) -> None:
    evening.lamp.dim(20.0, 300.0, 0.0)
    evening.wait(70)
    evening.home.mood = mood
    evening.wait(150, 10.0)
    assert LIGHT in evening.lamp.problem
    evening.home.mood = "alive"
    evening.home.calls.clear()
    evening.wait(300)
    assert evening.lamp.problem == ""
    assert evening.home.states[LIGHT][1]["brightness"] == round(255 * luminance(20.0))
    assert all(step["transition"] >= 2 for step in evening.home.data("turn_on"))
    assert not evening.lamp.is_fading


def test_no_such_light(evening: Evening) -> None:
    del evening.home.states[LIGHT]
    evening.lamp.dim(20.0, 10.0, 0.0)
    evening.wait(30)
    assert "check lamp.home_light" in evening.lamp.problem
