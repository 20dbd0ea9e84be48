"""Whether anybody is there. A bright reflection alone is no skin: the one public off-body recording of this family of
sensors reads 136,000 counts, more than the 50,000 that are customarily taken for a finger.

Living skin is bright *and* its light is never quite still. So nobody is there when the light is dark (against full
scale, or against what this unit saw on a person at this LED current), when it is as bright as this unit's empty bed at
this current and that is not skin's brightness, or when it hardly varies and red and infrared do not vary together. A
trusted pulse outweighs brightness: the next person's skin may be darker. Arriving takes seconds, leaving tens of
seconds; a pulse where it is darker than any person was must last a while before it is believed.

Both levels are learned (``learned_light.py``): a person's while the pulse is trusted, the empty bed's after a minute of
nobody and still light.
"""

import math
from dataclasses import dataclass

import numpy as np

from somnisphere.night import Presence
from somnisphere.sleep.filters import Floats
from somnisphere.sleep.learned_light import LearnedLight, are_apart
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS

DARK_COUNTS_PER_MA = 600.0
"""Infrared darker than this is nobody, whoever was there before: a fingertip returns 10 000 and more, a wrist still a
tenth of that."""
DARK_SHARE = 0.35
"""Darker than this share of the light learned on a person is nobody."""
QUIET = 0.0002
"""Standard deviation over mean below which light is dead still (off-body 0.005 %, on skin 0.04 % and more)."""
QUIET_COUNTS = 3.0
"""The same in counts: in dim light the converter's noise alone is more than the share above (off-body 1.8 counts)."""
TOGETHER = 0.5
"""Correlation of red and infrared above which something living modulates both."""
CLIPPED_SHARE = 0.3
GROUP_S = 0.1
NEAR_EMPTY = 1.1
"""Within this factor of the empty bed's level it is the empty bed."""
LEAST_LOOK_S = 1.0
"""A shorter look (what is left of a few seconds when the LED current changes in between) always seems still."""
LEARN_SKIN_AFTER_S = 20.0
LEARN_EMPTY_AFTER_S = 60.0
"""How long the state has held before its level is learned: what comes and goes teaches nothing."""

HOLD_S = {Presence.NOBODY: 25.0, Presence.SOMEBODY: 15.0, Presence.PULSE: 0.0, Presence.SATURATED: 3.0}
"""How long a look must keep saying so before it is believed."""
ARRIVE_S = 3.0
"""The same, when somebody comes where nobody was."""
DIM_PULSE_S = 15.0
"""The same, for a pulse where it is darker than a person was."""

IN_BED_AFTER_S, OUT_OF_BED_AFTER_S, PULSE_LOST_AFTER_S = 60.0, 120.0, 900.0


@dataclass(frozen=True, slots=True)
class Look:
    """A few seconds of light. ``level_counts``: mean infrared; ``ripple``: standard deviation over mean, straight line
    removed; ``together``: correlation of red and infrared; ``clipped``: share of samples at full scale; ``lasts_s``:
    how long it was looked."""

    level_counts: float
    ripple: float
    together: float
    clipped: float
    lasts_s: float = math.inf

    @property
    def is_still(self) -> bool:
        """The light does not vary by more than the converter's noise."""
        return self.ripple < max(QUIET, QUIET_COUNTS / max(self.level_counts, 1.0))


def look_at(red: Floats, ir: Floats, rate_hz: float) -> Look:
    """``red``, ``ir``: (n,) counts of the same samples, n >= 1."""
    clipped = float(np.count_nonzero(ir >= PULSE_FULL_SCALE_COUNTS)) / len(ir)
    lasts_s = len(ir) / rate_hz
    # Means over a tenth of a second: the body is slower than that, the converter's noise is not.
    group = max(1, round(GROUP_S * rate_hz))
    if len(ir) >= 8 * group:
        whole = len(ir) // group * group
        red = np.add.reduce(red[:whole].reshape(-1, group), axis=1) / group
        ir = np.add.reduce(ir[:whole].reshape(-1, group), axis=1) / group
    count = len(ir)
    level = float(np.add.reduce(ir)) / count
    if count < 8 or not math.isfinite(level) or level <= 0:
        return Look(level if math.isfinite(level) else 0.0, 0.0, 0.0, clipped, lasts_s)
    line = np.arange(count) - (count - 1) / 2
    line /= math.sqrt(float(line @ line))
    i = ir - level
    i = i - (i @ line) * line
    r = red - np.add.reduce(red) / count
    r = r - (r @ line) * line
    own, other = float(i @ i), float(r @ r)
    together = float(i @ r) / math.sqrt(own * other) if own > 0 and other > 0 else 0.0
    return Look(level, math.sqrt(own / count) / level, together, clipped, lasts_s)


