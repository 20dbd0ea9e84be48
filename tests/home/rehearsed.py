"""A rehearsal of our product against the test's broker, frozen at a moment so that a person can look around."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.home.broker import Broker, Listener
from tests.home.client import wait_until


class Rehearsal:
    """The running ``somnisphere rehearse``."""

    def __init__(self, process: "subprocess.Popen[bytes]", listener: Listener, output: Path) -> None:
        self._process = process
        self._listener = listener
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text(errors="replace")

    def until(self, moment: str, within_s: float) -> None:
        """Goes on to this sleep moment."""

        def seen() -> bool:
            if self._process.poll() is not None:
                raise RuntimeError(f"the rehearsal ended before {moment!r}:\n{self.said[-3000:]}")
            return any(
                message.topic.endswith("/trigger") and message.payload == moment.encode()
                for message in self._listener.received
            )

        wait_until(seen, f"the moment {moment!r} in a rehearsal", within_s)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Time stands still for the product. The broker forgets a silent client after 1.5 times its keep-alive."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def end(self, within_s: float) -> int:
        """Goes on to the end of the night; its exit status."""
        return self._process.wait(within_s)


@contextmanager
def rehearse(
    broker: Broker, folder: Path, listener: Listener, *options: str, settings: str = ""
) -> Iterator[Rehearsal]:
    """Begins one, with these ``settings`` (TOML) and a folder of its own; ends it if it has not ended by itself."""
    folder.mkdir(exist_ok=True)
    config = folder / "somnisphere.toml"
    config.write_text(settings)
    command = [sys.executable, "-m", "somnisphere", "--config", str(config), "rehearse", "--plain"]
    command += ["--broker", f"127.0.0.1:{broker.port}", "--out", str(folder / "out"), *options]
    output = folder / "said.txt"
    with output.open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        try:
            yield Rehearsal(process, listener, output)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)
