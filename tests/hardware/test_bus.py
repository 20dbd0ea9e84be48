"""The bus: what goes over the wire through the real smbus2, what is counted, and what errors say."""

import errno

import pytest

from somnisphere_hardware.bus import Bus, BusError
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.faults import CutRead, Forbidden, NoNode, nack, timed_out, try_again


class Memory:
    """The simplest chip: 256 bytes, an address that advances."""

    address = 0x40

    def __init__(self) -> None:
        self.cells = bytearray(range(256))
        self._at = 0

    def power_on(self, at_s: float) -> None:
        pass

    def advance(self, at_s: float) -> None:
        pass

    def write(self, payload: bytes) -> None:
        self._at, values = payload[0], payload[1:]
        self.cells[self._at : self._at + len(values)] = values

    def read(self, length: int) -> bytes:
        return bytes(self.cells[self._at : self._at + length])


def simulated() -> SimulatedBus:
    sim = SimulatedBus(number=1)
    sim.attach(Memory())
    return sim


def test_reads_and_writes_are_single_transfers_counted_in_wire_bytes() -> None:
    sim = simulated()
    with sim.installed():
        bus = Bus.open(1)
        assert bus.read(0x40, 0x10, 7) == bytes(range(0x10, 0x17))
        assert (bus.traffic.transactions, bus.traffic.bytes) == (1, 10)
        bus.write(0x40, 0x20, 9, 8)
        assert (bus.traffic.transactions, bus.traffic.bytes) == (2, 14)
        assert bus.read(0x40, 0x20, 3) == bytes([9, 8, 0x22])
        assert (sim.transactions, sim.wire_bytes) == (bus.traffic.transactions, bus.traffic.bytes)
        bus.close()


def test_bursts_beyond_the_32_bytes_of_smbus() -> None:
    with simulated().installed():
        bus = Bus.open(1)
        assert bus.read(0x40, 0, 192) == bytes(range(192))
        bus.close()


def test_answers_do_not_share_memory() -> None:
    """Messages are reused from call to call; what was returned must not change under the caller."""
    with simulated().installed():
        bus = Bus.open(1)
        first = bus.read(0x40, 0x10, 4)
        second = bus.read(0x40, 0x30, 4)
        assert (first, second) == (bytes(range(0x10, 0x14)), bytes(range(0x30, 0x34)))
        bus.close()


def test_every_read_is_one_pair_so_it_runs_on_every_pi() -> None:
    """Two reads in one transfer are EOPNOTSUPP on a Pi Zero to 4; the simulated adapter refuses them likewise."""
    sim = SimulatedBus(number=1, several_reads=False)
    sim.attach(Memory())
    with sim.installed():
        bus = Bus.open(1)
        for length in (1, 6, 33, 192):
            bus.read(0x40, 0, length)
        assert bus.traffic.errors == 0
        bus.close()


@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        (nack(), "EREMOTEIO", "no chip answers"),
        (timed_out(), "ETIMEDOUT", "the bus is stuck"),
        (try_again(), "EAGAIN", "the bus was taken"),
        (CutRead(0x40), "EIO", "broke off"),
    ],
)
def test_errors_say_where_and_how_to_mend(fault: CutRead, name: str, words: str) -> None:
    sim = simulated()
    sim.add_fault(fault)
    with sim.installed():
        bus = Bus.open(1)
        with pytest.raises(BusError) as caught:
            bus.read(0x40, 0x12, 6)
        bus.close()
    error = caught.value
    assert (error.address, error.register, error.errno_name) == (0x40, 0x12, name)
    assert words in error.hint
    assert str(error).startswith("I2C 0x40 register 0x12: ")
    assert error.nobody_answered == (name == "EREMOTEIO")
    assert error.bus_is_stuck == (name == "ETIMEDOUT")
    assert bus.traffic.errors == 1


def test_writes_fail_in_words_too() -> None:
    sim = simulated()
    with sim.installed():
        bus = Bus.open(1)
        with pytest.raises(BusError, match=r"0x41 register 0x09: no chip answers.*EREMOTEIO"):
            bus.write(0x41, 0x09, 0x40)
        bus.close()


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [(NoNode(), errno.ENOENT, "raspi-config nonint do_i2c 0"), (Forbidden(), errno.EACCES, "usermod -aG i2c")],
)
def test_a_bus_that_cannot_be_opened_says_how_to_mend_it(fault: NoNode | Forbidden, code: int, words: str) -> None:
    sim = simulated()
    sim.add_fault(fault)
    with sim.installed(), pytest.raises(BusError) as caught:
        Bus.open(1)
    assert caught.value.code == code
    assert "/dev/i2c-1" in str(caught.value)
    assert words in caught.value.hint


def test_a_closed_adapter_is_gone() -> None:
    assert BusError(errno.ENODEV, "x").adapter_is_gone
    assert BusError(errno.EBADF, "x").adapter_is_gone
    assert not BusError(errno.EIO, "x").adapter_is_gone
    assert BusError(99999, "x").errno_name == "99999"


def test_no_kernel_driver_where_there_is_no_bus() -> None:
    with simulated().installed():
        bus = Bus.open(1)
        assert bus.kernel_driver(0x7E) == ""
        bus.close()
