"""Breathing rate from what breathing does to the pulse, and to the chest or the mattress.

Three modulations (Karlen et al. 2013, doi 10.1109/TBME.2013.2246160): the level the pulse stands on (intensity), the
height of its rise (amplitude) and the interval between beats (frequency: respiratory sinus arrhythmia). A fourth is the
acceleration of a body that lies still. Which of them shows depends on the person and on where the sensor lies, so all
spectra are added, each weighted by how concentrated it is. Breathing is
steady over minutes, so a belief over all rates is carried on (a Bayes filter on a grid): it widens with time and is
multiplied by what each new minute shows. No rate is given when the belief has no clear peak.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from somnisphere.sleep.filters import Floats
from somnisphere.sleep.pulse import TRUSTED, Wave
from somnisphere_hardware.samples import MotionBlock

WINDOW_S = 60.0
GRID_HZ = 2.0
POINTS = 512
LOWEST_BPM, HIGHEST_BPM = 7.0, 40.0
"""Slower than this, vessels swing by themselves (Mayer waves, six a minute), and asleep hardly anybody breathes so."""
AROUND_BPM = 1.5
"""Power this near a peak belongs to it (a Hann window of 60 s spreads a line by about two cycles a minute)."""
SURE = 0.5
"""Share of the belief around its peak from which a rate is given."""
DRIFT_BPM_PER_SQRT_MIN = 3.0
"""How far breathing wanders: standard deviation after a minute."""
LEAP = 0.1
"""Share of the belief that expects any rate: sighs, turning over, a new sleep stage."""
FLOOR = 0.3
"""How much of a flat spectrum is mixed into what was seen; the higher, the slower the belief is won or lost."""
FORGET_S = 150.0
MOST_SWAY_G = 0.05
"""Acceleration that swings further than this within a minute is movement, not breath."""
LEAST_MOTION_S = 50.0

_RATES_BPM: Floats = np.asarray(np.fft.rfftfreq(POINTS, 1 / GRID_HZ) * 60.0, dtype=np.float64)
_FIRST = int(np.searchsorted(_RATES_BPM, LOWEST_BPM))
_LAST = int(np.searchsorted(_RATES_BPM, HIGHEST_BPM))
_NEAR = round(AROUND_BPM / float(_RATES_BPM[1]))
_HANN: Floats = np.hanning(int(WINDOW_S * GRID_HZ) + 1)


class Breath:
    """Feed waves, ask for the rate of the last minute."""

    def __init__(self) -> None:
        self._waves: deque[Wave] = deque()
        self._sway: deque[tuple[float, Floats]] = deque()
        self._belief: Floats | None = None
        self._belief_s = 0.0

    def add(self, waves: list[Wave]) -> None:
        self._waves.extend(waves)
        if waves:
            oldest_s = waves[-1].beat.at_s - WINDOW_S - 15.0
            while self._waves and self._waves[0].beat.at_s < oldest_s:
                self._waves.popleft()

    def add_motion(self, blocks: list[MotionBlock]) -> None:
        """Acceleration, in order of time; kept as means of half a second."""
        for block in blocks:
            group = max(1, round(block.rate_hz / GRID_HZ))
            starts = np.arange(0, len(block.accel_g), group)
            sizes = np.diff(np.append(starts, len(block.accel_g)))
            means = np.add.reduceat(block.accel_g, starts, axis=0) / sizes[:, None]
            centres_s = block.start_s + (starts + sizes / 2) / block.rate_hz
            self._sway.extend(zip(centres_s.tolist(), means, strict=True))
        while self._sway and self._sway[0][0] < self._sway[-1][0] - WINDOW_S - 15.0:
            self._sway.popleft()

    def clear(self) -> None:
        self._waves.clear()
        self._sway.clear()
        self._belief = None

    def rate_bpm(self, at_s: float) -> float | None:
        """Breaths per minute over the minute that ends at ``at_s``; None when neither enough beats are trusted nor the
        body lies still, or when nothing stands out."""
        spectra, highest = self._of_pulse(at_s)
        sway = self._of_sway(at_s)
        if sway is not None:
            spectra.append(sway)
        fused = np.zeros(_LAST - _FIRST)
        for spectrum in spectra:
            seen = spectrum[_FIRST : highest if spectrum is not sway else _LAST]
            total = float(np.add.reduce(seen))
            if total > 0:
                seen = seen / total
                fused[: len(seen)] += seen * _concentration(seen) ** 2
        total = float(np.add.reduce(fused))
        if total <= 0:
            return None
        reach = _LAST - _FIRST if sway is not None else highest - _FIRST
        belief = self._carried(at_s)
        belief[:reach] *= (1 - FLOOR) * fused[:reach] / total + FLOOR / reach
        belief[reach:] = 0.0
        belief /= float(np.add.reduce(belief))
        self._belief, self._belief_s = belief, at_s
        peak = int(np.argmax(belief))
        if float(np.add.reduce(belief[max(0, peak - _NEAR) : peak + _NEAR + 1])) < SURE:
            return None
        return float(_RATES_BPM[_FIRST + peak])

    def _of_pulse(self, at_s: float) -> tuple[list[Floats], int]:
        """Spectra of what the pulse shows, and the bin from which it shows nothing; none from too few beats."""
        waves = [w for w in self._waves if at_s - WINDOW_S < w.beat.at_s <= at_s and w.beat.quality >= TRUSTED]
        if len(waves) < 30 or waves[-1].beat.at_s - waves[0].beat.at_s < 0.75 * WINDOW_S:
            return [], _LAST
        times_s = np.array([w.beat.at_s for w in waves])
        if float(np.diff(times_s).max()) > 8.0:
            return [], _LAST
        series = self._series(waves, times_s)
        return [_spectrum(series_s, values, at_s) for series_s, values in series], self._highest_bin(times_s)

    def _of_sway(self, at_s: float) -> Floats | None:
        """Spectrum of the acceleration, its axes added, where the body lay still."""
        sway = [(t, g) for t, g in self._sway if at_s - WINDOW_S < t <= at_s]
        if len(sway) < LEAST_MOTION_S * GRID_HZ:
            return None
        accel_g = np.array([g for _, g in sway])
        if not np.isfinite(accel_g).all() or float((accel_g.max(axis=0) - accel_g.min(axis=0)).max()) > MOST_SWAY_G:
            return None
        times_s = np.array([t for t, _ in sway])
        spectra = [_spectrum(times_s, accel_g[:, axis], at_s) for axis in range(accel_g.shape[1])]
        return np.asarray(np.add.reduce(spectra), dtype=np.float64)

    def _carried(self, at_s: float) -> Floats:
        """What was believed before, widened by the time that has passed."""
        size = _LAST - _FIRST
        waited_s = at_s - self._belief_s
        if self._belief is None or waited_s > FORGET_S:
            return np.full(size, 1.0 / size)
        spread = DRIFT_BPM_PER_SQRT_MIN * max(waited_s / 60.0, 0.05) ** 0.5 / float(_RATES_BPM[1])
        reach = min(int(3 * spread) + 1, size // 2 - 1)
        bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
        wider = np.convolve(self._belief, bell / np.add.reduce(bell), "same")
        leap = min(1.0, LEAP * waited_s / 15.0)
        return np.asarray((1 - leap) * wider + leap / size, dtype=np.float64)

    def _highest_bin(self, times_s: Floats) -> int:
        # Beats sample the breath: nothing above half the heart rate can be seen.
        half_bpm = 30.0 * (len(times_s) - 1) / float(times_s[-1] - times_s[0])
        return min(_LAST, int(np.searchsorted(_RATES_BPM, half_bpm)))

    def _series(self, waves: list[Wave], times_s: Floats) -> list[tuple[Floats, Floats]]:
        known = [w.beat for w in waves if w.beat.ibi_s is not None]
        series = [
            (times_s, np.array([w.level for w in waves])),
            (times_s, np.array([w.rise for w in waves])),
        ]
        if len(known) >= 0.7 * len(waves):
            series.append((np.array([b.at_s for b in known]), np.array([b.ibi_s for b in known], dtype=np.float64)))
        return series


def _spectrum(times_s: Floats, values: Floats, end_s: float) -> NDArray[np.float64]:
    """Power of a series over the window, slow drift taken out and outliers pulled in.

    What else moves the pulse falls off as one over the frequency, so power is multiplied by it.
    """
    half = len(values) // 2
    middle = float(np.partition(values, half)[half])
    spread = 4.0 * float(np.partition(np.abs(values - middle), half)[half]) + 1e-300
    grid_s = np.linspace(end_s - WINDOW_S, end_s, len(_HANN))
    y = np.interp(grid_s, times_s, np.clip(values, middle - spread, middle + spread))
    # Slower than a breath of twelve seconds is not breathing.
    length = int(12.0 * GRID_HZ) + 1
    ends = np.concatenate((np.full(length // 2, y[0]), y, np.full(length // 2, y[-1])))
    y -= np.convolve(ends, np.full(length, 1 / length), "valid")
    bins = np.fft.rfft(y * _HANN, POINTS)
    return np.asarray((bins.real**2 + bins.imag**2) * _RATES_BPM, dtype=np.float64)


def _concentration(spectrum: Floats) -> float:
    peak = int(np.argmax(spectrum))
    return float(np.add.reduce(spectrum[max(0, peak - _NEAR) : peak + _NEAR + 1]))
