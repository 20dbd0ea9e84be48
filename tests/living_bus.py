"""Simulated chips on a bus whose time is the machine's: for tests of what runs in real time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.lis3dh import SimulatedLis3dh
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102


class LivingBus(SimulatedBus):
    """Its time passes by itself."""

    @property
    def now_s(self) -> float:
        return time.monotonic()

    @now_s.setter
    def now_s(self, at_s: float) -> None:
        pass


@contextmanager
def living_chips(number: int) -> Iterator[LivingBus]:
    """A pulse sensor and a motion sensor at ``/dev/i2c-<number>``, with somebody on them who never changes."""
    bus, body = LivingBus(number), Phantom()
    bus.attach(SimulatedMax30102(body))
    bus.attach(SimulatedLis3dh(body))
    with bus.installed():
        yield bus
