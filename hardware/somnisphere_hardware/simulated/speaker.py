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
        self._hold: tuple[float, float] | None = None  # where, and for how long
        self._held_until_s: float | None = None

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

    def hold(self, position_s: float, for_s: float) -> None:
        if self._playing:
            self._hold, self._held_until_s = (position_s, for_s), None

    @property
    def due_s(self) -> float | None:
        return self._held_until_s

    def step(self, at_s: float) -> list[SpeakerReport]:
        if self._playing:
            self._go_on(at_s)
            if self._position_s >= self._duration_s:
                self._position_s = self._duration_s
                self._end("ended")
            elif not self._told and at_s >= self._reported_s + REPORT_S:
                self._tell("playing")
        told, self._told = self._told, []
        if told:
            self._reported_s = at_s
        return [replace(report, at_s=at_s) for report in told]

    def _go_on(self, at_s: float) -> None:
        """Time goes into the story, but for the pause between two sentences."""
        from_s, self._heard_s = self._heard_s, at_s
        if from_s is None:
            return
        if self._hold is not None and self._held_until_s is None:
            hold_s, for_s = self._hold
            if self._position_s + at_s - from_s >= hold_s:
                reached_s = from_s + max(0.0, hold_s - self._position_s)
                self._position_s, self._held_until_s = max(hold_s, self._position_s), reached_s + for_s
        if self._held_until_s is None:
            self._position_s += max(0.0, at_s - from_s)
        elif at_s >= self._held_until_s:
            self._position_s += at_s - max(from_s, self._held_until_s)
            self._hold = self._held_until_s = None

    def close(self) -> None:
        self._path = None
        self._playing = False

    def _run(self, playing: bool) -> None:
        self._playing = playing
        self._heard_s = self._hold = self._held_until_s = None
        self._tell("playing" if playing else "paused")

    def _end(self, state: SpeakerState, problem: str = "") -> None:
        self._tell(state, problem)
        self._path = None
        self._playing = False

    def _tell(self, state: SpeakerState, problem: str = "") -> None:
        self._told.append(SpeakerReport(0.0, state, self._path, self._position_s, problem))
