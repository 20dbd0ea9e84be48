"""What the page is told of the house it is served from. Frozen; no room asks the machine for anything itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Protocol

from somnisphere.config import Config


class BoxError(Exception):
    """The box did not do it; the text says why, in English, as the box says it."""


@dataclass(frozen=True, slots=True)
class BoxView:
    """What the bedside said last. ``reached``: the broker is there; ``online`` None: the box never said anything."""

    reached: bool = False
    problem: str = ""
    online: bool | None = None
    sensor_online: bool = False
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        return self.reached and bool(self.online)

    def value(self, group: str, key: str) -> Any:
        """One entity's state as the box published it, None when it was never said."""
        return self.groups.get(group, {}).get(key)


class Box(Protocol):
    """The way to the daemon of this bedside."""

    def view(self) -> BoxView: ...

    def command(self, key: str, payload: str) -> None:
        """As a command of the home. Raises ``BoxError``."""
        ...

    def ask(self, name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """A question and its answer. Raises ``BoxError``."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """``journal``: the file of the nights, ``household``: that of the household's words. ``now_s``: Unix seconds.
    ``box`` None: there is no way to a daemon, and the page says so. ``nudge_post``: something may be due to the
    coach."""

    config: Config
    journal: Path
    household: Path
    now_s: Callable[[], float]
    utc_offset_s: Callable[[float], float]
    box: Box | None = None
    nudge_post: Callable[[], None] | None = None

    def moment(self, wall_s: float) -> datetime:
        """A Unix time as the household's clock has it."""
        return datetime.fromtimestamp(wall_s, timezone(timedelta(seconds=self.utc_offset_s(wall_s))))
