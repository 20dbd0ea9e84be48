"""A household whose broker, Home Assistant and box can each be restarted, and whether all is right afterwards.

The box is a rehearsal of the whole product at real time, carried on after each kill from one journal.
"""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.home.broker import Broker, free_port
from tests.home.client import Client, wait_until
from tests.home.expected import alike, shown, told
from tests.home.harness import HomeAssistant, LogEntry

from somnisphere.entities import ENTITIES
from somnisphere.entities_house import SOMETIMES
from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Topics

TOPICS = Topics("bedside")
HERE = [entity for entity in ENTITIES if entity.key not in SOMETIMES]
GAP_S = 0.5
SETTLED_WITHIN_S = 30.0
"""Home Assistant tries a lost broker again after ten seconds, the box after one to sixty."""

OF_A_LOST_BROKER = (
    "Error returned from MQTT server: The connection was lost.",
    "Disconnected from MQTT server 127.0.0.1:",
    "Failed to connect to MQTT server",
    "failed to receive on socket: [Errno 104] Connection reset by peer",
    # the broker went while Home Assistant, just started, said its birth or subscribed
    "Error talking to MQTT: The client is not currently connected.",
    "_async_resubscribe_and_publish_birth_message",
    "No ACK from MQTT server in 10 seconds",
)
"""What Home Assistant's MQTT says because the broker was stopped under it, and of nothing else."""


class RestartedBroker(Broker):
    """A mosquitto that keeps retained messages on disk, as a household's does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(free_port())
        self._folder = folder
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
            "user root\n"  # started as root, mosquitto would become a user who may not write here
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "said.txt").open("ab") as log:
            command = ["mosquitto", "-c", str(self._folder / "mosquitto.conf")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

        def listens() -> bool:
            with contextlib.suppress(OSError):
                self.retained("tests/nothing")
                return True
            return False

        wait_until(listens, "mosquitto", 10)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
            assert (self._folder / "mosquitto.db").exists(), "nothing was kept"

    def restart(self) -> None:
        self.stop()
        time.sleep(GAP_S)
        self.start()


class Box:
    """A rehearsal of the whole product that is killed without warning and carried on from its journal."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        folder.mkdir()
        self._folder = folder
        self._broker = broker
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "somnisphere.toml").write_text("")

    def start(self, speed: str) -> None:
        command = [sys.executable, "-m", "somnisphere", "--config", str(self._folder / "somnisphere.toml")]
        command += ["rehearse", "--plain", "--speed", speed, "--broker", f"127.0.0.1:{self._broker.port}"]
        command += ["--out", str(self._folder / "out")]
        with (self._folder / "said.txt").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It says nothing of its own meanwhile; the broker forgets a silent client after 1.5 times its keep-alive."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            assert self._process.poll() is None, (self._folder / "said.txt").read_text()[-3000:]
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        self.kill()
        time.sleep(GAP_S)
        self.start("1")


def wrong_states(
    topics: Topics, broker: Broker, client: Client, entities: Sequence[Entity[Snapshot]] = HERE
) -> list[str]:
    """Entities of ours whose state is not what the broker keeps for them."""
    retained, states = broker.retained(f"{topics.base}/#"), client.states()
    if retained.get(topics.status) != b"online":
        return [f"{topics.status} is {retained.get(topics.status)!r}"]
    found = []
    for entity in entities:
        entity_id = entity.default_id(topics.node)
        state = states.get(entity_id)
        away = any(retained.get(topics.part_status(part)) != b"online" for part in entity.parts)
        if state is None or (state["state"] == "unavailable") is not away:
            found.append(f"{entity_id}: {state and state['state']}, and its parts are {'away' if away else 'there'}")
        elif entity.value is not None and not away:
            right = told(entity, retained[topics.state(entity.group)])
            if not alike(shown(entity, state), right):
                found.append(f"{entity_id}: {state['state']} in place of {right}")
    return found


def settled(topics: Topics, broker: Broker, client: Client, entities: Sequence[Entity[Snapshot]] = HERE) -> list[str]:
    """What is still wrong after all three had time to find each other."""
    wrong = ["never looked"]

    def right() -> bool:
        nonlocal wrong
        wrong = wrong_states(topics, broker, client, entities)
        return not wrong

    with contextlib.suppress(TimeoutError):
        wait_until(right, "right states", SETTLED_WITHIN_S, 0.3)
    return wrong


class Household:
    """``home_trouble``: warnings and worse of all of Home Assistant's lives so far."""

    def __init__(self, folder: Path) -> None:
        (folder / "broker").mkdir(parents=True)
        self.broker = RestartedBroker(folder / "broker")
        self.box = Box(folder / "box", self.broker)
        self.home = HomeAssistant(folder / "home")
        self.home_trouble: list[LogEntry] = []

    def restart_home(self) -> None:
        self.home.stop()
        self.home_trouble += self.home.trouble()  # it begins a new log
        self.home.start()

    def restart(self, which: str) -> None:
        {"home": self.restart_home, "broker": self.broker.restart, "box": self.box.restart}[which]()

    def settled(self) -> list[str]:
        """What is wrong even after some time."""
        return settled(TOPICS, self.broker, self.home.client)
