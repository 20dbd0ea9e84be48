"""Lends story files to a player in the home, over HTTP. What was not handed out by ``url_for`` cannot be asked for.

A media player fetches a story by an address that Home Assistant gives it, without a password: the address itself is
the secret, 32 random bytes, and it fades after some hours. No path of a request ever touches the disk.
Ranges: RFC 9110, section 14, single ranges of bytes. Several at once are answered with the whole file, as it allows.
"""

import logging
import mimetypes
import re
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

log = logging.getLogger(__name__)

LENT_S = 6 * 3600.0
"""How long an address holds: a long evening."""

LENT_AT_MOST = 64
"""Addresses at a time; the oldest goes first."""

CONNECTIONS_AT_MOST = 8
SILENT_S = 15.0
"""A client that sends or takes nothing for this long is let go."""

HEADER_S = 20.0
"""A request must have said all its headers by then, however steadily it drips."""

CHUNK_BYTES = 64 * 1024

TYPES = {
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".aac": "audio/aac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
}


@dataclass(frozen=True, slots=True)
class ByteRange:
    first: int
    last: int
    """Included."""


def content_type(path: Path) -> str:
    """The media type of a story file; some systems' tables lack half of these."""
    suffix = path.suffix.lower()
    return TYPES.get(suffix) or mimetypes.guess_type(f"x{suffix}")[0] or "application/octet-stream"


def asked_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """What a Range header asks for; None: the whole file. ValueError when no byte of the file is in it."""
    match = re.fullmatch(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", header or "", re.ASCII)
    if match is None or match[0].strip() == "bytes=-" or not (match[1] or match[2]):
        return None
    if not match[1]:
        first, last = size_bytes - min(int(match[2]), size_bytes), size_bytes - 1
    else:
        first = int(match[1])
        last = min(int(match[2]), size_bytes - 1) if match[2] else size_bytes - 1
        if match[2] and int(match[2]) < first:
            return None  # not a range at all: to be passed over
    if first >= size_bytes:
        raise ValueError(f"the file ends at {size_bytes}")
    return ByteRange(first, last)


def address_towards(host: str, port: int) -> str:
    """The address of this machine that ``host`` sees; OSError when there is no way there. Nothing is sent (UDP)."""
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(place)
        return str(probe.getsockname()[0])


class AudioServer:
    """``host`` "" listens on every interface, ``port`` 0 on any free one. ``base_url`` (``http://box.local:8124``) is
    how players reach this box; without it, the address by which this box reaches ``towards`` (a URL of the home).

    OSError when the port cannot be had. ``now_s`` is any monotonic clock.
    """

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        base_url: str = "",
        towards: str = "",
        now_s: Callable[[], float] = time.monotonic,
        silent_s: float = SILENT_S,
        header_s: float = HEADER_S,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._towards = towards
        self._host = host
        self._now_s = now_s
        self._lent: dict[str, tuple[Path, float]] = {}
        self._lock = threading.Lock()
        self._server = _Server((host, port), self._path_of, silent_s, header_s)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="story-server", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url_for(self, path: Path) -> str:
        """An address for this one file, from now for ``LENT_S``. OSError when no way to the home is known."""
        base_url = self._base_url or f"http://{self._own_address()}:{self.port}"
        token = secrets.token_urlsafe(32)
        with self._lock:
            now_s = self._now_s()
            self._lent = {key: loan for key, loan in self._lent.items() if loan[1] > now_s}
            while len(self._lent) >= LENT_AT_MOST:
                del self._lent[next(iter(self._lent))]
            self._lent[token] = (path.absolute(), now_s + LENT_S)
        # Some players go by the ending of the name alone. The rest of the name is nobody's business.
        return f"{base_url}/{token}/story{quote(path.suffix.lower())}"

    def close(self) -> None:
        """No more requests; what is being sent is cut off."""
        self._server.shutdown()
        self._server.cut_off()
        self._server.server_close()
        self._thread.join(2.0)

    def _own_address(self) -> str:
        if self._host not in ("", "0.0.0.0", "::"):
            address = self._host
        else:
            place = urlsplit(self._towards)
            address = address_towards(place.hostname or "127.0.0.1", place.port or 80)
        return f"[{address}]" if ":" in address else address

    def _path_of(self, token: str) -> Path | None:
        with self._lock:
            loan = self._lent.get(token)
            return loan[0] if loan is not None and self._now_s() < loan[1] else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 32  # with the base's 5, a burst makes the kernel drop callers, who try again a second later

    def __init__(
        self, place: tuple[str, int], path_of: Callable[[str], Path | None], silent_s: float, header_s: float
    ) -> None:
        self.path_of, self.silent_s, self.header_s = path_of, silent_s, header_s
        self._places = threading.BoundedSemaphore(CONNECTIONS_AT_MOST)
        self._open: set[socket.socket] = set()
        if ":" in place[0]:
            self.address_family = socket.AF_INET6
        super().__init__(place, _Handler)

    def server_bind(self) -> None:
        """As in the base, but without asking a name server who we are: that can take many seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "story", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._open.add(request)
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._leave(request)
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._leave(request)

    def _leave(self, request: socket.socket) -> None:
        self._open.discard(request)
        self._places.release()

    def cut_off(self) -> None:
        for request in list(self._open):
            self.cut(request)

    @staticmethod
    def cut(request: socket.socket) -> None:
        with suppress(OSError):  # gone already
            request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        if isinstance(sys.exc_info()[1], OSError):
            log.debug("the player at %s went away", client_address)
        else:
            log.exception("a request from %s went wrong", client_address)


class _Handler(BaseHTTPRequestHandler):
    """One request per connection, so that a player that keeps connections open does not fill the few places."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Somnisphere", ""

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.silent_s)

    def handle_one_request(self) -> None:
        self.close_connection = True
        self._deadline = threading.Timer(self.server.header_s, _Server.cut, (self.connection,))
        self._deadline.daemon = True
        self._deadline.start()
        try:
            super().handle_one_request()
        finally:
            self._deadline.cancel()

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        self._deadline.cancel()
        self.close_connection = True
        match = re.fullmatch(r"/([A-Za-z0-9_-]{43})/story(\.\w{1,5})?", self.path, re.ASCII)
        path = self.server.path_of(match[1]) if match else None
        try:
            if path is None or not path.is_file():
                raise FileNotFoundError
            file = path.open("rb")
        except OSError:
            self._refuse(404)
            return
        with file:
            size_bytes = file.seek(0, 2)
            try:
                part = asked_range(self.headers.get("Range"), size_bytes)
            except ValueError:
                self._refuse(416, ("Content-Range", f"bytes */{size_bytes}"))
                return
            self.send_response(200 if part is None else 206)
            if part is not None:
                self.send_header("Content-Range", f"bytes {part.first}-{part.last}/{size_bytes}")
            part = part or ByteRange(0, size_bytes - 1)
            self.send_header("Content-Type", content_type(path))
            self.send_header("Content-Length", str(part.last - part.first + 1))
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Cache-Control", "private, no-store")
            self.send_header("Connection", "close")
            self.end_headers()
            if not with_body:
                return
            file.seek(part.first)
            left = part.last - part.first + 1
            while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
                self.wfile.write(chunk)
                left -= len(chunk)

    def _refuse(self, code: int, *headers: tuple[str, str]) -> None:
        self.send_response(code)
        for name, value in (*headers, ("Content-Length", "0"), ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet: the address is a secret, and must not stand in a log."""
