"""Sound as int16: where it is not silent, and the same at another rate. Pure."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

FRAME_S = 0.01
QUIET_OF_PEAK = 0.004
"""Frames below this part (-48 dB) of the loudest sample are silence at an end; soft consonants are some -35 dB."""
QUIET = 12.0
"""... and so are frames below this (-69 dBFS) however quiet all is."""

LIMIT_FRAME_S = 0.005


def trimmed(samples: Samples, rate_hz: int) -> Samples:
    """``samples`` (n,) without the silence at its ends; empty when there is nothing else. One frame is left around."""
    frame = max(1, round(rate_hz * FRAME_S))
    count = -(-len(samples) // frame)
    if count == 0:
        return samples
    peaks = np.array([_peak(samples[i * frame : (i + 1) * frame]) for i in range(count)])
    loud = np.flatnonzero(peaks > max(QUIET, QUIET_OF_PEAK * peaks.max()))
    if len(loud) == 0:
        return samples[:0]
    return samples[max(0, loud[0] - 1) * frame : (loud[-1] + 2) * frame]


def _peak(samples: Samples) -> int:
    return max(int(samples.max()), -int(samples.min())) if len(samples) else 0


def at_rate(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Band-limited, by the spectrum of the whole: for single sentences, whose ends are silent."""
    if from_hz == to_hz or len(samples) == 0:
        return samples
    count = max(1, round(len(samples) * to_hz / from_hz))
    spectrum = np.fft.rfft(samples.astype(np.float32))
    wave = np.fft.irfft(spectrum[: count // 2 + 1], count) * (count / len(samples))
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)


def limited(samples: Samples, rate_hz: int, ceiling: float) -> Samples:
    """No sample above ``ceiling``: the gain sinks smoothly around single peaks, the length stays."""
    if _peak(samples) <= ceiling:
        return samples
    frame = max(1, round(rate_hz * LIMIT_FRAME_S))
    count = -(-len(samples) // frame)
    peaks = np.array([max(1, _peak(samples[i * frame : (i + 1) * frame])) for i in range(count)])
    needed = np.minimum(1.0, ceiling / peaks)
    around = np.pad(needed, 2, mode="edge")
    lowest = np.min([around[i : i + count] for i in range(5)], axis=0)
    # Means over three of what is lowest within two frames: never above what its own frame and the next ones need.
    smooth = np.convolve(np.pad(lowest, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    middles = (np.arange(count) + 0.5) * frame
    gain = np.interp(np.arange(len(samples)), middles, smooth).astype(np.float32)
    lowered: Samples = np.rint(samples * gain).astype(np.int16)
    return lowered
