"""The Wyoming client against a server written from the protocol alone, and against servers that do wrong."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from somnisphere.config_keys import Voice as VoiceSettings
from somnisphere.story import Book, Recording, Sentence
from somnisphere.telling.espeak import Espeak
from somnisphere.telling.piper import Piper
from somnisphere.telling.spoken import tell
from somnisphere.telling.voices import Chain, Pcm, Silent, alternatives, choose
from somnisphere.telling.wyoming import Wyoming

Answer = Callable[[socket.socket], None]


@contextmanager
def serving(answer: Answer) -> Iterator[Wyoming]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line, suppress(OSError):  # the client had enough
                answer(line)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Wyoming("127.0.0.1", listener.getsockname()[1], connect_s=1.0, sentence_s=1.0)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def asked(line: socket.socket) -> dict[str, object]:
    file = line.makefile("rb")
    header = json.loads(file.readline())
    assert header["type"] == "synthesize"
    data = header.get("data") or {}
    data.update(json.loads(file.read(header.get("data_length") or 0) or b"{}"))
    return dict(data)


def event(kind: str, data: dict[str, object], payload: bytes = b"", *, inline: bool = False) -> bytes:
    body = b"" if inline else json.dumps(data).encode()
    head: dict[str, object] = {"type": kind, "version": "1.10.2", "payload_length": len(payload)}
    head |= {"data": data} if inline else {"data_length": len(body)}
    return json.dumps(head).encode() + b"\n" + body + payload


FORM: dict[str, object] = {"rate": 16000, "width": 2, "channels": 1}
WAVE = (9000 * np.sin(np.arange(8000) / 9)).astype("<i2")


class Speaking:
    def __init__(self, form: dict[str, object] = FORM, *, inline: bool = False, part: int = 1 << 20) -> None:
        self.texts: list[dict[str, object]] = []
        self.form, self.inline, self.part = form, inline, part

    def __call__(self, line: socket.socket) -> None:
        self.texts.append(asked(line))
        said = event("audio-start", self.form, inline=self.inline)
        sound = WAVE.tobytes()
        for begin in range(0, len(sound), 3000):
            said += event("audio-chunk", self.form, sound[begin : begin + 3000], inline=self.inline)
        said += event("audio-stop", {}, inline=self.inline)
        for begin in range(0, len(said), self.part):
            line.sendall(said[begin : begin + self.part])


@pytest.mark.parametrize(("inline", "part"), [(False, 1 << 20), (True, 1 << 20), (False, 7)])
def test_it_speaks(inline: bool, part: int) -> None:
    server = Speaking(inline=inline, part=part)
    with serving(server) as voice:
        spoken = voice.speak("Good night — לילה טוב", "he")
    assert isinstance(spoken, Pcm), spoken
    assert spoken.rate_hz == 16000
    assert np.array_equal(spoken.samples, WAVE)
    assert server.texts == [{"text": "Good night — לילה טוב", "voice": {"language": "he"}}]


def test_two_channels_become_one() -> None:
    with serving(Speaking({**FORM, "channels": 2})) as voice:
        spoken = voice.speak("Good night.", "")
    assert isinstance(spoken, Pcm)
    assert np.abs(spoken.samples - WAVE.reshape(-1, 2).mean(axis=1)).max() <= 1


def test_text_without_words_asks_nobody() -> None:
    spoken = Wyoming("127.0.0.1", 1).speak("...", "en")
    assert isinstance(spoken, Pcm)
    assert len(spoken.samples) == 0


def send(*parts: bytes, hold_s: float = 0.0) -> Answer:
    def answer(line: socket.socket) -> None:
        asked(line)
        line.sendall(b"".join(parts))
        if hold_s:
            line.settimeout(hold_s)
            line.recv(1)

    return answer


START = event("audio-start", FORM)
CHUNK = event("audio-chunk", FORM, WAVE.tobytes())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (send(), "hung up"),
        (send(START, CHUNK), "hung up"),
        (send(START, CHUNK[:-50]), "hung up"),
        (send(hold_s=5), "in time"),
        (send(START, CHUNK, hold_s=5), "in time"),
        (send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "Wyoming protocol"),
        (send(b"[1]\n"), "Wyoming protocol"),
        (send(b"[" * 60000 + b"\n"), "Wyoming protocol"),
        (send(b"x" * 200000), "Wyoming protocol"),
        (send(b'{"type": "audio-start", "data_length": -4}\n'), "Wyoming protocol"),
        (send(b'{"type": "audio-start", "data_length": 99999999999}\n'), "Wyoming protocol"),
        (send(b'{"type": "audio-start", "data": 7}\n'), "Wyoming protocol"),
        (send(b'{"data": {}}\n'), "Wyoming protocol"),
        (send(event("audio-start", {**FORM, "width": 4})), "form not known"),
        (send(event("audio-start", {**FORM, "rate": 0})), "form not known"),
        (send(event("audio-stop", {})), "without sound"),
        (send(event("error", {"text": "no voice\nhere"})), "says: no voice here"),
    ],
)
def test_a_server_that_does_wrong_is_silence_with_a_reason(answer: Answer, said: str) -> None:
    with serving(answer) as voice:
        spoken = voice.speak("Good night.", "en")
    assert isinstance(spoken, Silent), spoken
    assert said in spoken.reason
    assert spoken.reason.endswith(".")
    assert "\n" not in spoken.reason


def test_a_server_that_drips_is_left_at_the_deadline() -> None:
    def drip(line: socket.socket) -> None:
        asked(line)
        line.sendall(START)
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s:
            line.sendall(event("audio-chunk", FORM, bytes(2)))
            time.sleep(0.02)

    with serving(drip) as voice:
        begun_s = time.monotonic()
        spoken = voice.speak("Good night.", "en")
        assert time.monotonic() - begun_s < 5
    assert isinstance(spoken, Silent)
    assert "in time" in spoken.reason


def test_sound_in_events_of_other_kinds_is_passed_over() -> None:
    with serving(
        send(
            event("describe", {}),
            START,
            CHUNK,
            event("later-invention", {"a": 1}, b"xx"),
            CHUNK,
            event("audio-stop", {}),
        )
    ) as voice:
        spoken = voice.speak("Good night.", "en")
    assert isinstance(spoken, Pcm)
    assert len(spoken.samples) == 2 * len(WAVE)


def dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_dead_server_leaves_the_book_to_the_next_voice(tmp_path: Path) -> None:
    dead = Wyoming("127.0.0.1", dead_port())
    silent = dead.speak("Good night.", "en")
    assert isinstance(silent, Silent)
    assert "cannot be reached" in silent.reason
    assert isinstance(Wyoming("no.such.host.invalid", 10200).speak("Good night.", "en"), Silent)
    book = Book("a", "A", Path("a"), sentences=(Sentence("a", "Good night."),))
    assert isinstance(tell(book, Chain((dead, Espeak())), tmp_path), Recording)


def test_a_book_is_told_by_it(tmp_path: Path) -> None:
    book = Book("a", "A", Path("a"), sentences=(Sentence("a", "One.", "X"), Sentence("b", "Two.", "Y")))
    with serving(Speaking()) as voice:
        told = tell(book, voice, tmp_path)
    assert isinstance(told, Recording), told
    lengths = [mark.end_s - mark.begin_s for mark in told.marks]
    assert lengths == pytest.approx([0.5, 0.5 / 0.88], abs=0.01), "the second teller is deeper, and so slower"


def test_piper_without_a_model_says_so(tmp_path: Path) -> None:
    spoken = Piper(str(tmp_path / "none.onnx")).speak("Good night.", "en")
    assert isinstance(spoken, Silent)
    assert "none.onnx is not there" in spoken.reason
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    spoken = Piper(str(tmp_path / "bad.onnx")).speak("Good night.", "en")
    assert isinstance(spoken, Silent)
    assert "bad.onnx.json is not there" in spoken.reason
    (tmp_path / "bad.onnx.json").write_text("{}")
    spoken = Piper(str(tmp_path / "bad.onnx")).speak("Good night.", "en")
    assert isinstance(spoken, Silent)
    assert "pip install" in spoken.reason or "cannot speak with bad.onnx" in spoken.reason


def test_the_configuration_chooses_and_espeak_is_always_last() -> None:
    both = VoiceSettings(wyoming_host="home", piper_voice="/v/a.onnx", words_per_minute=110)
    names = [voice.name.split()[0] for voice in alternatives(choose(both))]
    assert names == ["wyoming", "piper", "espeak-ng"]
    for engine, expected in {
        "espeak": ["espeak-ng"],
        "piper": ["piper", "espeak-ng"],
        "wyoming": ["wyoming", "espeak-ng"],
    }.items():
        settings = VoiceSettings(engine=engine, wyoming_host="home", piper_voice="/v/a.onnx")  # type: ignore[arg-type]
        assert [voice.name.split()[0] for voice in alternatives(choose(settings))] == expected
    assert len(alternatives(choose(VoiceSettings()))) == 1
