"""Pulse waves with known beats, and blocks of them, for the tests of the senses."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.samples import MotionBlock, PulseBlock

Floats = NDArray[np.float64]


def beat_times(seconds: float, bpm: float = 60.0, *, breath_bpm: float = 15.0, swing: float = 0.04) -> Floats:
    """Times of heartbeats whose interval swings with the breath by the share ``swing``."""
    times = [0.6]
    while times[-1] < seconds:
        phase = 2 * np.pi * breath_bpm / 60.0 * times[-1]
        times.append(times[-1] + 60.0 / bpm * (1 + swing * np.sin(phase)))
    return np.array(times[:-1])


def light(
    times_s: Floats,
    seconds: float,
    rate_hz: float,
    *,
    level: float = 120_000.0,
    depth: float = 0.01,
    noise: float = 0.0,
) -> Floats:
    """Counts with systole down (n,): each beat a steep fall and a slow return with a second, smaller wave."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = np.zeros(len(t))
    for at_s in times_s:
        since = t - at_s
        wave += np.exp(-0.5 * ((since - 0.10) / 0.07) ** 2) + 0.35 * np.exp(-0.5 * ((since - 0.38) / 0.11) ** 2)
    counts = level * (1 - depth * wave)
    if noise:
        counts = counts + np.random.default_rng(7).normal(0, noise, len(t))
    return np.asarray(counts, dtype=np.float64)


def pulse_blocks(
    ir: Floats,
    rate_hz: float,
    *,
    red: Floats | None = None,
    start_s: float = 0.0,
    block_s: float = 0.5,
    led_ma: float = 7.0,
    gap_before: bool = False,
) -> Iterator[PulseBlock]:
    """Blocks as a sensor would say them."""
    size = max(1, round(block_s * rate_hz))
    for first in range(0, len(ir), size):
        part = slice(first, first + size)
        counts = np.round(ir[part]).astype(np.int32)
        yield PulseBlock(
            start_s=start_s + first / rate_hz,
            rate_hz=rate_hz,
            red=counts if red is None else np.round(red[part]).astype(np.int32),
            ir=counts,
            led_red_ma=led_ma,
            led_ir_ma=led_ma,
            gap_before=gap_before and first == 0,
        )


def motion_blocks(
    accel_g: Floats, rate_hz: float, *, start_s: float = 0.0, block_s: float = 1.0
) -> Iterator[MotionBlock]:
    size = max(1, round(block_s * rate_hz))
    for first in range(0, len(accel_g), size):
        yield MotionBlock(start_s + first / rate_hz, rate_hz, accel_g[first : first + size])


def lying_still(seconds: float, rate_hz: float) -> Floats:
    """Acceleration of a sensor on its back, with a few thousandths of g of noise (n, 3)."""
    noise = np.random.default_rng(3).normal(0, 0.003, (round(seconds * rate_hz), 3))
    return np.asarray(noise + np.array([0.0, 0.0, 1.0]), dtype=np.float64)
