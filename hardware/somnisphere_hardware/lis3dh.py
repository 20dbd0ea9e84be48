"""LIS3DH motion sensor: map and driver.

Source: ST LIS3DH datasheet (DocID17530). Several registers in one transfer need bit 7 of the register byte; without it
every byte is the first register's. One poll is two transfers: the FIFO's level, then one burst that wraps from OUT_Z_H
to OUT_X_L and so brings the whole FIFO.
"""

from typing import Final

import numpy as np

from somnisphere_hardware.bus import Bus
from somnisphere_hardware.chip import (
    ALL_FF,
    NOTHING,
    ChipError,
    Fetched,
    LostSettingsError,
    MisreadError,
    all_ff,
    ends_lifeless,
)
from somnisphere_hardware.registers import Field, Register, RegisterMap

ADDRESSES: Final = (0x18, 0x19)
WHO_AM_I: Final = 0x33

MAP: Final = RegisterMap(
    "LIS3DH",
    Register(0x0F, "WHO_AM_I", reset=WHO_AM_I),
    Register(0x20, "CTRL_REG1", (Field("rate", 7, 4), Field("low_power", 3, 3), Field("axes", 2, 0)), reset=0x07),
    Register(0x21, "CTRL_REG2"),
    Register(0x22, "CTRL_REG3"),
    Register(
        0x23,
        "CTRL_REG4",
        (
            Field("block_update", 7, 7),
            Field("range", 5, 4, ("2 g", "4 g", "8 g", "16 g")),
            Field("high_resolution", 3, 3),
        ),
    ),
    Register(0x24, "CTRL_REG5", (Field("boot", 7, 7), Field("fifo_en", 6, 6))),
    Register(
        0x2E,
        "FIFO_CTRL",
        (Field("mode", 7, 6, ("bypass", "fifo", "stream", "stream-to-fifo")), Field("threshold", 4, 0)),
    ),
    Register(
        0x2F,
        "FIFO_SRC",
        (Field("watermark", 7, 7), Field("overrun", 6, 6), Field("empty", 5, 5), Field("level", 4, 0)),
        None,
    ),
)

_MANY: Final = 0x80
_CTRL: Final = _MANY | 0x20
_OUT: Final = _MANY | 0x28
_CTRL_REG1: Final = 0x20
_FIFO_CTRL: Final = 0x2E
_FIFO_SRC: Final = 0x2F
_FIFO_SAMPLES: Final = 32
_STREAM: Final = MAP["FIFO_CTRL"].encode(mode=2)
_DIGITS_PER_G: Final = 16000.0
"""High resolution at 2 g: 12 bits left-justified in 16, 1 mg each."""

RATES: Final[dict[float, int]] = {10.0: 2, 25.0: 3, 50.0: 4}


def decode(data: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """FIFO bytes -> shape (n, 3), g. Two bytes an axis, little-endian, 12 bits left-justified, the rest is cut."""
    return (np.frombuffer(data, "<i2").reshape(-1, 3) & ~0xF) / _DIGITS_PER_G


class Lis3dh:
    name = "LIS3DH"
    reset_wait_s = 0.0

    def __init__(self, address: int, rate_hz: float) -> None:
        self.address = address
        self.rate_hz = rate_hz
        self.poll_s = 1.0 if rate_hz <= 25.0 else 0.5
        self._settings = bytes(
            [
                MAP["CTRL_REG1"].encode(rate=RATES[rate_hz], axes=7),
                0,
                0,
                MAP["CTRL_REG4"].encode(block_update=1, range=0, high_resolution=1),
                MAP["CTRL_REG5"].encode(fifo_en=1),
            ]
        )

    def reset(self, bus: Bus) -> None:
        """Powers the chip down; every setting that matters is written by ``start``."""
        bus.write(self.address, _CTRL_REG1, MAP["CTRL_REG1"].encode(rate=0, axes=7))

    def is_reset(self, bus: Bus) -> bool:  # noqa: ARG002
        return True

    def start(self, bus: Bus) -> None:
        bus.write(self.address, _CTRL, *self._settings)
        self.clear(bus)
        try:
            self.verify(bus)
        except LostSettingsError as error:
            raise ChipError(f"The motion sensor does not keep its settings: {error}") from error

    def clear(self, bus: Bus) -> None:
        bus.write(self.address, _FIFO_CTRL, MAP["FIFO_CTRL"].encode(mode=0))
        bus.write(self.address, _FIFO_CTRL, _STREAM)

    def fetch(self, bus: Bus, expected: float) -> Fetched:  # noqa: ARG002
        source = bus.read(self.address, _FIFO_SRC, 1)[0]
        if source == 0xFF:
            raise MisreadError(f"The motion sensor {ALL_FF}")
        state = MAP["FIFO_SRC"].decode(source)
        overrun = bool(state["overrun"])
        count = _FIFO_SAMPLES if overrun else state["level"]
        if count == 0 or state["empty"]:
            return NOTHING
        data = bus.read(self.address, _OUT, 6 * count)
        if all_ff(data):
            raise MisreadError(f"The motion sensor {ALL_FF}")
        if ends_lifeless(data):
            self.verify(bus)
        # Stream mode throws the oldest away: what is here is the newest 32.
        return Fetched(decode(data), lost_before=overrun)

    def verify(self, bus: Bus) -> None:
        found = bus.read(self.address, _CTRL, 5)
        if all_ff(found):
            raise MisreadError(f"The motion sensor {ALL_FF}")
        if found != self._settings:
            raise LostSettingsError(
                f"The motion sensor lost its settings: {'; '.join(MAP.describe(_CTRL_REG1, found))}."
            )
        if (fifo := bus.read(self.address, _FIFO_CTRL, 1)[0]) != _STREAM:
            raise LostSettingsError(f"The motion sensor lost its settings: {MAP['FIFO_CTRL'].describe(fifo)}.")

    def sleep(self, bus: Bus) -> None:
        self.reset(bus)
