"""The simulated bus under the real smbus2: what its system calls do, and each fault it can have."""

import errno
from collections.abc import Iterator

import pytest
from smbus2 import SMBus, i2c_msg

from somnisphere_hardware.simulated import faults
from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050

PPG = 0x57


@pytest.fixture
def bus() -> Iterator[SimulatedBus]:
    bus = SimulatedBus(1)
    bus.attach(SimulatedMax30102(Phantom()))
    with bus.installed():
        yield bus


@pytest.fixture
def smbus(bus: SimulatedBus) -> Iterator[SMBus]:  # noqa: ARG001  (the bus must be installed)
    with SMBus(1) as smbus:
        yield smbus


def read(smbus: SMBus, register: int, count: int, address: int = PPG) -> bytes:
    answer = i2c_msg.read(address, count)
    smbus.i2c_rdwr(i2c_msg.write(address, [register]), answer)
    return bytes(answer)


def failing(smbus: SMBus, register: int = 0xFF, count: int = 1) -> int | None:
    with pytest.raises(OSError) as caught:  # noqa: PT011  (the caller checks the number)
        read(smbus, register, count)
    return caught.value.errno


def test_every_way_to_read_and_write_a_register(bus: SimulatedBus, smbus: SMBus) -> None:
    assert smbus.read_byte_data(PPG, 0xFF) == 0x15
    assert read(smbus, 0xFE, 2) == b"\x03\x15"
    smbus.write_byte_data(PPG, 0x0C, 0x21)
    smbus.write_i2c_block_data(PPG, 0x0D, [0x22])
    assert smbus.read_i2c_block_data(PPG, 0x0C, 2) == [0x21, 0x22]
    assert smbus.read_word_data(PPG, 0x0C) == 0x2221
    smbus.write_word_data(PPG, 0x0C, 0x4443)
    assert smbus.read_i2c_block_data(PPG, 0x0C, 2) == [0x43, 0x44]
    smbus.write_byte(PPG, 0x0D)
    assert smbus.read_byte(PPG) == 0x44
    smbus.write_quick(PPG)
    lone = i2c_msg.read(PPG, 1)
    smbus.i2c_rdwr(i2c_msg.write(PPG, [0x0C]))
    smbus.i2c_rdwr(lone)
    assert bytes(lone) == b"\x43"
    assert bus.transactions == 13


def test_wire_bytes_count_addresses_and_data(bus: SimulatedBus, smbus: SMBus) -> None:
    read(smbus, 0x04, 3)  # address, register; address, three bytes
    assert (bus.transactions, bus.wire_bytes) == (1, 6)
    smbus.write_byte_data(PPG, 0x0C, 1)
    assert (bus.transactions, bus.wire_bytes) == (2, 9)


def test_time_passes_with_each_transfer_and_by_waiting(bus: SimulatedBus, smbus: SMBus) -> None:
    bus.now_s = 100.0
    read(smbus, 0x04, 3)
    assert bus.now_s == pytest.approx(100.0 + 6 * 9 / 400_000 + 60e-6)
    bus.wait(0.5)
    assert bus.now_s == pytest.approx(100.5 + 6 * 9 / 400_000 + 60e-6)


def test_smbus2_is_itself_again_afterwards() -> None:
    import fcntl
    import os

    import smbus2.smbus2 as module

    bus = SimulatedBus(7)
    with bus.installed():
        assert vars(module)["os"] is not os
    assert vars(module)["os"] is os
    assert vars(module)["ioctl"] is fcntl.ioctl


def test_several_buses_at_once() -> None:
    one, three = SimulatedBus(1), SimulatedBus(3)
    one.attach(SimulatedMax30102(Phantom(), part_id=0x15))
    three.attach(SimulatedMax30102(Phantom(), part_id=0x11))
    with one.installed(), three.installed():
        with SMBus(1) as first, SMBus(3) as third:
            assert (first.read_byte_data(PPG, 0xFF), third.read_byte_data(PPG, 0xFF)) == (0x15, 0x11)
        with pytest.raises(ValueError, match="already installed"), SimulatedBus(3).installed():
            pass
        with pytest.raises(FileNotFoundError):
            SMBus(4242)


def test_a_closed_bus_is_closed(bus: SimulatedBus) -> None:
    smbus = SMBus(bus.number)
    fd = smbus.fd
    smbus.close()
    smbus.fd = fd
    with pytest.raises(OSError) as caught:  # noqa: PT011
        smbus.read_byte_data(PPG, 0xFF)
    assert caught.value.errno == errno.EBADF
    smbus.fd = None


