"""The flow of ``integrations/recipes`` in a real Node-RED, with a real broker and a box behind it."""

import contextlib
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.box import Box, box
from tests.brokers import HOST, free_port, mosquitto
from tests.home.broker import Broker
from tests.home.client import wait_until
from tests.home.harness import HERE, ROOT
from tests.pi.test_answers_on_the_wire import Wired
from websockets.sync.client import connect

from somnisphere.bedtime.phases import Phase
from somnisphere_home.entity import LIGHT_SCALE

pytestmark = [pytest.mark.home, pytest.mark.timeout(120)]

FLOW = ROOT / "integrations" / "recipes" / "node_red_flow.json"
PROGRAM = HERE / "node_red" / "node_modules" / "node-red" / "red.js"
SETTINGS = {
    "uiHost": HOST,
    "flowFile": "flows.json",
    "telemetry": {"enabled": False, "updateNotification": False},
    "externalModules": {"autoInstall": False, "palette": {"allowInstall": False}, "modules": {"allowInstall": False}},
    "editorTheme": {"palette": {"catalogues": []}, "tours": False},
}
"""Nothing from the internet, and heard on this machine alone."""


class NodeRed:
    """The running one."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]", said: Path) -> None:
        self.url = f"http://{HOST}:{port}"
        self._process, self._said = process, said

    def ask(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(self.url + path, method=method)
        with urllib.request.urlopen(request, timeout=10.0) as answer:
            told: bytes = answer.read()
        return told

    def is_up(self) -> bool:
        assert self._process.poll() is None, self.said
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return bool(self.ask("/settings"))  # asked for its flows before it has them, it logs an error
        return False

    @property
    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def statuses(self) -> dict[str, dict[str, Any]]:
        """What stands below each node in the editor; the editor is told of all when it asks."""
        found: dict[str, dict[str, Any]] = {}
        with connect(self.url.replace("http", "ws") + "/comms", proxy=None) as editor:
            editor.send(json.dumps({"subscribe": "status/#"}))
            with contextlib.suppress(TimeoutError):
                while True:
                    told = json.loads(editor.recv(timeout=0.5))
                    for message in told if isinstance(told, list) else [told]:
                        if message["topic"].startswith("status/"):
                            found[message["topic"].removeprefix("status/")] = message["data"]
        return found


@contextlib.contextmanager
def node_red(folder: Path, flow: list[dict[str, Any]]) -> Iterator[NodeRed]:
    """With this flow; gone at the end."""
    port = free_port()
    folder.mkdir()
    (folder / "flows.json").write_text(json.dumps(flow))
    (folder / "settings.js").write_text(f"module.exports = {json.dumps(SETTINGS | {'uiPort': port})};")
    command = ["node", str(PROGRAM), "--userDir", str(folder), "--settings", str(folder / "settings.js")]
    said = folder / "said.txt"
    with said.open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            running = NodeRed(port, process, said)
            wait_until(running.is_up, "Node-RED to listen", 60, 0.2)
            yield running
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def bedroom(tmp_path: Path) -> Iterator[tuple[Box, Wired]]:
    if shutil.which("node") is None or not PROGRAM.exists():
        pytest.skip("not installed: Node-RED; run: bash tests/home/install.sh")
    with mosquitto() as place, box(tmp_path / "journal.db", connected=False) as it:
        wired = Wired(it, place)
        try:
            yield it, wired
        finally:
            wired.stop()


def flow_for(host: str, port: int) -> list[dict[str, Any]]:
    """As it is shipped, but for the broker's address."""
    flow: list[dict[str, Any]] = json.loads(FLOW.read_text())
    (broker,) = [node for node in flow if node["type"] == "mqtt-broker"]
    broker |= {"broker": host, "port": str(port)}
    return flow


def test_the_flow_begins_the_evening_and_lights_the_way(bedroom: tuple[Box, Wired], tmp_path: Path) -> None:
    it, wired = bedroom
    host, port = wired.place
    now = it.daemon.snapshot  # how it is by now
    mqtt_nodes = {"somnisphere-moment", "somnisphere-lamp", "somnisphere-begin"}
    with node_red(tmp_path / "red", flow_for(host, port)) as red:

        def connected() -> bool:
            words = {node: status.get("text", "") for node, status in red.statuses().items()}
            return {node for node, word in words.items() if word.endswith("status.connected")} >= mqtt_nodes

        wait_until(connected, "the nodes to be connected", 30, 0.1)
        assert now().phase is Phase.IDLE
        red.ask("/inject/somnisphere-eight", "POST")  # as at eight
        wired.serve_until(lambda: now().phase is Phase.WIND_DOWN)
        it.command("stop")
        it.live(120.0)
        assert (now().phase, now().lamp_lightness_pct) == (Phase.IDLE, 0.0)
        moment = {"night_id": None, "at": "2026-03-14T21:00:00+01:00", "confidence": None, "latency_s": 0}
        for kind in ("stirred", "fell_asleep"):
            Broker(port).publish("somnisphere/bedside/sleep_moment/event", json.dumps(moment | {"event_type": kind}))
        wired.serve_until(lambda at_s=it.at_s: it.at_s > at_s + 20.0)  # type: ignore[misc]
        assert now().lamp_lightness_pct == 0.0, "neither moment is a reason for light"
        Broker(port).publish("somnisphere/bedside/sleep_moment/event", json.dumps(moment | {"event_type": "left_bed"}))
        a_little = pytest.approx(40 / LIGHT_SCALE * 100, abs=0.05)
        wired.serve_until(lambda: now().lamp_lightness_pct == a_little)
        assert "[error]" not in red.said, red.said
