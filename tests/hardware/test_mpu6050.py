"""The MPU-6050 driver byte by byte."""

import numpy as np
import pytest
from tests.hardware.scripted_bus import ScriptedBus

from somnisphere_hardware.chip import ChipError, LostSettingsError, MisreadError
from somnisphere_hardware.mpu6050 import Mpu6050, decode

AT = 0x68
RATES = bytes([39, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0x08])  # 0x19 to 0x23
POWER = b"\x40\x08\x07"  # 0x6A to 0x6C


def test_bytes_become_g() -> None:
    # +1 g, -1 g, +2 g less one step, each big-endian
    data = bytes([0x40, 0x00, 0xC0, 0x00, 0x7F, 0xFF])
    np.testing.assert_allclose(decode(data), [[1.0, -1.0, 32767 / 16384]])


@pytest.mark.parametrize(("rate_hz", "divider", "filter_code"), [(10.0, 99, 6), (25.0, 39, 5), (50.0, 19, 4)])
def test_start_writes_what_the_datasheet_asks(rate_hz: float, divider: int, filter_code: int) -> None:
    rates = bytes([divider, filter_code, 0, 0, 0, 0, 0, 0, 0, 0, 0x08])
    bus = ScriptedBus({(AT, 0x19): rates, (AT, 0x6A): POWER})
    Mpu6050(AT, 0x68, rate_hz).start(bus)
    assert bus.written == [
        (AT, 0x6B, 0x08, 0x07),
        (AT, 0x19, divider, filter_code, 0x00, 0x00),
        (AT, 0x23, 0x08),
        (AT, 0x6A, 0x04),
        (AT, 0x6A, 0x40),
    ]


@pytest.mark.parametrize("who_am_i", [0x70, 0x71, 0x73, 0x98])
def test_clones_with_a_filter_of_their_own_get_it_set(who_am_i: int) -> None:
    bus = ScriptedBus({(0x69, 0x19): RATES, (0x69, 0x6A): POWER})
    Mpu6050(0x69, who_am_i, 25.0).start(bus)
    assert (0x69, 0x1D, 0x05) in bus.written


def test_settings_that_do_not_stick_are_told() -> None:
    with pytest.raises(ChipError, match=r"does not keep its settings.*dlpf=0"):
        Mpu6050(AT, 0x68, 25.0).start(ScriptedBus({(AT, 0x19): bytes([39]) + bytes(10), (AT, 0x6A): POWER}))


def test_a_poll_is_two_transfers() -> None:
    bus = ScriptedBus({(AT, 0x72): b"\x00\x0c", (AT, 0x74): bytes([0x40, 0, 0, 0, 0, 0] * 2)})
    fetched = Mpu6050(AT, 0x68, 25.0).fetch(bus, 2.0)
    assert bus.read_lengths == [(AT, 0x72, 2), (AT, 0x74, 12)]
    np.testing.assert_allclose(fetched.values, [[1, 0, 0], [1, 0, 0]])


def test_an_empty_fifo_is_not_read() -> None:
    bus = ScriptedBus({(AT, 0x72): b"\x00\x00"})
    assert len(Mpu6050(AT, 0x68, 25.0).fetch(bus, 1.0).values) == 0
    assert bus.read_lengths == [(AT, 0x72, 2)]


@pytest.mark.parametrize(
    ("who_am_i", "count"),
    [(0x68, 1024), (0x68, 1012), (0x68, 1), (0x68, 151), (0x70, 498), (0x98, 504), (0x68, 0xFFFF)],
)
def test_a_broken_or_nearly_full_fifo_is_never_read(who_am_i: int, count: int) -> None:
    bus = ScriptedBus({(AT, 0x72): count.to_bytes(2, "big")})
    with pytest.raises(MisreadError):
        Mpu6050(AT, who_am_i, 25.0).fetch(bus, 25.0)


def test_half_a_clones_fifo_fits_the_genuine_part() -> None:
    bus = ScriptedBus({(AT, 0x72): (510).to_bytes(2, "big"), (AT, 0x74): bytes([0, 0, 0, 0, 0x40, 0] * 85)})
    assert len(Mpu6050(AT, 0x68, 25.0).fetch(bus, 85.0).values) == 85


def test_a_chip_that_fell_asleep_is_noticed() -> None:
    chip = Mpu6050(AT, 0x68, 25.0)
    chip.verify(ScriptedBus({(AT, 0x19): RATES, (AT, 0x6A): POWER}))
    with pytest.raises(LostSettingsError, match="sleep=1"):
        chip.verify(ScriptedBus({(AT, 0x19): bytes(11), (AT, 0x6A): b"\x00\x40\x00"}))
    with pytest.raises(MisreadError):
        chip.verify(ScriptedBus({(AT, 0x19): RATES, (AT, 0x6A): b"\xff\xff\xff"}))


@pytest.mark.parametrize("index", [0, 1, 2, 3, 10])
def test_any_setting_that_changed_is_noticed(index: int) -> None:
    wrong = bytearray(RATES)
    wrong[index] ^= 0x18
    with pytest.raises(LostSettingsError):
        Mpu6050(AT, 0x68, 25.0).verify(ScriptedBus({(AT, 0x19): bytes(wrong), (AT, 0x6A): POWER}))


def test_reset_and_sleep() -> None:
    bus = ScriptedBus({(AT, 0x6B): [b"\xc0", b"\x40", b"\xff"]})
    chip = Mpu6050(AT, 0x68, 25.0)
    chip.reset(bus)
    assert not chip.is_reset(bus)
    assert chip.is_reset(bus)
    with pytest.raises(MisreadError):
        chip.is_reset(bus)
    chip.sleep(bus)
    assert bus.written == [(AT, 0x6B, 0x80), (AT, 0x6B, 0x40)]
