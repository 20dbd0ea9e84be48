"""A MAX30102 in raw bytes. Written from the datasheet, not from the driver.

Facts modelled, and where from (DS: Maxim 19-7740 rev 1, MAX30102):

- Register addresses, reset values 0 but the ids and PWR_RDY, PWR_RDY only from power (DS, register map and 0x00).
- Reading 0x00 clears all its bits; PPG_RDY also falls when FIFO_DATA is read; A_FULL only with 0x00; both can be polled
  with their interrupts off (Analog Devices EngineerZone, "How do I set up interrupt for MAX30101/MAX30102").
- DIE_TEMP_RDY shows only with its interrupt enabled (SparkFun MAX3010x issue 19); about 29 ms per conversion (DS).
- The register pointer moves on after each byte, but stays at 0x07 (DS, FIFO_DATA).
- 32 samples of 3 bytes per LED, left-justified, 15/16/17/18 bits for 69/118/215/411 us (DS).
- The read pointer moves after the first byte of a sample (DS, "FIFO Data Contains 3 Bytes per Channel"); the place
  within the sample outlives a STOP (pimoroni's driver reads in pieces of 32 bytes and relies on it); writing a pointer
  resets it.
- OVF_COUNTER saturates at 0x1F and is 0 after a read (DS). Rollover off: new samples are lost; on: the oldest are (DS).
  Whether the read pointer is pushed along is not said: ``rollover_moves_read`` chooses.
- RESET clears itself after about 1 ms; what is written before is lost (SparkFun's driver polls it).
- A rate too fast for the pulse width is replaced by the fastest possible (DS, the tables of allowed settings;
  for a single LED from memory).
- No proximity function (DS rev 1 has dropped it): 0x10 and 0x30 read 0 and swallow writes, as on parts without it.
- An empty FIFO gives the bytes at the read pointer again and does not move it (not in DS; ``empty_reads`` counts them).
- Noise: 3e-5 of the signal, 4 counts rms at 136,000 as in a real capture with nobody there, and a floor.
"""

import math

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.simulated.body import Body
from somnisphere_hardware.simulated.stream import Floats, Noise, Stream

_DEPTH = 32
_RATES_HZ = (50, 100, 200, 400, 800, 1000, 1600, 3200)
_FASTEST_CODE_TWO_LEDS = (6, 5, 4, 3)  # by pulse width code: 1600, 1000, 800, 400 Hz
_FASTEST_CODE_ONE_LED = (7, 6, 6, 5)
_PULSE_US = (69, 118, 215, 411)
_AVERAGES = (1, 2, 4, 8, 16, 32, 32, 32)
_RANGE_NA = (2048.0, 4096.0, 8192.0, 16384.0)
_LED_MA_PER_STEP = 0.2
_RESET_S = 0.001
_TEMPERATURE_S = 0.029
_MOST_POINTS = 4  # an average over more LED flashes is taken over this many moments spread evenly over it
_SIGNAL_NOISE = 3e-5
_FLOOR_NOISE_NA = 0.03

_A_FULL, _PPG_RDY, _PWR_RDY = 0x80, 0x40, 0x01

_WRITABLE = {
    0x02: 0xE0, 0x03: 0x02, 0x04: 0x1F, 0x05: 0x1F, 0x06: 0x1F, 0x08: 0xFF, 0x09: 0xC7, 0x0A: 0x7F,
    0x0C: 0xFF, 0x0D: 0xFF, 0x11: 0x77, 0x12: 0x77, 0x21: 0x01,
}  # fmt: skip


