"""Heartbeats from the light of a pulse sensor: when, how far apart, and how sure.

Theory of operation. At each beat blood enters the skin faster than it leaves, so the steepest rise of the pulse wave
marks the beat better than its blunt top. The samples are smoothed and differentiated in one step; every local maximum
of the slope is a candidate, and its strength combines how steep and how high the rise is (the slope sum of Zong et
al. 2003, "qppg"). A candidate is a beat when it reaches a share of what is typical for the seconds before *and* after
it, and no stronger one lies within a refractory time taken from the running period. The time is the vertex of a
parabola through the three slopes around the maximum, which is finer than a sample (Béres & Hejjel 2021,
doi 10.1016/j.bspc.2021.102589). Because the judgement looks ahead, beats come out a few seconds late.

A second, independent look at the same seconds gives the quality (``judge.py``): how periodic they are, and how alike
their beats.
"""

import bisect
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from somnisphere.night import Beat
from somnisphere.sleep.filters import Floats, slope_kernel
from somnisphere.sleep.judge import judge_beats, pulse_period
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, PulseBlock

GATHER_S = 8.0
"""Work is done once this much is new: the fewer looks, the less a small board has to do."""
AHEAD_S = 2.5
"""A beat is decided when this much of what follows it has been seen."""
KEEP_S = 13.0
"""Length of the stretch that every decision looks at."""
SMOOTHING_S = 0.045
"""Standard deviation of the Gaussian in the slope filter: half power at 2.9 Hz."""
RISE_S = 0.12
"""Half the time over which a rise is summed."""
SHARE = 0.3
"""Share of the typical strength that makes a beat."""
LONG_S = 0.95
"""An interval from which a weak beat is looked for inside it."""
WEAK_SHARE = 0.12
"""Share of its weaker neighbour's strength that makes a weak beat."""
WEAK_AFTER_S, WEAK_AFTER_SHARE, WEAK_BEFORE_S = 0.42, 0.34, 0.38
"""A weak beat comes this long, and this share of the long interval, after the beat before, and this long before the
next."""
FAINTEST = 2e-5
"""A rise below this share of the light is the converter's last bit, not a pulse (a weak wrist gives 1e-3)."""
TRUSTED = 0.5
"""Quality from which a beat is used for intervals."""


Light = Floats | NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Wave:
    """A beat with what breathing modulates: the height of its rise and the level it stands on (relative light)."""

    beat: Beat
    rise: float
    level: float