def test_two_chips_cannot_share_an_address(bus: SimulatedBus) -> None:
    with pytest.raises(ValueError, match="0x57"):
        bus.attach(SimulatedMax30102(Phantom()))


def test_nobody_at_an_address_is_not_acknowledged(bus: SimulatedBus, smbus: SMBus) -> None:
    with pytest.raises(OSError, match="121"):
        smbus.read_byte_data(0x18, 0x0F)
    bus.detach(PPG)
    assert failing(smbus) == errno.EREMOTEIO


def test_a_pi_allows_one_read_as_the_last_message(bus: SimulatedBus, smbus: SMBus) -> None:
    def messages() -> list[i2c_msg]:
        return [i2c_msg.write(PPG, [0xFE]), i2c_msg.read(PPG, 1), i2c_msg.write(PPG, [0xFF]), i2c_msg.read(PPG, 1)]

    with pytest.raises(OSError) as caught:  # noqa: PT011
        smbus.i2c_rdwr(*messages())
    assert caught.value.errno == errno.EOPNOTSUPP
    with pytest.raises(OSError) as caught:  # noqa: PT011
        smbus.i2c_rdwr(i2c_msg.read(PPG, 1), i2c_msg.write(PPG, [0xFF]))
    assert caught.value.errno == errno.EOPNOTSUPP
    assert bus.transactions == 0

    bus.several_reads = True  # a Pi 5
    sent = messages()
    smbus.i2c_rdwr(*sent)
    assert [bytes(sent[1]), bytes(sent[3])] == [b"\x03", b"\x15"]
    assert bus.transactions == 1


def test_two_writes_in_one_transfer(smbus: SMBus) -> None:
    smbus.i2c_rdwr(i2c_msg.write(PPG, [0x0C, 5]), i2c_msg.write(PPG, [0x0D, 6]))
    assert read(smbus, 0x0C, 2) == b"\x05\x06"


def test_a_block_longer_than_32_bytes_is_the_real_smbus2_error(smbus: SMBus) -> None:
    with pytest.raises(ValueError, match="32"):
        smbus.read_i2c_block_data(PPG, 0x07, 36)


def test_a_block_read_that_asks_the_chip_for_its_length_is_not_supported(smbus: SMBus) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011
        smbus.read_block_data(PPG, 0x00)
    assert caught.value.errno == errno.EOPNOTSUPP


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        (faults.nack(PPG, 10.0, 20.0), errno.EREMOTEIO),
        (faults.nack(None, 10.0, 20.0), errno.EREMOTEIO),
        (faults.timed_out(PPG, 10.0, 20.0), errno.ETIMEDOUT),
        (faults.try_again(PPG, 10.0, 20.0), errno.EAGAIN),
        (faults.Refused(errno.EIO, PPG, 10.0, 20.0), errno.EIO),
        (faults.StuckBus(high=False, from_s=10.0, until_s=20.0), errno.ETIMEDOUT),
        (faults.DriverBound(PPG, 10.0, 20.0, transfers=True), errno.EBUSY),
        (faults.Unplugged(PPG, 10.0, 20.0), errno.EREMOTEIO),
        (faults.Unplugged(None, 10.0, 20.0), errno.EREMOTEIO),
    ],
)
def test_a_fault_lasts_for_its_span(bus: SimulatedBus, smbus: SMBus, fault: faults.Fault, number: int) -> None:
    bus.add_fault(fault)
    bus.now_s = 9.0
    assert read(smbus, 0xFF, 1) == b"\x15"
    bus.now_s = 10.0
    assert failing(smbus) == number
    bus.now_s = 20.0
    assert read(smbus, 0xFF, 1) == b"\x15"


def test_a_fault_of_one_address_leaves_the_others(bus: SimulatedBus, smbus: SMBus) -> None:
    bus.attach(SimulatedMpu6050(Phantom()))
    bus.add_fault(faults.nack(PPG))
    assert failing(smbus) == errno.EREMOTEIO
    assert smbus.read_byte_data(0x68, 0x75) == 0x68


def test_a_fault_strikes_as_often_as_it_says(bus: SimulatedBus, smbus: SMBus) -> None:
    bus.add_fault(faults.try_again(PPG, times=2))
    assert failing(smbus) == errno.EAGAIN
    assert failing(smbus) == errno.EAGAIN
    assert read(smbus, 0xFF, 1) == b"\x15"


