"""What servers of the house may answer: a Wyoming voice, Home Assistant, and what other boxes say of themselves."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.fuzz.dough import Dough
from tests.fuzz.target import Target, sentence

from somnisphere.events import HomeReported
from somnisphere.home_facts import HomeQuestions
from somnisphere.home_follower import HomeFollower
from somnisphere.home_lamp import HomeLamp
from somnisphere.home_player import HomePlayer
from somnisphere.home_player_wish import PlayerDone
from somnisphere.home_worker import HomeWorker
from somnisphere.telling import wyoming
from somnisphere.telling.voices import Pcm, Silent
from somnisphere.watch_home import Bedsides
from somnisphere_home import rest_speech
from somnisphere_home.rest import EntityState, HomeAssistantClient, HomeRefused, HomeUnreachable
from somnisphere_home.rest_listener import states_in

_ATTRIBUTES = (
    *("brightness", "supported_color_modes", "color_temp", "min_color_temp_kelvin", "volume_level", "media_duration"),
    *("media_content_id", "media_position", "media_position_updated_at", "media_title"),
)
_QUESTIONS = HomeQuestions(("light.a", "media_player.b"), "sensor.lux", ("light.c",))
_STATES = ("on", "off", "playing", "paused", "idle", "unavailable", "unknown", "standby")
_GROUPS = ("stage", "vitals", "presence", "ritual", "lamp", "story", "health", "status", "sensor/status", "image")
_SAID = (
    *("sleep_stage", "in_bed", "heart_rate", "breathing_rate", "phase", "brightness", "state", "story_playing"),
    *("story_position", "sensor_problem_attributes", "event_type", "at"),
)


def one(data: bytes) -> None:
    dough = Dough(data)
    (_wyoming, _wyoming, _states, _lamp, _player, _voices, _bedsides)[dough.number(6)](dough)


# ---- a voice --------------------------------------------------------------------------------------------------------


class _Line:
    """A socket that says what the fuzzer says, in pieces, and hangs up."""

    def __init__(self, said: bytes, piece: int) -> None:
        self._said, self._piece = said, piece

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def sendall(self, data: bytes) -> None:
        assert data

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def recv(self, most: int) -> bytes:
        size = min(self._piece, most)
        got, self._said = self._said[:size], self._said[size:]
        return got


def _event(dough: Dough) -> bytes:
    """One event, well made or nearly so."""
    data = json.dumps({"rate": 22050, "width": 2, "channels": 1 + dough.number(1)}).encode()
    sound = dough.blob(120)
    kind = dough.choice(("audio-start", "audio-chunk", "audio-stop", "error", "pong"))
    header: Any = {"type": kind, "data_length": len(data), "payload_length": len(sound)}
    if dough.byte() % 4 == 1:
        header = dough.altered(header, ("type", "data", "data_length", "payload_length", "rate", "width", "channels"))
    return json.dumps(header).encode() + b"\n" + data + sound


def _wyoming(dough: Dough) -> None:
    piece = 1 + dough.byte()
    said = dough.rest() if dough.flag() else b"".join(_event(dough) for _ in range(1 + dough.number(5)))
    with patch("socket.create_connection", lambda *_, **__: _Line(said, piece)):
        spoken = wyoming.Wyoming("piper").speak("Once there was a whale.", "en")
    if isinstance(spoken, Silent):
        sentence(spoken.reason)
        return
    assert isinstance(spoken, Pcm)
    assert 4000 <= spoken.rate_hz <= 192_000
    assert len(spoken.samples) <= wyoming.MOST_AUDIO_BYTES


# ---- Home Assistant -------------------------------------------------------------------------------------------------


def _states(dough: Dough) -> None:
    result: Any = dough.odd(_STATES)
    if dough.flag():
        result = [dough.odd(_STATES) for _ in _QUESTIONS.entity_ids]
    elif dough.flag():
        result = dough.rest().decode("utf-8", "replace")
    states = states_in(result, _QUESTIONS.entity_ids)
    if states is None:
        return
    told: list[HomeReported] = []
    follower = HomeFollower(_QUESTIONS, told.append, lambda: 5.0)
    follower.hear(states)
    follower.hear(HomeUnreachable("x"))
    for report in told:
        assert report.someone_up in (True, False, None)
        assert report.bedroom_dark in (True, False, None)


class _NoWorker(HomeWorker[PlayerDone]):
    """Nothing is asked for: the fuzzer answers."""

    def ask(self, question: Callable[[HomeAssistantClient], PlayerDone]) -> None:
        assert callable(question)


class _Client(HomeAssistantClient):
    """Home Assistant, which says what the fuzzer says."""

    def __init__(self, dough: Dough) -> None:
        super().__init__("http://home", "token")
        self._dough = dough
        self.asked: list[Mapping[str, Any]] = []

    def attributes(self, entity_id: str) -> EntityState | HomeUnreachable | HomeRefused | None:
        assert entity_id
        match self._dough.byte() % 16:
            case 1:
                return None
            case 2:
                return HomeUnreachable("it is away")
        return _state(self._dough)

    def call(
        self, domain: str, service: str, data: Mapping[str, Any] | None = None
    ) -> HomeUnreachable | HomeRefused | None:
        assert domain
        assert service
        self.asked.append(data or {})
        json.dumps(data)
        return HomeRefused("no") if self._dough.byte() % 16 == 1 else None


def _state(dough: Dough) -> EntityState:
    attributes = {name: dough.odd(("color_temp", "http://x/a")) for name in _ATTRIBUTES if dough.flag()}
    return EntityState(dough.choice(_STATES) if dough.byte() % 8 else dough.text(), attributes)


def _lamp(dough: Dough) -> None:
    """Its own worker's steps, without the thread."""
    lamp, client, at_s = HomeLamp(_Client(dough), "light.bedroom"), _Client(dough), 0.0
    lamp.dim(45.0, 60.0, at_s)
    for _ in range(12):
        aim = lamp._aim(at_s)
        done = lamp._step(client, aim, lamp._between, lamp._colour_k(aim), at_s, lamp._dims)
        lamp._hear(done, at_s)
        at_s += dough.byte()
        assert 0.0 <= lamp.lightness_pct <= 100.0
        assert 0.0 <= lamp._fade.at(at_s) <= 100.0
    for data in client.asked:
        assert 1 <= data.get("brightness", 1) <= 255
        assert 1000 <= data.get("color_temp_kelvin", 2000) <= 50_000


