"""An ADXL345 in raw bytes. Written from the datasheet, not from the driver.

Facts modelled, and where from (DS: Analog Devices ADXL345 rev E; AN: AN-1025, its FIFO):

- DEVID 0xE5, BW_RATE 0x0A (100 Hz), INT_SOURCE 0x02 after power-up, standby (DS register map).
- Rate 3200 Hz / 2^(15 - code) (DS, BW_RATE). FULL_RES: 3.9 mg per LSB in every range; else 10 bits over the range;
  JUSTIFY moves the value to the top (DS 0x31).
- FIFO of 32 and one more in the output registers; FIFO_STATUS (0x39) says how many, 32 at most (DS FIFO, 0x38, 0x39).
  Stream drops the oldest, FIFO stops when full; bypass empties (AN).
- Any read of the output registers, of one byte or six, pops one sample: when the register pointer leaves 0x37 or at
  STOP. Running on past 0x37 gives FIFO_CTL and the FIFO_STATUS after the pop; no burst holds many samples (DS FIFO).
- INT_SOURCE: 7 data, 1 watermark, 0 overrun; overrun clears when data is read (DS 0x30).
- Noise about 1 LSB rms (3.9 mg) at 100 Hz, falling with the square root of the rate (DS, specifications).
"""

import math

import numpy as np

from somnisphere_hardware.simulated.body import Body
from somnisphere_hardware.simulated.stream import Floats, Noise, Stream

_RESET = {0x00: 0xE5, 0x2C: 0x0A}
_WRITABLE = {0x1D, *range(0x1E, 0x2B), 0x2C, 0x2D, 0x2E, 0x2F, 0x31, 0x38}
_G_PER_LSB = 1.0 / 256.0
_NOISE_G_AT_100_HZ = 0.0039
_DEPTH = 32


class SimulatedAdxl345:
    """The chip at 0x53 (0x1D with ALT ADDRESS high)."""

    def __init__(self, body: Body, *, address: int = 0x53, clock_error: float = 0.0, seed: int = 3) -> None:
        self.address = address
        self.body = body
        self.clock_error = clock_error
        self.empty_reads = 0
        self.lost_samples = 0
        self._noise = Noise(seed)
        self._stream = Stream(self._render)
        self._now_s = 0.0
        self.power_on(0.0)

    def power_on(self, at_s: float) -> None:
        self._now_s = max(self._now_s, at_s)
        self._pointer = 0
        self._registers = bytearray(64)
        for register, value in _RESET.items():
            self._registers[register] = value
        self._samples = bytearray()  # the one in the output registers, then those in the FIFO
        self._output = bytes(6)
        self._overrun = False
        self._stream.stop()

    def advance(self, now_s: float) -> None:
        if now_s <= self._now_s:
            return
        self._now_s = now_s
        new = self._stream.due(now_s)
        if not new:
            return
        first = self._stream.taken - new
        mode = self._registers[0x38] >> 6
        room = 1 if mode == 0 else _DEPTH + 1
        over = len(self._samples) // 6 + new - room
        if over > 0:
            self.lost_samples += over
            self._overrun = True
        if mode == 1:
            kept = min(new, new - max(0, over))
            self._samples += self._stream.bytes_of(first, kept) if kept else b""
        else:
            kept = min(new, room)
            self._samples += self._stream.bytes_of(first + new - kept, kept)
            del self._samples[: max(0, len(self._samples) - 6 * room)]
        self._output = bytes(self._samples[:6])

    # -- the bus -----------------------------------------------------------------------------------------------------

    def write(self, payload: bytes) -> None:
        self._pointer = payload[0] & 0x3F
        for value in payload[1:]:
            self._write_register(self._pointer, value)
            self._pointer = (self._pointer + 1) & 0x3F

    def read(self, count: int) -> bytes:
        if self._pointer == 0x32 and count == 6 and self._samples:
            data = self._output
            self._pointer = 0x38
            self._pop()
            return data
        out = bytearray()
        touched = False
        for _ in range(count):
            if 0x32 <= self._pointer <= 0x37:
                out.append(self._output[self._pointer - 0x32])
                touched = True
            else:
                out.append(self._read_register(self._pointer))
            self._pointer = (self._pointer + 1) & 0x3F
            if touched and self._pointer == 0x38:
                self._pop()
                touched = False
        if touched:
            self._pop()
        return bytes(out)

    def _pop(self) -> None:
        if not self._samples:
            self.empty_reads += 1
        self._overrun = False
        del self._samples[:6]
        self._output = bytes(self._samples[:6]) or self._output

    def _read_register(self, register: int) -> int:
        held = len(self._samples) // 6
        if register == 0x30:
            level = self._registers[0x38] & 0x1F
            return (held > 0) << 7 | (held >= level) << 1 | self._overrun
        if register == 0x39:
            return min(held, _DEPTH)
        return self._registers[register]

    def _write_register(self, register: int, value: int) -> None:
        if register not in _WRITABLE:
            return
        self._registers[register] = value
        if register in (0x2C, 0x2D):
            self._restart()
        elif register == 0x31:
            self._stream.forget()
        elif register == 0x38 and value >> 6 == 0:
            del self._samples[6:]

    # -- sampling ----------------------------------------------------------------------------------------------------

    def _restart(self) -> None:
        if not self._registers[0x2D] & 0x08 or self._registers[0x2D] & 0x04:
            self._stream.stop()
            return
        rate_hz = 3200.0 / 2 ** (15 - (self._registers[0x2C] & 0x0F))
        self._stream.start(self._now_s, 1.0 / (rate_hz * (1.0 + self.clock_error)), 6)

    def _render(self, times_s: Floats, first: int) -> bytes:
        form = self._registers[0x31]
        full_resolution, range_code = bool(form & 0x08), form & 0x03
        bits = 10 + range_code if full_resolution else 10
        lsb_per_g = 1.0 / _G_PER_LSB if full_resolution else 1.0 / (_G_PER_LSB * 2**range_code)
        sigma_g = _NOISE_G_AT_100_HZ * math.sqrt(0.01 / self._stream.period_s)
        accel_g = self.body.acceleration_g(times_s)
        noise = np.stack([self._noise.at(first, len(times_s), axis) for axis in range(3)], axis=1)
        limit = 2 ** (bits - 1)
        counts = np.clip(np.rint((accel_g + sigma_g * noise) * lsb_per_g), -limit, limit - 1).astype(np.int32)
        if form & 0x04:
            counts <<= 16 - bits
        return counts.astype("<i2").tobytes()
