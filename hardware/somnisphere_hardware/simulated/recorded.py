"""A recording of a real body, played to the simulated chips as light and acceleration."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from somnisphere_hardware.simulated.body import (
    NOBODY_IR_NA_PER_MA,
    NOBODY_RED_NA_PER_MA,
    SKIN_IR_NA_PER_MA,
    SKIN_RED_NA_PER_MA,
)
from somnisphere_hardware.simulated.sleeper import ratio_of_ratios

Floats = NDArray[np.float64]

_PULSE_SHARE = 0.01  # pulse height over mean given to a waveform of unknown units
_PIECE_S = 2.0  # holds at least one beat above 30 bpm
_MOST_SWING = 0.5  # a burst of noise may not turn the light off or double it
_TABLE_TOP = (0.0, 0.0, 1.0)


class RecordedBody:
    """Replays ``ppg`` from ``start_s`` on: looping, or absent before and after.

    ``ppg``: shape (n,), any units; ``polarity`` -1: systole is down as stored (raw light), +1: it is up. Alone, it is
    scaled so that a typical pulse is 1 % of the light, and red gets the same wave as 97 % saturation would make it.
    With ``red`` (raw counts beside it, polarity -1) both keep their own pulse over mean, so that their ratio survives.
    ``accel``: shape (m, 3), g, at ``accel_fs_hz`` (None: that of ``ppg``); without it the sensor lies still.
    Samples that are not numbers are bridged by a straight line.
    """

    def __init__(
        self,
        ppg: ArrayLike,
        fs_hz: float,
        polarity: int,
        red: ArrayLike | None = None,
        accel: ArrayLike | None = None,
        *,
        accel_fs_hz: float | None = None,
        start_s: float = 0.0,
        loop: bool = False,
    ) -> None:
        if polarity not in (-1, 1):
            raise ValueError(f"polarity is {polarity!r}; it must be +1 (systole up) or -1 (systole down)")
        if not fs_hz > 0:
            raise ValueError(f"a sampling rate of {fs_hz!r} Hz; it must be above 0")
        self.fs_hz = fs_hz
        self.start_s = start_s
        self.loop = loop
        infrared = _bridged(ppg, "ppg")
        self.duration_s = len(infrared) / fs_hz
        if red is None:
            swing = -polarity * _swing(infrared, fs_hz)  # more blood, less light
            self._infrared = 1.0 + swing
            self._red = 1.0 + ratio_of_ratios(97.0) * swing
        else:
            if polarity != -1:
                raise ValueError("with red beside it the recording must be raw light: polarity -1")
            self._infrared = _over_mean(infrared, "ppg")
            self._red = _over_mean(_bridged(red, "red"), "red")
            if len(self._red) != len(self._infrared):
                raise ValueError(
                    f"red has {len(self._red)} samples and ppg {len(self._infrared)}; they must be as many"
                )
        self._accel: Floats | None = None
        self._accel_fs_hz = accel_fs_hz or fs_hz
        if accel is not None:
            axes = np.asarray(accel, dtype=np.float64)
            if axes.ndim != 2 or axes.shape[1] != 3:
                raise ValueError(f"acceleration has shape {axes.shape}; it must be (n, 3)")
            self._accel = np.stack([_bridged(axes[:, axis], "accel") for axis in range(3)], axis=1)

    @property
    def end_s(self) -> float:
        """When the recording first ends."""
        return self.start_s + self.duration_s

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        place = self._since_start(times_s) * self.fs_hz
        there = self.present(times_s)
        red = np.where(there, SKIN_RED_NA_PER_MA * _smooth(self._red, place), NOBODY_RED_NA_PER_MA)
        infrared = np.where(there, SKIN_IR_NA_PER_MA * _smooth(self._infrared, place), NOBODY_IR_NA_PER_MA)
        return red, infrared

    def acceleration_g(self, times_s: Floats) -> Floats:
        still: Floats = np.tile(np.array(_TABLE_TOP), (len(times_s), 1))
        if self._accel is None:
            return still
        place = self._since_start(times_s) * self._accel_fs_hz
        moving = np.stack([_smooth(self._accel[:, axis], place) for axis in range(3)], axis=1)
        return np.where(self.present(times_s)[:, None], moving, still)

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        since_s = times_s - self.start_s
        return (since_s >= 0.0) & (self.loop | (since_s < self.duration_s))

    def _since_start(self, times_s: Floats) -> Floats:
        since_s = times_s - self.start_s
        return np.mod(since_s, self.duration_s) if self.loop else since_s


def _bridged(values: ArrayLike, name: str) -> Floats:
    wave = np.asarray(values, dtype=np.float64).ravel()
    good = np.flatnonzero(np.isfinite(wave))
    if len(good) < 2:
        raise ValueError(f"{name} holds {len(good)} usable samples; a recording needs at least two")
    return wave if len(good) == len(wave) else np.interp(np.arange(len(wave)), good, wave[good])


def _swing(wave: Floats, fs_hz: float) -> Floats:
    """The wave around 0, with a typical pulse ``_PULSE_SHARE`` high."""
    piece = max(2, min(len(wave), round(_PIECE_S * fs_hz)))
    pieces = wave[: len(wave) // piece * piece].reshape(-1, piece)
    heights = np.percentile(pieces, 98, axis=1) - np.percentile(pieces, 2, axis=1)
    lively = heights[heights > 0]
    if not len(lively):
        return np.zeros(len(wave))
    return np.clip((wave - np.median(wave)) * (_PULSE_SHARE / float(np.median(lively))), -_MOST_SWING, _MOST_SWING)


def _over_mean(wave: Floats, name: str) -> Floats:
    mean = float(wave.mean())
    if not mean > 0:
        raise ValueError(f"{name} has a mean of {mean:g}; raw light beside red must be counts above 0")
    return np.clip(wave / mean, 0.0, 2.0)


def _smooth(wave: Floats, place: Floats) -> Floats:
    """Cubic (Catmull-Rom) interpolation at fractional sample numbers, held at the ends."""
    last = len(wave) - 1
    index = np.clip(np.floor(place), 0, max(0, last - 1)).astype(np.int64)
    x = np.clip(place - index, 0.0, 1.0)
    before, here, after, beyond = (wave[np.clip(index + k, 0, last)] for k in (-1, 0, 1, 2))
    slope = 0.5 * (after - before)
    bend = before - 2.5 * here + 2.0 * after - 0.5 * beyond
    twist = 0.5 * (beyond - before) + 1.5 * (here - after)
    return np.asarray(here + x * (slope + x * (bend + x * twist)))