class PulseMeter:
    """Feed ``PulseBlock``s in order of time, get ``Beat``s, at most ``gather_s`` and three seconds late.

    Any rate from 25 to 400 Hz; ``ir`` is used. A gap, a clipped sample or a value that is not a number ends a
    stretch: the next beat has no interval. ``polarity`` is -1 where systole is down, as a photodiode sees it, +1 where
    it is up. Memory is bounded by a few seconds of samples.
    """

    def __init__(self, *, polarity: int = -1, gather_s: float = GATHER_S) -> None:
        if polarity not in (-1, 1):
            raise ValueError(f"polarity must be -1 (systole down) or +1 (systole up), not {polarity!r}")
        self._gather_s = gather_s
        self._polarity = polarity
        self._rate_hz = 0.0
        self._kernel: Floats = np.zeros(0)
        self._led_ma = 0.0
        self._begin()

    @property
    def decided_s(self) -> float:
        """Beats are known up to this time; minus infinity before the first look."""
        return self._decided_s

    def add(self, block: PulseBlock) -> list[Beat]:
        """The beats that this block allows to decide, oldest first."""
        return [wave.beat for wave in self.waves(block)]

    def flush(self) -> list[Beat]:
        """Decide what is left, as at the end of a recording; what comes next begins afresh."""
        return [wave.beat for wave in self.end()]

    def waves(self, block: PulseBlock) -> list[Wave]:
        """Like ``add``, with each beat's height and level."""
        found: list[Wave] = []
        for start_s, light, broken in _usable_runs(block):
            if broken or abs(start_s - self._end_s) > 1.5 / block.rate_hz or not _close(block.rate_hz, self._rate_hz):
                found += self.end()
                self._set_rate(block.rate_hz)
            found += self._take(start_s, block.rate_hz, light, block.led_ir_ma)
        if block.gap_before and not self._pending and not len(self._x):
            found += self.end()
        return found

    def end(self) -> list[Wave]:
        """Like ``flush``, with each beat's height and level."""
        found = self._decide(math.inf) if len(self._x) or self._pending else []
        self._begin()
        return found

    # ---- the stretch of samples ------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._pending: list[tuple[float, Light]] = []
        self._new_s = 0.0
        self._x: Floats = np.zeros(0)
        self._t: Floats = np.zeros(0)
        self._decided_s = -math.inf
        self._last: Wave | None = None
        self._offset = 0.0
        self._faintest = 0.0
        self._end_s = math.nan

    def _set_rate(self, rate_hz: float) -> None:
        if not _close(rate_hz, self._rate_hz):
            self._rate_hz = rate_hz
            self._kernel = slope_kernel(rate_hz, SMOOTHING_S)

    def _take(self, start_s: float, rate_hz: float, light: Light, led_ma: float) -> list[Wave]:
        if led_ma != self._led_ma:
            self._gather()
            self._led_ma = led_ma
            if len(self._x):
                # A change of LED current leaves no step.
                self._offset = float(self._x[-1]) - self._scale() * float(light[0])
        self._end_s = start_s + len(light) / rate_hz
        self._pending.append((start_s, light))
        self._new_s += len(light) / rate_hz
        if self._new_s < self._gather_s:
            return []
        return self._decide(self._end_s - AHEAD_S)

    def _scale(self) -> float:
        """From counts to light per milliampere, systole up."""
        return self._polarity / self._led_ma if self._led_ma > 0 else float(self._polarity)

    def _gather(self) -> None:
        """Put what came under one LED current behind what is there."""
        if not self._pending:
            return
        sizes = [len(light) for _, light in self._pending]
        light = np.concatenate([light for _, light in self._pending])
        first = np.cumsum([0, *sizes[:-1]])
        starts_s = np.array([start_s for start_s, _ in self._pending]) - first / self._rate_hz
        self._t = np.concatenate((self._t, np.repeat(starts_s, sizes) + np.arange(len(light)) / self._rate_hz))
        x = light * self._scale()
        self._faintest = FAINTEST * float(np.abs(x).max())
        self._x = np.concatenate((self._x, x + self._offset))
        self._pending.clear()

    def _decide(self, until_s: float) -> list[Wave]:
        """Beats after the last decision and not after ``until_s``."""
        self._gather()
        self._new_s = 0.0
        keep = int(KEEP_S * self._rate_hz) + len(self._kernel)
        found: list[Wave] = []
        # A block may bring many seconds at once: walk through them as if they had come one after another.
        while len(self._x) > keep + self._gather_s * self._rate_hz:
            here = int(min(len(self._x), keep))
            end_s = float(self._t[here - 1])
            found += self._look(here, end_s - AHEAD_S)
            drop = int(self._gather_s * self._rate_hz)
            self._t, self._x = self._t[drop:], self._x[drop:]
        found += self._look(len(self._x), until_s)
        if len(self._x) > keep:
            self._t, self._x = self._t[-keep:].copy(), self._x[-keep:].copy()
        return found

    def _look(self, count: int, until_s: float) -> list[Wave]:
        margin = len(self._kernel) // 2
        if count < 2 * margin + 8:
            return []
        x, t = self._x[:count], self._t[margin : count - margin]
        slope = np.convolve(x, self._kernel, "valid")
        period_s, periodicity = pulse_period(slope, self._rate_hz)
        places, strengths = _candidates(slope, self._rate_hz)
        if not len(places):
            self._decided_s = max(self._decided_s, min(until_s, float(t[-1])))
            return []
        chosen = _choose(t[places], strengths, float(t[0]), float(t[-1]), period_s, self._faintest)
        if not chosen:
            self._decided_s = max(self._decided_s, min(until_s, float(t[-1])))
            return []
        places = places[chosen]
        times_s = (t[places] + _vertex(slope, places) / self._rate_hz).tolist()
        judgement = judge_beats(slope, self._rate_hz, places, period_s, periodicity)
        rises, levels = strengths[chosen].tolist(), self._levels(x, places + margin)
        first = self._decided_s
        self._decided_s = max(first, min(until_s, float(t[-1])))
        return [
            self._wave(at_s, judgement.quality[k], judgement.interval_s, rises[k], levels[k])
            for k, at_s in enumerate(times_s)
            if first < at_s <= until_s
        ]

    def _levels(self, x: Floats, centres: NDArray[np.intp]) -> list[float]:
        """Mean light around each beat."""
        reach = round(0.4 * self._rate_hz)
        summed = np.concatenate(([0.0], np.cumsum(x - x[0])))
        first, last = np.maximum(centres - reach, 0), np.minimum(centres + reach + 1, len(x))
        levels: list[float] = ((summed[last] - summed[first]) / (last - first) + x[0]).tolist()
        return levels

    def _wave(self, at_s: float, quality: float, usual_s: float, rise: float, level: float) -> Wave:
        last = self._last
        ibi_s: float | None = None
        if last is not None and quality >= TRUSTED and last.beat.quality >= TRUSTED:
            interval_s = at_s - last.beat.at_s
            # Twice the usual is a beat that was missed, half of it one that was not there.
            if 0.25 < interval_s < 2.5 and 0.55 < interval_s / usual_s < 1.6:
                ibi_s = interval_s
        self._last = Wave(Beat(at_s, ibi_s, quality), rise, level)
        return self._last


