"""How hard the machine has it, and what is put off for that. Pure; ``machine_signs.py`` reads the signs.

What is never put off: reading the chips, the night's answers, the evening, the lamp, the journal.

    eased    words that are spoken ahead of time, and the search for sentences and loudness of recordings, wait
    spared   besides, the picture of a night in progress is not drawn, the story folder is looked at seldom,
             and the home is told every quarter of a minute what can wait

What is spoken ahead of time costs by far the most: seconds to minutes of a whole core for each story. A step up is
taken at once, a step down after ten quiet minutes. A power supply that is too weak (under-voltage) makes the firmware
slow the processor down, so it counts as a first step and is said by its name.

The firmware slows the processor down step by step from 80 degrees on, more at 85
(https://www.raspberrypi.com/documentation/computers/raspberry-pi.html, "Frequency management and thermal control").
"""

import logging
from dataclasses import dataclass
from enum import IntEnum

WARM_C, HOT_C = 78.0, 82.0
LATE_S, VERY_LATE_S = 0.5, 2.0
"""A tick that comes so much too late: the loop cannot keep up."""
LATE_TICKS = 3
"""So many of them since the last look; one alone happens to every machine."""
CALM_S = 600.0


class Ease(IntEnum):
    NONE = 0
    EASED = 1
    SPARED = 2


PUT_OFF = {
    Ease.NONE: "",
    Ease.EASED: "Stories are not spoken or searched ahead of time until it has calmed down.",
    Ease.SPARED: (
        "Stories are not spoken or searched ahead of time, and the night's picture is drawn in the morning, until it"
        " has calmed down."
    ),
}


@dataclass(frozen=True, slots=True)
class Signs:
    """As they are now. None: this machine does not say. ``late``, ``very_late``: ticks since the last look;
    ``dropped``: blocks of samples that were given up since."""

    under_voltage: bool | None = None
    capped: bool | None = None
    throttled: bool | None = None
    soft_limit: bool | None = None
    temperature_c: float | None = None
    late: int = 0
    very_late: int = 0
    dropped: int = 0


def judged(signs: Signs) -> tuple[Ease, str]:
    """What these signs ask for, and what is wrong, in words; "" nothing."""
    at = "" if signs.temperature_c is None else f" ({signs.temperature_c:.0f} °C)"
    hot = signs.temperature_c is not None and signs.temperature_c >= HOT_C
    warm = signs.temperature_c is not None and signs.temperature_c >= WARM_C
    found: list[tuple[Ease, str]] = []
    if signs.under_voltage:
        weak = "The power supply is too weak: the voltage falls too low. Use a stronger one, with a short cable."
        found.append((Ease.EASED, weak))
    if hot or (signs.throttled and not signs.under_voltage):
        found.append((Ease.SPARED, f"The machine is too hot and was slowed down{at}. Give it air."))
    elif signs.throttled:
        found.append((Ease.SPARED, "It slows the machine down."))
    elif warm or signs.soft_limit or (signs.capped and not signs.under_voltage):
        found.append((Ease.EASED, f"The machine is warm and runs slower{at}."))
    if signs.dropped or signs.very_late >= LATE_TICKS:
        found.append((Ease.SPARED, "The machine cannot keep up with the sensors."))
    elif signs.late >= LATE_TICKS:
        found.append((Ease.EASED, "The machine is busy and answers late."))
    return max((ease for ease, _ in found), default=Ease.NONE), " ".join(words for _, words in found)


def said(strain: "Strain") -> tuple[int, str]:
    """For the log: its level and a line."""
    return (logging.WARNING, strain.problem) if strain.ease else (logging.INFO, "The machine has calmed down.")


class Strain:
    """``ease`` and ``problem`` as of the last look."""

    def __init__(self) -> None:
        self.ease = Ease.NONE
        self.problem = ""
        self._needed_s = {Ease.EASED: float("-inf"), Ease.SPARED: float("-inf")}

    def look(self, signs: Signs, at_s: float) -> bool:
        """True when a person should hear of it: something else is put off now."""
        wanted, problem = judged(signs)
        for step in self._needed_s:
            if wanted >= step:
                self._needed_s[step] = at_s
        was = self.ease
        self.ease = max((step for step, s in self._needed_s.items() if at_s - s < CALM_S), default=Ease.NONE)
        what = problem or ("It was too much for the machine a moment ago." if self.ease else "")
        self.problem = f"{what} {PUT_OFF[self.ease]}".strip()
        return self.ease is not was