def _player(dough: Dough) -> None:
    player, at_s = HomePlayer(_Client(dough), "media_player.bedroom", lambda path: f"http://x/{path.name}"), 0.0
    player._worker = _NoWorker(_Client(dough))
    player.play(Path(__file__), 10.0, -20.0)
    wish = player._wish
    assert wish is not None
    wish.url, wish.started = "http://x/a", True
    for _ in range(12):
        at_s += dough.byte() / 4
        player._now_s = at_s
        player._hear(PlayerDone("look", player._wish, state=_state(dough)))
        for report in player._told:
            assert report.position_s == report.position_s
            assert 0.0 <= report.position_s < 1e9
        player._told = []
        assert player._own_level is None or 0.0 <= player._own_level <= 1.0


class _Socket:
    listed: Any = None

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> "_Socket":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, *_: object, **__: object) -> Any:
        return self.listed


def _voices(dough: Dough) -> None:
    listed: Any = {"providers": [{"engine_id": "tts.piper", "supported_languages": ["en_GB"], "name": "Piper"}]}
    for _ in range(1 + dough.number(3)):
        listed = dough.altered(listed, ("providers", "engine_id", "supported_languages", "tts.piper"))
    with patch.object(rest_speech, "HomeSocket", _Socket), patch.object(_Socket, "listed", listed):
        found = rest_speech.HomeSpeech("http://home", "token").language("tts.piper", dough.choice(("en", "")))
    if not isinstance(found, str):
        sentence(found.reason)


# ---- other boxes ----------------------------------------------------------------------------------------------------


def _bedsides(dough: Dough) -> None:
    house = Bedsides()
    house.hear("somnisphere/attic/status", b"online")
    house.hear("somnisphere/attic/sensor/status", b"online")
    for _ in range(1 + dough.number(6)):
        topic = f"somnisphere/{dough.choice(('attic', 'house', dough.text(9)))}/{dough.choice(_GROUPS)}"
        said = {dough.choice(_SAID): dough.odd(_SAID) for _ in range(dough.number(6))}
        house.hear(topic, json.dumps(said).encode() if dough.byte() % 8 else dough.blob(200))
    for line in house.lines():
        assert line.isprintable() or "somnisphere" not in line
        assert len(line) < 2000


def seeds() -> Iterator[bytes]:
    data = b'{"rate":22050,"width":2,"channels":1}'
    start = b'{"type":"audio-start","data_length":%d,"payload_length":4}\n' % len(data) + data + b"\1\2\3\4"
    yield b"\0\xff\1" + start + b'{"type":"audio-stop"}\n'
    yield b"\0\xff\1" + b'{"type":"error","data":{"text":"no voice"}}\n'
    for way in range(7):
        for k in range(6):
            yield bytes([way, *((k * 37 + n * 11) % 256 for n in range(120))])


TARGET = Target(one, seeds, words=(*_ATTRIBUTES, *_STATES, '"data_length":', '"payload_length":', "audio-stop"))
