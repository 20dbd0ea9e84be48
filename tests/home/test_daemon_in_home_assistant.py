"""``somnisphere run`` itself, on a computer without chips: killed, stopped, started again beside a Home Assistant."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.home.broker import Broker
from tests.home.client import wait_until
from tests.home.harness import HomeAssistant
from tests.home.restarts import HERE, settled

from somnisphere.config import load
from somnisphere.config_keys import Box
from somnisphere.doctor.broker import check_broker
from somnisphere.doctor.home import check_home_assistant
from somnisphere.doctor.world import World
from somnisphere_home.discovery import clear_message
from somnisphere_home.messages import Topics

pytestmark = [pytest.mark.home, pytest.mark.timeout(180)]

TOPICS = Topics("pc")
ON = [entity for entity in HERE if entity.enabled_by_default]
SETTINGS = """
box = {{ node = "pc" }}
sensor = {{ bus = 250 }}
mqtt = {{ port = {port} }}
speaker = {{ ao = "null" }}
journal = {{ path = "{folder}/journal.db" }}
"""
PHASE, PROBLEM, STAGE = "sensor.pc_phase", "binary_sensor.pc_sensor_problem", "sensor.pc_sleep_stage"


class Daemon:
    """The program as the service starts it."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.config, self._said = folder / "somnisphere.toml", folder / "said.txt"
        self.config.write_text(SETTINGS.format(port=broker.port, folder=folder))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "somnisphere", "--config", str(self.config), "run"]
        with self._said.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self, by: signal.Signals) -> int:
        """Its exit status."""
        if self._process is None:
            return 0
        assert self._process.poll() is None, self.said
        self._process.send_signal(by)
        status, self._process = self._process.wait(20), None
        return status

    @property
    def said(self) -> str:
        return self._said.read_text()


def the_doctor_comes(home: HomeAssistant, daemon: Daemon) -> None:
    """It asks the home whether it knows us, and is not noticed there."""
    token = daemon.config.with_name("token")
    token.write_text(home.client.token)
    section = f'[home_assistant]\nurl = "{home.url}"\ntoken_file = "{token}"\n'
    asked = daemon.config.with_name("doctor.toml")
    asked.write_text(daemon.config.read_text() + section)
    config, world = load(asked), World(daemon_runs=True)
    found = {finding.part: finding for finding in (*check_broker(config, world), *check_home_assistant(config, world))}
    assert [finding for finding in found.values() if not finding.ok and finding.part != "time zone"] == []
    assert found["discovery"].verdict == f"Home Assistant has {len(ON)} entities of this box"
    assert found["access list"].ok
    config = msgspec.structs.replace(config, box=Box(node="nobody"))
    (discovery,) = (finding for finding in check_home_assistant(config, world) if finding.part == "discovery")
    assert not discovery.ok


@pytest.fixture
def daemon(home: HomeAssistant, broker: Broker, tmp_path: Path) -> Iterator[Daemon]:
    """Gone from Home Assistant afterwards."""
    if shutil.which("mpv") is None:
        pytest.skip("mpv is not installed (apt install mpv)")
    made = Daemon(tmp_path, broker)
    made.start()
    try:
        yield made
    finally:
        made.end(signal.SIGKILL)
        for topic in (clear_message(TOPICS).topic, *broker.retained(f"{TOPICS.base}/#")):
            broker.publish(topic, b"", retain=True)
        for topic in (TOPICS.quiet_of("pc"), f"homeassistant/tag/{TOPICS.device_id}/config"):
            broker.publish(topic, b"", retain=True)
        wait_until(lambda: not home.client.device_entities(TOPICS.device_id), "the device to go")


def test_the_daemon_is_killed_stopped_and_started_again(home: HomeAssistant, broker: Broker, daemon: Daemon) -> None:
    def state(entity_id: str) -> str:
        return str((home.client.state(entity_id) or {"state": "absent"})["state"])

    def right() -> None:
        wait_until(lambda: state(PROBLEM) == "on", "the sensor to have been looked for", 10)
        assert settled(TOPICS, broker, home.client, ON) == []
        problem = home.client.state(PROBLEM)
        assert problem is not None
        assert problem["state"] == "on"
        assert "/dev/i2c-250" in problem["attributes"]["problem"]
        assert state(STAGE) == "unavailable", "there is no sensor"

    wait_until(lambda: len(home.client.device_entities(TOPICS.device_id)) == len(HERE), "our device", 30)
    right()
    assert state(PHASE) == "idle"
    home.client.call("button.press", entity_id="button.pc_begin")
    wait_until(lambda: state(PHASE) == "wind_down", "the evening", 10)

    daemon.end(signal.SIGKILL)
    wait_until(lambda: state(PHASE) == state(PROBLEM) == "unavailable", "the will of the killed one", 10)
    daemon.start()
    right()

    home.client.call("button.press", entity_id="button.pc_stop")
    wait_until(lambda: state(PHASE) == "idle", "the end of the evening", 10)
    assert daemon.end(signal.SIGTERM) == 0
    assert broker.retained(TOPICS.status) == {TOPICS.status: b"offline"}, "it says so itself"
    wait_until(lambda: state(PHASE) == "unavailable", "Home Assistant to know", 10)
    daemon.start()
    right()
    assert state(PHASE) == "idle"
    assert "Traceback" not in daemon.said
    the_doctor_comes(home, daemon)
    assert home.trouble() == []
    assert home.client.complaints() == []
