"""A bus that answers from a table and writes down what it was told: for checking single transfers byte by byte."""

from collections.abc import Callable

from somnisphere_hardware.bus import Bus, BusError, BusTraffic

Answer = bytes | BusError


class ScriptedBus(Bus):
    """``answers``: (address, register) -> bytes (cut to the length asked), a BusError to raise, or a list of such,
    used up one by one. What is not in the table is an address nobody answers at."""

    def __init__(self, answers: dict[tuple[int, int], Answer | list[Answer]] | None = None) -> None:
        self.number = 1
        self.traffic = BusTraffic()
        self.answers = answers or {}
        self.written: list[tuple[int, ...]] = []
        self.read_lengths: list[tuple[int, int, int]] = []

    def read(self, address: int, register: int, length: int) -> bytes:
        self.traffic.transactions += 1
        self.read_lengths.append((address, register, length))
        answer = self.answers.get((address, register))
        if isinstance(answer, list):
            answer = answer.pop(0)
        if answer is None:
            raise BusError(121, "no chip answers", address, register)
        if isinstance(answer, BusError):
            raise answer
        return answer[:length]

    def write(self, address: int, register: int, *values: int) -> None:
        self.traffic.transactions += 1
        self.written.append((address, register, *values))

    def close(self) -> None:
        pass


def opener(bus: Bus) -> Callable[[], Bus]:
    return lambda: bus
