"""A wave from anywhere as the light a sensor would have seen: counts, systole down, in blocks of half a second."""

from collections.abc import Iterator

import numpy as np

from somnisphere.sleep.filters import Floats
from somnisphere_hardware.samples import PULSE_FULL_SCALE_COUNTS, PulseBlock

BLOCK_S = 0.5
LED_MA = 7.0
"""LED current told where nothing says it."""
PULSE_COUNTS = 20_000.0
"""A wave that is not in counts is put around half of full scale, its 1st to 99th percentile this far apart."""


def light_counts(wave: Floats, polarity: int) -> Floats:
    """A wave (n,) in any unit as counts (n,) with systole down; NaN where it is not finite. ``polarity``: -1 systole is
    down in ``wave``, +1 up."""
    finite = np.isfinite(wave)
    known = wave[finite]
    if not len(known):
        return np.full(len(wave), np.nan)
    low, middle, high = np.percentile(known, (1, 50, 99))
    gain = PULSE_COUNTS / (high - low) if high > low else 0.0
    counts = PULSE_FULL_SCALE_COUNTS / 2 - polarity * gain * (np.where(finite, wave, np.nan) - middle)
    return np.asarray(np.clip(counts, 0, PULSE_FULL_SCALE_COUNTS - 1), dtype=np.float64)


def pulse_blocks(ir: Floats, red: Floats | None, rate_hz: float, start_s: float = 0.0) -> Iterator[PulseBlock]:
    """``ir``, ``red`` (n,): counts, NaN where they are missing. Without ``red`` its LED is told as dark."""
    ir = np.clip(ir, -PULSE_FULL_SCALE_COUNTS, PULSE_FULL_SCALE_COUNTS)  # what is in no counts at all is not light
    other = ir if red is None else np.clip(red, -PULSE_FULL_SCALE_COUNTS, PULSE_FULL_SCALE_COUNTS)
    size = max(1, round(BLOCK_S * rate_hz))
    usable = np.isfinite(ir) & np.isfinite(other)
    gap = False
    for first in range(0, len(ir), size):
        here = usable[first : first + size]
        edges = np.flatnonzero(np.diff(np.concatenate(([False], here, [False])).astype(np.int8)))
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            part = slice(first + begin, first + end)
            yield PulseBlock(
                start_s=start_s + (first + begin) / rate_hz,
                rate_hz=rate_hz,
                red=np.round(other[part]).astype(np.int32),
                ir=np.round(ir[part]).astype(np.int32),
                led_red_ma=0.0 if red is None else LED_MA,
                led_ir_ma=LED_MA,
                gap_before=gap or begin > 0,
            )
            gap = False
        gap = gap or not here[-1]
