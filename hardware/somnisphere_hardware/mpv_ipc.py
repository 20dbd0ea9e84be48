"""One mpv process and the socket to it: JSON lines out, JSON lines in. What they mean is for ``speaker``.

Protocol: mpv manual, "JSON IPC". A reader thread does all waiting, so no call here blocks for longer than a moment.
"""

import contextlib
import json
import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

log = logging.getLogger(__name__)

LINK_UP = "link-up"
LINK_DOWN = "link-down"
"""Events of our own among mpv's: the socket is there; mpv is gone or does not open it."""

START_PATIENCE_S = 15.0
"""A Pi Zero may take seconds to load mpv from its card."""

LONGEST_LINE = 1 << 20
"""Bytes; what mpv tells of a story has some hundred."""

LONGEST_SOCKET_PATH = 107
"""Bytes of ``sockaddr_un.sun_path``, without its closing zero (unix(7))."""

MPV_OPTIONS = (
    "--no-config",
    "--idle=yes",
    "--no-terminal",
    "--no-video",
    "--no-sub",
    "--no-ytdl",
    "--no-osc",
    "--load-scripts=no",
    "--load-stats-overlay=no",
    "--no-input-default-bindings",
    "--no-resume-playback",
    "--audio-display=no",
    "--volume-max=100",
    # mpv scales 16-bit sound by a whole number of 256ths (-20 dB was measured as -19.87), float exactly
    "--audio-format=float",
    "--replaygain=no",
    # a story is one local file: no playlists, no references, nothing from the network
    "--demuxer=lavf",
    "--demuxer-lavf-o=protocol_whitelist=file",
    "--autoload-files=no",
    "--access-references=no",
    # memory: a local file needs no cache worth the name
    "--cache=no",
    "--demuxer-max-bytes=1MiB",
    "--demuxer-max-back-bytes=0",
)


class MpvLink:
    """A running mpv. Raises FileNotFoundError (or another OSError) when it cannot be started.

    ``wake`` is called, from the reader's thread, whenever ``messages`` has something new.
    """

    def __init__(self, command: Sequence[str], socket_path: Path, wake: Callable[[], None] | None = None) -> None:
        self._socket_path = socket_path
        self._wake = wake
        self._socket: socket.socket | None = None
        self._inbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._last_id = 0
        self._closing = threading.Event()
        if len(os.fsencode(socket_path)) > LONGEST_SOCKET_PATH:
            raise OSError(f"the path {socket_path} is too long for a socket; choose a shorter runtime folder")
        socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        socket_path.unlink(missing_ok=True)  # a leftover of a run that was killed
        # The leash: a second connection that nothing is said over. mpv ends when its other end closes, even by our
        # being killed, so a voice never speaks on with nobody to stop it.
        self._leash, collar = socket.socketpair()
        self._leash.sendall(b'{"command":["disable_event","all"]}\n')
        with collar:
            try:
                self._process = subprocess.Popen(
                    [*command, f"--input-ipc-client=fd://{collar.fileno()}", f"--input-ipc-server={socket_path}"],
                    pass_fds=[collar.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    umask=0o177,  # the socket is made 0600: whoever can open it can make mpv open any file
                )
            except OSError:
                self._leash.close()
                raise
        self._reader = threading.Thread(target=self._read, name="mpv reader", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while mpv runs; negative is the signal that ended it."""
        return self._process.poll()

    def messages(self) -> list[dict[str, Any]]:
        """Everything mpv said since the last call, ``LINK_UP`` first and ``LINK_DOWN`` last of all."""
        messages: list[dict[str, Any]] = []
        while True:
            try:
                messages.append(self._inbox.get_nowait())
            except Empty:
                return messages

    def send(self, *command: object) -> int:
        """Send one command; the reply will carry the number returned. A link that is down swallows it."""
        self._last_id += 1
        line = json.dumps({"command": command, "request_id": self._last_id}, ensure_ascii=False) + "\n"
        if self._socket is not None:
            try:  # surrogateescape: a file name that is not UTF-8 goes out as the bytes it is
                data = line.encode("utf-8", "surrogateescape")
                if self._socket.send(data, socket.MSG_DONTWAIT) < len(data):
                    raise OSError("its socket is full")
            except OSError as error:
                log.debug("mpv does not take commands: %s", error)
                self._hang_up()  # the reader then says LINK_DOWN
        return self._last_id

    def close(self, patience_s: float = 0.5) -> None:
        """End mpv, politely at first, and clear up. Takes ``patience_s`` and a moment at most."""
        self._closing.set()
        self.send("quit")
        try:
            self._process.wait(patience_s if self._socket is not None else 0.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._hang_up()
        self._reader.join()
        if self._socket is not None:
            self._socket.close()
        self._leash.close()
        self._socket_path.unlink(missing_ok=True)

    def _hang_up(self) -> None:
        """Make the reader end. (Closing a socket does not wake a thread that reads it; shutting it down does.)"""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # mpv was first
                self._socket.shutdown(socket.SHUT_RDWR)

    # ---- the reader's thread ----

    def _read(self) -> None:
        connection = self._connect()
        if connection is not None:
            self._socket = connection
            self._tell({"event": LINK_UP})
            rest = b""
            while chunk := _receive(connection):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    log.warning("mpv says a line without end; it is passed over")
                    rest = b""
                for line in lines:
                    self._hear(line)
        self._tell({"event": LINK_DOWN})

    def _connect(self) -> socket.socket | None:
        deadline_s = time.monotonic() + START_PATIENCE_S
        while not self._closing.is_set() and self._process.poll() is None and time.monotonic() < deadline_s:
            connection = _dial(self._socket_path)
            if connection is not None:
                return connection
            self._closing.wait(0.02)
        return None

    def _hear(self, line: bytes) -> None:
        try:
            message = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            log.warning("mpv said something that is not JSON: %.80r", line)
            return
        if isinstance(message, dict):
            self._tell(message)

    def _tell(self, message: dict[str, Any]) -> None:
        self._inbox.put(message)
        if self._wake is not None:
            self._wake()


def _dial(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(0.5)
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    connection.settimeout(None)  # a silent mpv is no reason to stop listening
    return connection


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""
