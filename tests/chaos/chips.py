"""Chips that remember what they sampled, a bus that can garble what they say, and a body that can slip away."""

import random
from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.simulated.body import NOBODY_IR_NA_PER_MA, NOBODY_RED_NA_PER_MA, Floats
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050
from somnisphere_hardware.simulated.sleeper import Sleeper

PULSE, MOTION = 0x57, 0x68
ID_REGISTER = {PULSE: 0xFF, MOTION: 0x75}
FIFO_REGISTER = {PULSE: 0x07, MOTION: 0x74}
SETTINGS = {PULSE: (0x02, 0x08, 0x09, 0x0A, 0x0C, 0x0D), MOTION: (0x19, 0x1A, 0x1C, 0x23, 0x6A, 0x6B)}
KEPT = 8000
TOO_BRIGHT = 400.0


@dataclass(slots=True)
class Taken:
    """Samples a chip took, oldest first: as one number each, with its place in an unbroken run, and when."""

    values: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    runs: int = 0

    def add(self, values: NDArray[np.int64], first: int, start_s: float, period_s: float) -> None:
        count = len(values)
        self.values += values.tolist()
        self.places += range((self.runs << 40) + first, (self.runs << 40) + first + count)
        self.times_s += (start_s + (np.arange(first + 1, first + count + 1) * period_s)).tolist()
        if len(self.values) > 2 * KEPT:
            for column in (self.values, self.places, self.times_s):
                del column[:-KEPT]

    def find(self, values: list[int], at_s: float, near_s: float) -> float | None:
        """When the first of ``values`` was taken, if they were taken one after the other, ``near_s`` from ``at_s`` at
        the most; None if they were not."""
        place = bisect_left(self.times_s, at_s - near_s)
        last = bisect_left(self.times_s, at_s + near_s)
        while True:
            try:
                place = self.values.index(values[0], place, last)
            except ValueError:
                return None
            end = place + len(values)
            unbroken = end <= len(self.places) and self.places[end - 1] - self.places[place] == len(values) - 1
            if unbroken and self.values[place:end] == values:
                return self.times_s[place]
            place += 1


class TruthfulMax(SimulatedMax30102):
    taken: Taken

    def _store(self, slot: int, first: int, count: int) -> None:
        super()._store(slot, first, count)
        if self._width == 6 and count:
            bytes_ = np.frombuffer(self._stream.bytes_of(first, count), np.uint8).reshape(-1, 6).astype(np.int64)
            self.taken.add(bytes_ @ (1 << np.arange(40, -8, -8)), first, self._stream._start_s, self._stream.period_s)

    def _restart(self) -> None:
        self.taken.runs += 1
        super()._restart()


class TruthfulMpu(SimulatedMpu6050):
    taken: Taken

    def _fill(self, first: int, count: int) -> None:
        super()._fill(first, count)
        kept = min(count, 256)
        data = np.frombuffer(self._stream.bytes_of(first + count - kept, kept), np.uint8).reshape(-1, 14)
        key = data[:, :6].astype(np.int64) @ (1 << np.arange(40, -8, -8))
        self.taken.add(key, first + count - kept, self._stream._start_s, self._stream.period_s)

    def _restart(self) -> None:
        self.taken.runs += 1
        super()._restart()


def pulse_keys(red: NDArray[np.int32], ir: NDArray[np.int32]) -> list[int]:
    """Samples of a block as ``Taken`` numbers them."""
    keys: list[int] = ((red.astype(np.int64) << 24) | ir).tolist()
    return keys


def motion_keys(accel_g: Floats) -> list[int]:
    raw = np.rint(accel_g * 16384.0).astype(np.int64) & 0xFFFF
    keys: list[int] = (raw @ (1 << np.array([32, 16, 0]))).tolist()
    return keys


class ChaosBus(SimulatedBus):
    """Three things more that a bus of the real world does to bytes."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed=seed)
        self.flip_chance = 0.0
        self.frozen = False
        self.wrong_id: int | None = None
        self.rng = random.Random(seed)

    def transfer(self, address: int, payload: bytes | None, length: int) -> bytes:
        data = super().transfer(address, payload, length)
        if length <= 0 or not (self.flip_chance or self.frozen or self.wrong_id is not None):
            return data
        register = payload[0] if payload else None
        if self.wrong_id is not None and register == ID_REGISTER.get(address):
            data = bytes([self.wrong_id])
        if self.frozen and address == PULSE and register == FIFO_REGISTER[PULSE]:
            data = data[:6] * (length // 6)
        if self.flip_chance and self.rng.random() < self.flip_chance:
            spoilt = bytearray(data)
            spoilt[self.rng.randrange(len(spoilt))] ^= 1 << self.rng.randrange(8)
            data = bytes(spoilt)
        return data


@dataclass(slots=True)
class BodyInBed:
    """Tonight's sleeper, whose night began at ``start_s``. ``away``: spans in which the sensor does not touch the skin;
    ``bright``: spans of sunlight upon it."""

    sleeper: Sleeper
    start_s: float = 0.0
    away: list[tuple[float, float]] = field(default_factory=list)
    bright: list[tuple[float, float]] = field(default_factory=list)

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        red, ir = self.sleeper.light_na_per_ma(times_s - self.start_s)
        for from_s, until_s in self.away:
            off = (times_s >= from_s) & (times_s < until_s) & (np.sin(times_s * 1.7) > -0.6)
            red, ir = np.where(off, NOBODY_RED_NA_PER_MA, red), np.where(off, NOBODY_IR_NA_PER_MA, ir)
        for from_s, until_s in self.bright:
            lit = (times_s >= from_s) & (times_s < until_s)
            red, ir = np.where(lit, red * TOO_BRIGHT, red), np.where(lit, ir * TOO_BRIGHT, ir)
        return red, ir

    def acceleration_g(self, times_s: Floats) -> Floats:
        return self.sleeper.acceleration_g(times_s - self.start_s)

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        return self.sleeper.present(times_s - self.start_s)