class SimulatedMax30102:
    """The chip at 0x57, sensing ``body``. ``clock_error`` 0.03: its oscillator runs 3 % fast.

    ``swapped_leds``: the board's red and infrared LEDs sit in each other's place, as on some "MH-ET LIVE" boards.
    """

    def __init__(
        self,
        body: Body,
        *,
        clock_error: float = 0.0,
        part_id: int = 0x15,
        revision: int = 3,
        swapped_leds: bool = False,
        rollover_moves_read: bool = True,
        die_temperature_c: float = 31.25,
        seed: int = 0,
    ) -> None:
        self.address = 0x57
        self.body = body
        self.clock_error = clock_error
        self.swapped_leds = swapped_leds
        self.rollover_moves_read = rollover_moves_read
        self.die_temperature_c = die_temperature_c
        self.empty_reads = 0
        self.lost_samples = 0
        self._ids = {0xFE: revision, 0xFF: part_id}
        self._noise = Noise(seed)
        self._stream = Stream(self._render)
        self._now_s = 0.0
        self.power_on(0.0)

    # -- power and time ----------------------------------------------------------------------------------------------

    def power_on(self, at_s: float) -> None:
        self._now_s = max(self._now_s, at_s)
        self._pointer = 0
        self._status = _PWR_RDY
        self._reset_registers()

    def _reset_registers(self) -> None:
        self._registers = bytearray(256)
        for register, value in self._ids.items():
            self._registers[register] = value
        self._status &= _PWR_RDY  # the brown-out witness outlives a soft reset
        self._temperature_ready = False
        self._temperature_due_s = math.inf
        self._busy_until_s = -math.inf
        self._stream.stop()
        self._width = 6
        self._memory = bytearray(_DEPTH * self._width)
        self._write_at = self._read_at = self._held = self._overflow = 0
        self._phase = 0
        self._latch = b""

    def advance(self, now_s: float) -> None:
        if now_s <= self._now_s:
            return
        self._now_s = now_s
        new = self._stream.due(now_s)
        if new:
            self._push(self._stream.taken - new, new)
        if now_s >= self._temperature_due_s:
            self._temperature_due_s = math.inf
            sixteenths = round(self.die_temperature_c * 16)
            self._registers[0x1F] = (sixteenths >> 4) & 0xFF
            self._registers[0x20] = sixteenths & 0x0F
            self._registers[0x21] = 0
            self._temperature_ready = True
        if self._registers[0x09] & 0x40 and now_s >= self._busy_until_s:
            self._reset_registers()

    def _push(self, first: int, count: int) -> None:
        free = _DEPTH - self._held
        lost = max(0, count - free)
        self.lost_samples += lost
        self._overflow = min(0x1F, self._overflow + lost)
        if self._registers[0x08] & 0x10:  # rollover: the newest are kept
            skipped = max(0, count - _DEPTH)
            self._store((self._write_at + skipped) % _DEPTH, first + skipped, count - skipped)
            self._write_at = (self._write_at + count) % _DEPTH
            if lost and self.rollover_moves_read:
                self._read_at = self._write_at
        elif free:
            self._store(self._write_at, first, min(count, free))
            self._write_at = (self._write_at + min(count, free)) % _DEPTH
        self._held = min(_DEPTH, self._held + count)
        self._status |= _PPG_RDY
        if self._held >= _DEPTH - (self._registers[0x08] & 0x0F):
            self._status |= _A_FULL

    def _store(self, slot: int, first: int, count: int) -> None:
        data, width = self._stream.bytes_of(first, count), self._width
        until_end = (_DEPTH - slot) * width
        self._memory[slot * width : slot * width + len(data[:until_end])] = data[:until_end]
        self._memory[: len(data[until_end:])] = data[until_end:]

    # -- the bus -----------------------------------------------------------------------------------------------------

    def write(self, payload: bytes) -> None:
        self._pointer = payload[0]
        for value in payload[1:]:
            if not self._registers[0x09] & 0x40:  # nothing is heard while resetting
                self._write_register(self._pointer, value)
            if self._pointer != 0x07:
                self._pointer = (self._pointer + 1) & 0xFF

    def read(self, count: int) -> bytes:
        if self._pointer == 0x07:
            return self._read_fifo(count)
        out = bytearray()
        while len(out) < count:
            if self._pointer == 0x07:
                out += self._read_fifo(count - len(out))
            else:
                out.append(self._read_register(self._pointer))
                self._pointer = (self._pointer + 1) & 0xFF
        return bytes(out)

    def _read_register(self, register: int) -> int:
        match register:
            case 0x00:
                status, self._status = self._status, 0
                return status
            case 0x01:
                shown = 0x02 if self._temperature_ready and self._registers[0x03] & 0x02 else 0
                self._temperature_ready = False
                return shown
            case 0x04:
                return self._write_at
            case 0x05:
                return self._overflow
            case 0x06:
                return self._read_at
            case 0x20:
                self._temperature_ready = False
        return self._registers[register]

    def _read_fifo(self, count: int) -> bytes:
        self._status &= ~_PPG_RDY
        width = self._width
        samples, rest = divmod(count, width)
        if self._phase == 0 and rest == 0 and samples <= self._held:  # whole samples, all there: one or two slices
            start, end = self._read_at * width, (self._read_at + samples) * width
            data = bytes(self._memory[start:end])
            if end > len(self._memory):
                data += self._memory[: end - len(self._memory)]
            self._read_at = (self._read_at + samples) % _DEPTH
            self._held -= samples
            if samples:
                self._overflow = 0
            return data
        out = bytearray()
        while len(out) < count:
            if self._phase == 0:
                self._latch = bytes(self._memory[self._read_at * width : (self._read_at + 1) * width])
                self._pop()
            out.append(self._latch[self._phase])
            self._phase = (self._phase + 1) % width
        return bytes(out)

    def _pop(self) -> None:
        if self._held == 0:
            self.empty_reads += 1
            return
        self._read_at = (self._read_at + 1) % _DEPTH
        self._held -= 1
        self._overflow = 0

    def _write_register(self, register: int, value: int) -> None:
        mask = _WRITABLE.get(register)
        if mask is None:
            return
        value &= mask
        match register:
            case 0x04:
                self._write_at = value
            case 0x05:
                self._overflow = value
            case 0x06:
                self._read_at = value
        if register in (0x04, 0x05, 0x06):
            self._phase = 0
            self._held = (self._write_at - self._read_at) % _DEPTH
            return
        changed = self._registers[register] != value
        self._registers[register] = value
        match register:
            case 0x09 if value & 0x40:
                self._stream.stop()
                self._busy_until_s = self._now_s + _RESET_S
            case 0x09 | 0x0A | 0x11 | 0x12:
                self._restart()
            case 0x08 if changed:
                self._restart()
            case 0x0C | 0x0D:
                self._stream.forget()
            case 0x21 if value:
                self._temperature_due_s = self._now_s + _TEMPERATURE_S

    # -- sampling ----------------------------------------------------------------------------------------------------

    def _lit(self) -> list[int]:
        """The LEDs of one sample in the order of its bytes: 1 (LED1, red) or 2 (LED2, infrared)."""
        match self._registers[0x09] & 0x07:
            case 2:
                return [1]
            case 3:
                return [1, 2]
            case 7:
                slots = [self._registers[r] >> shift & 0x07 for r in (0x11, 0x12) for shift in (0, 4)]
                return [slot for slot in slots if slot in (1, 2)]
        return []

    def _restart(self) -> None:
        """A mode or rate was written: sampling begins anew, what the FIFO holds stays."""
        lit = self._lit()
        self._limit_rate(len(lit))
        if not lit or self._registers[0x09] & 0x80:
            self._stream.stop()
            return
        if 3 * len(lit) != self._width:
            self._width = 3 * len(lit)
            self._memory = bytearray(_DEPTH * self._width)
            self._phase = 0
        period_s = _AVERAGES[self._registers[0x08] >> 5] / self._flash_hz()
        self._stream.start(self._now_s, period_s, self._width)

    def _flash_hz(self) -> float:
        return _RATES_HZ[self._registers[0x0A] >> 2 & 0x07] * (1.0 + self.clock_error)

    def _limit_rate(self, leds: int) -> None:
        setting = self._registers[0x0A]
        fastest = (_FASTEST_CODE_TWO_LEDS if leds > 1 else _FASTEST_CODE_ONE_LED)[setting & 0x03]
        if leds and setting >> 2 & 0x07 > fastest:
            self._registers[0x0A] = setting & ~0x1C | fastest << 2

    def _render(self, times_s: Floats, first: int) -> bytes:
        averaged = _AVERAGES[self._registers[0x08] >> 5]
        points = min(averaged, _MOST_POINTS)
        if points == 1:
            red, infrared = self.body.light_na_per_ma(times_s)
        else:
            span_s = (averaged - 1) / self._flash_hz()
            spread_s = np.linspace(-span_s, 0.0, points)
            moments_s = (times_s[:, None] + spread_s).ravel()
            red, infrared = (x.reshape(-1, points).mean(axis=1) for x in self.body.light_na_per_ma(moments_s))
        if self.swapped_leds:
            red, infrared = infrared, red
        out: NDArray[np.uint8] = np.empty((len(times_s), self._width // 3, 3), dtype=np.uint8)
        for column, led in enumerate(self._lit()):
            counts = self._counts(red if led == 1 else infrared, led, averaged, first, column)
            out[:, column, :] = counts.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
        return out.tobytes()

    def _counts(self, na_per_ma: Floats, led: int, averaged: int, first: int, column: int) -> NDArray[np.int64]:
        setting = self._registers[0x0A]
        current_na = na_per_ma * (self._registers[0x0B + led] * _LED_MA_PER_STEP)
        floor_na = _FLOOR_NOISE_NA * math.sqrt(411 / _PULSE_US[setting & 0x03])
        sigma_na = np.hypot(_SIGNAL_NOISE * current_na, floor_na) / math.sqrt(averaged)
        current_na = current_na + sigma_na * self._noise.at(first, len(current_na), column)
        counts = np.rint(current_na * (2**18 / _RANGE_NA[setting >> 5 & 0x03])).astype(np.int64)
        counts = np.clip(counts, 0, 0x3FFFF)
        # Left-justified: a shorter pulse leaves the low bits 0; the clipped value is shown whole.
        unused = 3 - (setting & 0x03)
        return np.where(counts == 0x3FFFF, counts, counts >> unused << unused)
