"""Finite filters given in hertz and seconds, so they mean the same at every sampling rate.

All are symmetric (linear phase): a filtered sample belongs to the time of its centre, so nothing drifts and nothing has
to settle again after a gap. A kernel of ``2 m + 1`` taps needs ``m`` samples on either side.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def slope_kernel(rate_hz: float, smoothing_s: float) -> Floats:
    """First derivative of a Gaussian of standard deviation ``smoothing_s``: slope and low-pass in one.

    Convolved with x (units u) it gives u per second, exactly for a straight line. A Gaussian passes half the power up
    to 0.1325 / smoothing_s Hz.
    """
    half = max(1, math.ceil(3.5 * smoothing_s * rate_hz))
    offset_s = np.arange(-half, half + 1) / rate_hz
    kernel = -offset_s * np.exp(-0.5 * (offset_s / smoothing_s) ** 2)
    return np.asarray(kernel / -(kernel @ offset_s), dtype=np.float64)


def butterworth_both_ways_kernel(rate_hz: float, low_hz: float, high_hz: float, order: int, half_s: float) -> Floats:
    """The zero-phase response of a Butterworth band-pass run forwards and backwards, as a finite kernel.

    The power response of the analogue prototype, 1 / (1 + ((f^2 - low high) / (f (high - low)))^(2 order)), sampled
    with the bilinear transform's warping up to the Nyquist frequency and transformed back. An upper edge at or above
    the Nyquist frequency is left out (the response is then a high-pass).
    """
    half = max(1, round(half_s * rate_hz))
    points = 4096
    nyquist_hz = rate_hz / 2
    f_hz = np.linspace(0, nyquist_hz, points // 2 + 1)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        warped = np.tan(np.pi * np.minimum(f_hz, nyquist_hz * (1 - 1e-9)) / rate_hz)
        low = math.tan(math.pi * low_hz / rate_hz)
        if high_hz >= nyquist_hz * 0.98:
            ratio = low / warped
        else:
            high = math.tan(math.pi * high_hz / rate_hz)
            ratio = (warped**2 - low * high) / (warped * (high - low))
        power = 1.0 / (1.0 + ratio ** (2 * order))
    power[0] = 0.0
    response = np.fft.irfft(power, points)
    kernel = np.concatenate((response[-half:], response[: half + 1])) * np.hanning(2 * half + 3)[1:-1]
    return np.asarray(kernel - kernel.mean(), dtype=np.float64)
