"""Moments on the home's bus: told in order, tried again while the home is away, let go when they are history."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.home_api import FakeHome, fake_home, settle

from somnisphere.cli_daemon import moment_teller
from somnisphere.config import Config, load
from somnisphere.config_keys_home import HomeAssistant
from somnisphere.errors import UserError
from somnisphere.events import Announce, Tick
from somnisphere.home_events import EVENT, HISTORY_S, MOST_WAITING, HomeEvents
from somnisphere.journal import Journal
from somnisphere.moments import Moments
from somnisphere_home.rest import HomeAssistantClient


@pytest.fixture
def home() -> Iterator[FakeHome]:
    with fake_home() as running:
        yield running


@pytest.fixture
def events(home: FakeHome) -> Iterator[HomeEvents]:
    made = HomeEvents(HomeAssistantClient(home.url, "token", 2.0), "attic", again_s=0.02)
    yield made
    home.release.set()
    made.close(10.0)


def heard(home: FakeHome, count: int) -> list[str]:
    settle(lambda: len(home.events) < count, lambda: None)
    return [data["type"] for name, data in home.events if name == EVENT]


def test_moments_are_told_in_order_with_all_that_is_known_of_them(home: FakeHome, events: HomeEvents) -> None:
    events.tell("fell_asleep", {"at": "2026-03-14T22:41:00+01:00", "confidence": 0.9})
    events.tell("stirred", {"at": "2026-03-15T02:00:00+01:00", "confidence": None})
    assert heard(home, 2) == ["fell_asleep", "stirred"]
    assert home.events[0][1] == {
        "node": "attic",
        "type": "fell_asleep",
        "at": "2026-03-14T22:41:00+01:00",
        "confidence": 0.9,
    }


@pytest.mark.parametrize("mood", ["dead", "garbage"])
def test_a_home_that_is_away_hears_of_it_when_it_is_back_and_the_log_says_so_once(
    home: FakeHome, events: HomeEvents, mood: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    home.mood = mood
    events.tell("stirred", {})
    settle(lambda: len(caplog.records) < 1, lambda: None)
    home.mood = "alive"
    assert heard(home, 1) == ["stirred"]
    settle(lambda: "again" not in caplog.text, lambda: None)
    assert caplog.text.count("do not reach") == 1


def test_a_refused_token_is_said_and_not_tried_again(
    home: FakeHome, events: HomeEvents, caplog: pytest.LogCaptureFixture
) -> None:
    home.mood = "401"
    events.tell("stirred", {})
    settle(lambda: "access token" not in caplog.text, lambda: None)
    home.mood = "alive"
    events.tell("woke_up", {})
    assert heard(home, 1) == ["woke_up"]


def test_what_is_history_is_let_go(home: FakeHome) -> None:
    events = HomeEvents(HomeAssistantClient(home.url, "token", 2.0), "attic", now_s=lambda: 1000.0)
    events._deliver(1000.0 - HISTORY_S, {"type": "stirred"})
    events._deliver(1001.0 - HISTORY_S, {"type": "woke_up"})
    assert heard(home, 1) == ["woke_up"]


def test_a_hung_home_delays_nobody_and_fills_nothing(home: FakeHome, events: HomeEvents) -> None:
    home.mood = "hangs"
    for _ in range(3 * MOST_WAITING):
        events.tell("stirred", {})  # returns, or this test runs into its time limit
    assert events._waiting.qsize() <= MOST_WAITING


def test_a_moment_names_its_sleeper_and_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, object]] = []
    journal = Journal(tmp_path / "j.db")
    moments = Moments(journal, "Lila", lambda kind, attributes: told.append((kind, dict(attributes))))
    attributes = moments.keep(Announce("stirred", 5.0), Tick(6.0, 1e9), "2026-03-14")
    journal.close()
    assert attributes["sleeper"] == "Lila"
    assert told == [("stirred", attributes)]


def test_it_is_off_unless_asked_for_and_needs_an_address(tmp_path: Path) -> None:
    with ExitStack() as stack:
        assert moment_teller(Config(), stack) is None
        assert moment_teller(Config(home_assistant=HomeAssistant(url="http://x", fire_events=True)), stack) is not None
    (tmp_path / "c.toml").write_text("[home_assistant]\nfire_events = true\n")
    with pytest.raises(UserError, match=r"fire_events needs home_assistant\.url"):
        load(tmp_path / "c.toml")
