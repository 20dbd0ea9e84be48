"""What a speaker is: one story at a time, told at a gain, and reports of where it is. ``mpv_speaker`` is the one that
sounds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

SpeakerState = Literal["playing", "paused", "stopped", "ended", "failed"]

REPORT_S = 1.0
"""How often the place in the story is reported while playing."""


@dataclass(frozen=True, slots=True)
class SpeakerReport:
    """Where the story is. ``problem`` is a sentence for a person when ``state`` is ``failed``, else ""."""

    at_s: float
    state: SpeakerState
    path: Path | None = None
    position_s: float = 0.0
    problem: str = ""


class Speaker(Protocol):
    """One story at a time. Gains are dB, 0 the loudest. Trouble is a ``failed`` report, never an exception."""

    def play(self, path: Path, position_s: float, gain_db: float) -> None: ...

    def pause(self) -> None: ...

    def resume(self, gain_db: float) -> None: ...

    def stop(self) -> None: ...

    def set_gain(self, gain_db: float) -> None: ...

    def hold(self, position_s: float, for_s: float) -> None:
        """A pause between two sentences: stand still for ``for_s`` when the story gets to ``position_s``. It goes on
        reporting as playing; anything else that is asked for ends it."""
        ...

    @property
    def due_s(self) -> float | None:
        """When to call ``step`` at the latest, for a hold that begins or ends then; None: any time will do."""
        ...

    def step(self, at_s: float) -> list[SpeakerReport]:
        """What happened since the last call: every change of state, and the position about once a second."""
        ...

    def close(self) -> None: ...
