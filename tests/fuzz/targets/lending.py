"""Requests to the server that lends a story to a player: an answer of HTTP or none, and no byte but the story's."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.fuzz.dough import Dough
from tests.fuzz.room import room
from tests.fuzz.target import Target

from somnisphere_home import audio_server
from somnisphere_home.audio_server import asked_range

_TOKEN = "A" * 43
_STORY = bytes(range(256)) * 3
_SECRET = b"what nobody lent"
_KNOWN = frozenset({200, 206, 400, 404, 414, 416, 431, 501, 505})


class _Socket:
    """A connection that has said all it will ever say, and keeps what is answered."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self.answered = b""

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self._said))

    def sendall(self, data: bytes) -> None:
        self.answered += bytes(data)


class _NoTimer:
    daemon = True

    def __init__(self, seconds: float, *_: object) -> None:
        assert seconds > 0

    def start(self) -> None:
        pass

    def cancel(self) -> None:
        pass


class _Server:
    silent_s, header_s = 15.0, 20.0

    def __init__(self, story: Path) -> None:
        self._story = story

    def path_of(self, token: str) -> Path | None:
        return self._story if token == _TOKEN else None


def one(data: bytes) -> None:
    dough = Dough(data)
    if dough.byte() % 4 == 1:
        _range(dough.rest().decode("latin-1"))
        return
    said = dough.rest() if dough.flag() else _asked(dough)
    with room() as folder, patch.object(audio_server.threading, "Timer", _NoTimer):  # type: ignore[attr-defined]
        story = folder / "story.opus"
        story.write_bytes(_STORY)
        (folder / "secret").write_bytes(_SECRET)
        line: Any = _Socket(said)
        audio_server._Handler(line, ("127.0.0.1", 1), _Server(story))  # type: ignore[arg-type]
    _check(line.answered)


def _check(answered: bytes) -> None:
    answered = answered.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    if not answered:
        return
    head, _, body = answered.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.[01] (\d{3}) ", head)
    if status is None:  # HTTP/0.9 has no head; it is refused in words
        assert _SECRET not in answered
        return
    assert int(status[1]) in _KNOWN, head
    assert all(b"\n" not in line for line in head.split(b"\r\n")), "a line of the head is broken"
    if int(status[1]) in (200, 206):
        assert body in _STORY
    else:
        assert _SECRET not in body


def _range(header: str) -> None:
    for size_bytes in (0, 1, 1000):
        try:
            found = asked_range(header, size_bytes)
        except ValueError:
            continue
        assert found is None or 0 <= found.first <= found.last < size_bytes


def _asked(dough: Dough) -> bytes:
    method = dough.choice((b"GET", b"HEAD", b"POST", b"G\0T", b""))
    place = dough.choice((f"/{_TOKEN}/story.opus", f"/{_TOKEN}/story", "/../secret", f"/{_TOKEN}/../secret", "//x"))
    version = dough.choice((b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1", b""))
    lines = [b" ".join((method, place.encode() + dough.blob(9), version))]
    for _ in range(dough.number(4)):
        name = dough.choice((b"Range", b"Host", b"Expect", b"Connection", b"Content-Length", dough.blob(6)))
        value = dough.choice((b"bytes=0-9", b"bytes=-5", b"bytes=5-", b"100-continue", b"close", b"-1", dough.blob(30)))
        lines.append(name + b": " + value)
    return b"\r\n".join([*lines, b"", b""]) if dough.byte() % 8 else b"\n".join(lines)


def seeds() -> Iterator[bytes]:
    good = f"GET /{_TOKEN}/story.opus HTTP/1.1\r\nHost: x\r\nRange: bytes=5-9\r\n\r\n".encode()
    yield b"\0\1" + good
    yield b"\0\1" + good.replace(b"GET", b"HEAD")
    yield b"\x01bytes=0-"
    for k in range(12):
        yield bytes([0, 0, *((k * 29 + n * 13) % 256 for n in range(80))])


_WORDS = (
    _TOKEN,
    "GET ",
    "HEAD ",
    " HTTP/1.1",
    "Range: bytes=",
    "Expect: 100-continue",
    "Content-Length: ",
    "/story.opus",
)

TARGET = Target(one, seeds, words=_WORDS)