def _close(a_hz: float, b_hz: float) -> bool:
    return abs(a_hz - b_hz) <= 0.02 * a_hz


def _usable_runs(block: PulseBlock) -> Iterator[tuple[float, Light, bool]]:
    """Stretches of finite, unclipped light: (start_s, light, whether something is missing before it)."""
    if len(block.ir) and block.ir.dtype.kind == "i" and int(block.ir.max()) < PULSE_FULL_SCALE_COUNTS:
        yield block.start_s, block.ir, block.gap_before
        return
    light = np.asarray(block.ir, dtype=np.float64)
    usable = np.isfinite(light) & (light < PULSE_FULL_SCALE_COUNTS)
    if usable.all():
        if len(light):
            yield block.start_s, light, block.gap_before
        return
    edges = np.flatnonzero(np.diff(np.concatenate(([False], usable, [False])).astype(np.int8)))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield block.start_s + first / block.rate_hz, light[first:last], first > 0 or block.gap_before


def _candidates(slope: Floats, rate_hz: float) -> tuple[NDArray[np.intp], Floats]:
    """Local maxima of the slope and their strengths: the geometric mean of steepness and height of the rise."""
    inner = slope[1:-1]
    places = np.flatnonzero((inner > slope[:-2]) & (inner >= slope[2:]) & (inner > 0)) + 1
    reach = max(1, round(RISE_S * rate_hz))
    risen = np.concatenate(([0.0], np.cumsum(np.maximum(slope, 0.0)))) / rate_hz
    top = len(slope)
    height = risen[np.minimum(places + reach + 1, top)] - risen[np.maximum(places - reach, 0)]
    return places, np.sqrt(height * slope[places] * 2 * RISE_S)


def _vertex(y: Floats, places: NDArray[np.intp]) -> Floats:
    """Where, in samples from each place, the parabola through three neighbours has its top (-0.5..0.5)."""
    before, here, after = y[places - 1], y[places], y[places + 1]
    bend = before - 2 * here + after
    return np.asarray(np.clip(0.5 * (before - after) / np.where(bend == 0, -1.0, bend), -0.5, 0.5), dtype=np.float64)


def _choose(
    times_s: Floats, strengths: Floats, from_s: float, to_s: float, period_s: float, faintest: float
) -> list[int]:
    """Candidates that are beats, in order of time."""
    slots = max(1, round((to_s - from_s) / 1.3))
    slot = np.minimum(((times_s - from_s) / (to_s - from_s) * slots).astype(np.intp), slots - 1)
    strong: list[float] = strengths.tolist()
    best = [0.0] * slots
    for place, strength in zip(slot.tolist(), strong, strict=True):
        best[place] = max(best[place], strength)
    threshold = max(SHARE * median(best), faintest)
    refractory_s = min(max(0.28, 0.5 * period_s), 0.42)
    times: list[float] = times_s.tolist()
    taken: list[int] = []  # in order of time
    for c in np.argsort(-strengths, kind="stable").tolist():
        if strong[c] <= threshold:
            break
        place = bisect.bisect(taken, c)
        if place and times[c] - times[taken[place - 1]] < refractory_s:
            continue
        if place < len(taken) and times[taken[place]] - times[c] < refractory_s:
            continue
        taken.insert(place, c)
    return _with_weak(taken, times, strong)


def _with_weak(taken: list[int], times_s: list[float], strengths: list[float]) -> list[int]:
    """The chosen candidates, and in long intervals the weak beat that came early with a half-empty heart.

    The second wave of a beat (reflection, closing valve) rises sooner, so a late small rise with room behind it is a
    beat of its own.
    """
    found = taken[:1]
    for before, after in itertools.pairwise(taken):
        long_s = times_s[after] - times_s[before]
        if long_s >= LONG_S:
            least = WEAK_SHARE * min(strengths[before], strengths[after])
            from_s = times_s[before] + max(WEAK_AFTER_S, WEAK_AFTER_SHARE * long_s)
            to_s = times_s[after] - WEAK_BEFORE_S
            between = [k for k in range(before + 1, after) if from_s < times_s[k] < to_s and strengths[k] > least]
            if between:
                found.append(max(between, key=strengths.__getitem__))
        found.append(after)
    return found
