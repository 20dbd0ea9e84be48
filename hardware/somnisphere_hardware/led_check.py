"""Lights one LED after the other, to see which channel and which eye notices: the check for boards with swapped LEDs.

On some boards ("MH-ET LIVE" and relatives) the two dies are mounted the wrong way round: what the datasheet calls LED1,
red, shines infrared. The chip cannot know; a person can: LED1 alone must glow red. What the chip does tell is that each
driver reaches the photodiode, and in its own channel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from somnisphere_hardware.bus import Bus
from somnisphere_hardware.chip import MisreadError
from somnisphere_hardware.max30102 import Max30102

_CURRENT_MA = 10.0
_RATE_HZ = 100.0
_MARGIN = 3.0
"""How much brighter a lit channel must be than the dark one beside it."""

Verdict = Literal["straight", "crossed", "dark"]


@dataclass(frozen=True, slots=True)
class LedReport:
    """Mean counts of (channel 1, channel 2) with LED1 alone, then with LED2 alone."""

    led1_alone: tuple[float, float]
    led2_alone: tuple[float, float]

    @property
    def verdict(self) -> Verdict:
        """``straight``: each LED shows in its own channel; ``crossed``: in the other's; ``dark``: one shows nowhere."""
        (a1, a2), (b1, b2) = self.led1_alone, self.led2_alone
        if a1 > _MARGIN * max(a2, 1.0) and b2 > _MARGIN * max(b1, 1.0):
            return "straight"
        if a2 > _MARGIN * max(a1, 1.0) and b1 > _MARGIN * max(b2, 1.0):
            return "crossed"
        return "dark"

    @property
    def sentence(self) -> str:
        """For the person at the sensor."""
        match self.verdict:
            case "straight":
                return (
                    "Both LEDs reach the photodiode, each in its own channel. If the sensor glowed red in the second "
                    "half of the test instead of the first, its LEDs are swapped: set swap_leds."
                )
            case "crossed":
                return "Each LED shows in the other's channel: the LEDs are swapped; set swap_leds."
            case "dark":
                return "An LED shows in no channel: lay a finger on the sensor; if it stays so, an LED is broken."


def check_leds(bus: Bus, wait: Callable[[float], None], shows: Callable[[str], None] = lambda _: None) -> LedReport:
    """Runs the test with a finger on the sensor; ``wait(seconds)`` lets time pass, ``shows(name)`` is called as each
    LED is lit. Raises BusError or ChipError. Leaves the sensor dark, whatever happens."""
    chip = Max30102(_RATE_HZ, 0.0, 0.0)
    try:
        chip.reset(bus)
        for _ in range(20):
            wait(0.05)
            if chip.is_reset(bus):
                break
        chip.start(bus)
        return LedReport(_lit(chip, bus, wait, shows, "LED1"), _lit(chip, bus, wait, shows, "LED2"))
    finally:
        chip.sleep(bus)


def _lit(
    chip: Max30102, bus: Bus, wait: Callable[[float], None], shows: Callable[[str], None], name: str
) -> tuple[float, float]:
    shows(name)
    chip.set_leds(bus, *((_CURRENT_MA, 0.0) if name == "LED1" else (0.0, _CURRENT_MA)))
    for _ in range(8):  # long enough to be seen; the last stretch counts
        wait(0.2)
        values = chip.fetch(bus, 20.0).values
    if len(values) == 0:
        raise MisreadError("The pulse sensor answers but takes no samples.")
    first, second = values.mean(axis=0).tolist()
    return first, second
