"""A clean stop is soon over, whoever hangs: the service manager kills what is slower than it allows."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.brokers import HOST, mosquitto
from tests.ear import Ear

from somnisphere.goodbyes import Goodbyes

SOON_S = 5.0


def test_goodbyes_are_said_all_at_once() -> None:
    """Each waits for the others: one after the other they would never end."""
    all_here = threading.Barrier(3)
    with Goodbyes() as goodbyes:
        for _ in range(3):
            goodbyes.callback(lambda: all_here.wait(10.0))
    assert not all_here.broken


def test_what_one_of_them_raises_is_raised_when_all_are_said() -> None:
    said = list[str]()

    def crash() -> None:
        raise ZeroDivisionError

    goodbyes = Goodbyes()
    goodbyes.callback(crash)
    goodbyes.callback(lambda: said.append("bye"))
    with pytest.raises(ZeroDivisionError), goodbyes:
        pass
    assert said == ["bye"]


def child(name: str) -> int:
    """The one process of this name that we began."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    (found,) = [int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == name]
    return found


@pytest.mark.broker
def test_with_a_home_and_a_broker_that_hang(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    with socket.create_server((HOST, 0)) as hung, mosquitto() as place, Ear(place) as ear:
        config = tmp_path / "somnisphere.toml"
        config.write_text(
            f'[sensor]\nbus = 250\n[mqtt]\nhost = "{place[0]}"\nport = {place[1]}\n'
            f'[journal]\npath = "{tmp_path}/journal.db"\n[stories]\ncache = "{tmp_path}/cache"\nserve_port = 0\n'
            f'[home_assistant]\nurl = "http://{HOST}:{hung.getsockname()[1]}"\ntoken_file = "{tmp_path}/token"\n'
            'fire_events = true\nstill_up = ["light.hall"]\n'
            '[lamp]\nhome_light = "light.bed"\n[speaker]\nhome_player = "media_player.bed"\n'
        )
        with subprocess.Popen([sys.executable, "-m", "somnisphere", "--config", str(config), "run"]) as process:
            try:
                ear.wait("status", b"online", 60.0)
                ear.say("begin")  # the lamp is moved and a moment told: both wait for an answer from now on
                ear.wait_for("ritual", lambda state: state["phase"] == "wind_down")
                broker = child("mosquitto")
                os.kill(broker, signal.SIGSTOP)
                try:
                    process.terminate()
                    assert process.wait(SOON_S) == 0
                finally:
                    os.kill(broker, signal.SIGCONT)
            finally:
                process.kill()
