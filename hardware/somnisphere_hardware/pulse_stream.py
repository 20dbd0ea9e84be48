"""The pulse sensor as a stream: counts into blocks, each with the LED currents that were in force."""

from somnisphere_hardware.bus import Bus
from somnisphere_hardware.chip import Chip, Fetched
from somnisphere_hardware.gain import LedControl
from somnisphere_hardware.max30102 import Max30102
from somnisphere_hardware.rate import Placed
from somnisphere_hardware.samples import Part, PulseBlock, Sample
from somnisphere_hardware.stream import Stream


class PulseStream(Stream):
    part: Part = "pulse"

    def __init__(self, rate_hz: float, leds: LedControl, swap_leds: bool) -> None:
        super().__init__()
        self._rate_hz = rate_hz
        self._leds = leds
        self._swap = swap_leds
        self._in_force = (leds.red_ma, leds.ir_ma)
        self._before = self._in_force
        self._waiting = 0  # samples in the FIFO that were still taken with the currents before

    def _driver(self, chip_id: int, address: int) -> Chip:  # noqa: ARG002
        return Max30102(self._rate_hz, *self._in_chip_order())

    def _in_chip_order(self) -> tuple[float, float]:
        """Currents of (LED1, LED2)."""
        leds = self._leds
        return (leds.ir_ma, leds.red_ma) if self._swap else (leds.red_ma, leds.ir_ma)

    def _blocks(self, placed: Placed, fetched: Fetched) -> list[Sample]:
        channels = fetched.values.T.copy()
        red, ir = (channels[1], channels[0]) if self._swap else (channels[0], channels[1])
        old, self._waiting = min(self._waiting, len(red)), 0
        if old == 0:
            return [PulseBlock(placed.start_s, placed.rate_hz, red, ir, *self._in_force, placed.gap)]
        blocks: list[Sample] = [
            PulseBlock(placed.start_s, placed.rate_hz, red[:old], ir[:old], *self._before, placed.gap)
        ]
        if old < len(red):
            start_s = placed.start_s + old / placed.rate_hz
            blocks.append(PulseBlock(start_s, placed.rate_hz, red[old:], ir[old:], *self._in_force))
        return blocks

    def _after(self, bus: Bus, at_s: float, fetched: Fetched) -> None:
        values = fetched.values
        first, second = values.sum(axis=0).tolist()
        red, ir = (second, first) if self._swap else (first, second)
        count = len(values)
        if self._leds.watch(at_s, red / count, ir / count):
            chip = self._chip
            assert isinstance(chip, Max30102)
            self._before = self._in_force
            self._in_force = (self._leds.red_ma, self._leds.ir_ma)
            self._waiting = chip.set_leds(bus, *self._in_chip_order())

    def _forget(self) -> None:
        self._waiting = 0
