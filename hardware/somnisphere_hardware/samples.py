"""What a sensor says: timed blocks of pulse and motion, and how its parts are.

A block holds consecutive samples without a hole; sample ``i`` was taken at ``start_s + i / rate_hz``. The rate is the
one fitted by counting samples against the monotonic clock (chip clocks are off by 1 to 5 %), not the nominal one.
Where samples are missing before a block, it says so (``gap_before``): time is never spliced.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Part = Literal["pulse", "motion"]

PULSE_FULL_SCALE_COUNTS = 0x3FFFF
"""Full scale of an 18-bit MAX3010x sample; at this value the photodiode's converter is clipped."""


@dataclass(frozen=True, slots=True, eq=False)
class PulseBlock:
    """Light counts of one stretch of time, as the photodiode saw them (systole is *down*: blood absorbs light).

    ``red`` and ``ir``: shape (n,), int32, ADC counts of 18 bits; n >= 1. LED currents are those in force for the block.
    """

    start_s: float
    rate_hz: float
    red: NDArray[np.int32]
    ir: NDArray[np.int32]
    led_red_ma: float
    led_ir_ma: float
    gap_before: bool = False

    @property
    def end_s(self) -> float:
        """Time of the sample that would follow the last one."""
        return self.start_s + len(self.ir) / self.rate_hz


@dataclass(frozen=True, slots=True, eq=False)
class MotionBlock:
    """Acceleration of one stretch of time. ``accel_g``: shape (n, 3), float64, units of g, gravity included; n >= 1."""

    start_s: float
    rate_hz: float
    accel_g: NDArray[np.float64]
    gap_before: bool = False

    @property
    def end_s(self) -> float:
        """Time of the sample that would follow the last one."""
        return self.start_s + len(self.accel_g) / self.rate_hz


@dataclass(frozen=True, slots=True)
class PartState:
    """How one part of the sensor is, said when it changes. ``problem`` is a sentence for a person, "" when ``ok``."""

    part: Part
    at_s: float
    ok: bool
    chip: str = ""
    problem: str = ""


Sample = PulseBlock | MotionBlock | PartState
