"""Which way up a pulse wave is."""

import numpy as np

from somnisphere.sleep.filters import Floats, slope_kernel
from somnisphere.sleep.pulse import SMOOTHING_S

STRETCH_S = 10.0
LONGEST_S = 600.0


def polarity_of(wave: Floats, rate_hz: float) -> int:
    """+1 when systole is up in ``wave`` (n,), -1 when it is down (also when it cannot be told: raw light is down).

    Blood comes faster than it goes, so the slope has a long tail on the side of systole: the sign of the median
    skewness over stretches of ten seconds. Values that are not finite are left out.
    """
    wave = wave[: int(LONGEST_S * rate_hz)]
    kernel = slope_kernel(rate_hz, SMOOTHING_S)
    size = int(STRETCH_S * rate_hz) + len(kernel)
    skews: list[float] = []
    for first in range(0, max(1, len(wave) - size // 2), size):
        stretch = wave[first : first + size]
        stretch = stretch[np.isfinite(stretch)]
        if len(stretch) < 2 * len(kernel):
            continue
        slope = np.convolve(stretch, kernel, "valid")
        slope = slope - slope.mean()
        spread = float(slope.std())
        if spread > 0:
            skews.append(float(np.mean(np.clip(slope / spread, -4, 4) ** 3)))
    return 1 if skews and float(np.median(skews)) > 0 else -1
