"""How bright this unit sees a person, and how bright nobody, at each LED current: learned, and kept over restarts.

One level for all currents will not do: ambient light and the cover glass add what does not grow with the current. So
each current has its own two levels, and one that was never used borrows from the nearest that was, in proportion.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS

SURE_S = 180.0
"""So long a look makes a level known."""
MEMORY_S = 200.0
"""Time in which a level forgets: a change of bed or person is followed within a few minutes."""
LONGEST_LOOK_S = 30.0
APART = 1.25
"""Levels closer than this factor cannot tell a person from nobody; skin pressed more or less moves by as much."""
MOST_CURRENTS = 300
"""The chip has 256; a file with more is not ours."""
_HIGHEST_MA = 51.0


@dataclass(slots=True)
class Level:
    """``counts``: mean infrared, ADC counts; ``known_s``: on how long a look it stands, at most ``MEMORY_S``."""

    counts: float = 0.0
    known_s: float = 0.0

    def learn(self, counts: float, lasts_s: float) -> None:
        """``counts`` were seen for ``lasts_s``: at first all seconds weigh alike, later ones fade slowly."""
        lasts_s = min(lasts_s, LONGEST_LOOK_S)
        self.known_s = min(self.known_s + lasts_s, MEMORY_S)
        self.counts += (counts - self.counts) * lasts_s / self.known_s

    @property
    def is_sure(self) -> bool:
        return self.known_s >= SURE_S


@dataclass(frozen=True, slots=True)
class Levels:
    """What was learned at one LED current."""

    skin: Level
    empty: Level

    @property
    def overlap(self) -> bool:
        """Both are known, and no brightness tells them apart."""
        return self.skin.is_sure and self.empty.is_sure and not are_apart(self.skin.counts, self.empty.counts)


class LearnedLight:
    """``at(led_ma)`` is what was learned at a current, made when it is new."""

    def __init__(self) -> None:
        self._levels: dict[float, Levels] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LearnedLight) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def at(self, led_ma: float) -> Levels:
        """``led_ma``: current of the infrared LED; the chip sets it in steps of 0.2 mA."""
        return self._levels.setdefault(round(led_ma, 1), Levels(Level(), Level()))

    def skin_counts(self, led_ma: float) -> float | None:
        """A person's level at this current; where it was never seen, in proportion from the nearest current that was.
        None: nobody was ever seen."""
        known = self._levels.get(round(led_ma, 1))
        if known is not None and known.skin.known_s:
            return known.skin.counts
        others = [(abs(math.log(ma / led_ma)), ma, v.skin) for ma, v in self._levels.items() if v.skin.known_s]
        if not others:
            return None
        _, ma, skin = min(others, key=lambda entry: entry[:2])
        return skin.counts * led_ma / ma

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it: ``{"6.4": {"skin": {"counts": ..., "known_s": ...}, "empty": {...}}}``, mA as text."""
        return {
            f"{ma:.1f}": asdict(levels)
            for ma, levels in sorted(self._levels.items())
            if levels.skin.known_s or levels.empty.known_s
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "LearnedLight":
        """The reverse. ``ValueError`` for what ``to_dict`` never says."""
        if len(kept) > MOST_CURRENTS:
            raise ValueError(f"{len(kept)} LED currents")
        light = cls()
        for text, levels in kept.items():
            led_ma = float(text)
            if not 0 < led_ma <= _HIGHEST_MA:
                raise ValueError(f"LED current {text} mA")
            mine = light.at(led_ma)
            for level, name in ((mine.skin, "skin"), (mine.empty, "empty")):
                try:
                    counts, known_s = levels[name]["counts"], levels[name]["known_s"]
                except (KeyError, TypeError) as problem:
                    raise ValueError(f"no level {name!r} at {text} mA") from problem
                if not isinstance(known_s, int | float) or not 0 <= known_s <= MEMORY_S:
                    raise ValueError(f"{known_s!r} s of looking at {text} mA")
                if not isinstance(counts, int | float) or not 0 <= counts <= PULSE_FULL_SCALE_COUNTS:
                    raise ValueError(f"{counts!r} counts at {text} mA")
                level.counts, level.known_s = float(counts), float(known_s)
        return light


def are_apart(one_counts: float, other_counts: float) -> bool:
    """Whether brightness tells the two levels from each other."""
    low, high = sorted((one_counts, other_counts))
    return low <= 0 < high or (low > 0 and high >= APART * low)
