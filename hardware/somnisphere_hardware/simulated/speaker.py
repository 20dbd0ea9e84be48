"""A speaker that makes no sound and keeps time: for rehearsals at any speed, and for tests."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from somnisphere_hardware.speaker import REPORT_S, SpeakerReport, SpeakerState


class SimulatedSpeaker:
    """Tells a story as long as ``durations`` says it is (None: it is not audio), in the time ``step`` is given."""

    def __init__(self, durations: Callable[[Path], float | None]) -> None:
        self._durations = durations
        self.gain_db = 0.0
        self._path: Path | None = None
        self._position_s = 0.0
        self._duration_s = 0.0
        self._playing = False
        self._heard_s: float | None = None  # up to when time has gone into the story; None: from the next step on
        self._reported_s = 0.0
        self._told: list[SpeakerReport] = []

    def play(self, path: Path, position_s: float, gain_db: float) -> None:
        self._path, self._position_s, self.gain_db = path, max(0.0, position_s), gain_db
        duration_s = self._durations(path)
        if duration_s is None:
            self._end("failed", f"{path.name} cannot be told: it is not audio, or broken.")
            return
        self._duration_s = duration_s
        self._run(True)

    def pause(self) -> None:
        if self._path is not None:
            self._run(False)

    def resume(self, gain_db: float) -> None:
        self.gain_db = gain_db
        if self._path is not None:
            self._run(True)

    def stop(self) -> None:
        if self._path is not None:
            self._end("stopped")

    def set_gain(self, gain_db: float) -> None:
        self.gain_db = gain_db

    def step(self, at_s: float) -> list[SpeakerReport]:
        if self._playing:
            self._position_s += 0.0 if self._heard_s is None else max(0.0, at_s - self._heard_s)
            self._heard_s = at_s
            if self._position_s >= self._duration_s:
                self._position_s = self._duration_s
                self._end("ended")
            elif not self._told and at_s >= self._reported_s + REPORT_S:
                self._tell("playing")
        told, self._told = self._told, []
        if told:
            self._reported_s = at_s
        return [replace(report, at_s=at_s) for report in told]

    def close(self) -> None:
        self._path = None
        self._playing = False

    def _run(self, playing: bool) -> None:
        self._playing = playing
        self._heard_s = None
        self._tell("playing" if playing else "paused")

    def _end(self, state: SpeakerState, problem: str = "") -> None:
        self._tell(state, problem)
        self._path = None
        self._playing = False

    def _tell(self, state: SpeakerState, problem: str = "") -> None:
        self._told.append(SpeakerReport(0.0, state, self._path, self._position_s, problem))
