"""A rehearsal killed with SIGKILL: at most a minute of night is lost, the bookmark is kept, the night is carried on."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from tests.brokers import mosquitto

from somnisphere.bedtime.state import RitualSettings
from somnisphere.journal import Journal, KeptNight

pytestmark = pytest.mark.broker
PATIENCE_S = 90.0
SPEED = 240.0
SAVED_S = 20.0
"""The place in the story is written with each sentence."""
BOOKMARK_S = 15.0 + 60.0
"""The bookmark in the journal is noted four times a minute and written with the next commit, a minute later at most."""


class Ear:
    """What the broker tells of the rehearsal: what it said last, and where each stretch of the story began."""

    def __init__(self, place: tuple[str, int]) -> None:
        self.phase = ""
        self.status = b""
        self.position_s = 0.0
        self.began_at_s: list[float] = []
        self._was_playing = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._changed = threading.Condition()
        self._client.connect(*place)
        self._client.subscribe("somnisphere/bedside/#")
        self._client.loop_start()

    def _hear(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            match message.topic.removeprefix("somnisphere/bedside/"):
                case "status":
                    self.status, self._was_playing = bytes(message.payload), False
                case "ritual":
                    self.phase = json.loads(message.payload)["phase"]
                case "story":
                    told = json.loads(message.payload)
                    playing, position_s = bool(told["story_playing"]), told["story_position"] or 0.0
                    if playing and not self._was_playing:
                        self.began_at_s.append(position_s)
                    self._was_playing, self.position_s = playing, position_s
            self._changed.notify_all()

    def wait_for(self, told: Callable[[], bool], what: str) -> None:
        with self._changed:
            heard = self._changed.wait_for(told, timeout=PATIENCE_S)
        assert heard, f"{what} was never told; last was {self.phase} at {self.position_s} s, {self.status!r}"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker() -> Iterator[tuple[str, int]]:
    with mosquitto() as place:
        yield place


@pytest.fixture
def ear(broker: tuple[str, int]) -> Iterator[Ear]:
    ear = Ear(broker)
    yield ear
    ear.close()


def rehearse(out: Path, place: tuple[str, int], speed: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "somnisphere", "rehearse", "--plain", "--hours", "1", "--seed", "3"),
            *("--speed", str(speed), "--broker", f"{place[0]}:{place[1]}", "--out", str(out)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kept_in(out: Path) -> tuple[list[KeptNight], dict[str, float]]:
    journal = Journal(out / "rehearsal.sqlite")
    try:
        return [journal.load(night_id) for night_id in journal.nights()], journal.bookmarks()
    finally:
        journal.close()


@pytest.mark.parametrize(
    ("phase", "position_s"), [("wind_down", 0.0), ("story", 90.0), ("drifting", 0.0), ("asleep", 0.0)]
)
def test_killed_and_carried_on(
    broker: tuple[str, int], ear: Ear, tmp_path: Path, phase: str, position_s: float
) -> None:
    process = rehearse(tmp_path, broker, SPEED)
    try:
        ear.wait_for(lambda: ear.phase == phase and ear.position_s >= position_s, f"{phase} at {position_s} s")
        heard_s, killed_s = ear.position_s, time.monotonic()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    # The kill itself takes a moment, in which the story goes on at rehearsed speed.
    slack_s = SPEED * (time.monotonic() - killed_s) + 30.0
    ear.wait_for(lambda: ear.status == b"offline", "the last will")
    nights, bookmarks = kept_in(tmp_path)
    assert all(night.ended_wall_s is None for night in nights)
    if phase in ("story", "drifting"):
        (place_s,) = bookmarks.values()
        assert heard_s - SAVED_S - BOOKMARK_S <= place_s <= heard_s + slack_s

    told_before = len(ear.began_at_s)
    assert rehearse(tmp_path, broker, 0.0).wait(PATIENCE_S) == 0
    ear.wait_for(lambda: ear.status == b"offline", "the farewell")
    (night,), again = kept_in(tmp_path)
    assert night.ended_wall_s is not None
    assert {round(later.start_s - sooner.start_s, 3) for sooner, later in pairwise(night.epochs)} == {30.0}
    assert [epoch.index for epoch in night.epochs] == list(range(len(night.epochs)))
    assert len(night.epochs) >= 120  # the hour in bed, and what was needed to see that it is over
    for before in nights:
        assert night.times.night_id == before.times.night_id
        assert night.epochs[: len(before.epochs)] == before.epochs
        assert night.live[: len(before.live)] == before.live
    began_s = ear.began_at_s[told_before:]
    if phase == "wind_down":
        assert began_s[0] <= 5.0
    elif phase in ("story", "drifting"):
        rewound_s = SAVED_S + RitualSettings().resume_rewind_s
        assert heard_s - rewound_s <= began_s[0] <= heard_s + slack_s
    assert [moment.type for moment in night.moments].count("fell_asleep") == 1
    assert 0.0 < max(again.values()) < 900.0
