"""``somnisphere run`` with the real mpv, killed in the middle of a story: it goes on with the sentence it was in."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.brokers import mosquitto
from tests.ear import Ear
from tests.hardware.listening import runs

from somnisphere.assemble import shelf_reader
from somnisphere.bedtime.sentences import LEAD_S, number_at
from somnisphere.config import Config

pytestmark = [
    pytest.mark.broker,
    pytest.mark.mpv,
    pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed (apt install mpv)"),
]
NO_BUS = 250
TITLE = "The attic of old stories"


def started(config: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "somnisphere", "--config", str(config), "run"],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GPIOZERO_PIN_FACTORY": "none"},
    )


def place_s(ear: Ear, volume: int) -> float:
    """Where the story is: told with every change of the volume."""
    ear.say("volume", str(volume))
    state = ear.wait_for("story", lambda told: told["volume"] == volume and told["story_playing"] is not None, 60.0)
    return float(state["story_position"])


def players_of(pid: int) -> list[int]:
    """The living mpvs that a process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            if name == "mpv" and state != "Z" and int(parent) == pid:
                found.append(int(stat.parent.name))
    return found


def test_a_killed_daemon_goes_on_with_the_sentence_it_was_in(tmp_path: Path) -> None:
    marks = next(story.marks for story in shelf_reader(Config()).read() or () if story.title == TITLE)
    with mosquitto() as place, Ear(place) as ear:
        config = tmp_path / "somnisphere.toml"
        config.write_text(
            f'[sensor]\nbus = {NO_BUS}\n[speaker]\nao = "null"\n[journal]\npath = "{tmp_path}/journal.db"\n'
            f'[mqtt]\nhost = "{place[0]}"\nport = {place[1]}\n'
        )
        first = started(config)
        try:
            ear.wait("status", b"online", 60.0)
            ear.say("story", TITLE)
            ear.say("one_more_page")
            ear.wait_for("story", lambda told: told["story_playing"] == TITLE, 60.0)
            begun_s = time.monotonic()
            while place_s(ear, 40 + int(time.monotonic() - begun_s) % 20) < marks[2].begin_s + 1.0:
                assert time.monotonic() - begun_s < 90.0
                time.sleep(1.1)
            before_s, players = place_s(ear, 61), players_of(first.pid)
            assert len(players) == 1
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait(10)
        ear.wait("status", b"offline", 30.0)
        deadline_s = time.monotonic() + 10.0
        while runs(players[0]):
            assert time.monotonic() < deadline_s, "mpv goes with the daemon"
            time.sleep(0.05)
        second = started(config)
        try:
            ear.wait("status", b"online", 60.0)
            ear.wait_for("story", lambda told: told["story_playing"] == TITLE, 60.0)
            restarted_s = time.monotonic()
            again_s = place_s(ear, 33)
        finally:
            second.terminate()
            second.wait(20)
    spent_s = time.monotonic() - restarted_s + 2.0
    sentence = marks[number_at(marks, before_s)]
    assert again_s >= sentence.begin_s - LEAD_S - 0.5, "at most this sentence is heard twice (told in whole seconds)"
    assert again_s <= before_s + spent_s + 2.0, "and nothing is left out"


def test_a_killed_player_goes_on_where_it_was(tmp_path: Path) -> None:
    with mosquitto() as place, Ear(place) as ear:
        config = tmp_path / "somnisphere.toml"
        config.write_text(
            f'[sensor]\nbus = {NO_BUS}\n[speaker]\nao = "null"\n[journal]\npath = "{tmp_path}/journal.db"\n'
            f'[mqtt]\nhost = "{place[0]}"\nport = {place[1]}\n'
        )
        daemon = started(config)
        try:
            ear.wait("status", b"online", 60.0)
            ear.say("one_more_page")
            ear.wait_for("story", lambda told: told["story_playing"] is not None, 60.0)
            time.sleep(3.0)
            before_s, (player,) = place_s(ear, 61), players_of(daemon.pid)
            os.kill(player, signal.SIGKILL)
            killed_s = time.monotonic()
            while not (alive := [pid for pid in players_of(daemon.pid) if pid != player and runs(pid)]):
                assert time.monotonic() - killed_s < 30.0, "a fresh mpv comes"
                time.sleep(0.05)
            time.sleep(1.5)
            after_s = place_s(ear, 62)
            assert alive
            assert before_s - 1.5 <= after_s <= before_s + (time.monotonic() - killed_s) + 1.5
        finally:
            daemon.terminate()
            daemon.wait(20)
