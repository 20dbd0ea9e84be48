"""Lending stories over HTTP: what was handed out comes whole and in parts, and nothing else comes at all."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from somnisphere_home.audio_server import (
    CONNECTIONS_AT_MOST,
    LENT_AT_MOST,
    LENT_S,
    AudioServer,
    address_towards,
    content_type,
)

STORY = bytes(range(256)) * 1000


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[AudioServer]:
    made = AudioServer("127.0.0.1", now_s=clock, silent_s=1.0, header_s=1.5)
    yield made
    made.close()


@pytest.fixture
def story(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    path = tmp_path / "the fox.m4b"
    path.write_bytes(STORY)
    return path


def ask(
    url: str, method: str = "GET", path: str | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    try:
        connection.request(method, place.path if path is None else path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def say(server: AudioServer, raw: bytes) -> bytes:
    """Bytes as no client would send them; what came back until the end, or a reset."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        came = b""
        try:
            connection.sendall(raw)
            while more := connection.recv(65536):
                came += more
        except (ConnectionResetError, BrokenPipeError):
            pass
        return came


def test_the_whole_story(server: AudioServer, story: Path) -> None:
    code, headers, body = ask(server.url_for(story))
    assert (code, body) == (200, STORY)
    assert headers["Content-Type"] == "audio/mp4"
    assert headers["Accept-Ranges"] == "bytes"
    code, headers, body = ask(server.url_for(story), "HEAD")
    assert (code, headers["Content-Length"], body) == (200, str(len(STORY)), b"")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=255990-", 255990, 255999),
        ("bytes=-10", 255990, 255999),
        ("bytes=-9999999", 0, 255999),
        ("bytes=5-9999999", 5, 255999),
    ],
)
def test_a_part_of_it(server: AudioServer, story: Path, asked: str, first: int, last: int) -> None:
    code, headers, body = ask(server.url_for(story), Range=asked)
    assert code == 206
    assert headers["Content-Range"] == f"bytes {first}-{last}/{len(STORY)}"
    assert body == STORY[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=256000-", "bytes=999999-1000000", "bytes=-0"])
def test_a_part_that_is_not_there(server: AudioServer, story: Path, asked: str) -> None:
    code, headers, body = ask(server.url_for(story), Range=asked)
    assert (code, headers["Content-Range"], body) == (416, f"bytes */{len(STORY)}", b"")


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=9-5", "bytes=-", "bytes=x-", "bytes=" + "9" * 40]
)
def test_a_range_that_is_none_is_passed_over(server: AudioServer, story: Path, asked: str) -> None:
    assert ask(server.url_for(story), Range=asked)[::2] == (200, STORY)


def test_an_empty_file(server: AudioServer, tmp_path: Path) -> None:
    path = tmp_path / "empty.mp3"
    path.touch()
    assert ask(server.url_for(path))[::2] == (200, b"")
    assert ask(server.url_for(path), Range="bytes=0-")[0] == 416


def test_an_address_fades(server: AudioServer, story: Path, clock: Clock) -> None:
    url = server.url_for(story)
    clock.now_s = LENT_S - 1
    assert ask(url)[0] == 200
    clock.now_s = LENT_S
    assert ask(url)[0] == 404


def test_the_oldest_address_gives_way(server: AudioServer, story: Path) -> None:
    first, *others = [server.url_for(story) for _ in range(LENT_AT_MOST + 1)]
    assert len({first, *others}) == LENT_AT_MOST + 1
    assert ask(first)[0] == 404
    assert {ask(others[0])[0], ask(others[-1])[0]} == {200}


def test_a_file_that_went_is_not_found(server: AudioServer, story: Path) -> None:
    url = server.url_for(story)
    story.unlink()
    assert ask(url)[0] == 404
    assert ask(server.url_for(story.parent))[0] == 404


def test_nothing_else_is_reachable(server: AudioServer, story: Path) -> None:
    url = server.url_for(story)
    token = urlsplit(url).path.split("/")[1]
    assert story.stem not in url
    for path in (
        "/",
        "/" + token,
        f"/{token}/",
        f"/{token}/secret.txt",
        f"/{token}/../secret.txt",
        f"/{token}/story.m4b/../../secret.txt",
        f"/{token}/%2e%2e/secret.txt",
        f"/{token}/story.m4b?x=1",
        f"/{token}/story.m4b%00",
        "//etc/passwd",
        "/../../../../etc/passwd",
        f"/{token[:-1]}A/story.m4b" if token[-1] != "A" else f"/{token[:-1]}B/story.m4b",
        f"http://elsewhere/{token}/story.m4b",
    ):
        assert ask(url, path=path)[::2] == (404, b""), path


def test_only_reading(server: AudioServer, story: Path) -> None:
    url = server.url_for(story)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"):
        assert ask(url, method)[0] == 501
    assert story.read_bytes() == STORY


def test_hostile_requests_get_nothing_and_break_nothing(server: AudioServer, story: Path) -> None:
    url = server.url_for(story)
    path = urlsplit(url).path.encode()
    for raw in (
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET " + path + b" HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET " + path + b" HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"GET " + path + b" HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"",
    ):
        assert STORY[:2000] not in say(server, raw), raw[:50]
    assert ask(url)[2] == STORY


def test_slow_clients_are_let_go_and_places_come_free(server: AudioServer, story: Path) -> None:
    """All places taken by clients that say nothing, or drip: a good one is served again in short time."""
    url = server.url_for(story)
    with ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            for _ in range(CONNECTIONS_AT_MOST)
        ]
        idle[0].sendall(b"GET / HT")
        begin_s = time.monotonic()
        surplus = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        with suppress(ConnectionResetError):
            assert surplus.recv(10) == b""  # no place: closed at once
        assert time.monotonic() - begin_s < 0.9
        while True:  # one drips a byte now and then, which must not keep its place
            try:
                idle[0].sendall(b"T")
                code = ask(url)[0]
            except OSError:
                code = 0
            if code == 200:
                break
            assert time.monotonic() - begin_s < 8
            time.sleep(0.2)
        idle[0].settimeout(5)
        try:
            while idle[0].recv(4096):
                pass
        except ConnectionResetError:
            pass
        assert time.monotonic() - begin_s < 8


def test_closing_ends_what_is_being_sent(story: Path) -> None:
    story.write_bytes(b"x" * 30_000_000)
    server = AudioServer("127.0.0.1")
    place = urlsplit(server.url_for(story))
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(f"GET {place.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        server.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_addresses(story: Path) -> None:
    server = AudioServer("", base_url="http://box.local:8124/")
    try:
        assert server.url_for(story).startswith("http://box.local:8124/")
    finally:
        server.close()
    server = AudioServer("", towards="http://127.0.0.1:8123")
    try:
        assert server.url_for(story).startswith(f"http://127.0.0.1:{server.port}/")
        assert ask(server.url_for(story))[0] == 200
    finally:
        server.close()
    assert address_towards("127.0.0.1", 80) == "127.0.0.1"
    with pytest.raises(OSError, match=r".+"):
        address_towards("no-such-host.invalid", 80)


def test_types() -> None:
    names = {"a.MP3": "audio/mpeg", "a.opus": "audio/ogg", "a.flac": "audio/flac", "a.zzz9": "application/octet-stream"}
    assert {name: content_type(Path(name)) for name in names} == names
