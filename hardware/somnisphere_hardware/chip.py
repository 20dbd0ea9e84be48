"""What every sensor chip can do for the stream that owns it, and how it says that its bytes cannot be data."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from somnisphere_hardware.bus import Bus


class ChipError(Exception):
    """A chip that answers, but not as it should. The text is a sentence for a person."""


class LostSettingsError(ChipError):
    """The chip started anew behind our back (brown-out, another program): configure it again, mark a gap."""


class MisreadError(ChipError):
    """Bytes that cannot be samples: empty the FIFO before reading on, mark a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """What was waiting in a chip's FIFO, oldest first. ``values``: shape (n, channels), in the chip's own unit.

    ``lost_before`` / ``lost_after``: the FIFO was full and the chip threw away samples before / after these.
    """

    values: NDArray[Any]
    lost_before: bool = False
    lost_after: bool = False


NOTHING = Fetched(np.empty((0, 0)))


class Chip(Protocol):
    """A driver. No call waits; every call may raise BusError or ChipError."""

    name: str
    address: int
    rate_hz: float
    """Nominal rate of samples out of the FIFO."""
    poll_s: float
    """How often to read, so that the FIFO stays well below full though the chip's clock be off by 5 %."""
    reset_wait_s: float

    def reset(self, bus: Bus) -> None:
        """Begins a reset; ask ``is_reset`` after ``reset_wait_s``."""

    def is_reset(self, bus: Bus) -> bool: ...

    def start(self, bus: Bus) -> None:
        """Configures, reads back, empties the FIFO, begins to sample."""

    def clear(self, bus: Bus) -> None:
        """Empties the FIFO; sampling goes on."""

    def fetch(self, bus: Bus, expected: float) -> Fetched:
        """All whole samples that wait. ``expected``: how many there should be, by the clock."""

    def verify(self, bus: Bus) -> None:
        """Raises LostSettingsError if the settings are no longer ours."""

    def sleep(self, bus: Bus) -> None:
        """Least power: no light, no sampling."""


ALL_FF = "reads 0xFF everywhere: a wire of the bus is loose or shorted."


def all_ff(data: bytes) -> bool:
    """True for a burst of nothing but 0xFF, which is what a bus with no chip driving it reads."""
    return data[0] == 0xFF and data.count(0xFF) == len(data)


def ends_lifeless(data: bytes) -> bool:
    """True for a burst whose last sample is six times the same byte, as a FIFO gives that a brown-out emptied between
    the asking how much waits and the reading of it. A dark sensor may look so too: ask the chip for its settings."""
    return data.count(data[-1], len(data) - 6) == 6
