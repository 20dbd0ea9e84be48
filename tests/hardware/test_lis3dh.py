"""The LIS3DH driver byte by byte."""

import numpy as np
import pytest
from tests.hardware.scripted_bus import ScriptedBus

from somnisphere_hardware.chip import ChipError, LostSettingsError, MisreadError
from somnisphere_hardware.lis3dh import Lis3dh, decode

AT = 0x18
SETTINGS = bytes([0x37, 0x00, 0x00, 0x88, 0x40])


def test_bytes_become_g() -> None:
    # 1000 mg and -1000 mg, 12 bits left-justified, little-endian; noise in the unused low bits does not count.
    data = bytes([0x80, 0x3E, 0x8F, 0x3E, 0x80, 0xC1])
    np.testing.assert_allclose(decode(data), [[1.0, 1.0, -1.0]])


@pytest.mark.parametrize(("rate_hz", "first"), [(10.0, 0x27), (25.0, 0x37), (50.0, 0x47)])
def test_start_writes_what_the_datasheet_asks(rate_hz: float, first: int) -> None:
    settings = bytes([first, 0x00, 0x00, 0x88, 0x40])
    bus = ScriptedBus({(AT, 0xA0): settings, (AT, 0x2E): b"\x80"})
    Lis3dh(AT, rate_hz).start(bus)
    assert bus.written == [(AT, 0xA0, *settings), (AT, 0x2E, 0x00), (AT, 0x2E, 0x80)]


def test_a_poll_is_two_transfers_and_the_burst_sets_bit_7() -> None:
    bus = ScriptedBus({(AT, 0x2F): b"\x02", (AT, 0xA8): bytes([0x80, 0x3E, 0, 0, 0, 0] * 2)})
    fetched = Lis3dh(AT, 25.0).fetch(bus, 2.0)
    assert bus.read_lengths == [(AT, 0x2F, 1), (AT, 0xA8, 12)]
    np.testing.assert_allclose(fetched.values, [[1, 0, 0], [1, 0, 0]])
    assert not fetched.lost_before


def test_an_empty_fifo_is_not_read() -> None:
    bus = ScriptedBus({(AT, 0x2F): b"\x20"})
    assert len(Lis3dh(AT, 25.0).fetch(bus, 1.0).values) == 0
    assert bus.read_lengths == [(AT, 0x2F, 1)]


def test_an_overrun_brings_the_newest_32_after_a_gap() -> None:
    bus = ScriptedBus({(AT, 0x2F): b"\xdf", (AT, 0xA8): bytes([0, 0, 0, 0, 0, 0x40] * 32)})
    fetched = Lis3dh(AT, 25.0).fetch(bus, 60.0)
    assert len(fetched.values) == 32
    assert fetched.lost_before


def test_ff_is_a_bus_fault() -> None:
    with pytest.raises(MisreadError):
        Lis3dh(AT, 25.0).fetch(ScriptedBus({(AT, 0x2F): b"\xff"}), 25.0)
    with pytest.raises(MisreadError):
        Lis3dh(AT, 25.0).fetch(ScriptedBus({(AT, 0x2F): b"\x01", (AT, 0xA8): b"\xff" * 6}), 25.0)


def test_lost_settings_are_noticed() -> None:
    chip = Lis3dh(AT, 25.0)
    chip.verify(ScriptedBus({(AT, 0xA0): SETTINGS, (AT, 0x2E): b"\x80"}))
    with pytest.raises(LostSettingsError, match="rate=0"):
        chip.verify(ScriptedBus({(AT, 0xA0): b"\x07\0\0\0\0", (AT, 0x2E): b"\x80"}))
    with pytest.raises(LostSettingsError, match="mode=bypass"):
        chip.verify(ScriptedBus({(AT, 0xA0): SETTINGS, (AT, 0x2E): b"\x00"}))
    with pytest.raises(MisreadError):
        chip.verify(ScriptedBus({(AT, 0xA0): b"\xff" * 5}))
    with pytest.raises(ChipError, match="does not keep"):
        chip.start(ScriptedBus({(AT, 0xA0): b"\x07\0\0\0\0", (AT, 0x2E): b"\x80"}))


def test_reset_and_sleep_are_power_down() -> None:
    bus = ScriptedBus()
    chip = Lis3dh(AT, 25.0)
    chip.reset(bus)
    assert chip.is_reset(bus)
    chip.sleep(bus)
    assert bus.written == [(AT, 0x20, 0x07), (AT, 0x20, 0x07)]
