"""What a simulated chip senses: light that comes back, and acceleration; and the plainest body there is."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SKIN_RED_NA_PER_MA = 240.0
SKIN_IR_NA_PER_MA = 260.0
"""Photocurrent per mA of LED with a finger on the sensor: 6.4 mA then give about 1.6 uA, 40 % of the 4096 nA range,
the counts around 100,000 that people report for a MAX30102 with its usual settings."""

NOBODY_RED_NA_PER_MA = 10.0
NOBODY_IR_NA_PER_MA = 35.0
"""With nobody there the cover glass and the room still send some light back, more of it infrared."""


class Body(Protocol):
    """Must be a pure function of time: the same moment gives the same value, in whatever pieces it is asked for."""

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        """Photocurrent in nA per mA of LED current, red and infrared, each shape (n,). Systole is down."""

    def acceleration_g(self, times_s: Floats) -> Floats:
        """Shape (n, 3), in g, gravity included."""

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        """Shape (n,): is a person on the sensor."""


class Phantom:
    """A body that never changes, as a calibration block: for tests that know each byte beforehand."""

    def __init__(
        self,
        red_na_per_ma: float = SKIN_RED_NA_PER_MA,
        ir_na_per_ma: float = SKIN_IR_NA_PER_MA,
        accel_g: Sequence[float] = (0.0, 0.0, 1.0),
        present: bool = True,
    ) -> None:
        self.red_na_per_ma = red_na_per_ma
        self.ir_na_per_ma = ir_na_per_ma
        self.accel_g = np.asarray(accel_g, dtype=np.float64)
        self.is_present = present

    def light_na_per_ma(self, times_s: Floats) -> tuple[Floats, Floats]:
        return np.full(len(times_s), self.red_na_per_ma), np.full(len(times_s), self.ir_na_per_ma)

    def acceleration_g(self, times_s: Floats) -> Floats:
        return np.tile(self.accel_g, (len(times_s), 1))

    def present(self, times_s: Floats) -> NDArray[np.bool_]:
        return np.full(len(times_s), self.is_present)
