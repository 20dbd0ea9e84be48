"""A LIS3DH in raw bytes. Written from the datasheet, not from the driver.

Facts modelled, and where from (DS: ST LIS3DH rev 2; AN: ST AN3308):

- WHO_AM_I 0x33; CTRL_REG1 (0x20) 0x07 after power-up: off (DS, registers).
- Only with bit 7 of the register byte does the address move on; without it each byte is the first register's (DS, I2C).
  It wraps from 0x2D to 0x28 while the FIFO is used, so a burst from 0xA8 gives the whole FIFO (AN).
- Rates by 0x20 bits 7:4; 12, 10 or 8 bits by HR and LPen, left-justified in 16; 1/2/4/12 mg a digit (DS).
- FIFO of 32 samples: 0x24 bit 6 switches it on, 0x2E bits 7:6 choose bypass (which empties it), FIFO (stops when full)
  or stream (drops the oldest). 0x2F: 7 at or over the watermark, 6 full, 5 empty, 4:0 level, 31 at most (AN).
- A sample is popped when its last byte (0x2D) is read; a read that dies before gives that sample again (AN).
- Noise 220 ug/sqrt(Hz) over half the output rate (DS, characteristics).
"""

import math

import numpy as np

from somnisphere_hardware.simulated.body import Body
from somnisphere_hardware.simulated.stream import Floats, Noise, Stream

_RATES_HZ = (0.0, 1.0, 10.0, 25.0, 50.0, 100.0, 200.0, 400.0, 1600.0, 1344.0)
_G_PER_DIGIT = (0.001, 0.002, 0.004, 0.012)
_NOISE_G = 220e-6
_DEPTH = 32
_RESET = {0x07: 0x00, 0x0F: 0x33, 0x20: 0x07}
_WRITABLE = {0x1E, 0x1F, *range(0x20, 0x27), 0x2E, *range(0x30, 0x40)}


class SimulatedLis3dh:
    """The chip at 0x18 (0x19 with SDO high)."""

    def __init__(self, body: Body, *, address: int = 0x18, clock_error: float = 0.0, seed: int = 2) -> None:
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
        self._moves_on = False
        self._registers = bytearray(128)
        for register, value in _RESET.items():
            self._registers[register] = value
        self._fifo = bytearray()
        self._shown = bytes(6)
        self._stream.stop()

    def advance(self, now_s: float) -> None:
        if now_s <= self._now_s:
            return
        self._now_s = now_s
        new = self._stream.due(now_s)
        if not new:
            return
        first = self._stream.taken - new
        mode = self._fifo_mode()
        held = len(self._fifo) // 6
        if mode == 0:
            self._registers[0x27] |= 0x88 if self._registers[0x27] & 0x08 or new > 1 else 0x08
            self._shown = self._stream.bytes_of(first + new - 1, 1)
            return
        self.lost_samples += max(0, held + new - _DEPTH)
        if mode == 1:
            kept = min(new, _DEPTH - held)
            self._fifo += self._stream.bytes_of(first, kept) if kept else b""
        else:
            kept = min(new, _DEPTH)
            self._fifo += self._stream.bytes_of(first + new - kept, kept)
            del self._fifo[: max(0, len(self._fifo) - 6 * _DEPTH)]

    def _fifo_mode(self) -> int:
        return self._registers[0x2E] >> 6 if self._registers[0x24] & 0x40 else 0

    # -- the bus -----------------------------------------------------------------------------------------------------

    def write(self, payload: bytes) -> None:
        self._pointer = payload[0] & 0x7F
        self._moves_on = bool(payload[0] & 0x80)
        for value in payload[1:]:
            self._write_register(self._pointer, value)
            self._step()

    def read(self, count: int) -> bytes:
        if self._pointer == 0x28 and self._moves_on and count % 6 == 0 and count <= len(self._fifo):
            data = bytes(self._fifo[:count])
            del self._fifo[:count]
            self._shown = data[-6:] or self._shown
            return data
        out = bytearray()
        while len(out) < count:
            out.append(self._read_register(self._pointer))
            self._step()
        return bytes(out)

    def _step(self) -> None:
        if self._moves_on:
            wraps = self._pointer == 0x2D and self._fifo_mode() != 0
            self._pointer = 0x28 if wraps else (self._pointer + 1) & 0x7F

    def _read_register(self, register: int) -> int:
        if 0x28 <= register <= 0x2D:
            return self._read_output(register - 0x28)
        if register == 0x2F:
            level = len(self._fifo) // 6
            reached = 0x80 if level >= max(1, self._registers[0x2E] & 0x1F) else 0
            return reached | (level == _DEPTH) << 6 | (level == 0) << 5 | min(level, 31)
        return self._registers[register]

    def _read_output(self, offset: int) -> int:
        if self._fifo_mode() == 0:
            if offset == 5:
                self._registers[0x27] = 0
            return self._shown[offset]
        if self._fifo:
            self._shown = bytes(self._fifo[:6])
            if offset == 5:
                del self._fifo[:6]
        elif offset == 0:
            self.empty_reads += 1
        return self._shown[offset]

    def _write_register(self, register: int, value: int) -> None:
        if register not in _WRITABLE:
            return
        self._registers[register] = value
        if register in (0x20, 0x23):
            self._restart()
        if self._fifo_mode() == 0:
            self._fifo.clear()

    # -- sampling ----------------------------------------------------------------------------------------------------

    def _restart(self) -> None:
        code = self._registers[0x20] >> 4
        if not 0 < code < len(_RATES_HZ):
            self._stream.stop()
            return
        rate_hz = 5376.0 if code == 9 and self._registers[0x20] & 0x08 else _RATES_HZ[code]
        self._stream.start(self._now_s, 1.0 / (rate_hz * (1.0 + self.clock_error)), 6)

    def _render(self, times_s: Floats, first: int) -> bytes:
        control1, control4 = self._registers[0x20], self._registers[0x23]
        accel_g = self.body.acceleration_g(times_s)
        sigma_g = _NOISE_G * math.sqrt(0.5 / self._stream.period_s)
        # Sixteenths of a digit in 12-bit mode: the value sits at the top of its 16 bits.
        lsb_per_g = 16.0 / _G_PER_DIGIT[control4 >> 4 & 0x03]
        bits = 8 if control1 & 0x08 else 12 if control4 & 0x08 else 10
        out = np.zeros((len(times_s), 3), dtype="<i2")
        for axis in range(3):
            if control1 & (1 << axis):
                noisy_g = accel_g[:, axis] + sigma_g * self._noise.at(first, len(times_s), axis)
                full = np.clip(np.rint(noisy_g * lsb_per_g), -32768, 32767).astype(np.int32)
                out[:, axis] = full >> (16 - bits) << (16 - bits)
        return out.tobytes()
