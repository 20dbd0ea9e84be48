"""When samples were taken, from nothing but how many had come at each poll.

A chip's clock is off by 1 to 5 % and drifts with warmth; a poll only says that the newest sample is less than one
period old. A Kalman filter over (time of the newest sample, period) turns many such coarse sayings into a fine one:
below a millisecond after a minute at 50 Hz. Its blocks join exactly: where the estimate moves, the block's rate takes
it up, so no time ever jumps or runs backwards unless a gap is declared.
"""

from dataclasses import dataclass

_PERIOD_SPREAD = 0.025
"""One standard deviation of a chip's clock around its nominal rate, relative."""
_DRIFT_PER_S = 1e-10
"""Variance a second of the relative drift of a chip's clock: it lets the filter forget over about 20 s."""
_READ_JITTER_S = 0.002
"""Spread of the time between the poll's time-stamp and the chip being read."""
_WIDEST = 0.08
"""No chip's clock is further off than this, relative: beyond, the chip is not set up as we think."""
_STALE_S = 0.3
"""How much too early samples may seem to come, once: the poll's time-stamp was old when the chip was read."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a run of samples lies in time; ``gap``: it does not join what came before."""

    start_s: float
    rate_hz: float
    gap: bool


class SampleClock:
    """Places each poll's samples in time."""

    def __init__(self, nominal_hz: float, not_before_s: float | None = None) -> None:
        self.nominal_hz = nominal_hz
        self._nominal_s = 1.0 / nominal_hz
        self._period_s = self._nominal_s
        self._last_s = 0.0  # estimated time of the newest sample
        self.anchored = False
        self._polls = 0
        self._early = 0  # polls in a row that brought too many samples
        self._end_s = not_before_s  # where the last block placed ends
        self._var_last = 0.0
        self._cov = 0.0
        self._var_period = (_PERIOD_SPREAD * self._nominal_s) ** 2

    @property
    def rate_hz(self) -> float:
        return 1.0 / self._period_s

    def ahead_s(self, at_s: float) -> float:
        """How far into the future of ``at_s`` the samples placed so far reach: more of them came than time passed."""
        return 0.0 if self._end_s is None else self._end_s - at_s

    def restart(self) -> None:
        """Samples were lost: keep the rate, forget where the next sample lies."""
        self.anchored = False

    def extrapolate(self, count: int) -> Placed:
        """Places ``count`` samples that follow the last ones but end at an unknown time (the FIFO filled up)."""
        assert self._end_s is not None
        start_s = self._end_s
        self._last_s += count * self._period_s
        self._end_s = start_s + count * self._period_s
        return Placed(start_s, 1.0 / self._period_s, gap=False)

    def place(self, at_s: float, count: int) -> Placed:
        """Places the ``count`` >= 1 newest samples, of which the last is less than a period old at ``at_s``."""
        period_s = self._period_s
        seen_s = at_s - 0.5 * period_s
        noise = period_s * period_s / 12.0 + _READ_JITTER_S * _READ_JITTER_S
        if not self.anchored or not self._follow(seen_s, count, noise):
            return self._anchor(seen_s, count, noise)
        assert self._end_s is not None
        start_s = self._end_s
        even_s = count * self._period_s
        span_s = min(max(self._last_s + self._period_s - start_s, 0.8 * even_s), 1.2 * even_s)
        self._end_s = start_s + span_s
        return Placed(start_s, count / span_s, gap=False)

    def _anchor(self, seen_s: float, count: int, noise: float) -> Placed:
        self.anchored = True
        self._polls = self._early = 0
        self._last_s, self._var_last, self._cov = seen_s, noise, 0.0
        start_s = seen_s - (count - 1) * self._period_s
        had_before = self._end_s is not None
        if self._end_s is not None and start_s < self._end_s:
            self._last_s += self._end_s - start_s
            start_s = self._end_s
        self._end_s = self._last_s + self._period_s
        return Placed(start_s, 1.0 / self._period_s, gap=had_before)

    def _follow(self, seen_s: float, count: int, noise: float) -> bool:
        """One step of the filter; False if samples must have been lost (or came from nowhere)."""
        step_s = count * self._period_s
        var_last = self._var_last + count * (2.0 * self._cov + count * self._var_period)
        cov = self._cov + count * self._var_period
        var_period = self._var_period + _DRIFT_PER_S * step_s * self._period_s * self._period_s
        off_s = seen_s - (self._last_s + step_s)
        allowed_s = 3.0 * self._period_s + (0.08 * step_s if self._polls < 10 else 0.0)
        if off_s > allowed_s:
            return False
        if off_s < -allowed_s:
            self._early += 1
            if self._early > 3 or off_s < -allowed_s - _STALE_S:
                return False
            off_s = -allowed_s
        else:
            self._early = 0
        total = var_last + noise
        gain_last, gain_period = var_last / total, cov / total
        self._last_s += step_s + gain_last * off_s
        period_s = self._period_s + gain_period * off_s
        self._period_s = min(max(period_s, self._nominal_s * (1 - _WIDEST)), self._nominal_s * (1 + _WIDEST))
        self._var_last = (1.0 - gain_last) * var_last
        self._cov = (1.0 - gain_last) * cov
        self._var_period = var_period - gain_period * cov
        self._polls += 1
        return True
