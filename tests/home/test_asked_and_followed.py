"""A real Home Assistant followed through silence, hanging and a restart, and asked for its voice and its AI task."""

import shutil
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.home.client import wait_until
from tests.home.harness import HERE, HomeAssistant

from somnisphere.telling.home_assistant import HomeVoice
from somnisphere.telling.voices import Pcm, Silent
from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable
from somnisphere_home.rest_listener import Patience, States, StatesListener
from somnisphere_home.rest_socket import HomeSocket
from somnisphere_home.rest_speech import HomeSpeech

pytestmark = [pytest.mark.home, pytest.mark.timeout(180)]

LAMP, MOTION, NOWHERE = "light.bedroom_lamp", "binary_sensor.kitchen_motion", "light.nowhere"
SOON = Patience(read_s=1.0, ping_after_s=1.0, pong_within_s=2.0, waits_s=(0.2, 0.5, 1.0))
VOICE = HERE / "voice_home" / "voice_stand_in"
TEXT = "Once upon a time there was a lamp."

News = States | HomeUnreachable | HomeRefused


def test_the_home_is_followed_and_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.home.conftest import _missing

    if missing := _missing():
        pytest.skip(f"not installed: {missing}; run: bash tests/home/install.sh")
    pings: list[int] = []
    ping: Callable[[HomeSocket], int] = HomeSocket.ping

    def counted(socket: HomeSocket) -> int:
        pings.append(ping(socket))
        return pings[-1]

    monkeypatch.setattr(HomeSocket, "ping", counted)
    home = HomeAssistant(tmp_path)
    home.lay_out()
    heard: list[News] = []
    listener: StatesListener | None = None
    try:
        home.start()
        _set(home, MOTION, "off")
        listener = StatesListener(home.url, home.client.token, (LAMP, MOTION, NOWHERE), heard.append, SOON)
        listener.start()
        _changes(home, heard)
        _silence(heard, pings)
        _hangs(home, heard)
        _has_no_voice(home)
        _refuses_strangers(home)
        _restarts(home, heard)
        _speaks(home)
    finally:
        if listener is not None:
            listener.close()
        home.stop()


def _set(home: HomeAssistant, entity_id: str, state: str) -> None:
    home.client.request("POST", f"/api/states/{entity_id}", {"state": state})


def _changes(home: HomeAssistant, heard: list[News]) -> None:
    wait_until(lambda: heard, "the first states")
    assert heard == [{LAMP: "off", MOTION: "off", NOWHERE: None}]
    home.client.call("light.turn_on", entity_id=LAMP)
    wait_until(lambda: len(heard) == 2, "the lamp")
    _set(home, "sensor.elsewhere", "1")
    _set(home, MOTION, "on")
    wait_until(lambda: len(heard) == 3, "the motion")
    assert heard[1:] == [{LAMP: "on", MOTION: "off", NOWHERE: None}, {LAMP: "on", MOTION: "on", NOWHERE: None}]


def _silence(heard: list[News], pings: list[int]) -> None:
    before = len(pings)
    wait_until(lambda: len(pings) >= before + 3, "three pings")
    assert len(heard) == 3, "a silent home is no lost one"


def _hangs(home: HomeAssistant, heard: list[News]) -> None:
    assert home._process is not None
    home._process.send_signal(signal.SIGSTOP)
    begun_s = time.monotonic()
    try:
        wait_until(lambda: len(heard) == 4, "the hung home to be noticed")
        assert time.monotonic() - begun_s < 10.0
        assert isinstance(heard[3], HomeUnreachable)
        assert "does not answer any more" in heard[3].reason
        with closing(HomeAssistantClient(home.url, home.client.token, timeout_s=0.5)) as client:
            assert isinstance(client.call_on(LAMP, "turn_off"), HomeUnreachable)
    finally:
        home._process.send_signal(signal.SIGCONT)
    wait_until(lambda: len(heard) == 5, "the home to be followed again")
    assert heard[4] == heard[2]


def _has_no_voice(home: HomeAssistant) -> None:
    with closing(HomeAssistantClient(home.url, home.client.token)) as client:
        assert client.call("light", "turn_off", {"entity_id": NOWHERE}) is None, "so Home Assistant says"
        assert client.call_on(NOWHERE, "turn_off") == HomeRefused(f"there is no {NOWHERE}")
        assert client.call_on(LAMP, "turn_on", {"brightness": 7}) is None
        assert client.call("nothing", "at_all") == HomeRefused("there is no action nothing.at_all")
        refused = client.call("light", "turn_on", {"entity_id": LAMP, "brightness": "very"})
        assert isinstance(refused, HomeRefused)
        assert "there is no action" not in refused.reason
        unasked = client.ask_ai_task("dream", TEXT)
        assert isinstance(unasked, HomeRefused)
        assert "there is no action ai_task.generate_data" in unasked.reason or "no preferred entity" in unasked.reason
        assert isinstance(client.speech("tts.stand_in", TEXT), HomeRefused)
    assert home.calls_of(LAMP)[-1] == {"call": "turn_on", "brightness": 7}
    spoken = HomeVoice(HomeSpeech(home.url, home.client.token), "tts.stand_in").speak(TEXT, "en")
    assert isinstance(spoken, Silent)
    assert "there is no tts.stand_in" in spoken.reason


def _refuses_strangers(home: HomeAssistant) -> None:
    told: list[News] = []
    stranger = StatesListener(home.url, "not-a-token", (LAMP,), told.append, SOON)
    stranger.start()
    wait_until(lambda: not stranger._thread.is_alive(), "the stranger to give up")
    assert [type(news) for news in told] == [HomeRefused]
    assert "does not accept the access token" in str(told[0])


def _restarts(home: HomeAssistant, heard: list[News]) -> None:
    before = len(heard)
    home.stop()
    wait_until(lambda: len(heard) > before, "the loss to be noticed")
    assert isinstance(heard[before], HomeUnreachable)
    said = [entry.text for entry in home.log if "Disconnected" in entry.text]
    assert said == [], "we leave without a word that the home would have to write down"
    shutil.copytree(VOICE, home.folder / "custom_components" / VOICE.name)
    with (home.folder / "configuration.yaml").open("a") as settings:
        settings.write("\ntts:\nvoice_stand_in:\n")
    home.start()
    wait_until(
        lambda: heard[-1] == {LAMP: "off", MOTION: None, NOWHERE: None}, "all to be read again after the restart"
    )


def _speaks(home: HomeAssistant) -> None:
    speech = HomeSpeech(home.url, home.client.token)
    spoken = HomeVoice(speech, "tts.stand_in").speak(TEXT, "en")
    assert isinstance(spoken, Pcm), spoken
    assert len(spoken.samples) / spoken.rate_hz == pytest.approx(len(TEXT) * 0.05, rel=0.05)
    assert speech.language("tts.stand_in", "de-AT") == "de_DE"
    assert speech.language("tts.stand_in", "fi") == HomeRefused("tts.stand_in does not speak 'fi'")
    other = speech.language("tts.piper", "en")
    assert isinstance(other, HomeRefused)
    assert "tts.stand_in" in other.reason
    with closing(HomeAssistantClient(home.url, home.client.token)) as client:
        assert client.ask_ai_task("dream", TEXT) == f"dream: {TEXT}"
        assert client.ask_ai_task("dream", TEXT, "ai_task.nobody") == HomeRefused("there is no ai_task.nobody")
