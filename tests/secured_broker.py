"""A mosquitto as ``deploy/broker`` sets it up: its own scripts and files, put below a folder of the test's own."""

import os
import pwd
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from tests.brokers import HOST, free_port, wait_for_port

from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, HomeLink, LinkEvent

SHIPPED = Path(__file__).resolve().parents[1] / "deploy" / "broker"
DEADLINE_S = 15.0
LIKE_DEBIANS = """
persistence true
persistence_location {folder}/kept/
log_dest file {folder}/mosquitto.log
log_type all
include_dir {folder}/conf.d
"""


def shipped(script: str, folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One of the scripts, for files in ``folder``."""
    command = ["bash", str(SHIPPED / script), "--folder", str(folder), *arguments]
    return subprocess.run(command, check=check, capture_output=True, text=True)


@dataclass
class Secured:
    folder: Path
    plain_port: int
    tls_port: int
    process: "subprocess.Popen[bytes]"

    @property
    def files(self) -> Path:
        return self.folder / "somnisphere"

    @property
    def ca(self) -> Path:
        return self.files / "ca.crt"

    @property
    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    @property
    def denied(self) -> list[str]:
        return [line for line in self.log.splitlines() if "Denied" in line]

    def password(self, name: str) -> str:
        return (self.files / f"{name}.password").read_text().strip()

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def secured_broker(
    *logins: tuple[str, ...], names: tuple[str, ...] = (HOST,), before: Callable[[Path], None] = lambda _: None
) -> Iterator[Secured]:
    """With the logins that ``new-box.sh`` makes of these arguments, and a certificate for ``names``. ``before``: what
    happens to its files before it starts. Where there is a user mosquitto and we are root, it becomes that user, as on
    a box."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o711)
        files, plain, tls = folder / "somnisphere", free_port(), free_port()
        shipped("make-certificates.sh", files, *names)
        for login in logins:
            shipped("new-box.sh", files, *login)
        before(files)
        config = (SHIPPED / "somnisphere.conf").read_text()
        for theirs, ours in (
            ("/etc/mosquitto/somnisphere", str(files)),
            ("listener 1883 ", f"listener {plain} "),
            ("listener 8883\n", f"listener {tls}\n"),
        ):
            assert theirs in config
            config = config.replace(theirs, ours)
        for name in ("conf.d", "kept"):
            (folder / name).mkdir()
        (folder / "conf.d" / "somnisphere.conf").write_text(config)
        (folder / "mosquitto.log").touch()
        if os.getuid() == 0:
            _give_to_mosquitto(folder)
        main = folder / "mosquitto.conf"
        main.write_text(LIKE_DEBIANS.format(folder=folder))
        process = subprocess.Popen([program, "-c", str(main)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            try:
                wait_for_port(HOST, plain)
                wait_for_port(HOST, tls)
            except TimeoutError:
                raise RuntimeError(f"mosquitto did not start: {(folder / 'mosquitto.log').read_text()}") from None
            yield Secured(folder, plain, tls, process)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _give_to_mosquitto(folder: Path) -> None:
    try:
        user = pwd.getpwnam("mosquitto")
    except KeyError:
        return
    for name in ("kept", "mosquitto.log"):
        os.chown(folder / name, user.pw_uid, user.pw_gid)


@dataclass
class Person:
    """A plain client with a login (or none), which keeps all that it is told."""

    broker: Secured
    name: str
    mqtt5: bool = True
    tls: bool = True
    password: str | None = None
    client_id: str = ""
    heard: list[paho.MQTTMessage] = field(default_factory=list)
    refused: "ReasonCode | None" = None

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._answers: dict[int, list[ReasonCode]] = {}
        self._is_in: bool | None = None
        version = paho.MQTTv5 if self.mqtt5 else paho.MQTTv311
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=self.client_id, protocol=version, reconnect_on_failure=False
        )
        if self.name:
            self._client.username_pw_set(self.name, self.password or self.broker.password(self.name))
        if self.tls:
            self._client.tls_set_context(ssl.create_default_context(cafile=str(self.broker.ca)))
        self._client.on_connect = self._entered
        self._client.on_message = self._hear
        self._client.on_subscribe = lambda _client, _data, mid, reasons, _more: self._answer(mid, reasons)
        self._client.on_publish = lambda _client, _data, mid, reason, _more: self._answer(mid, [reason])

    def __enter__(self) -> "Person":
        self._client.connect(HOST, self.broker.tls_port if self.tls else self.broker.plain_port)
        self._client.loop_start()
        with self._changed:
            assert self._changed.wait_for(lambda: self._is_in is not None, DEADLINE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topic: str) -> list[ReasonCode]:
        """What the broker answered."""
        return self._answered(self._client.subscribe(topic, qos=1)[1])

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> ReasonCode:
        return self._answered(self._client.publish(topic, payload, 1, retain).mid)[0]

    def topics(self) -> set[str]:
        with self._changed:
            return {message.topic for message in self.heard}

    def waits(self, topic: str, payload: bytes | None = None) -> None:
        """Until it heard this."""

        def is_there() -> bool:
            return any(m.topic == topic and (payload is None or m.payload == payload) for m in self.heard)

        with self._changed:
            assert self._changed.wait_for(is_there, DEADLINE_S), f"{topic} was not heard, but {self.topics()}"

    def _answered(self, mid: int | None) -> list[ReasonCode]:
        assert mid is not None
        with self._changed:
            assert self._changed.wait_for(lambda: mid in self._answers, DEADLINE_S)
            return self._answers.pop(mid)

    def _entered(self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _more: Any) -> None:
        with self._changed:
            self._is_in, self.refused = not reason.is_failure, reason if reason.is_failure else None
            self._changed.notify_all()

    def _hear(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.heard.append(message)
            self._changed.notify_all()

    def _answer(self, mid: int, reasons: list[ReasonCode]) -> None:
        with self._changed:
            self._answers[mid] = reasons
            self._changed.notify_all()


@contextmanager
def linked(broker: Secured, will: Message, **changes: object) -> "Iterator[tuple[HomeLink, SimpleQueue[LinkEvent]]]":
    """The box's own connection, with its login and the household's authority."""
    settings = BrokerSettings(
        client_id="somnisphere_bedside",
        host=HOST,
        port=broker.tls_port,
        username="bedside",
        password=broker.password("bedside"),
        tls=True,
        ca_file=broker.ca,
    )
    events: SimpleQueue[LinkEvent] = SimpleQueue()
    link = HomeLink(replace(settings, **changes), will, events.put, backoff_s=(1, 1))  # type: ignore[arg-type]
    link.start()
    try:
        yield link, events
    finally:
        link.stop()
