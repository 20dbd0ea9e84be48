"""What Home Assistant knows of the house around the bed, as two facts: somebody is up, and the bedroom is dark. Pure.

What cannot be known (no such entity, *unavailable*, a home that is away) is None, and None never holds anything up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from somnisphere.events import HomeReported

States = Mapping[str, str | None]

ACTIVE = frozenset({"on", "playing", "paused", "buffering"})
INACTIVE = frozenset({"off", "idle", "standby"})

AFTERGLOW_S = 300.0
"""Somebody who was up until just now still counts as up: motion sensors forget a person who stands still."""

KEPT_S = 120.0
"""What was known stays known so long while the home is away: as long as it takes to restart."""

LIGHT_AGAIN = 1.2
"""A dark bedroom is light again at so many times the level below which it got dark, lest it flickers between them."""


@dataclass(frozen=True, slots=True)
class HomeQuestions:
    """Entity ids of the household's; "" and () are not asked for."""

    still_up: tuple[str, ...] = ()
    light_level: str = ""
    lights: tuple[str, ...] = ()
    dark_below_lx: float = 5.0

    @property
    def entity_ids(self) -> tuple[str, ...]:
        level = (self.light_level,) if self.light_level else ()
        return tuple(dict.fromkeys((*self.still_up, *level, *self.lights)))

    def someone_up(self, states: States) -> bool | None:
        """One who is seen is enough; that nobody is, only all of them together can say."""
        return _any([_is_active(states.get(entity_id)) for entity_id in self.still_up])

    def bedroom_dark(self, states: States, was_dark: bool | None) -> bool | None:
        """No light burns, and the light sensor agrees. One that says otherwise is enough."""
        lit = [_is_active(states.get(entity_id)) for entity_id in self.lights]
        if self.light_level:
            level_lx = _number(states.get(self.light_level))
            limit_lx = self.dark_below_lx * (LIGHT_AGAIN if was_dark else 1.0)
            lit.append(None if level_lx is None else level_lx >= limit_lx)
        bright = _any(lit)
        return None if bright is None else not bright


class HomeFacts:
    """The core's memory of what the home reported."""

    def __init__(self) -> None:
        self._report: HomeReported | None = None
        self._lost_s: float | None = None
        self._up_until_s: float | None = None

    def heard(self, report: HomeReported) -> None:
        if not report.reached:
            self._lost_s = report.at_s if self._lost_s is None else self._lost_s
            return
        if self._report is not None and self._report.someone_up and not report.someone_up:
            self._up_until_s = report.at_s
        self._report, self._lost_s = report, None

    def someone_up(self, at_s: float) -> bool | None:
        return self._report.someone_up if self._report is not None and self._is_known(at_s) else None

    def bedroom_dark(self, at_s: float) -> bool | None:
        return self._report.bedroom_dark if self._report is not None and self._is_known(at_s) else None

    def up_lately(self, at_s: float) -> bool:
        """Somebody is up, or was a few minutes ago. False, too, when it is not known."""
        up = self.someone_up(at_s)
        return bool(up) or (up is not None and self._up_until_s is not None and at_s - self._up_until_s < AFTERGLOW_S)

    def _is_known(self, at_s: float) -> bool:
        return self._lost_s is None or at_s - self._lost_s < KEPT_S


def _any(answers: list[bool | None]) -> bool | None:
    if True in answers:
        return True
    return None if None in answers or not answers else False


def _is_active(state: str | None) -> bool | None:
    return True if state in ACTIVE else False if state in INACTIVE else None


def _number(state: str | None) -> float | None:
    try:
        value = float(state or "")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
