"""What a voice of Home Assistant's calls a language, and what is said when there is no such voice."""

from collections.abc import Iterator

import pytest
from tests.brokers import free_port
from tests.home_socket import FakeSocketHome, fake_socket_home

from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable
from somnisphere_home.rest_speech import HomeSpeech


@pytest.fixture
def home() -> Iterator[FakeSocketHome]:
    with fake_socket_home() as running:
        running.engines = {"tts.piper": ["en_GB", "en_US"], "tts.cloud": ["de-DE"]}
        yield running


def test_each_voice_has_names_of_its_own_for_a_language(home: FakeSocketHome) -> None:
    speech = HomeSpeech(home.url, "good")
    assert speech.language("tts.piper", "en") == "en_GB"
    assert speech.language("tts.cloud", "de") == "de-DE"
    assert speech.language("tts.cloud", "") == ""


def test_what_it_cannot_speak_is_refused_in_words(home: FakeSocketHome) -> None:
    speech = HomeSpeech(home.url, "good")
    assert speech.language("tts.piper", "fi") == HomeRefused("tts.piper does not speak 'fi'")
    assert speech.speak("tts.pipa", "Hei.", "fi") == HomeRefused(
        "there is no tts.pipa; Home Assistant has tts.cloud, tts.piper"
    )
    home.mood = "unwilling"
    assert speech.language("tts.piper", "fi") == HomeRefused("there is no tts.piper; Home Assistant has no voices")
    home.mood = "401"
    assert isinstance(speech.language("tts.piper", "fi"), HomeRefused)


def test_a_home_that_is_away_is_an_answer() -> None:
    assert isinstance(
        HomeSpeech(f"http://127.0.0.1:{free_port()}", "good").speak("tts.x", "Hi.", "en"), HomeUnreachable
    )


def test_a_language_is_asked_for_once(home: FakeSocketHome, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str]] = []

    def spoken(_: HomeAssistantClient, engine: str, text: str, language: str) -> bytes:
        asked.append((engine, text, language))
        return b"sound"

    monkeypatch.setattr(HomeAssistantClient, "speech", spoken)
    speech = HomeSpeech(home.url, "good")
    assert [speech.speak("tts.piper", text, "en") for text in ("One.", "Two.")] == [b"sound", b"sound"]
    assert asked == [("tts.piper", "One.", "en_GB"), ("tts.piper", "Two.", "en_GB")]
    assert home.connections == 1
