"""For tests with the real mpv: recordings to play, and an ear for what the speaker reports."""

import json
import math
import socket
import time
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

from somnisphere_hardware.mpv_speaker import MpvSpeaker
from somnisphere_hardware.speaker import SpeakerReport

PATIENCE_S = 20.0


def make_story(path: Path, length_s: float, amplitude: int = 0) -> Path:
    """A recording: silence, or a tone of 440 Hz."""
    rate_hz = 8000
    samples = array(
        "h",
        (
            round(amplitude * math.sin(2 * math.pi * 440 * index / rate_hz)) if amplitude else 0
            for index in range(round(length_s * rate_hz))
        ),
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())
    return path


class Listener:
    """Steps a speaker in real time, since mpv is real, and keeps its reports."""

    def __init__(self, speaker: MpvSpeaker) -> None:
        self.speaker = speaker
        self.reports: list[SpeakerReport] = []

    def until(self, found: Callable[[SpeakerReport], bool]) -> SpeakerReport:
        """The first new report that satisfies; a failed assertion after ``PATIENCE_S``."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            for report in self.speaker.step(time.monotonic()):
                self.reports.append(report)
                if found(report):
                    return report
            time.sleep(0.01)
        raise AssertionError(f"not reported in {PATIENCE_S} s; was: {self.reports}")

    def until_state(self, state: str) -> SpeakerReport:
        return self.until(lambda report: report.state == state)

    def until_place(self, position_s: float) -> SpeakerReport:
        return self.until(lambda report: report.state == "playing" and report.position_s >= position_s)


def ask_mpv(speaker: MpvSpeaker, name: str) -> object:
    """A property, asked over a connection of our own."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(speaker.socket_path))
        connection.sendall(json.dumps({"command": ["get_property", name], "request_id": 77}).encode() + b"\n")
        with connection.makefile() as lines:
            for line in lines:
                answer = json.loads(line)
                if answer.get("request_id") == 77:
                    return answer.get("data")
    raise AssertionError("mpv hung up")


def reaches_gain(speaker: MpvSpeaker, gain_db: float) -> bool:
    """Whether mpv comes to a gain, dB. (Soon, not at once: we ask over a connection of our own.)"""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        volume = ask_mpv(speaker, "volume")
        assert isinstance(volume, float)
        if abs(60.0 * math.log10(volume / 100.0) - gain_db) < 0.01:
            return True
        time.sleep(0.02)
    return False


def runs(pid: int) -> bool:
    """Whether a process is alive (a zombie is not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
