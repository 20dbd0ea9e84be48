"""MPU-6050 motion sensor and the chips sold under its name: map and driver. Accelerometer only, through the FIFO.

Source: InvenSense RM-MPU-6000A-00. One poll is two transfers: the FIFO count (reading its high byte latches both), then
one burst of whole packets. Overflow drops *bytes*, and the FIFO's size is no multiple of a packet's 6, so from then on
every axis is another's; the cure is to empty the FIFO when it is nearly full or holds a broken packet.
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

ADDRESSES: Final = (0x68, 0x69)

NAMES: Final[dict[int, str]] = {
    0x68: "MPU-6050",
    0x70: "MPU-6500",
    0x71: "MPU-9250",
    0x72: "MPU-6050 clone",
    0x73: "MPU-9255",
    0x98: "ICM-20689",
}
"""WHO_AM_I -> what it is. Boards sold as MPU-6050 carry any of these; only registers common to all are used."""

FIFO_BYTES: Final = {0x68: 1024}
"""The FIFO's size by WHO_AM_I; 512 for the others (the smallest of them)."""

_ACCEL_FILTER_ELSEWHERE: Final = frozenset({0x70, 0x71, 0x73, 0x98})
"""Chips whose accelerometer has a low-pass of its own, in 0x1D, beside the gyroscope's in 0x1A."""

MAP: Final = RegisterMap(
    "MPU-6050",
    Register(0x19, "SMPLRT_DIV"),
    Register(0x1A, "CONFIG", (Field("ext_sync", 5, 3), Field("dlpf", 2, 0))),
    Register(0x1B, "GYRO_CONFIG", (Field("range", 4, 3, ("250 deg/s", "500 deg/s", "1000 deg/s", "2000 deg/s")),)),
    Register(0x1C, "ACCEL_CONFIG", (Field("range", 4, 3, ("2 g", "4 g", "8 g", "16 g")),)),
    Register(0x1D, "ACCEL_CONFIG_2", (Field("dlpf", 2, 0),)),
    Register(0x23, "FIFO_EN", (Field("temp", 7, 7), Field("gyro", 6, 4), Field("accel", 3, 3))),
    Register(0x3A, "INT_STATUS", (Field("fifo_overflow", 4, 4), Field("data_ready", 0, 0))),
    Register(0x6A, "USER_CTRL", (Field("fifo_en", 6, 6), Field("fifo_reset", 2, 2))),
    Register(
        0x6B,
        "PWR_MGMT_1",
        (
            Field("reset", 7, 7),
            Field("sleep", 6, 6),
            Field("cycle", 5, 5),
            Field("temp_dis", 3, 3),
            Field("clock", 2, 0),
        ),
        reset=0x40,
    ),
    Register(0x6C, "PWR_MGMT_2", (Field("wake", 7, 6), Field("accel_standby", 5, 3), Field("gyro_standby", 2, 0))),
    Register(0x72, "FIFO_COUNT_H"),
    Register(0x73, "FIFO_COUNT_L"),
    Register(0x74, "FIFO_R_W"),
    Register(0x75, "WHO_AM_I", reset=None),
)

_SMPLRT_DIV: Final = 0x19
_ACCEL_CONFIG_2: Final = 0x1D
_FIFO_EN: Final = 0x23
_USER_CTRL: Final = 0x6A
_PWR_MGMT_1: Final = 0x6B
_FIFO_COUNT: Final = 0x72
_FIFO_R_W: Final = 0x74

_PACKET: Final = 6
_LSB_PER_G: Final = 16384.0
_FIFO_ON: Final = MAP["USER_CTRL"].encode(fifo_en=1)
_ACCEL_ONLY: Final = MAP["FIFO_EN"].encode(accel=1)
_FIFO_RESET: Final = MAP["USER_CTRL"].encode(fifo_reset=1)
_POWER: Final = (MAP["PWR_MGMT_1"].encode(temp_dis=1, clock=0), MAP["PWR_MGMT_2"].encode(gyro_standby=7))
"""Gyroscopes in standby, so the clock is the internal one: 0.5 mA instead of 3.8."""

