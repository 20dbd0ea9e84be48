"""Real households for tests of the circle: a mosquitto each, command line, the circle's process, and a tapped wire."""

import contextlib
import io
import os
import random
import selectors
import socket
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.brokers import HOST
from tests.home.client import wait_until

from somnisphere import cli


class Relay:
    """A cable between a bridge and the broker it reaches out to: keeps every byte, and can be pulled out."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server((HOST, 0))
        self.port: int = self._server.getsockname()[1]
        self._lock = threading.Lock()
        self._crossed = bytearray()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.connections = 0
        self.spoil: list[bytes] = []
        """Each is put out once, when it comes by; what is left here did not come."""
        self._is_cut = False
        self._over = False
        self._thread = threading.Thread(target=self._carry, name="relay", daemon=True)
        self._thread.start()

    @property
    def crossed(self) -> bytes:
        """All that went through, both ways."""
        with self._lock:
            return bytes(self._crossed)

    def has_crossed(self, words: bytes, since: int = 0) -> bool:
        return words in self.crossed[since:]

    def cut(self) -> None:
        self._is_cut = True
        wait_until(lambda: not self._pairs, "the cut")

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self._over = True
        self._thread.join(10)
        self._server.close()

    def _carry(self) -> None:
        with selectors.DefaultSelector() as watch:
            watch.register(self._server, selectors.EVENT_READ)
            while not self._over:
                if self._is_cut:
                    self._hang_up(watch)
                for key, _ in watch.select(0.05):
                    if key.fileobj is self._server:
                        self._accept(watch)
                    else:
                        self._pass_on(watch, key.fileobj, key.data)  # type: ignore[arg-type]
            self._hang_up(watch)

    def _accept(self, watch: selectors.BaseSelector) -> None:
        near, _ = self._server.accept()
        if self._is_cut:
            near.close()
            return
        far = socket.create_connection((HOST, self._to))
        self._pairs.append((near, far))
        self.connections += 1
        watch.register(near, selectors.EVENT_READ, far)
        watch.register(far, selectors.EVENT_READ, near)

    def _pass_on(self, watch: selectors.BaseSelector, source: socket.socket, other: socket.socket) -> None:
        try:
            data = source.recv(1 << 16)
            if data:
                with self._lock:
                    self._crossed += data
                other.sendall(self._spoilt(data))
                return
        except OSError:
            pass
        for pair in [pair for pair in self._pairs if source in pair]:
            self._end(watch, pair)

    def _spoilt(self, data: bytes) -> bytes:
        for words in [words for words in self.spoil if words in data]:
            data = data.replace(words, bytes(len(words)), 1)
            self.spoil.remove(words)
        return data

    def _hang_up(self, watch: selectors.BaseSelector) -> None:
        for pair in list(self._pairs):
            self._end(watch, pair)

    def _end(self, watch: selectors.BaseSelector, pair: tuple[socket.socket, socket.socket]) -> None:
        for end in pair:
            watch.unregister(end)
            end.close()
        self._pairs.remove(pair)


class Box:
    """One household: its folders, its broker's port, its command line and its circle's process."""

    def __init__(self, folder: Path, port: int, *, kilobytes_per_s: int = 2000, own_port: int = 0) -> None:
        folder.mkdir()
        self.folder, self.port = folder, port
        self.circle_port = own_port or port
        """Of the broker that its circle uses."""
        self.shelf = folder / "shelf"
        self.shelf.mkdir()
        self.config = folder / "somnisphere.toml"
        self.config.write_text(
            f'[mqtt]\nhost = "{HOST}"\nport = {port}\n[stories]\nfolder = "{self.shelf}"\ncache = "{folder}/cache"\n'
            f'[journal]\npath = "{folder}/journal.db"\n[circle]\n'
            f"kilobytes_per_s = {kilobytes_per_s}\nown_broker_port = {own_port}\n"
        )
        self.log = folder / "circle.log"

    def run(self, *words: str | Path) -> str:
        """What the command says; it has to succeed."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(["--config", str(self.config), *map(str, words)])
        assert status == 0, f"{words}: {err.getvalue()}"
        return out.getvalue()

    @property
    def words(self) -> str:
        """Its name of five words."""
        return self.run("circle", "members").split("this household: ")[1].split()[0]

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    @property
    def stories(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.shelf.glob("*.story")}

    @contextmanager
    def circle(self) -> Iterator[None]:
        """Its circle's process runs."""
        command = [sys.executable, "-m", "somnisphere", "--config", str(self.config), "circle", "run"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": _path()})
            try:
                yield
            finally:
                process.terminate()
                assert process.wait(15) == 0, self.said[-2000:]

    def told(self, title: str, seconds: float = 1.0, *, consent: bool = True) -> bytes:
        """A recording on its shelf, of noise that no packing makes smaller; 48 kB a second."""
        path = self.shelf / f"{title}.wav"
        with wave.open(str(path), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(24000)
            sound.writeframes(random.Random(title).randbytes(int(48000 * seconds)))
        if consent:
            self.run("story", "consent", title, "--by", "Oma Ilse", "--circle")
        return path.read_bytes()


def _path() -> str:
    return os.pathsep.join(path for path in sys.path if path)