class PresenceSense:
    """Presence with hysteresis. Feed a look every few seconds."""

    def __init__(self, light: LearnedLight | None = None) -> None:
        self.state: Presence | None = None
        self.light = light or LearnedLight()
        self._since_s = 0.0
        self._wish: Presence | None = None
        self._wished_since_s = 0.0

    def lose(self) -> None:
        """The sensor is gone: nothing is known but what was learned."""
        self.state = None
        self._wish = None

    def see(self, at_s: float, look: Look, led_ma: float, *, pulse: bool) -> Presence:
        """``at_s``: end of the look; ``led_ma``: current of the infrared LED; ``pulse``: whether the seconds before
        carried a trusted pulse."""
        if self.state is not None and look.lasts_s < LEAST_LOOK_S:
            return self.state
        dark = self._dark(look, led_ma)
        seen = self._judge(look, led_ma, pulse, dark=dark)
        if seen is not self._wish:
            self._wish, self._wished_since_s = seen, at_s
        held_s = at_s - self._wished_since_s
        if self.state is None or (seen is not self.state and held_s >= self._hold_s(seen, dark=dark)):
            self.state, self._since_s = seen, at_s
        self._learn(at_s, seen, look, led_ma, dark=dark)
        return self.state

    def _hold_s(self, seen: Presence, *, dark: bool) -> float:
        if seen is Presence.PULSE and dark:
            return DIM_PULSE_S
        return min(HOLD_S[seen], ARRIVE_S) if self.state is Presence.NOBODY else HOLD_S[seen]

    def _learn(self, at_s: float, seen: Presence, look: Look, led_ma: float, *, dark: bool) -> None:
        if seen is not self.state or led_ma <= 0:
            return
        held_s = at_s - self._since_s
        if seen is Presence.PULSE and held_s >= LEARN_SKIN_AFTER_S:
            skin = self.light.at(led_ma).skin
            if dark:  # another person: the one before is not averaged in
                skin.known_s = 0.0
            skin.learn(look.level_counts, look.lasts_s)
        elif seen is Presence.NOBODY and held_s >= LEARN_EMPTY_AFTER_S and look.is_still:
            self.light.at(led_ma).empty.learn(look.level_counts, look.lasts_s)

    def _judge(self, look: Look, led_ma: float, pulse: bool, *, dark: bool) -> Presence:
        if look.clipped >= CLIPPED_SHARE:
            return Presence.SATURATED
        if led_ma <= 0 or look.level_counts < DARK_COUNTS_PER_MA * led_ma:
            return Presence.NOBODY
        if pulse and not look.is_still:
            return Presence.PULSE
        if dark or self._as_bright_as_empty(look, led_ma) or (look.is_still and look.together < TOGETHER):
            return Presence.NOBODY
        return Presence.SOMEBODY

    def _dark(self, look: Look, led_ma: float) -> bool:
        """Darker than this unit saw any person at this current."""
        skin = self.light.skin_counts(led_ma) if led_ma > 0 else None
        return skin is not None and look.level_counts < DARK_SHARE * skin

    def _as_bright_as_empty(self, look: Look, led_ma: float) -> bool:
        levels = self.light.at(led_ma)
        skin, empty = levels.skin, levels.empty
        if not (skin.is_sure and empty.is_sure and are_apart(skin.counts, empty.counts)):
            return False
        return empty.counts / NEAR_EMPTY <= look.level_counts <= empty.counts * NEAR_EMPTY


class InBed:
    """In bed once a pulse has been there for a minute, out of it once nobody has been there for two.

    Brightness without a pulse (a sensor on the blanket looks like skin now and then) puts nobody to bed; it keeps a
    sleeper there whose pulse is lost for a while, and after a quarter of an hour we say that we do not know. The same
    after a quarter of an hour of light too bright to see by, whoever was there before.
    """

    def __init__(self) -> None:
        self.state: bool | None = None
        self._pulse_since_s: float | None = None
        self._pulse_seen_s = 0.0
        self._nobody_since_s: float | None = None
        self._blind_since_s: float | None = None

    def see(self, at_s: float, presence: Presence | None) -> bool | None:
        """``presence`` as of ``at_s``; None (the sensor is lost) makes it not known."""
        if presence is Presence.SATURATED:
            if self._blind_since_s is None:
                self._blind_since_s = at_s
            if at_s - self._blind_since_s >= PULSE_LOST_AFTER_S:
                self.state = None
            return self.state
        self._blind_since_s = None
        match presence:
            case None:
                self.state = self._pulse_since_s = self._nobody_since_s = None
            case Presence.NOBODY:
                self._pulse_since_s = None
                if self._nobody_since_s is None:
                    self._nobody_since_s = at_s
                if not self.state or at_s - self._nobody_since_s >= OUT_OF_BED_AFTER_S:
                    self.state = False
            case _:
                self._nobody_since_s = None
                self._somebody(at_s, has_pulse=presence is Presence.PULSE)
        return self.state

    def _somebody(self, at_s: float, *, has_pulse: bool) -> None:
        if has_pulse:
            self._pulse_seen_s = at_s
            if self._pulse_since_s is None:
                self._pulse_since_s = at_s
        elif self._pulse_since_s is not None and self._pulse_seen_s - self._pulse_since_s < IN_BED_AFTER_S:
            self._pulse_since_s = None  # a flash of a pulse, then brightness alone: not the minute that is asked for
        if self._pulse_since_s is not None and at_s - self._pulse_since_s >= IN_BED_AFTER_S:
            self.state = None if at_s - self._pulse_seen_s >= PULSE_LOST_AFTER_S else True