RATES: Final[dict[float, tuple[int, int]]] = {10.0: (99, 6), 25.0: (39, 5), 50.0: (19, 4)}
"""Samples a second -> (divider of 1 kHz, low-pass code: 5, 10, 21 Hz)."""


def decode(data: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """FIFO bytes -> shape (n, 3), g. Two bytes an axis, big-endian, two's complement, 16384 a g."""
    return np.frombuffer(data, ">i2").reshape(-1, 3) / _LSB_PER_G


class Mpu6050:
    reset_wait_s = 0.1

    def __init__(self, address: int, who_am_i: int, rate_hz: float) -> None:
        self.address = address
        self.name = NAMES[who_am_i]
        self.rate_hz = rate_hz
        self.poll_s = 1.0 if rate_hz <= 25.0 else 0.5
        divider, self._dlpf = RATES[rate_hz]
        # Divider, low-pass, gyroscope range, accelerometer range (2 g: a sleeper does not fall).
        self._rates = bytes([divider, self._dlpf, 0, 0])
        self._power = bytes([_FIFO_ON, *_POWER])
        self._own_accel_filter = who_am_i in _ACCEL_FILTER_ELSEWHERE
        self._nearly_full = FIFO_BYTES.get(who_am_i, 512) - 3 * _PACKET

    def reset(self, bus: Bus) -> None:
        bus.write(self.address, _PWR_MGMT_1, MAP["PWR_MGMT_1"].encode(reset=1))

    def is_reset(self, bus: Bus) -> bool:
        power = bus.read(self.address, _PWR_MGMT_1, 1)
        if all_ff(power):
            raise MisreadError(f"The motion sensor {ALL_FF}")
        return not MAP["PWR_MGMT_1"].decode(power[0])["reset"]

    def start(self, bus: Bus) -> None:
        bus.write(self.address, _PWR_MGMT_1, *_POWER)
        bus.write(self.address, _SMPLRT_DIV, *self._rates)
        if self._own_accel_filter:
            bus.write(self.address, _ACCEL_CONFIG_2, self._dlpf)
        bus.write(self.address, _FIFO_EN, _ACCEL_ONLY)
        self.clear(bus)
        try:
            self.verify(bus)
        except LostSettingsError as error:
            raise ChipError(f"The motion sensor does not keep its settings: {error}") from error

    def clear(self, bus: Bus) -> None:
        bus.write(self.address, _USER_CTRL, _FIFO_RESET)
        bus.write(self.address, _USER_CTRL, _FIFO_ON)

    def fetch(self, bus: Bus, expected: float) -> Fetched:  # noqa: ARG002
        count = int.from_bytes(bus.read(self.address, _FIFO_COUNT, 2), "big")
        if count == 0:
            return NOTHING
        if count == 0xFFFF:
            raise MisreadError(f"The motion sensor {ALL_FF}")
        if count % _PACKET or count > self._nearly_full:
            raise MisreadError("The motion sensor's FIFO ran over.")
        data = bus.read(self.address, _FIFO_R_W, count)
        if all_ff(data):
            raise MisreadError(f"The motion sensor {ALL_FF}")
        if ends_lifeless(data):
            self.verify(bus)
        return Fetched(decode(data))

    def verify(self, bus: Bus) -> None:
        power = bus.read(self.address, _USER_CTRL, 3)
        rates = bus.read(self.address, _SMPLRT_DIV, _FIFO_EN - _SMPLRT_DIV + 1)
        if all_ff(power) or all_ff(rates):
            raise MisreadError(f"The motion sensor {ALL_FF}")
        if power != self._power or rates[:4] != self._rates or rates[-1] != _ACCEL_ONLY:
            settings = MAP.describe(_SMPLRT_DIV, rates) + MAP.describe(_USER_CTRL, power)
            raise LostSettingsError(f"The motion sensor lost its settings: {'; '.join(settings)}.")

    def sleep(self, bus: Bus) -> None:
        bus.write(self.address, _PWR_MGMT_1, MAP["PWR_MGMT_1"].encode(sleep=1))
