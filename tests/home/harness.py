"""A real Home Assistant in a folder of its own, from a first start to gone without a trace."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.home.broker import free_port
from tests.home.client import Client, wait_until
from tests.home.release import RELEASE

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclass(frozen=True, slots=True)
class LogEntry:
    level: str
    logger: str
    text: str


def read_log(path: Path) -> list[LogEntry]:
    """Entries of ``home-assistant.log``; a traceback belongs to the entry above it."""
    entries: list[LogEntry] = []
    start = re.compile(r"^\S+ \S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) \(.*?\) \[(.+?)\] (.*)$")
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        if match := start.match(line):
            entries.append(LogEntry(*match.groups()))
        elif entries:
            last = entries.pop()
            entries.append(LogEntry(last.level, last.logger, f"{last.text}\n{line}"))
    return entries


class HomeAssistant:
    """The running process, its folder, and ``client`` to speak with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = Client(self.url)
        self._process: subprocess.Popen[bytes] | None = None
        self._forgiven: list[LogEntry] = []

    def lay_out(self) -> None:
        """The configuration folder, as far as it is there before a first start."""
        shutil.copytree(HERE / "config", self.folder, dirs_exist_ok=True)
        settings = self.folder / "configuration.yaml"
        settings.write_text(settings.read_text() + RELEASE.http_yaml.replace("{port}", str(self.port)))
        (self.folder / "automations.yaml").write_text("[]\n")
        (self.folder / "scripts.yaml").write_text("{}\n")
        (self.folder / "dashboard.yaml").write_text("title: Empty\nviews:\n  - title: Empty\n    cards: []\n")
        (self.folder / ".storage").mkdir(exist_ok=True)
        for name, content in RELEASE.storage(self.port).items():
            (self.folder / ".storage" / name).write_text(json.dumps(content))

    def start(self) -> None:
        # Its custom integrations are those of its own folder.
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with (self.folder / "stdout.log").open("ab") as output:
            self._process = subprocess.Popen(
                [*RELEASE.start, self.folder],
                env=alone,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until(self._listens, "Home Assistant to listen", 90, 0.2)
        if not self.client.token:
            self.client.onboard()
        wait_until(self.client.is_running, "Home Assistant to have started", 90, 0.2)

    def _listens(self) -> bool:
        assert self._process is not None
        if (code := self._process.poll()) is not None:
            raise RuntimeError(f"Home Assistant ended with {code}:\n{(self.folder / 'stdout.log').read_text()[-3000:]}")
        return self.client.answers()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    @property
    def log(self) -> list[LogEntry]:
        return read_log(self.folder / "home-assistant.log")

    def trouble(self) -> list[LogEntry]:
        """Warnings and worse that a start without us does not write."""
        return [
            entry
            for entry in self.log
            if entry.level in ("WARNING", "ERROR", "CRITICAL")
            and not any(expected in entry.text for expected in RELEASE.expected_in_log)
            and entry not in self._forgiven
        ]

    def forgive(self, entries: Sequence[LogEntry]) -> None:
        """Trouble that a test made on purpose."""
        self._forgiven += entries

    def calls_of(self, entity_id: str) -> list[dict[str, Any]]:
        """What a stand-in was told, oldest first."""
        return list((self.client.state(entity_id) or {"attributes": {}})["attributes"].get("calls", []))

    def put_blueprint(self, blueprint: Path) -> str:
        """Copies it where an import would put it; returns the path that ``use_blueprint`` wants."""
        name = f"somnisphere/{blueprint.name}"
        target = self.folder / "blueprints" / "automation" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(blueprint, target)
        return name

    def put_automations(self, automations: Sequence[dict[str, object]]) -> None:
        """These instead of all before, loaded (JSON is YAML). Each needs an ``id`` and an ``alias``."""
        (self.folder / "automations.yaml").write_text(json.dumps(list(automations), indent=2))
        self.client.call("automation.reload")

    def put_dashboard(self, dashboard: Path) -> None:
        """The YAML dashboard shown at ``/bedside-test``; read again at the next visit."""
        shutil.copy(dashboard, self.folder / "dashboard.yaml")


@contextmanager
def home_assistant(folder: Path) -> Iterator[HomeAssistant]:
    """Laid out, started, the owner signed in; ended at the end."""
    home = HomeAssistant(folder)
    home.lay_out()
    try:
        home.start()
        yield home
    finally:
        home.stop()
