"""The motion sensor as a stream, whichever of the known chips it is."""

from somnisphere_hardware import adxl345, lis3dh, mpu6050
from somnisphere_hardware.adxl345 import Adxl345
from somnisphere_hardware.chip import Chip, Fetched
from somnisphere_hardware.lis3dh import Lis3dh
from somnisphere_hardware.mpu6050 import Mpu6050
from somnisphere_hardware.rate import Placed
from somnisphere_hardware.samples import MotionBlock, Part, Sample
from somnisphere_hardware.stream import Stream

RATES = tuple(sorted(set(mpu6050.RATES) & set(lis3dh.RATES) & set(adxl345.RATES)))
"""Samples a second that may be asked for, Hz."""


class MotionStream(Stream):
    part: Part = "motion"

    def __init__(self, rate_hz: float) -> None:
        super().__init__()
        self._rate_hz = rate_hz

    def _driver(self, chip_id: int, address: int) -> Chip:
        if address in mpu6050.ADDRESSES:
            return Mpu6050(address, chip_id, self._rate_hz)
        if address in lis3dh.ADDRESSES:
            return Lis3dh(address, self._rate_hz)
        return Adxl345(address, self._rate_hz)

    def _blocks(self, placed: Placed, fetched: Fetched) -> list[Sample]:
        return [MotionBlock(placed.start_s, placed.rate_hz, fetched.values, placed.gap)]
