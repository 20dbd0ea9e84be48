"""All sensors of the bed behind one call: ``poll(at_s)`` returns what is new as timed blocks.

One timer serves both chips: the pulse sensor is read on every tick, the motion sensor on every second or fourth, in the
same wake-up. ``due_s`` says when the next tick is. A Bedside belongs to one thread: a transfer over a stuck bus blocks
for a second.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from somnisphere_hardware import max30102
from somnisphere_hardware.bus import Bus, BusError, BusTraffic
from somnisphere_hardware.chip import ChipError
from somnisphere_hardware.gain import LedControl
from somnisphere_hardware.motion_stream import RATES as MOTION_RATES
from somnisphere_hardware.motion_stream import MotionStream
from somnisphere_hardware.pulse_stream import PulseStream
from somnisphere_hardware.samples import Part, Sample
from somnisphere_hardware.stream import Stream

_EARLY_S = 0.01
"""A tick that comes this much early still counts."""
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_OFF_LOOK_S = 0.5
"""How often is looked whether sensing is wanted again."""


@dataclass(frozen=True, slots=True)
class BedsideSettings:
    """``swap_leds``: for boards whose red and infrared dies are exchanged (hardware/README.md tells which)."""

    pulse_rate_hz: float = 50.0
    motion_rate_hz: float = 25.0
    led_start_ma: float = 6.4
    led_cap_ma: float = 25.0
    swap_leds: bool = False

    def __post_init__(self) -> None:
        _check("pulse_rate_hz", self.pulse_rate_hz, tuple(max30102.RATES))
        _check("motion_rate_hz", self.motion_rate_hz, MOTION_RATES)
        LedControl(self.led_start_ma, self.led_cap_ma)


def _check(name: str, value: float, allowed: tuple[float, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} {value:g}: allowed are {', '.join(f'{rate:g}' for rate in allowed)}")


class Bedside:
    """Opens the bus when first polled, finds the chips, and keeps at it for as long as it is polled."""

    def __init__(self, open_bus: Callable[[], Bus], settings: BedsideSettings = BedsideSettings()) -> None:
        self._open_bus = open_bus
        self._bus: Bus | None = None
        self._traffic = BusTraffic()
        self._bus_due_s = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._tick_s = max30102.RATES[settings.pulse_rate_hz][2]
        leds = LedControl(settings.led_start_ma, settings.led_cap_ma)
        self._pulse = PulseStream(settings.pulse_rate_hz, leds, settings.swap_leds)
        self._motion = MotionStream(settings.motion_rate_hz)
        self._streams: tuple[Stream, ...] = (self._pulse, self._motion)
        self._is_off = False
        self.sensing = True
        """False: lights out, chips asleep, nothing read. Any thread may set it; the next poll obeys."""

    @property
    def due_s(self) -> float:
        """When ``poll`` wants to be called next; 0 means at once."""
        return self._bus_due_s if self._bus is None else min(self._pulse.due_s, self._motion.due_s)

    @property
    def traffic(self) -> BusTraffic:
        """Since the first poll, over all times the bus was opened."""
        now = BusTraffic() if self._bus is None else self._bus.traffic
        past = self._traffic
        return BusTraffic(past.transactions + now.transactions, past.bytes + now.bytes, past.errors + now.errors)

    @property
    def samples_lost(self) -> dict[Part, int]:
        """Samples that gaps cost, by part: what would have been taken between a gap's two sides."""
        return {stream.part: stream.samples_lost for stream in self._streams}

    def poll(self, at_s: float) -> list[Sample]:
        """What is new at ``at_s`` (monotonic seconds). Never raises for trouble in the world: that is a PartState."""
        if not self.sensing:
            return self._stay_off(at_s)
        self._is_off = False
        if self._bus is None:
            if at_s < self._bus_due_s - _EARLY_S:
                return []
            try:
                self._bus = self._open_bus()
            except BusError as error:
                self._bus_due_s = at_s + self._pause_s
                self._pause_s = min(2.0 * self._pause_s, _LONGEST_PAUSE_S)
                return [sample for stream in self._streams for sample in stream.bus_lost(at_s, error)]
            self._pause_s = _FIRST_PAUSE_S
            for stream in self._streams:
                stream.due_s = at_s
        samples: list[Sample] = []
        if self._pulse.due_s <= at_s + _EARLY_S:
            samples += self._step(self._pulse, at_s)
            if self._bus is None or self._pulse.bus_is_stuck:
                return samples  # that call took a second: ``at_s`` is the past
        # Half a tick of grace lets the motion sensor ride along on the pulse sensor's ticks.
        if self._motion.due_s <= at_s + 0.5 * self._tick_s:
            samples += self._step(self._motion, at_s)
        return samples

    def _stay_off(self, at_s: float) -> list[Sample]:
        self._bus_due_s = at_s + _OFF_LOOK_S
        if self._is_off:
            return []
        self._is_off = True
        self.close()
        return [sample for stream in self._streams for sample in stream.switched_off(at_s)]

    def rest(self) -> None:
        """LEDs off, chips asleep. May be called twice, after trouble, or before any poll; the next poll wakes them."""
        try:
            if self._bus is None:
                self._bus = self._open_bus()
        except BusError:
            return
        for stream in self._streams:
            with suppress(BusError, ChipError):
                stream.rest(self._bus)

    def close(self) -> None:
        """Puts the chips to rest and gives the bus back."""
        self.rest()
        self._close_bus()

    def _step(self, stream: Stream, at_s: float) -> list[Sample]:
        assert self._bus is not None
        samples = stream.step(self._bus, at_s)
        if stream.adapter_is_gone:
            self._close_bus()
            self._bus_due_s = at_s + self._pause_s
        return samples

    def _close_bus(self) -> None:
        if self._bus is not None:
            self._traffic = self.traffic
            self._bus.close()
            self._bus = None
