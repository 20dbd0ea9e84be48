"""Faults of a real bus, to be put on the simulated one, each for a span of time.

Error numbers are what Linux adapter drivers return (i2c-bcm2835: 121 for a missing acknowledge, 110 after its time-out
of a second; 5 and 11 from others). ``times``: how often the fault strikes before it is over. ``chance``: of striking a
transfer.
"""

import errno
import math
from dataclasses import dataclass

ALWAYS = math.inf


@dataclass(slots=True)
class Refused:
    """A transfer fails before any byte reaches the chip. ``address`` None: at every address."""

    errno: int
    address: int | None = None
    from_s: float = 0.0
    until_s: float = ALWAYS
    times: float = ALWAYS
    chance: float = 1.0
    takes_s: float = 0.0


def nack(address: int | None = None, from_s: float = 0.0, until_s: float = ALWAYS, times: float = ALWAYS) -> Refused:
    """Nobody acknowledges: a chip missing, unpowered or busy."""
    return Refused(errno.EREMOTEIO, address, from_s, until_s, times)


def timed_out(
    address: int | None = None, from_s: float = 0.0, until_s: float = ALWAYS, times: float = ALWAYS
) -> Refused:
    """The adapter gives up after a second."""
    return Refused(errno.ETIMEDOUT, address, from_s, until_s, times, takes_s=1.0)


def try_again(address: int | None = None, from_s: float = 0.0, until_s: float = ALWAYS, times: float = 1) -> Refused:
    """Arbitration lost (seen on a Pi 5)."""
    return Refused(errno.EAGAIN, address, from_s, until_s, times)


@dataclass(slots=True)
class CutRead:
    """A read of at least ``least_bytes`` dies after ``after_bytes`` (None: half of them): the chip has given those
    bytes away and keeps its place in the sample; the caller gets only the error."""

    address: int
    after_bytes: int | None = None
    from_s: float = 0.0
    until_s: float = ALWAYS
    times: float = ALWAYS
    chance: float = 1.0
    least_bytes: int = 2
    errno: int = errno.EIO


@dataclass(slots=True)
class StuckBus:
    """SDA held by a bad cable or chip: high, every read is 0xFF and writes go nowhere; low, each transfer times out."""

    high: bool = True
    from_s: float = 0.0
    until_s: float = ALWAYS


@dataclass(slots=True)
class DriverBound:
    """A kernel driver owns the address: selecting it (``I2C_SLAVE``) is EBUSY. With ``transfers`` so is a combined
    transfer; mainline Linux does not look at ownership there, so the default lets it through."""

    address: int
    from_s: float = 0.0
    until_s: float = ALWAYS
    transfers: bool = False


@dataclass(slots=True)
class NoNode:
    """``/dev/i2c-N`` does not exist: I2C is not switched on."""

    from_s: float = 0.0
    until_s: float = ALWAYS


@dataclass(slots=True)
class Forbidden:
    """``/dev/i2c-N`` may not be opened by this user."""

    from_s: float = 0.0
    until_s: float = ALWAYS


@dataclass(slots=True)
class BrownOut:
    """The supply of one chip dips for an instant: it starts again at its reset values, still answering."""

    address: int
    at_s: float


@dataclass(slots=True)
class Unplugged:
    """The cable of one chip (``address`` None: of all) is off for a while; on its return the chip powers up."""

    address: int | None
    from_s: float
    until_s: float = ALWAYS


LastingFault = Refused | CutRead | StuckBus | DriverBound | NoNode | Forbidden
Fault = LastingFault | BrownOut | Unplugged
