"""What the home's player is to do, and what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from somnisphere_home.rest import EntityState

Kind = Literal["look", "start", "volume", "pause", "resume", "stop", "put_back"]


@dataclass(slots=True)
class PlayerWish:
    path: Path
    url: str
    position_s: float
    gain_db: float
    since_s: float | None = None
    paused: bool = False
    started: bool = False
    paused_there: bool = False
    sounded: bool = False
    seeks: int = 0
    place_at_s: float = 0.0
    """When ``position_s`` was true."""
    duration_s: float | None = None
    its_id: bool = False
    """The player shows our address as what it plays."""


@dataclass(frozen=True, slots=True)
class PlayerDone:
    """What came of a job. ``trouble``: it was not done. ``state``: what the player was like."""

    kind: Kind
    wish: PlayerWish | None
    trouble: str = ""
    state: EntityState | None = None
    level: float | None = None
