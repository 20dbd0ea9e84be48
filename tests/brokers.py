"""Real brokers for tests: a mosquitto of one's own on a free port, nothing kept on disk."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HOST = "127.0.0.1"


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def open_way_to(folder: Path) -> None:
    """Root's mosquitto becomes another user, who has to come to what lies in this temporary folder."""
    above = Path(tempfile.gettempdir()).resolve()
    for one in (folder.resolve(), *folder.resolve().parents):
        if one == above or one in above.parents:
            return
        one.chmod(0o755)


def wait_for_port(host: str, port: int, deadline_s: float = 10.0) -> None:
    """Return once something accepts connections; raise TimeoutError if nothing does in time."""
    end_s = time.monotonic() + deadline_s
    while True:
        try:
            socket.create_connection((host, port), timeout=1.0).close()
            return
        except OSError:
            if time.monotonic() > end_s:
                raise TimeoutError(f"nothing listens on {host}:{port} after {deadline_s} s") from None
            time.sleep(0.02)


@contextmanager
def mosquitto(port: int | None = None, extra_config: str = "") -> Iterator[tuple[str, int]]:
    """A running mosquitto: ``with mosquitto() as (host, port)``. Skips the test where there is none.

    Give the ``port`` of an earlier one to play a broker that was restarted. ``extra_config`` replaces
    ``allow_anonymous true`` (passwords, ACL) when it mentions ``allow_anonymous`` itself.
    """
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    port = port or free_port()
    anonymous = "" if "allow_anonymous" in extra_config else "allow_anonymous true\n"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        log = Path(folder) / "mosquitto.log"
        config.write_text(
            f"listener {port} {HOST}\n{anonymous}persistence false\nmax_queued_messages 20000\n{extra_config}\n"
        )
        with (
            log.open("wb") as output,
            subprocess.Popen([program, "-c", str(config)], stdout=output, stderr=output) as process,
        ):
            try:
                try:
                    wait_for_port(HOST, port)
                except TimeoutError:
                    raise RuntimeError(f"mosquitto did not start: {log.read_text()}") from None
                yield HOST, port
            finally:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
