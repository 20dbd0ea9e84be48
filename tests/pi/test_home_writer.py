"""The home's writer: a text or None, never later than said; a mistake of ours is not taken for its silence."""

import logging
import threading
import time
from pathlib import Path

import pytest

from somnisphere.config_keys_home import HomeAssistant
from somnisphere.home_writer import write_at_home
from somnisphere_home.rest import HomeAssistantClient, HomeRefused

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def home(tmp_path: Path) -> HomeAssistant:
    (tmp_path / "token").write_text("secret\n")
    return HomeAssistant(url=NOWHERE, token_file=str(tmp_path / "token"), ai_task="ai_task.writer")


def test_no_token_and_no_home_are_said_in_the_log(
    tmp_path: Path, home: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert write_at_home(home, "Write.", 5.0) is None
    assert NOWHERE in caplog.text
    caplog.clear()
    (tmp_path / "token").unlink()
    assert write_at_home(home, "Write.", 5.0) is None
    assert "token_file cannot be read" in caplog.text
    assert "secret" not in caplog.text


def test_what_it_writes_is_taken_and_what_it_refuses_is_not(
    home: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["Once upon a time.", HomeRefused("it is tired")]
    monkeypatch.setattr(HomeAssistantClient, "ask_ai_task", lambda *_: answers.pop(0))
    assert [write_at_home(home, "Write.", 5.0) for _ in range(2)] == ["Once upon a time.", None]


def test_nobody_waits_longer_than_said(home: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(HomeAssistantClient, "ask_ai_task", lambda *_: go_on.wait(30.0))
    begun_s = time.monotonic()
    assert write_at_home(home, "Write.", 0.2) is None
    assert time.monotonic() - begun_s < 3.0
    go_on.set()


def test_a_mistake_of_ours_is_no_silent_writer(home: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*_: object) -> str:
        raise AssertionError("a mistake")

    monkeypatch.setattr(HomeAssistantClient, "ask_ai_task", mistaken)
    with pytest.raises(AssertionError, match="a mistake"):
        write_at_home(home, "Write.", 5.0)
