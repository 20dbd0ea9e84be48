"""The recipes that are files: run as a person would, at a real broker with a box; of the Node-RED flow its topics,
payloads and wires (``tests/home`` runs it in Node-RED)."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.box import Box, box
from tests.brokers import mosquitto
from tests.home.broker import Broker
from tests.payloads import Payloads
from tests.pi.test_answers_on_the_wire import Wired

RECIPES = Path(__file__).resolve().parents[2] / "integrations" / "recipes"


@pytest.fixture
def at_a_broker(tmp_path: Path) -> Iterator[tuple[Box, Wired]]:
    with mosquitto() as place, box(tmp_path / "journal.db", connected=False) as it:
        wired = Wired(it, place)
        try:
            yield it, wired
        finally:
            wired.stop()


def ask(wired: Wired, *words: str) -> tuple[int, str]:
    host, port = wired.place
    line = [sys.executable, str(RECIPES / "ask.py"), f"{host}:{port}", "bedside", *words]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as asking:
        wired.serve()
        told, _ = asking.communicate(timeout=20.0)
    return asking.returncode, told


@pytest.mark.broker
def test_a_python_script_asks_and_commands(at_a_broker: tuple[Box, Wired]) -> None:
    it, wired = at_a_broker
    status, told = ask(wired, "shelf")
    assert status == 0
    assert [story["title"] for story in json.loads(told)["answer"]["stories"]] == list(
        it.daemon.snapshot().story_titles
    )
    assert ask(wired, "volume/set", "25") == (0, '{\n  "ok": true,\n  "key": "volume"\n}\n')
    assert it.daemon.snapshot().volume_pct == 25.0
    status, told = ask(wired, "play", '{"title": "no such"}')
    assert status == 1
    assert "there is no story" in json.loads(told)["error"]


@pytest.mark.broker
def test_a_python_script_follows_the_moments(at_a_broker: tuple[Box, Wired]) -> None:
    it, wired = at_a_broker
    host, port = wired.place
    line = [sys.executable, str(RECIPES / "moments.py"), f"{host}:{port}", "bedside"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        told: list[str] = []
        reading = threading.Thread(target=lambda out: told.extend(out), args=(following.stdout,))
        reading.start()
        try:

            def begun() -> bool:
                """Until the script listens, the evening is begun and stopped."""
                it.command("begin")
                it.live(61.0)
                it.command("stop")
                return any("story_began" in word for word in told)

            wired.serve_until(begun)
            asleep = {"event_type": "fell_asleep", "night_id": None, "at": "2026-03-14T21:00:00+01:00"}
            Broker(port).publish("somnisphere/bedside/sleep_moment/event", json.dumps(asleep))
            wired.serve_until(lambda: "good night\n" in told)
        finally:
            following.terminate()
            reading.join(10)
    assert "2026-03-14T21:00:00+01:00 fell_asleep\n" in told


@pytest.mark.broker
@pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None, reason="mosquitto_sub is missing: apt install mosquitto-clients"
)
def test_a_shell_script_acts_at_its_moment_and_at_no_other(tmp_path: Path) -> None:
    with mosquitto() as (host, port):
        broker, done = Broker(port), tmp_path / "done"
        topic = "somnisphere/bedside/sleep_moment/trigger"
        line = ["sh", str(RECIPES / "at_sleep.sh"), f"{host}:{port}", "bedside", "fell_asleep"]
        with subprocess.Popen([*line, "sh", "-c", f"echo here >> {done}"], start_new_session=True) as script:
            try:
                for _ in range(100):  # until the script listens; each round says another moment, too
                    for moment in (b"stirred", b"fell_asleep"):
                        broker.publish(topic, moment)
                    with pytest.raises(subprocess.TimeoutExpired):
                        script.wait(0.1)  # it goes on
                    if done.exists():
                        break
                broker.publish(topic, b"left_bed")
                with pytest.raises(subprocess.TimeoutExpired):
                    script.wait(1.0)
                times = done.read_text().split()
                assert set(times) == {"here"}
                for _ in range(5):
                    broker.publish(topic, b"left_bed")
                with pytest.raises(subprocess.TimeoutExpired):
                    script.wait(0.5)
                assert done.read_text().split() == times, "another moment is no reason"
            finally:
                os.killpg(script.pid, signal.SIGTERM)


def test_the_node_red_flow_speaks_of_topics_and_payloads_that_exist() -> None:
    nodes = {node["id"]: node for node in json.loads((RECIPES / "node_red_flow.json").read_text())}
    payloads = Payloads()
    for node in nodes.values():
        assert all(target in nodes for output in node.get("wires", []) for target in output)
        if node["type"] in ("mqtt in", "mqtt out"):
            channel = payloads.channel(node["topic"])
            assert channel is not None
            assert channel.action == ("send" if node["type"] == "mqtt in" else "receive")
            assert nodes[node["broker"]]["type"] == "mqtt-broker"
            assert node.get("retain", "false") == "false", "a retained command is refused"
    light = nodes["somnisphere-up"]["rules"][0]["to"]
    assert payloads.fault(nodes["somnisphere-lamp"]["topic"], light.encode()) == ""
    assert payloads.fault(nodes["somnisphere-begin"]["topic"], nodes["somnisphere-eight"]["payload"].encode()) == ""
    words = payloads.channel("somnisphere/bedside/sleep_moment/trigger")
    assert words is not None
    assert {rule["v"] for rule in nodes["somnisphere-which"]["rules"]} <= set(words.schema["enum"])
