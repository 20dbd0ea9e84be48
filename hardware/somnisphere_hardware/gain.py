"""How bright the LEDs shine: bright enough to see a pulse, never above a cap, and dim when there is nobody to see.

What a current returns (counts per mA) is known at every current, so nothing ever ramps up to find out: an empty bed is
told by its few counts per mA, and gets the search current until something reflects. The two thresholds lie between
skin and air as MAX3010x boards are reported to count (4096 nA range, 411 us pulses): a fingertip returns 10 000 to
20 000 counts per mA (about 100 000 at 6.4 mA), a bare or covered sensor up to 2500; SparkFun's examples call 50 000
at 6.4 mA a finger. No chip was at hand to measure them on.
"""

from somnisphere_hardware.max30102 import LED_MAX_MA, LED_STEP_MA
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS

SEARCH_RED_MA = 0.2
"""While nobody is there: next to no visible light in a dark room."""
SEARCH_IR_MA = 2.0
NOBODY_BELOW_COUNTS_PER_MA = 4000.0
SOMEBODY_ABOVE_COUNTS_PER_MA = 5000.0
NOBODY_AFTER_S = 8.0
HOLD_S = 4.0
"""Least time between two changes: each one steps the signal."""

_AIM = 0.5 * PULSE_FULL_SCALE_COUNTS
_DIM = 0.2 * PULSE_FULL_SCALE_COUNTS
_BRIGHT = 0.8 * PULSE_FULL_SCALE_COUNTS


def quantised_ma(current_ma: float) -> float:
    """The nearest current the chip can set."""
    return round(round(current_ma / LED_STEP_MA) * LED_STEP_MA, 1)


class LedControl:
    """Decides the currents from the mean counts of each block. A level between 20 and 80 % of full scale is left
    alone; outside, twice in a row, the current is set to bring it to the middle."""

    def __init__(self, start_ma: float, cap_ma: float) -> None:
        if not LED_STEP_MA <= cap_ma <= LED_MAX_MA:
            raise ValueError(f"LED cap {cap_ma} mA: allowed are {LED_STEP_MA} to {LED_MAX_MA}")
        if not LED_STEP_MA <= start_ma <= LED_MAX_MA:
            raise ValueError(f"LED start current {start_ma} mA: allowed are {LED_STEP_MA} to {LED_MAX_MA}")
        self._cap_ma = quantised_ma(cap_ma)
        self._start_ma = min(quantised_ma(start_ma), self._cap_ma)
        self.red_ma = self.ir_ma = self._start_ma
        self.searching = False
        self._streak = 0
        self._present_s: float | None = None
        self._changed_s: float | None = None

    def watch(self, at_s: float, red: float, ir: float) -> bool:
        """Takes the mean counts of the newest block; True when ``red_ma`` / ``ir_ma`` changed."""
        returned = ir / self.ir_ma
        if self.searching:
            self._streak = self._streak + 1 if returned > SOMEBODY_ABOVE_COUNTS_PER_MA else 0
            if self._streak < 2 or self._held(at_s):
                return False
            self.searching, self._present_s = False, at_s
            return self._set(at_s, self._start_ma, self._start_ma)
        if self._present_s is None or returned >= NOBODY_BELOW_COUNTS_PER_MA:
            self._present_s = at_s
        elif at_s - self._present_s >= NOBODY_AFTER_S:
            self.searching = True
            return self._set(at_s, min(SEARCH_RED_MA, self._cap_ma), min(SEARCH_IR_MA, self._cap_ma))
        if _DIM <= red <= _BRIGHT and _DIM <= ir <= _BRIGHT:
            self._streak = 0
            return False
        self._streak += 1
        if self._streak < 2 or returned < NOBODY_BELOW_COUNTS_PER_MA or self._held(at_s):
            return False
        return self._set(at_s, self._aimed(self.red_ma, red), self._aimed(self.ir_ma, ir))

    def _aimed(self, current_ma: float, level: float) -> float:
        if _DIM <= level <= _BRIGHT:
            return current_ma
        factor = min(max(_AIM / max(level, 1.0), 0.25), 4.0)
        return min(max(quantised_ma(current_ma * factor), LED_STEP_MA), self._cap_ma)

    def _held(self, at_s: float) -> bool:
        return self._changed_s is not None and at_s - self._changed_s < HOLD_S

    def _set(self, at_s: float, red_ma: float, ir_ma: float) -> bool:
        self._streak = 0
        if (red_ma, ir_ma) == (self.red_ma, self.ir_ma):
            return False
        self.red_ma, self.ir_ma, self._changed_s = red_ma, ir_ma, at_s
        return True
