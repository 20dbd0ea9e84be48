"""Home Assistant, the broker and the box restarted one after the other, in each of the six orders.

A household of its own: the others' broker and Home Assistant stay as they are. The box is a rehearsal at real time,
carried on after each kill from one journal; its story is being told all the while.
"""

import contextlib
import itertools
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.home.broker import Broker, free_port
from tests.home.client import wait_until
from tests.home.conftest import _missing
from tests.home.expected import alike, shown, told
from tests.home.harness import HomeAssistant, LogEntry

from somnisphere.entities import ENTITIES
from somnisphere.entities_evening import MOMENT_ENTITY
from somnisphere.entities_house import SOMETIMES
from somnisphere_home.discovery import DeviceInfo, clear_message
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Topics
from somnisphere_home.session import HomeSession

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

TOPICS = Topics("bedside")
HERE = [entity for entity in ENTITIES if entity.key not in SOMETIMES]
MOMENT_ID = f"event.bedside_{MOMENT_ENTITY}"
COUNTER = "automation.every_moment"
ORDERS = list(itertools.permutations(("home", "broker", "box")))
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

GUARD = {"not_from": "unavailable", "not_to": "unavailable"}
"""As integrations/README.md says: neither going away nor coming back is a moment."""

RUN = "{{ trigger.from_state.state if trigger.from_state else 'nothing' }} -> {{ trigger.to_state }}"
"""What made the automation run, for whoever reads why a test failed."""

Restart = Callable[[], None]


