"""An MPU-6050 (or a clone of it) in raw bytes. Written from the datasheet, not from the driver.

Facts modelled, and where from (RM: InvenSense RM-MPU-6000A register map 4.2; PS: product specification 3.4):

- Power-up: 0x6B = 0x40, asleep, outputs 0; WHO_AM_I 0x68 whatever AD0 says (RM 0x6B, 0x75). DEVICE_RESET takes up to
  100 ms (the kernel's inv_mpu6050 waits that long); what is written meanwhile is lost.
- Rate = 1 kHz / (1 + SMPLRT_DIV) with DLPF 1..6, 8 kHz base with 0 and 7 (RM 0x19, 0x1A); accelerometer at most 1 kHz.
- 16384/8192/4096/2048 LSB per g (RM 0x1C); temperature raw / 340 + 36.53, on a 0x70 clone raw / 333.87 + 21.
- FIFO 1024 bytes (512 on 0x70), fed in the order accelerometer, temperature, gyroscope as 0x23 says, while 0x6A bit 6
  is set. FIFO_RESET works while FIFO_EN is 0 and clears itself (RM 0x6A). Overflow drops the oldest *bytes*: 1024 mod
  6 = 4, so every axis is shuffled.
- Reading 0x72 latches both bytes of the count; 0x74 does not move the register pointer; an empty FIFO repeats its last
  byte (RM 0x72 to 0x74). INT_STATUS clears on read: bit 4 overflow, bit 0 data (RM 0x3A).
- CYCLE samples at 1.25, 5, 20 or 40 Hz (RM 0x6C). Whether the FIFO fills then is not documented: here it does not.
- Noise 400 ug/sqrt(Hz) through the bandwidth chosen by DLPF (PS).
"""

import math

import numpy as np

from somnisphere_hardware.simulated.body import Body
from somnisphere_hardware.simulated.stream import Floats, Noise, Stream

_RESET_S = 0.09
_LSB_PER_G = (16384.0, 8192.0, 4096.0, 2048.0)
_BANDWIDTH_HZ = (260.0, 184.0, 94.0, 44.0, 21.0, 10.0, 5.0, 260.0)
_WAKE_HZ = (1.25, 5.0, 20.0, 40.0)
_NOISE_G = 400e-6
_GYRO_NOISE_LSB = 4.0
_READ_ONLY = {0x3A, *range(0x3B, 0x49), 0x72, 0x73, 0x75}
_RATE_SETTINGS = {0x19, 0x1A, 0x1B, 0x1C, 0x23, 0x6B, 0x6C}
_SAMPLE = 14  # accelerometer 6, temperature 2, gyroscope 6: 0x3B to 0x48


