"""Piper in Home Assistant, spoken to by the Wyoming protocol over TCP.

An event is one line of JSON (``type``, ``data_length``, ``payload_length``), then so many bytes of JSON data, then so
many bytes of payload. ``synthesize`` is answered by ``audio-start``, ``audio-chunk`` ..., ``audio-stop``.
Protocol: https://github.com/OHF-Voice/wyoming. Written here because its own client needs an event loop.
"""

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from somnisphere.telling.voices import Deeper, Pcm, Silent, Voice, pcm_of, pieces, speakable

CONNECT_S = 3.0
SENTENCE_S = 30.0
"""A server that has not spoken one piece of text within this is too slow to tell a story."""

MOST_HEADER_BYTES = 1 << 16
MOST_DATA_BYTES = 1 << 20
MOST_AUDIO_BYTES = 64 << 20


class _TroubleError(Exception):
    """What the server did wrong, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Wyoming:
    host: str
    port: int = 10200
    connect_s: float = CONNECT_S
    sentence_s: float = SENTENCE_S

    @property
    def name(self) -> str:
        return f"wyoming {self.host}:{self.port}"

    def turned(self, turn: int) -> Voice:
        return Deeper(self) if turn % 2 else self

    def speak(self, text: str, language: str) -> Pcm | Silent:
        spoken, rate_hz = b"", 22050
        try:
            for piece in pieces(speakable(text)):
                sound, rate_hz = self._ask(piece, language)
                spoken += sound
        except _TroubleError as trouble:
            return Silent(f"The voice at {self.host}, port {self.port}, {trouble}.")
        except TimeoutError:
            return Silent(f"The voice at {self.host}, port {self.port}, did not answer in time.")
        except (OSError, UnicodeError) as error:
            said = getattr(error, "strerror", None) or error
            return Silent(f"The voice at {self.host}, port {self.port}, cannot be reached: {said}.")
        return pcm_of(spoken, rate_hz)

    def _ask(self, text: str, language: str) -> tuple[bytes, int]:
        """Sound of one piece (16 bit, one channel) and its rate in Hz."""
        ends_at_s = time.monotonic() + self.sentence_s
        with socket.create_connection((self.host, self.port), timeout=self.connect_s) as line:
            asked: dict[str, Any] = {"text": text}
            if language:
                asked["voice"] = {"language": language}
            data = json.dumps(asked, ensure_ascii=False).encode()
            header = {"type": "synthesize", "version": "1.5.0", "data_length": len(data)}
            line.sendall(json.dumps(header).encode() + b"\n" + data)
            return _listen(_Reader(line, ends_at_s))


def _listen(reader: "_Reader") -> tuple[bytes, int]:
    sound, rate_hz, channels = bytearray(), 0, 1
    while True:
        kind, data, payload = reader.event()
        if kind == "error":
            raise _TroubleError(f"says: {' '.join(str(data.get('text', 'an error')).split())[:200]}")
        if kind in ("audio-start", "audio-chunk"):
            rate_hz, channels = _format(data)
            sound += payload
            if len(sound) > MOST_AUDIO_BYTES:
                raise _TroubleError("sends sound without end")
        elif kind == "audio-stop":
            if rate_hz == 0:
                raise _TroubleError("ended without sound")
            mono = pcm_of(bytes(sound), rate_hz, channels=channels)
            return mono.samples.astype("<i2").tobytes(), rate_hz


def _format(data: dict[str, Any]) -> tuple[int, int]:
    rate_hz, width, channels = (data.get(key) for key in ("rate", "width", "channels"))
    if not (isinstance(rate_hz, int) and 4000 <= rate_hz <= 192000 and width == 2 and channels in (1, 2)):
        raise _TroubleError(
            f"sends sound of a form not known here (rate {rate_hz}, width {width}, channels {channels})"
        )
    return rate_hz, int(channels)


@dataclass(slots=True)
class _Reader:
    line: socket.socket
    ends_at_s: float
    held: bytes = b""

    def event(self) -> tuple[str, dict[str, Any], bytes]:
        header = self._json(self._line())
        data = header.get("data") or {}
        if length := self._length(header, "data_length", MOST_DATA_BYTES):
            data = {**data, **self._json(self._bytes(length))} if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(header.get("type"), str):
            raise _TroubleError("does not speak the Wyoming protocol")
        return header["type"], data, self._bytes(self._length(header, "payload_length", MOST_AUDIO_BYTES))

    def _json(self, text: bytes) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise _TroubleError("does not speak the Wyoming protocol")
        return found

    def _length(self, header: dict[str, Any], key: str, most: int) -> int:
        length = header.get(key) or 0
        if not isinstance(length, int) or not 0 <= length <= most:
            raise _TroubleError("does not speak the Wyoming protocol")
        return length

    def _line(self) -> bytes:
        return self._until(lambda: self.held.find(b"\n") + 1, MOST_HEADER_BYTES)

    def _bytes(self, length: int) -> bytes:
        return self._until(lambda: length if len(self.held) >= length else 0, length) if length else b""

    def _until(self, end: Callable[[], int], most: int) -> bytes:
        """Bytes up to where ``end`` says, read with one deadline for the whole answer."""
        while not (found := end()):
            if len(self.held) > most:
                raise _TroubleError("does not speak the Wyoming protocol")
            left_s = self.ends_at_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self.line.settimeout(left_s)
            got = self.line.recv(1 << 16)
            if not got:
                raise _TroubleError("hung up before it had spoken")
            self.held += got
        taken, self.held = self.held[:found], self.held[found:]
        return taken
