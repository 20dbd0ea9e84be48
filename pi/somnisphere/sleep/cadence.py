"""The rhythm of a movement: does it explain what looks like a pulse?"""

import numpy as np

from somnisphere.sleep.filters import Floats
from somnisphere_hardware.samples import MotionBlock

KEEP_S = 16.0
WINDOW_S = 8.0
POINTS_S = 32.0
"""Length to which a window is padded before its spectrum is taken: bins of 1.9 a minute."""
SLOWEST_HZ = 0.5
"""Below, acceleration is breath and the way one lies, not rhythm."""
NEAR = 0.06
"""Power this share away from a rate, or its double or half, belongs to it."""
EXPLAINED = 0.35


class Cadence:
    """Feed acceleration, ask about a rate. Holds sixteen seconds."""

    def __init__(self) -> None:
        self._blocks: list[MotionBlock] = []

    def add(self, blocks: list[MotionBlock]) -> None:
        """Consecutive blocks in order of time."""
        self._blocks += blocks
        if self._blocks:
            oldest_s = self._blocks[-1].end_s - KEEP_S
            self._blocks = [block for block in self._blocks if block.end_s > oldest_s]

    def explains(self, rate_hz: float, at_s: float) -> bool:
        """Whether most of the movement around ``at_s`` (8 s) swings at ``rate_hz``, its double or its half."""
        near = [b for b in self._blocks if b.end_s > at_s - WINDOW_S / 2 and b.start_s < at_s + WINDOW_S / 2]
        if not near:
            return False
        accel_g = np.nan_to_num(np.concatenate([block.accel_g for block in near]))
        sample_hz = near[0].rate_hz
        swing = accel_g - np.add.reduce(accel_g) / len(accel_g)
        bins = np.fft.rfft(swing * np.hanning(len(swing))[:, None], max(len(swing), int(POINTS_S * sample_hz)), axis=0)
        power = np.add.reduce(bins.real**2 + bins.imag**2, axis=1)
        f_hz: Floats = np.arange(len(power)) * sample_hz / max(len(swing), int(POINTS_S * sample_hz))
        power[f_hz < SLOWEST_HZ] = 0.0
        total = float(np.add.reduce(power))
        if total <= 0.0:
            return False
        own = np.zeros(len(power), dtype=bool)
        for harmonic_hz in (rate_hz / 2, rate_hz, 2 * rate_hz):
            own |= np.abs(f_hz - harmonic_hz) < NEAR * harmonic_hz
        return float(np.add.reduce(power[own])) > EXPLAINED * total
