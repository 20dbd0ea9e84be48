"""A rehearsal killed with SIGKILL: at most a minute of night is lost, the bookmark is kept, the night is carried on."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from tests.brokers import mosquitto

from somnisphere.journal import Journal, KeptNight

pytestmark = pytest.mark.broker
PATIENCE_S = 90.0


class Ear:
    """What the broker last heard from the rehearsal."""

    def __init__(self, place: tuple[str, int]) -> None:
        self.phase = ""
        self.position_s = 0.0
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._changed = threading.Condition()
        self._client.connect(*place)
        self._client.subscribe("somnisphere/bedside/#")
        self._client.loop_start()

    def _hear(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            if message.topic.endswith("/ritual"):
                self.phase = json.loads(message.payload)["phase"]
            elif message.topic.endswith("/story"):
                self.position_s = json.loads(message.payload)["story_position"] or 0.0
            self._changed.notify_all()

    def await_phase(self, phase: str, position_s: float = 0.0) -> None:
        with self._changed:
            told = self._changed.wait_for(
                lambda: self.phase == phase and self.position_s >= position_s, timeout=PATIENCE_S
            )
        assert told, f"{phase} at {position_s} s was never told; last was {self.phase} at {self.position_s} s"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker() -> Iterator[tuple[str, int]]:
    with mosquitto() as place:
        yield place


def rehearse(out: Path, place: tuple[str, int], speed: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "somnisphere", "rehearse", "--plain", "--hours", "1.5", "--seed", "2"),
            *("--speed", str(speed), "--broker", f"{place[0]}:{place[1]}", "--out", str(out)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kept_in(out: Path) -> tuple[KeptNight, dict[str, float]]:
    journal = Journal(out / "rehearsal.sqlite")
    try:
        (night_id,) = journal.nights()
        return journal.load(night_id), journal.bookmarks()
    finally:
        journal.close()


@pytest.mark.parametrize(("phase", "position_s"), [("story", 90.0), ("drifting", 0.0), ("asleep", 0.0)])
def test_killed_and_carried_on(broker: tuple[str, int], tmp_path: Path, phase: str, position_s: float) -> None:
    speed = 240.0
    ear = Ear(broker)
    process = rehearse(tmp_path, broker, speed)
    try:
        ear.await_phase(phase, position_s)
        heard_s = ear.position_s
        killed_s = time.monotonic()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        ear.close()
    night, bookmarks = kept_in(tmp_path)
    assert night.ended_wall_s is None
    if phase != "asleep":
        # The kill itself took a moment, in which the story went on at rehearsed speed.
        slack_s = speed * (time.monotonic() - killed_s)
        assert max(bookmarks.values()) > heard_s - 60.0 - 30.0 - 15.0
        assert max(bookmarks.values()) < heard_s + slack_s + 30.0
    before = len(night.epochs)
    assert rehearse(tmp_path, broker, 0.0).wait(PATIENCE_S) == 0
    again, _ = kept_in(tmp_path)
    assert again.times.night_id == night.times.night_id
    assert [e.start_s for e in again.epochs[:before]] == [e.start_s for e in night.epochs]
    gaps = {round(later.start_s - sooner.start_s, 3) for sooner, later in pairwise(again.epochs)}
    assert gaps == {30.0}
    lost = [e for e in again.estimates[before : before + 20] if e.stage is None]
    assert len(lost) <= 20
    assert len(again.epochs) > 170


def test_what_a_kill_costs_is_at_most_a_minute_of_night(tmp_path: Path) -> None:
    """The journal as it lies on disk, looked at every rehearsed second, never lags by more than a minute."""
    from somnisphere.config import Config
    from somnisphere.simulation import open_rehearsal
    from somnisphere.snapshot import Snapshot

    path = tmp_path / "rehearsal.sqlite"
    lag_s: list[float] = []

    def look(snapshot: Snapshot) -> None:
        if snapshot.at_s < 700.0 or snapshot.at_s % 7.0 >= 1.0:
            return
        reader = Journal(path)
        try:
            epochs = reader.load(reader.nights()[0]).epochs
        finally:
            reader.close()
        lag_s.append(snapshot.wall_s - (epochs[-1].start_s + 30.0))

    with open_rehearsal(Config(), tmp_path, seed=2, hours=1.0, speed=0.0, broker=None, show=look) as simulation:
        simulation.rehearsal.run(1500.0)
    assert len(lag_s) > 50
    # An epoch is closed some seconds after its end, so that late beats are in; then up to a minute to the commit.
    assert max(lag_s) <= 60.0 + 30.0 + 10.0
