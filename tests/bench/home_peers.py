"""Entities on the wire: how fast, and at what cost, beside two others that speak MQTT discovery.

    python3 -m venv .venv-peers-home && .venv-peers-home/bin/pip install -r tests/bench/peers-home-requirements.txt
    python tests/bench/home_peers.py [.venv-peers-home/bin/python]

Each has the same 50 sensors, all of whose values change in every round, and publishes to one real mosquitto; a listener
counts what arrives. CPU time is that of the publishing process alone. First as fast as it goes, then a round a second,
which is as fast as mqtt-io reads a sensor: that has no first column. Its values come from a sensor module of ours that
only counts. ha-mqtt-discoverable shares one connection among its sensors (by itself it opens one for each).
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SENSORS, GROUP, SECONDS = 50, 5, 10.0
RATE_LIMIT_WAITING = 2000
"""Messages that a client may hold back before its round waits: without it the queue, not the wire, is measured."""


def rounds(publish_round: Callable[[int], None], waiting: Callable[[], int], every_s: float) -> None:
    """Until the parent has heard enough and ends us."""
    number = 0
    while True:
        number += 1
        publish_round(number)
        time.sleep(every_s)
        while waiting() > RATE_LIMIT_WAITING:
            time.sleep(0.001)


def somnisphere(port: int, every_s: float) -> None:
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / room) for room in ("pi", "hardware", "integrations")]
    from somnisphere_home.discovery import DeviceInfo
    from somnisphere_home.entity import Entity
    from somnisphere_home.messages import Topics
    from somnisphere_home.mqtt import BrokerSettings, HomeLink
    from somnisphere_home.session import HomeSession

    def value(k: int) -> Callable[[int], float]:
        return lambda number: float(number * SENSORS + k)

    entities = [
        Entity(key=f"s{k}", platform="sensor", name=f"S {k}", group=f"g{k // GROUP}", value=value(k), unit="x")
        for k in range(SENSORS)
    ]
    session: HomeSession[int] = HomeSession(entities, Topics("bench"), DeviceInfo(name="Bench", sw_version="1"))
    link = HomeLink(BrokerSettings(client_id="bench", host="127.0.0.1", port=port), session.will, lambda _: None)
    link.start()
    while not link.is_connected:
        time.sleep(0.01)
    for message in session.connected(0, 0.0):
        link.publish(message)

    def publish_round(number: int) -> None:
        for message in session.update(number, float(number)):
            link.publish(message)

    rounds(publish_round, lambda: len(link._client._out_packet), every_s)


def ha_mqtt_discoverable(port: int, every_s: float) -> None:
    from ha_mqtt_discoverable import DeviceInfo, Settings
    from ha_mqtt_discoverable.sensors import Sensor, SensorInfo
    from paho.mqtt import client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    mqtt = Settings.MQTT(client=client)
    device = DeviceInfo(name="Bench", identifiers="bench")
    sensors = []
    for k in range(SENSORS):
        info = SensorInfo(name=f"S {k}", unit_of_measurement="x", unique_id=f"bench_{k}", device=device)
        sensors.append(Sensor(Settings(mqtt=mqtt, entity=info)))

    def publish_round(number: int) -> None:
        for k, sensor in enumerate(sensors):
            sensor.set_state(float(number * SENSORS + k))

    rounds(publish_round, lambda: len(client._out_packet), every_s)


def mqtt_io(port: int, every_s: float) -> None:
    import itertools
    import logging

    from mqtt_io import __main__ as program
    from mqtt_io.modules.sensor import GenericSensor, mock

    class Counting(GenericSensor):  # type: ignore[misc]
        def setup_module(self) -> None:
            self.numbers = itertools.count()

        def get_value(self, _: Any) -> float:
            return float(next(self.numbers))

        async def async_get_value(self, _: Any) -> float:
            return float(next(self.numbers))

    mock.Sensor = Counting
    config = {
        "mqtt": {"host": "127.0.0.1", "port": port, "topic_prefix": "bench", "ha_discovery": {"enabled": True}},
        "sensor_modules": [{"name": "counter", "module": "mock"}],
        "sensor_inputs": [
            {
                "name": f"s{k}",
                "module": "counter",
                "interval": int(every_s),
                "ha_discovery": {"unit_of_measurement": "x"},
            }
            for k in range(SENSORS)
        ],
        "logging": {"version": 1, "root": {"level": "ERROR"}},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(config, file)  # YAML reads JSON
        file.flush()
        sys.argv = ["mqtt_io", file.name]
        logging.disable(logging.WARNING)
        program.main()


WORKERS = {"Somnisphere": somnisphere, "ha-mqtt-discoverable": ha_mqtt_discoverable, "mqtt-io": mqtt_io}


class Counter:
    """What arrives of states: announcements are not counted."""

    def __init__(self, port: int) -> None:
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.values = self.bytes = 0
        self.begun = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([("somnisphere/bench/+", 0), ("hmd/#", 0), ("bench/sensor/+", 0)])
        self._client.loop_start()

    def _hear(self, _client: object, _data: object, message: Any) -> None:
        if message.retain or message.topic.endswith("status"):
            return
        self.values += GROUP if message.topic.startswith("somnisphere/") else 1
        self.bytes += len(message.topic) + len(message.payload)
        self.begun.set()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def cpu_s(pid: int) -> float:
    """Of all threads; to the nanosecond (proc(5), schedstat), where ticks would be too coarse."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def measure(name: str, python: str, port: int, every_s: float) -> tuple[float, ...]:
    """Values a second, CPU ms per thousand values, bytes of topic and payload per value, MiB resident."""
    counter = Counter(port)
    worker = subprocess.Popen([python, __file__, "--worker", name, str(port), str(every_s)])
    try:
        if not counter.begun.wait(30.0):
            raise RuntimeError(f"{name} said nothing in half a minute")
        time.sleep(1.0)
        then_s, cpu_then_s, values, size = time.monotonic(), cpu_s(worker.pid), counter.values, counter.bytes
        time.sleep(SECONDS)
        seconds, cpu = time.monotonic() - then_s, cpu_s(worker.pid) - cpu_then_s
        values, size = counter.values - values, counter.bytes - size
        memory = resident_mib(worker.pid)
    finally:
        worker.kill()
        worker.wait()
        counter.stop()
    return values / seconds, cpu * 1e6 / values, size / values, memory


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        WORKERS[sys.argv[2]](int(sys.argv[3]), float(sys.argv[4]))
        return
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.brokers import mosquitto

    theirs = sys.argv[1] if len(sys.argv) > 1 else ".venv-peers-home/bin/python"
    print("| | values/s at most | CPU ms per 1000 values, then | ... at 50 a second | bytes per value | MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in WORKERS:
        python = sys.executable if name == "Somnisphere" else theirs
        fastest = cost_then = "-"
        if name != "mqtt-io":
            with mosquitto() as (_, port):
                values, cost_ms, *_ = measure(name, python, port, 0.0)
            fastest, cost_then = f"{values:.0f}", f"{cost_ms:.0f}"
        with mosquitto() as (_, port):
            _, cost_ms, size, memory = measure(name, python, port, 1.0)
        print(f"| {name} | {fastest} | {cost_then} | {cost_ms:.0f} | {size:.0f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
