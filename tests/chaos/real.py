"""Nights with real processes, by hand: ``python -m tests.chaos.real --seed 1 --nights 20``.

A real mosquitto is killed and stopped, the rehearsing daemon gets SIGKILL, a real mpv dies and hangs in the middle of a
story. Everything is drawn from the seed; real machines are not, so a failing seed may want several tries.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from tests.brokers import HOST, free_port, wait_for_port
from tests.chaos.week import kept_in

from somnisphere.library import STARTER_FOLDER
from somnisphere_hardware.mpv_speaker import MpvSpeaker

SPEED = 240.0
PATIENCE_S = 300.0
STORY = STARTER_FOLDER / "the-attic-of-old-stories.story" / "recording.opus"


class RealBroker:
    """A mosquitto that may be killed, and begun again at the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} {HOST}\nallow_anonymous true\npersistence false\n")
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin") or "mosquitto"
        process = subprocess.Popen(
            [program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(HOST, self.port, 30.0)
        return process

    def kill(self, away_s: float) -> None:
        self._process.kill()
        self._process.wait()
        time.sleep(away_s)
        self._process = self._start()

    def hang(self, for_s: float) -> None:
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(for_s)
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def rehearse(out: Path, seed: int, port: int, speed: float) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "somnisphere", "rehearse", "--plain", "--hours", "0.5", "--seed", str(seed)]
    command += ["--speed", str(speed), "--broker", f"{HOST}:{port}", "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def night(seed: int) -> list[str]:
    """One rehearsed night; what was broken, in sentences."""
    rng = random.Random(f"real {seed}")
    problems = []
    with tempfile.TemporaryDirectory(prefix="chaos-real-") as name:
        folder = Path(name)
        broker = RealBroker(folder)
        daemon = rehearse(folder, seed, broker.port, SPEED)
        try:
            for what in rng.choices(("daemon", "broker", "hang"), k=4):
                time.sleep(rng.uniform(0.5, 5.0))
                match what:
                    case "daemon":
                        daemon.kill()
                        daemon.communicate()
                        daemon = rehearse(folder, seed, broker.port, SPEED)
                    case "broker":
                        broker.kill(rng.uniform(0.1, 3.0))
                    case "hang":
                        broker.hang(rng.uniform(0.5, 6.0))
                if daemon.poll() not in (None, 0):
                    problems.append(f"after {what} the daemon ended with {daemon.returncode}: {_said(daemon)}")
                    return problems
            if daemon.poll() is None:
                daemon.kill()
            daemon.communicate()
            daemon = rehearse(folder, seed, broker.port, 0.0)  # the rest of the night, as fast as it goes
            _, said = daemon.communicate(timeout=PATIENCE_S)
            if daemon.returncode != 0:
                problems.append(f"the night was not ended: {daemon.returncode}: {said.decode()[-400:]}")
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.communicate()
            broker.close()
        for kept in kept_in(folder / "rehearsal.sqlite"):
            starts_s = [epoch.start_s for epoch in kept.epochs]
            if any(abs(later_s - sooner_s - 30.0) > 1.0 for sooner_s, later_s in pairwise(starts_s)):
                problems.append(f"the night of {kept.times.night_id} has a hole")
            if kept.ended_wall_s is None:
                problems.append(f"the night of {kept.times.night_id} was never closed")
    return problems


def _said(process: "subprocess.Popen[bytes]") -> str:
    return process.communicate()[1].decode(errors="replace")[-400:]


def voice(seed: int) -> list[str]:
    """A story through a real mpv that dies or hangs three times; it must go on each time, and end when told to."""
    rng = random.Random(f"voice {seed}")
    problems, pids = [], set()
    with tempfile.TemporaryDirectory(prefix="chaos-mpv-") as name:
        speaker = MpvSpeaker(Path(name), "null")
        speaker.play(STORY, 30.0, -10.0)
        place_s = 30.0
        for _ in range(3):
            place_s = _playing_beyond(speaker, place_s - 15.0, problems)
            if (pid := speaker.pid) is not None:
                pids.add(pid)
                os.kill(pid, rng.choice((signal.SIGKILL, signal.SIGSTOP)))
            _let_pass(speaker, rng.uniform(0.2, 2.0))
        _playing_beyond(speaker, place_s - 15.0, problems)
        pids.add(speaker.pid or -1)
        speaker.stop()
        speaker.close()
    problems += [f"mpv {pid} lives on" for pid in pids if pid > 0 and Path(f"/proc/{pid}").exists()]
    return problems


def _playing_beyond(speaker: MpvSpeaker, least_s: float, problems: list[str]) -> float:
    """Wait until the story is heard; where it is."""
    asked_s = time.monotonic()
    _let_pass(speaker, 8.0)  # a hanging mpv is noticed after five seconds
    while time.monotonic() - asked_s < 90.0:
        for report in speaker.step(time.monotonic()):
            if report.state == "playing" and report.position_s >= least_s:
                return report.position_s
            if report.state == "failed":
                problems.append(f"the story has failed: {report.problem}")
                return least_s
        time.sleep(0.05)
    problems.append("the story is not heard again")
    return least_s


def _let_pass(speaker: MpvSpeaker, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        speaker.step(time.monotonic())
        time.sleep(0.05)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.real", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nights", type=int, default=20)
    arguments = parser.parse_args()
    broken = 0
    for seed in range(arguments.seed, arguments.seed + arguments.nights):
        began_s = time.monotonic()
        problems = [*night(seed), *voice(seed)]
        broken += bool(problems)
        print(f"seed {seed}: {'; '.join(problems) or 'well'} ({time.monotonic() - began_s:.0f} s)", flush=True)
    print(f"{arguments.nights} nights with real processes, {broken} of them broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
