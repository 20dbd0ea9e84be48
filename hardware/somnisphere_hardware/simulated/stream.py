"""Samples a chip takes at an even rate, rendered ahead in chunks: reading a FIFO is then a slice of bytes."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CHUNK_S = 30.0
_EDGE = 1e-9  # a sample due exactly now is there


class Noise:
    """Gaussian noise that depends on the sample's number alone, so chunks of any size agree. Two tables whose lengths
    have no common factor repeat only after their product, 2.1e9 samples."""

    _LENGTHS = (65_521, 32_749)

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._tables = tuple(random.standard_normal(n).astype(np.float32) for n in self._LENGTHS)

    def at(self, first: int, count: int, column: int = 0) -> Floats:
        """Shape (count,), unit variance, for samples ``first``...; each column is its own series."""
        total = np.zeros(count)
        for table, length in zip(self._tables, self._LENGTHS, strict=True):
            start = (first + column * 7919) % length
            total += table.take(np.arange(start, start + count), mode="wrap")
        return total / math.sqrt(2.0)


class Stream:
    """Sample ``i`` is ready at ``start_s + (i + 1) * period_s``. ``render(times_s, first)`` encodes samples."""

    def __init__(self, render: Callable[[Floats, int], bytes]) -> None:
        self._render = render
        self.running = False
        self.period_s = 1.0
        self.sample_bytes = 1
        self.taken = 0
        """How many samples have been taken out by ``due``."""
        self._start_s = 0.0
        self._chunk = b""
        self._chunk_first = 0
        self._chunk_end = 0

    def start(self, at_s: float, period_s: float, sample_bytes: int) -> None:
        """Begin anew: the first sample is ready one period from now."""
        self.running = True
        self._start_s, self.period_s, self.sample_bytes = at_s, period_s, sample_bytes
        self.taken = 0
        self.forget()

    def stop(self) -> None:
        self.running = False

    def forget(self) -> None:
        """A setting changed: samples not yet taken must be rendered again."""
        self._chunk, self._chunk_first, self._chunk_end = b"", 0, 0

    def due(self, now_s: float) -> int:
        """How many samples have been finished since the last call; they count as taken."""
        if not self.running:
            return 0
        new = int((now_s - self._start_s) / self.period_s + _EDGE) - self.taken
        if new <= 0:
            return 0
        self.taken += new
        return new

    def bytes_of(self, first: int, count: int) -> bytes:
        """The encoded samples ``first`` to ``first + count - 1``."""
        if first < self._chunk_first or first + count > self._chunk_end:
            ahead = max(count, math.ceil(CHUNK_S / self.period_s))
            times_s = np.arange(first + 1, first + ahead + 1, dtype=np.float64) * self.period_s + self._start_s
            self._chunk = self._render(times_s, first)
            self._chunk_first, self._chunk_end = first, first + ahead
        offset = (first - self._chunk_first) * self.sample_bytes
        return self._chunk[offset : offset + count * self.sample_bytes]
