"""Which pulses make a wanted duty, on pins that only count whole microseconds or clock ticks. Pure; no time, no pin.

Three means, the quietest first:

1. **Trim the period.** lgpio counts pulse and period in whole microseconds. With the period free, duties near one
   another are 1/2000 apart *in proportion*, at every level; at a fixed 2 ms they are 1/10 apart at the dark end.
2. **Fewer pulses, not shorter ones.** A pulse below 10 us cannot be trusted, so the period grows instead: 10 us at
   500 Hz is L* 4.5, at 100 Hz L* 0.9. Never below 100 Hz, where flicker is seen (IEEE 1789-2015 counts on 90 Hz).
   The last half L* is pulses of 9 to 5 us. Darker than that is off: a lamp never alternates between lit and dark.
3. **Sigma-delta between the two neighbours**, while fading. Its pattern may be as slow as the fade, so it is used only
   where the neighbours are too close to be told apart (``STILL_MODULATION``); elsewhere the nearest duty stands.
"""

import math
from dataclasses import dataclass
from typing import Protocol

STILL_MODULATION = 0.002
"""Largest (bright - dark) / (bright + dark) that dithering may make.

IEEE 1789-2015 (section 8.1.1) calls 0.025 % per hertz low risk below 90 Hz: 0.2 % at 8 Hz, where eyes are keenest. The
smallest modulation seen at any frequency is about 0.5 % (de Lange 1958, Kelly 1961), and far more in the dark.
"""


@dataclass(frozen=True, slots=True)
class Pulse:
    """A light that is on for ``on`` of every ``period`` units (microseconds or nanoseconds)."""

    on: int
    period: int

    @property
    def duty(self) -> float:
        """Share of time, 0..1."""
        return self.on / self.period


class PulseGrid(Protocol):
    """All pulses a pin can make."""

    @property
    def smallest_duty(self) -> float:
        """The faintest light but none."""
        ...

    def around(self, duty: float) -> tuple[Pulse, Pulse]:
        """The nearest pulses not above and not below a duty 0..1. Below the smallest duty both are off."""
        ...


@dataclass(frozen=True, slots=True)
class FreePeriodGrid:
    """Whole microseconds of pulse *and* of period, as lgpio's ``tx_pulse`` takes them."""

    period_us: int = 2000
    """The usual period: 500 Hz."""
    longest_period_us: int = 10_000
    """100 Hz: no light comes at a lower frequency."""
    sure_us: int = 10
    """Pulses (and gaps) are at least so long while the period can grow instead ..."""
    shortest_us: int = 5
    """... and never shorter than this."""
    dark_period_us: int = 20_000
    """How often lgpio looks after a dark pin: its thread wakes 50 times a second anyway."""

    @property
    def smallest_duty(self) -> float:
        return self.shortest_us / self.longest_period_us

    def around(self, duty: float) -> tuple[Pulse, Pulse]:
        if duty < self.smallest_duty:
            off = Pulse(0, self.dark_period_us)
            return off, off
        if duty <= 0.5:
            return self._lit(duty)
        full, gap = Pulse(self.period_us, self.period_us), 1.0 - duty
        if gap <= 0.0:
            return full, full
        gap_us = max(self.sure_us, round(gap * self.period_us))
        period_us = gap_us / gap
        if period_us > self.longest_period_us:
            return Pulse(self.longest_period_us - gap_us, self.longest_period_us), full
        short_us, long_us = math.floor(period_us), math.ceil(period_us)
        return Pulse(short_us - gap_us, short_us), Pulse(long_us - gap_us, long_us)

    def _lit(self, duty: float) -> tuple[Pulse, Pulse]:
        on_us = max(self.sure_us, round(duty * self.period_us))
        if on_us > duty * self.longest_period_us:
            on_us = max(self.shortest_us, math.floor(duty * self.longest_period_us))
        period_us = min(on_us / duty, float(self.longest_period_us))
        return Pulse(on_us, math.ceil(period_us)), Pulse(on_us, math.floor(period_us))


@dataclass(frozen=True, slots=True)
class FixedPeriodGrid:
    """A clock's ticks in a period that stays, as the chips' own PWM has them."""

    period_ns: int
    tick_ns: int
    shortest_ns: int

    @property
    def smallest_duty(self) -> float:
        return self.shortest_ns / self.period_ns

    def around(self, duty: float) -> tuple[Pulse, Pulse]:
        if duty < self.smallest_duty:
            return Pulse(0, self.period_ns), Pulse(0, self.period_ns)
        ticks = min(duty, 1.0) * self.period_ns / self.tick_ns
        below_ns, above_ns = math.floor(ticks) * self.tick_ns, math.ceil(ticks) * self.tick_ns
        lowest_ns = self.shortest_ns
        return (
            Pulse(max(lowest_ns, below_ns), self.period_ns),
            Pulse(max(lowest_ns, min(above_ns, self.period_ns)), self.period_ns),
        )


class SigmaDelta:
    """Chooses one pulse a step so that the mean follows the wanted duty. First order: it keeps what it owes."""

    def __init__(self, grid: PulseGrid) -> None:
        self._grid = grid
        self._owed_duty = 0.0

    def choose(self, duty: float, *, moving: bool) -> Pulse:
        """The pulse of this step. At rest, or where an alternation could be seen: the nearest, and nothing is owed.

        ``moving``: another step follows within a tick.
        """
        below, above = self._grid.around(duty)
        apart = above.duty - below.duty
        if not moving or apart > STILL_MODULATION * (above.duty + below.duty):
            self._owed_duty = 0.0
            return _nearest(duty, below, above)
        chosen = _nearest(duty + self._owed_duty, below, above)
        self._owed_duty = min(apart, max(-apart, self._owed_duty + duty - chosen.duty))
        return chosen


def _nearest(duty: float, below: Pulse, above: Pulse) -> Pulse:
    return below if duty - below.duty <= above.duty - duty else above