def test_a_fault_by_chance_is_the_same_each_time() -> None:
    def struck() -> list[int]:
        bus = SimulatedBus(1, seed=4)
        bus.attach(SimulatedMax30102(Phantom()))
        bus.add_fault(faults.Refused(errno.EIO, PPG, chance=0.2))
        hits = []
        with bus.installed(), SMBus(1) as smbus:
            for attempt in range(200):
                try:
                    read(smbus, 0xFF, 1)
                except OSError:
                    hits.append(attempt)
        return hits

    first = struck()
    assert 20 < len(first) < 65
    assert struck() == first


def test_a_timeout_takes_a_second(bus: SimulatedBus, smbus: SMBus) -> None:
    bus.add_fault(faults.timed_out(PPG))
    failing(smbus)
    assert bus.now_s == pytest.approx(1.0, abs=0.01)


def test_a_bus_stuck_high_reads_all_ones_and_hears_nothing(bus: SimulatedBus, smbus: SMBus) -> None:
    bus.add_fault(faults.StuckBus(high=True, until_s=5.0))
    assert read(smbus, 0x04, 3) == b"\xff\xff\xff"
    smbus.write_byte_data(PPG, 0x0C, 9)
    bus.now_s = 5.0
    assert read(smbus, 0x0C, 1) == b"\x00"


def test_a_bound_driver_refuses_selecting_but_not_combined_transfers(bus: SimulatedBus, smbus: SMBus) -> None:
    """As mainline i2c-dev: only I2C_SLAVE looks at who owns the address."""
    bus.add_fault(faults.DriverBound(PPG))
    with pytest.raises(OSError) as caught:  # noqa: PT011
        smbus.read_byte_data(PPG, 0xFF)
    assert caught.value.errno == errno.EBUSY
    assert smbus.read_byte_data(PPG, 0xFF, force=True) == 0x15
    assert read(smbus, 0xFF, 1) == b"\x15"


def test_a_missing_or_forbidden_device_node(bus: SimulatedBus) -> None:
    bus.add_fault(faults.NoNode(until_s=5.0))
    with pytest.raises(FileNotFoundError, match="/dev/i2c-1"):
        SMBus(1)
    bus.now_s = 5.0
    bus.add_fault(faults.Forbidden(until_s=9.0))
    with pytest.raises(PermissionError, match="/dev/i2c-1"):
        SMBus(1)
    bus.clear_faults()
    SMBus(1).close()


def test_a_brown_out_resets_the_registers_and_leaves_its_witness(bus: SimulatedBus, smbus: SMBus) -> None:
    assert read(smbus, 0x00, 1) == b"\x01"
    smbus.write_byte_data(PPG, 0x0C, 9)
    assert read(smbus, 0x00, 1) == b"\x00"
    bus.add_fault(faults.BrownOut(PPG, 3.0))
    bus.now_s = 3.0
    assert read(smbus, 0x0C, 1) == b"\x00"
    assert read(smbus, 0x00, 1) == b"\x01"


def test_a_cable_that_comes_back_brings_a_chip_at_its_reset_values(bus: SimulatedBus, smbus: SMBus) -> None:
    smbus.write_byte_data(PPG, 0x0C, 9)
    bus.add_fault(faults.Unplugged(PPG, 1.0, 2.0))
    bus.now_s = 2.0  # nothing was read meanwhile
    assert read(smbus, 0x0C, 1) == b"\x00"


@pytest.mark.parametrize(("after", "lost"), [(None, 5), (0, 0), (7, 7), (99, 10)])
def test_a_cut_read_has_taken_its_bytes_from_the_chip(
    bus: SimulatedBus, smbus: SMBus, after: int | None, lost: int
) -> None:
    mpu = SimulatedMpu6050(Phantom())
    bus.attach(mpu)
    for value in range(20):
        smbus.write_byte_data(0x68, 0x74, value)  # bytes written to its FIFO come out again
    bus.add_fault(faults.CutRead(0x68, after_bytes=after, times=1))
    answer = i2c_msg.read(0x68, 10)
    with pytest.raises(OSError) as caught:  # noqa: PT011
        smbus.i2c_rdwr(i2c_msg.write(0x68, [0x74]), answer)
    assert caught.value.errno == errno.EIO
    assert bytes(answer) == bytes(10)
    assert read(smbus, 0x74, 1, 0x68) == bytes([lost])
