"""The ADXL345 driver byte by byte."""

import numpy as np
import pytest
from tests.hardware.scripted_bus import Answer, ScriptedBus

from somnisphere_hardware.adxl345 import Adxl345, decode
from somnisphere_hardware.chip import ChipError, LostSettingsError, MisreadError

AT = 0x53
#                  BW_RATE POWER enable map source format
SETTINGS = bytes([0x07, 0x08, 0x00, 0x00, 0x02, 0x08])


def burst(x: int, waiting: int, control: int = 0x80) -> bytes:
    return x.to_bytes(2, "little", signed=True) + bytes(4) + bytes([control, waiting])


def test_bytes_become_g() -> None:
    np.testing.assert_allclose(decode(bytes([0x00, 0x01, 0x00, 0xFF, 0xFF, 0xFF])), [[1.0, -1.0, -1 / 256]])


@pytest.mark.parametrize(("wished_hz", "rate_hz", "code"), [(10.0, 12.5, 7), (25.0, 12.5, 7), (50.0, 25.0, 8)])
def test_start_writes_what_the_datasheet_asks(wished_hz: float, rate_hz: float, code: int) -> None:
    bus = ScriptedBus({(AT, 0x2C): bytes([code]) + SETTINGS[1:]})
    chip = Adxl345(AT, wished_hz)
    chip.start(bus)
    assert chip.rate_hz == rate_hz
    assert bus.written == [
        (AT, 0x2C, code, 0, 0),
        (AT, 0x31, 0x08),
        (AT, 0x38, 0x00),
        (AT, 0x38, 0x80),
        (AT, 0x2D, 0x08),
    ]


def test_each_sample_is_one_burst_that_says_how_many_wait() -> None:
    answers: list[Answer] = [burst(256, 2), burst(512, 1), burst(-256, 0)]
    bus = ScriptedBus({(AT, 0x32): answers})
    fetched = Adxl345(AT, 25.0).fetch(bus, 3.0)
    np.testing.assert_allclose(fetched.values[:, 0], [1, 2, -1])
    assert bus.read_lengths == [(AT, 0x32, 8)] * 3
    assert not fetched.lost_before


def test_it_is_not_read_before_two_samples_are_due() -> None:
    bus = ScriptedBus()
    assert len(Adxl345(AT, 25.0).fetch(bus, 1.9).values) == 0
    assert bus.read_lengths == []


def test_a_single_sample_where_many_are_due_is_a_stale_one() -> None:
    assert len(Adxl345(AT, 25.0).fetch(ScriptedBus({(AT, 0x32): burst(256, 0)}), 12.0).values) == 0


def test_a_full_fifo_follows_a_gap() -> None:
    answers: list[Answer] = [burst(i, 31 - i) for i in range(32)]
    fetched = Adxl345(AT, 25.0).fetch(ScriptedBus({(AT, 0x32): answers}), 40.0)
    assert len(fetched.values) == 32
    assert fetched.lost_before


def test_never_more_reads_than_the_fifo_is_deep() -> None:
    bus = ScriptedBus({(AT, 0x32): burst(1, 5)})
    assert len(Adxl345(AT, 25.0).fetch(bus, 12.0).values) == 33


def test_faults_are_never_samples() -> None:
    chip = Adxl345(AT, 25.0)
    with pytest.raises(MisreadError):
        chip.fetch(ScriptedBus({(AT, 0x32): b"\xff" * 8}), 12.0)
    with pytest.raises(LostSettingsError, match="mode=bypass"):
        chip.fetch(ScriptedBus({(AT, 0x32): burst(0, 0, control=0)}), 12.0)


@pytest.mark.parametrize("index", [0, 1, 5])
def test_lost_settings_are_noticed(index: int) -> None:
    chip = Adxl345(AT, 25.0)
    chip.verify(ScriptedBus({(AT, 0x2C): SETTINGS}))
    wrong = bytearray(SETTINGS)
    wrong[index] ^= 0x08
    with pytest.raises(LostSettingsError):
        chip.verify(ScriptedBus({(AT, 0x2C): bytes(wrong)}))
    with pytest.raises(ChipError, match="does not keep"):
        chip.start(ScriptedBus({(AT, 0x2C): bytes(wrong)}))
    with pytest.raises(MisreadError):
        chip.verify(ScriptedBus({(AT, 0x2C): b"\xff" * 6}))


def test_reset_and_sleep_are_standby() -> None:
    bus = ScriptedBus()
    chip = Adxl345(AT, 25.0)
    chip.reset(bus)
    assert chip.is_reset(bus)
    chip.sleep(bus)
    assert bus.written == [(AT, 0x2D, 0), (AT, 0x2D, 0)]


def test_the_sample_left_over_from_before_a_clear_is_dropped() -> None:
    bus = ScriptedBus({(AT, 0x32): [burst(99, 2), burst(256, 1), burst(512, 0), burst(256, 1), burst(512, 0)]})
    chip = Adxl345(AT, 25.0)
    chip.clear(bus)
    np.testing.assert_allclose(chip.fetch(bus, 3.0).values[:, 0], [1, 2])
    np.testing.assert_allclose(chip.fetch(bus, 2.0).values[:, 0], [1, 2])