class RestartedBroker(Broker):
    """A mosquitto that keeps retained messages on disk, as a household's does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(free_port())
        self._folder = folder
        folder.chmod(0o777)  # started as root, mosquitto becomes its own user
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
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

    def wrong(self) -> list[str]:
        """Entities of ours whose state is not what the broker keeps for them."""
        retained, states = self.broker.retained(f"{TOPICS.base}/#"), self.home.client.states()
        if retained.get(TOPICS.status) != b"online":
            return [f"{TOPICS.status} is {retained.get(TOPICS.status)!r}"]
        found = []
        for entity in HERE:
            entity_id = entity.default_id(TOPICS.node)
            state = states.get(entity_id)
            away = any(retained.get(TOPICS.part_status(part)) != b"online" for part in entity.parts)
            if state is None or (state["state"] == "unavailable") is not away:
                found.append(
                    f"{entity_id}: {state and state['state']}, and its parts are {'away' if away else 'there'}"
                )
            elif entity.value is not None and not away:
                right = told(entity, retained[TOPICS.state(entity.group)])
                if not alike(shown(entity, state), right):
                    found.append(f"{entity_id}: {state['state']} in place of {right}")
        return found

    def settled(self) -> list[str]:
        """What is still wrong after all three had time to find each other."""
        wrong = ["never looked"]

        def right() -> bool:
            nonlocal wrong
            wrong = self.wrong()
            return not wrong

        with contextlib.suppress(TimeoutError):
            wait_until(right, "right states", SETTLED_WITHIN_S, 0.3)
        return wrong

    def last_run(self) -> object:
        """When the automation on the moments last ran; Home Assistant keeps it over restarts."""
        return (self.home.client.state(COUNTER) or {"attributes": {}})["attributes"].get("last_triggered")


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """The story has begun, every entity is enabled, the automation on the moments has run."""
    if missing := _missing():
        pytest.skip(f"not installed: {missing}; run: bash tests/home/install.sh")
    folder = tmp_path_factory.mktemp("household")
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    house = Household(folder)
    house.broker.start()
    house.home.lay_out()
    try:
        house.home.start()
        client = house.home.client
        client.add_mqtt(house.broker.port)
        house.home.put_automations(
            [
                {
                    "id": "moments",
                    "alias": "Every moment",
                    "triggers": [{"trigger": "state", "entity_id": MOMENT_ID, **GUARD}],
                    "actions": [{"action": "persistent_notification.create", "data": {"message": RUN}}],
                }
            ]
        )
        with house.broker.listening(TOPICS.trigger(MOMENT_ENTITY)) as listener:
            house.box.start("100")
            wait_until(lambda: len(client.device_entities(TOPICS.device_id)) == len(HERE), "our device", 60)
            wait_until(lambda: any(m.payload == b"story_began" for m in listener.received), "the story", 60)
        house.box.restart()
        client.enable_all(TOPICS.device_id)
        house.restart_home()  # sooner than its own half minute, after which it would load MQTT again
        assert house.settled() == []
        yield house
    finally:
        house.box.kill()
        house.home.stop()
        house.broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_automation_runs_at_moments(household: Household) -> None:
    """Else it would prove nothing that it does not run at restarts."""
    assert household.last_run() is not None


@pytest.mark.parametrize("order", ORDERS, ids=["-".join(order) for order in ORDERS])
def test_after_each_order_every_state_is_right(household: Household, order: Sequence[str]) -> None:
    ran = household.last_run()
    phase_before = (household.home.client.state("sensor.bedside_phase") or {})["state"]
    for which in order:
        household.restart(which)
        time.sleep(GAP_S)
    assert household.settled() == []
    runs = [each["message"] for each in household.home.client.command("persistent_notification/get")]
    assert household.last_run() == ran, f"a restart is no moment: {runs}"
    assert (household.home.client.state("sensor.bedside_phase") or {})["state"] == phase_before == "story"


# ---- expiry --------------------------------------------------------------------------------------------------------

PULSE: Entity[dict[str, Any]] = Entity(
    key="pulse",
    platform="sensor",
    name="Pulse",
    group="pulse",
    value=lambda snapshot: snapshot["pulse"],
    unit="bpm",
    precision=0,
    state_class="measurement",
    expire_after_s=4,
)


def test_a_value_that_is_not_said_again_does_not_stay(household: Household) -> None:
    """Four seconds here, ten minutes in the product: the box still counts as online, its value no longer holds."""
    topics = Topics("short")
    session = HomeSession((PULSE,), topics, DeviceInfo(name="Short", sw_version="1"))
    broker, client = household.broker, household.home.client

    def pulse() -> str:
        return str((client.state("sensor.short_pulse") or {"state": "absent"})["state"])

    def send(at_s: float, bpm: float) -> None:
        messages = session.connected({"pulse": bpm}, at_s) if at_s == 0 else session.update({"pulse": bpm}, at_s)
        assert messages
        for message in messages:
            broker.publish(message.topic, message.payload, message.retain)

    send(0.0, 57.0)
    wait_until(lambda: pulse() != "absent", "the entity", 10)
    send(10.0, 58.0)
    said_s = time.monotonic()
    wait_until(lambda: pulse() == "58", "the value", 3)
    wait_until(lambda: pulse() != "58", "the value to expire", 10)
    assert 3.0 < time.monotonic() - said_s < 8.0
    assert pulse() == "unavailable", "so Home Assistant shows an expired value; null is what reads unknown"
    assert broker.retained(topics.status)[topics.status] == b"online"
    send(20.0, 59.0)
    wait_until(lambda: pulse() == "59", "the value to be back", 3)
    for topic in (clear_message(topics).topic, *broker.retained(f"{topics.base}/#")):
        broker.publish(topic, b"", retain=True)
    wait_until(lambda: not client.device_entities(topics.device_id), "the device to go")


def test_nothing_was_complained_of_but_the_lost_broker(household: Household) -> None:
    trouble = [*household.home_trouble, *household.home.trouble()]
    ours = [entry for entry in trouble if not any(words in entry.text for words in OF_A_LOST_BROKER)]
    assert ours == [], "\n".join(map(str, ours))
    lost = [entry for entry in trouble if entry not in ours]
    assert not any("somnisphere" in entry.text or "bedside" in entry.text for entry in lost)
    assert household.home.client.complaints() == []
