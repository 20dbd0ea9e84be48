"""What is wrong with the pulse sensor although it answers: said as a sentence for a person, "" when nothing is.

A sensor that delivers light nobody can use must not stay silent about it. Each fault has to last minutes before it is
said, and is taken back when it has been away for one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from somnisphere.night import Presence
from somnisphere.sleep.learned_light import Levels
from somnisphere.sleep.presence import CLIPPED_SHARE, Look

AFTER_S = 300.0
GONE_AFTER_S = 60.0
LEAST_COUNTS_PER_MA = 10.0
"""A bare cover glass in a dark room still sends back a hundred counts per mA or so; below this no light comes back."""
LEAST_LED_MA = 1.0
"""Below it the converter's own noise is as much."""
LOWEST_LED_MA = 0.4
"""The current cannot be lowered to any use below this: twice the chip's step."""
SWAPPED_RATIO = 1.25
"""Ratio of ratios above which it is not oxygen any more (the chip maker's curve says 62 %) but red and infrared in each
other's place: at 97 % the exchanged ratio is 1.5 to 2."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look with all that a fault is told by. ``ratio``: ratio of ratios of the last half minute, None when not
    known; ``levels``: what was learned at this current."""

    look: Look
    red_counts: float
    led_ir_ma: float
    led_red_ma: float
    presence: Presence
    ratio: float | None
    levels: Levels


class SensorFaults:
    """Feed what is seen every few seconds; ``problem`` is one sentence, the gravest fault's."""

    def __init__(self) -> None:
        self.problem = ""
        self._since_s: dict[str, float] = {}
        self._last_s: dict[str, float] = {}
        self._said: dict[str, str] = {}

    def see(self, at_s: float, seen: Seen) -> str:
        """``at_s``: end of the look. Returns ``problem``."""
        for name, (is_judgeable, sentence) in _FAULTS.items():
            if is_judgeable(seen):
                self._judge(name, at_s, sentence(seen))
        self.problem = next((self._said[name] for name in _FAULTS if name in self._said), "")
        return self.problem

    def lose(self) -> None:
        """The sensor is gone, which is a fault of its own; what was said of its light holds no more."""
        self.problem = ""
        self._since_s, self._last_s, self._said = {}, {}, {}

    def _judge(self, name: str, at_s: float, sentence: str) -> None:
        if sentence:
            self._last_s[name] = at_s
            if at_s - self._since_s.setdefault(name, at_s) >= AFTER_S:
                self._said.setdefault(name, sentence)
        elif name in self._since_s and at_s - self._last_s[name] >= GONE_AFTER_S:
            del self._since_s[name]
            self._said.pop(name, None)


def _dark(seen: Seen) -> str:
    if seen.look.level_counts >= LEAST_COUNTS_PER_MA * seen.led_ir_ma:
        return ""
    return (
        f"The pulse sensor is dark: at {seen.led_ir_ma:g} mA of infrared no light comes back "
        f"({seen.look.level_counts:.0f} counts). Check that its window is free and its 5 V or LED supply is connected; "
        "if it stays so, the sensor is broken."
    )


def _red_dark(seen: Seen) -> str:
    if seen.red_counts >= LEAST_COUNTS_PER_MA * seen.led_red_ma:
        return ""
    return (
        f"The pulse sensor's red light is dark at {seen.led_red_ma:g} mA while infrared comes back: its red LED is "
        "broken or covered. Pulse goes on, oxygen does not."
    )


def _blinded(seen: Seen) -> str:
    if seen.look.clipped < CLIPPED_SHARE:
        return ""
    return (
        f"The pulse sensor is blinded: at {seen.led_ir_ma:g} mA, as low as its LEDs go, it still reads full scale. "
        "Keep sunlight or the lamp off it, or cover it."
    )


def _swapped(seen: Seen) -> str:
    if seen.ratio is None or seen.ratio < SWAPPED_RATIO:
        return ""
    return (
        f"Red and infrared seem swapped: red pulses {seen.ratio:.1f} times as much as infrared. Look at the sensor "
        "with a phone's camera, and set sensor.swap_leds the other way round in the configuration."
    )


def _overlap(seen: Seen) -> str:
    if not seen.levels.overlap:
        return ""
    return (
        f"The pulse sensor sees the empty bed as bright as skin ({seen.levels.empty.counts:.0f} and "
        f"{seen.levels.skin.counts:.0f} counts at {seen.led_ir_ma:g} mA): who is there is told by the pulse alone. "
        "Move the sensor away from what it faces when nobody is there, or give it a dark backing."
    )


_FAULTS: dict[str, tuple[Callable[[Seen], bool], Callable[[Seen], str]]] = {
    "dark": (lambda seen: seen.led_ir_ma >= LEAST_LED_MA, _dark),
    "blinded": (lambda seen: seen.led_ir_ma <= LOWEST_LED_MA or seen.look.clipped < CLIPPED_SHARE, _blinded),
    "swapped": (lambda seen: seen.ratio is not None and seen.presence is Presence.PULSE, _swapped),
    "red dark": (lambda seen: seen.led_red_ma >= LEAST_LED_MA, _red_dark),
    "overlap": (lambda seen: seen.levels.skin.is_sure and seen.levels.empty.is_sure, _overlap),
}
"""Gravest first: when it can be judged, and the sentence."""