class SimulatedMpu6050:
    """The chip at 0x68 (0x69 with AD0 high). ``who_am_i`` 0x70, 0x71, 0x72, 0x98...: clones under the same name."""

    def __init__(
        self,
        body: Body,
        *,
        address: int = 0x68,
        who_am_i: int = 0x68,
        fifo_bytes: int = 1024,
        clock_error: float = 0.0,
        temperature_c: float = 27.0,
        seed: int = 1,
    ) -> None:
        self.address = address
        self.body = body
        self.who_am_i = who_am_i
        self.fifo_bytes = fifo_bytes
        self.clock_error = clock_error
        self.temperature_c = temperature_c
        self.empty_reads = 0
        self.lost_bytes = 0
        self._noise = Noise(seed)
        self._stream = Stream(self._render)
        self._now_s = 0.0
        self.power_on(0.0)

    # -- power and time ----------------------------------------------------------------------------------------------

    def power_on(self, at_s: float) -> None:
        self._now_s = max(self._now_s, at_s)
        self._pointer = 0
        self._registers = bytearray(128)
        self._registers[0x6B] = 0x40
        self._registers[0x75] = self.who_am_i
        self._fifo = bytearray()
        self._last_byte = 0
        self._latched_count = 0
        self._busy_until_s = -math.inf
        self._shown = bytes(_SAMPLE)
        self._newest = -1
        self._stream.stop()

    def advance(self, now_s: float) -> None:
        if now_s <= self._now_s:
            return
        self._now_s = now_s
        registers = self._registers
        if registers[0x6B] & 0x80:
            if now_s >= self._busy_until_s:
                self.power_on(now_s)
            return
        new = self._stream.due(now_s)
        if not new:
            return
        self._newest = self._stream.taken - 1
        registers[0x3A] |= 0x01
        if registers[0x6A] & 0x40 and registers[0x23] & 0xF8 and not registers[0x6B] & 0x20:
            self._fill(self._stream.taken - new, new)

    def _fill(self, first: int, count: int) -> None:
        kept = min(count, self.fifo_bytes)  # at least one byte a sample: older ones cannot survive
        data = self._stream.bytes_of(first + count - kept, kept)
        parts = self._fifo_parts()
        if parts != [(0, _SAMPLE)]:
            rows = np.frombuffer(data, dtype=np.uint8).reshape(-1, _SAMPLE)
            data = np.concatenate([rows[:, start:end] for start, end in parts], axis=1).tobytes()
        self._fifo += data
        over = len(self._fifo) - self.fifo_bytes
        if over > 0:
            del self._fifo[:over]
            self.lost_bytes += over
            self._registers[0x3A] |= 0x10

    def _fifo_parts(self) -> list[tuple[int, int]]:
        enabled = self._registers[0x23]
        wanted = [(0x08, 0, 6), (0x80, 6, 8), (0x40, 8, 10), (0x20, 10, 12), (0x10, 12, 14)]
        return [(start, end) for bit, start, end in wanted if enabled & bit]

    # -- the bus -----------------------------------------------------------------------------------------------------

    def write(self, payload: bytes) -> None:
        self._pointer = payload[0] & 0x7F
        for value in payload[1:]:
            if not self._registers[0x6B] & 0x80:
                self._write_register(self._pointer, value)
            if self._pointer != 0x74:
                self._pointer = (self._pointer + 1) & 0x7F

    def read(self, count: int) -> bytes:
        out = bytearray()
        while len(out) < count:
            if self._pointer == 0x74:
                out += self._read_fifo(count - len(out))
            else:
                out.append(self._read_register(self._pointer))
                self._pointer = (self._pointer + 1) & 0x7F
        return bytes(out)

    def _read_register(self, register: int) -> int:
        if 0x3B <= register <= 0x48:
            if self._newest >= 0:
                self._shown = self._stream.bytes_of(self._newest, 1)
                self._newest = -1
            return self._shown[register - 0x3B]
        match register:
            case 0x3A:
                status, self._registers[0x3A] = self._registers[0x3A], 0
                return status
            case 0x72:
                self._latched_count = len(self._fifo)
                return self._latched_count >> 8
            case 0x73:
                return self._latched_count & 0xFF
        return self._registers[register]

    def _read_fifo(self, count: int) -> bytes:
        data = bytes(self._fifo[:count])
        del self._fifo[:count]
        if data:
            self._last_byte = data[-1]
        missing = count - len(data)
        self.empty_reads += missing
        return data + bytes([self._last_byte]) * missing

    def _write_register(self, register: int, value: int) -> None:
        if register in _READ_ONLY:
            return
        if register == 0x74:
            self._fifo.append(value)
            return
        if register == 0x6A:
            if value & 0x04 and not value & 0x40:
                self._fifo.clear()
            value &= ~0x07  # the reset bits clear themselves
        self._registers[register] = value
        if register == 0x6B and value & 0x80:
            self._busy_until_s = self._now_s + _RESET_S
            self._stream.stop()
        elif register in _RATE_SETTINGS:
            self._restart()

    # -- sampling ----------------------------------------------------------------------------------------------------

    def _restart(self) -> None:
        if self._newest >= 0:  # what was measured stays readable
            self._shown = self._stream.bytes_of(self._newest, 1)
            self._newest = -1
        power = self._registers[0x6B]
        if power & 0x40:
            self._stream.stop()
            return
        if power & 0x20:
            rate_hz = _WAKE_HZ[self._registers[0x6C] >> 6]
        else:
            base_hz = 8000.0 if self._registers[0x1A] & 0x07 in (0, 7) else 1000.0
            rate_hz = min(1000.0, base_hz / (1 + self._registers[0x19]))
        self._stream.start(self._now_s, 1.0 / (rate_hz * (1.0 + self.clock_error)), _SAMPLE)

    def _render(self, times_s: Floats, first: int) -> bytes:
        registers = self._registers
        accel_g = self.body.acceleration_g(times_s)
        sigma_g = _NOISE_G * math.sqrt(_BANDWIDTH_HZ[registers[0x1A] & 0x07])
        out = np.zeros((len(times_s), 7), dtype=np.float64)
        for axis in range(3):
            if registers[0x6C] & (0x20 >> axis):  # this axis is in standby
                continue
            noisy_g = accel_g[:, axis] + sigma_g * self._noise.at(first, len(times_s), axis)
            out[:, axis] = noisy_g * _LSB_PER_G[registers[0x1C] >> 3 & 0x03]
        if self.who_am_i == 0x70:
            out[:, 3] = (self.temperature_c - 21.0) * 333.87
        else:
            out[:, 3] = (self.temperature_c - 36.53) * 340.0
        if registers[0x23] & 0x70:  # a gyroscope at rest is noise; drawn only for who asks for it
            for axis in range(3):
                out[:, 4 + axis] = _GYRO_NOISE_LSB * self._noise.at(first, len(times_s), 3 + axis)
        return np.clip(np.rint(out), -32768, 32767).astype(">i2").tobytes()
