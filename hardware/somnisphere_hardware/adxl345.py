"""ADXL345 motion sensor: map and driver.

Source: Analog Devices ADXL345 datasheet (rev. E). Each burst over the data registers pops one sample, so a sample costs
a transfer: 12.5 Hz keeps that at 13 a second. The burst goes on over FIFO_CTL and FIFO_STATUS, so the number of samples
still waiting, and the witness that the settings are ours, come with the sample.
"""

from typing import Final

import numpy as np

from somnisphere_hardware.bus import Bus
from somnisphere_hardware.chip import ALL_FF, NOTHING, ChipError, Fetched, LostSettingsError, MisreadError, all_ff
from somnisphere_hardware.registers import Field, Register, RegisterMap

ADDRESSES: Final = (0x53, 0x1D)
DEVID: Final = 0xE5

MAP: Final = RegisterMap(
    "ADXL345",
    Register(0x00, "DEVID", reset=DEVID),
    Register(0x2C, "BW_RATE", (Field("low_power", 4, 4), Field("rate", 3, 0)), reset=0x0A),
    Register(0x2D, "POWER_CTL", (Field("measure", 3, 3), Field("sleep", 2, 2))),
    Register(0x2E, "INT_ENABLE"),
    Register(0x2F, "INT_MAP"),
    Register(
        0x30, "INT_SOURCE", (Field("data_ready", 7, 7), Field("watermark", 1, 1), Field("overrun", 0, 0)), reset=0x02
    ),
    Register(
        0x31,
        "DATA_FORMAT",
        (Field("full_res", 3, 3), Field("justify", 2, 2), Field("range", 1, 0, ("2 g", "4 g", "8 g", "16 g"))),
    ),
    Register(0x38, "FIFO_CTL", (Field("mode", 7, 6, ("bypass", "fifo", "stream", "trigger")), Field("samples", 4, 0))),
    Register(0x39, "FIFO_STATUS", (Field("trigger", 7, 7), Field("entries", 5, 0))),
)

_BW_RATE: Final = 0x2C
_POWER_CTL: Final = 0x2D
_DATA_FORMAT: Final = 0x31
_DATA: Final = 0x32
_FIFO_CTL: Final = 0x38
_STREAM: Final = MAP["FIFO_CTL"].encode(mode=2)
_FORMAT: Final = MAP["DATA_FORMAT"].encode(full_res=1, range=0)
_MEASURE: Final = MAP["POWER_CTL"].encode(measure=1)
_DEEPEST: Final = 33
"""32 in the FIFO and one in the output registers."""
_LSB_PER_G: Final = 256.0
"""FULL_RES: 3.9 mg in every range."""

RATES: Final[dict[float, tuple[float, int]]] = {10.0: (12.5, 7), 25.0: (12.5, 7), 50.0: (25.0, 8)}
"""Wished samples a second -> (what this chip is run at, rate code)."""


def decode(data: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Bursts of 6 -> shape (n, 3), g. Two bytes an axis, little-endian, two's complement, right-justified."""
    return np.frombuffer(data, "<i2").reshape(-1, 3) / _LSB_PER_G


class Adxl345:
    name = "ADXL345"
    poll_s = 1.0
    reset_wait_s = 0.0

    def __init__(self, address: int, rate_hz: float) -> None:
        self.address = address
        self.rate_hz, self._rate = RATES[rate_hz]
        self._stale = False

    def reset(self, bus: Bus) -> None:
        """The chip has no reset; in standby every setting may be written."""
        bus.write(self.address, _POWER_CTL, 0)

    def is_reset(self, bus: Bus) -> bool:  # noqa: ARG002
        return True

    def start(self, bus: Bus) -> None:
        bus.write(self.address, _BW_RATE, MAP["BW_RATE"].encode(rate=self._rate), 0, 0)
        bus.write(self.address, _DATA_FORMAT, _FORMAT)
        self.clear(bus)
        bus.write(self.address, _POWER_CTL, _MEASURE)
        try:
            self.verify(bus)
        except LostSettingsError as error:
            raise ChipError(f"The motion sensor does not keep its settings: {error}") from error

    def clear(self, bus: Bus) -> None:
        bus.write(self.address, _FIFO_CTL, MAP["FIFO_CTL"].encode(mode=0))
        bus.write(self.address, _FIFO_CTL, _STREAM)
        self._stale = True  # the output registers keep one sample from before

    def fetch(self, bus: Bus, expected: float) -> Fetched:
        if expected < 2.0:
            return NOTHING  # to look would be to pop
        samples = bytearray()
        full = False
        for taken in range(1, _DEEPEST + 1):
            burst = bus.read(self.address, _DATA, 8)
            if all_ff(burst):
                raise MisreadError(f"The motion sensor {ALL_FF}")
            if burst[6] != _STREAM:
                raise LostSettingsError(f"The motion sensor lost its settings: {MAP['FIFO_CTL'].describe(burst[6])}.")
            samples += burst[:6]
            waiting = burst[7] & 0x3F
            full = full or taken + waiting >= _DEEPEST - 1
            if waiting == 0:
                break
        if len(samples) == 6 and expected > 4.0:
            return NOTHING  # nothing new had come: this is the last sample once more
        values = decode(bytes(samples))
        if self._stale:
            self._stale, values = False, values[1:]
        return Fetched(values, lost_before=full)

    def verify(self, bus: Bus) -> None:
        found = bus.read(self.address, _BW_RATE, 6)
        if all_ff(found):
            raise MisreadError(f"The motion sensor {ALL_FF}")
        if (found[0], found[1], found[5]) != (self._rate, _MEASURE, _FORMAT):
            raise LostSettingsError(f"The motion sensor lost its settings: {'; '.join(MAP.describe(_BW_RATE, found))}.")

    def sleep(self, bus: Bus) -> None:
        bus.write(self.address, _POWER_CTL, 0)
