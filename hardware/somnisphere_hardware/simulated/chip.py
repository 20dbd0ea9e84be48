"""What the simulated bus asks of a simulated chip: bytes in, bytes out, and time."""

from typing import Protocol


class Chip(Protocol):
    """One device at a 7-bit address. The bus calls ``advance`` before each message, so a message sees one instant."""

    address: int

    def advance(self, now_s: float) -> None:
        """Let the chip's own life go on until ``now_s``; a time already past changes nothing."""

    def write(self, payload: bytes) -> None:
        """One write message: the register pointer, then bytes for it and what follows."""

    def read(self, count: int) -> bytes:
        """One read message of ``count`` bytes from where the pointer stands."""

    def power_on(self, at_s: float) -> None:
        """Supply returns: every register at its reset value, nothing sampled yet."""
