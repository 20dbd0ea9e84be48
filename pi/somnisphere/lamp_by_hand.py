"""What the home wishes of the lamp, as a hand on it: on, off, so bright, over so long. Pure."""

from collections.abc import Sequence

from somnisphere.bedtime.ritual import Ritual
from somnisphere.events import Action
from somnisphere_home.entity import LightWish

TOUCH_S = 1.0
"""How long the lamp takes when a hand asks for a level and no time."""
ARRIVED_PCT = 0.5
"""A lamp further than this (L*) from where it was sent is on its way; "on" alone then stops it where it is."""
TOUCH_PCT = 40.0
"""How bright the lamp gets when it is out and a hand, for the first time, asks for no level."""


class LampByHand:
    """``lightness_pct``: where the lamp was last reported."""

    def __init__(self) -> None:
        self.lightness_pct = 0.0
        self._asked_pct = TOUCH_PCT

    def wished(self, wish: LightWish, ritual: Ritual, at_s: float) -> Sequence[Action]:
        target_pct = ritual.state.lamp_target_pct
        on_its_way = abs(target_pct - self.lightness_pct) > ARRIVED_PCT
        if wish.on and not wish.level_pct and self.lightness_pct > 0 and on_its_way:
            return ritual.touch_lamp(at_s)
        if wish.level_pct:
            self._asked_pct = wish.level_pct
        # "On" alone: a lamp that is lit stays as it is, one that is out gets what a hand asked for last. (Not what it
        # had last: that was the dim end of a fade.)
        level_pct = (wish.level_pct or target_pct or self._asked_pct) if wish.on else 0.0
        return ritual.lamp_by_hand(level_pct, TOUCH_S if wish.over_s is None else wish.over_s, at_s)
