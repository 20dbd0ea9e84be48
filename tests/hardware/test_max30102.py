"""The MAX30102 driver byte by byte, against a bus that answers from a table."""

import numpy as np
import pytest
from tests.hardware.scripted_bus import ScriptedBus

from somnisphere_hardware.chip import ChipError, LostSettingsError, MisreadError
from somnisphere_hardware.max30102 import Max30102, decode, led_code

AT = 0x57


def head(write: int, lost: int, read: int, status: int = 0x40) -> bytes:
    return bytes([status, 0, 0x80, 0, write, lost, read])


def test_bytes_become_counts() -> None:
    # 0x03FFFF = full scale, 0x000001, then unused high bits set: they must not count.
    counts = decode(bytes([0x03, 0xFF, 0xFF, 0x00, 0x00, 0x01, 0xFD, 0x02, 0x03, 0x02, 0x00, 0x00]))
    np.testing.assert_array_equal(counts, [[0x3FFFF, 1], [0x10203, 0x20000]])
    assert counts.dtype == np.int32


@pytest.mark.parametrize(("current_ma", "code"), [(0.0, 0), (0.2, 1), (6.4, 0x20), (25.4, 0x7F), (51.0, 0xFF)])
def test_led_current_codes(current_ma: float, code: int) -> None:
    assert led_code(current_ma) == code


@pytest.mark.parametrize("current_ma", [-0.1, 51.1])
def test_led_current_out_of_range_is_refused(current_ma: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        led_code(current_ma)


@pytest.mark.parametrize(
    ("rate_hz", "settings"),
    [
        (25.0, (0x20, 0x03, 0x23)),  # 50/s averaged in pairs
        (50.0, (0x00, 0x03, 0x23)),
        (100.0, (0x00, 0x03, 0x27)),
    ],
)
def test_start_writes_what_the_datasheet_asks(rate_hz: float, settings: tuple[int, int, int]) -> None:
    bus = ScriptedBus({(AT, 0x00): b"\x01\x00", (AT, 0x08): bytes([*settings, 0, 0x20, 0x10])})
    Max30102(rate_hz, 6.4, 3.2).start(bus)
    assert bus.written == [
        (AT, 0x02, 0x80, 0x00),
        (AT, 0x0C, 0x20, 0x10),
        (AT, 0x08, *settings),
        (AT, 0x04, 0, 0, 0),
    ]


def test_a_rate_the_chip_replaced_is_noticed() -> None:
    bus = ScriptedBus({(AT, 0x00): b"\x01\x00", (AT, 0x08): bytes([0x00, 0x03, 0x2F, 0, 0x20, 0x20])})
    with pytest.raises(ChipError, match=r"does not keep its settings.*rate=400/s"):
        Max30102(50.0, 6.4, 6.4).start(bus)


def test_reset_is_polled() -> None:
    bus = ScriptedBus({(AT, 0x09): [b"\x40", b"\x00", b"\xff"]})
    chip = Max30102(50.0, 6.4, 6.4)
    chip.reset(bus)
    assert bus.written == [(AT, 0x09, 0x40)]
    assert not chip.is_reset(bus)
    assert chip.is_reset(bus)
    with pytest.raises(MisreadError, match="0xFF"):
        chip.is_reset(bus)


def test_a_poll_is_two_transfers() -> None:
    bus = ScriptedBus({(AT, 0x00): head(2, 0, 30), (AT, 0x07): bytes(range(24))})
    fetched = Max30102(50.0, 6.4, 6.4).fetch(bus, 4.0)
    assert bus.read_lengths == [(AT, 0x00, 7), (AT, 0x07, 24)]
    assert fetched.values.shape == (4, 2)
    assert fetched.values[0, 0] == 0x000102 & 0x3FFFF
    assert not fetched.lost_before
    assert not fetched.lost_after


def test_equal_pointers_mean_empty() -> None:
    bus = ScriptedBus({(AT, 0x00): head(7, 0, 7)})
    assert len(Max30102(50.0, 6.4, 6.4).fetch(bus, 1.0).values) == 0
    assert bus.read_lengths == [(AT, 0x00, 7)]


@pytest.mark.parametrize(("lost", "status"), [(3, 0x40), (0, 0xC0), (31, 0xC0)])
def test_equal_pointers_with_a_witness_mean_full(lost: int, status: int) -> None:
    bus = ScriptedBus({(AT, 0x00): head(7, lost, 7, status), (AT, 0x07): b"\0\0\x01" * 64})
    fetched = Max30102(50.0, 6.4, 6.4).fetch(bus, 40.0)
    assert len(fetched.values) == 32
    assert fetched.lost_after


def burst(*samples: tuple[int, int]) -> bytes:
    return b"".join(count.to_bytes(3, "big") for sample in samples for count in sample)


def test_one_sample_again_and_again_is_no_light() -> None:
    """A chip that hangs: read as a wave it would have a pulse of its own."""
    chip = Max30102(50.0, 6.4, 6.4)
    for one in ((70_000, 90_000), (70_000, 0x3FFFF), (500, 90_000)):
        bus = ScriptedBus({(AT, 0x00): head(25, 0, 0), (AT, 0x07): burst(*[one] * 25)})
        with pytest.raises(MisreadError, match="repeats one sample"):
            chip.fetch(bus, 25.0)


@pytest.mark.parametrize("one", [(0, 0), (300, 410), (0x3FFFF, 0x3FFFF), (300, 0x3FFFF)])
def test_darkness_and_a_rail_may_stand_still(one: tuple[int, int]) -> None:
    bus = ScriptedBus(
        {
            (AT, 0x00): head(25, 0, 0),
            (AT, 0x07): burst(*[one] * 25),
            (AT, 0x08): bytes([0x00, 0x03, 0x23, 0, 0x20, 0x20]),
        }
    )
    assert len(Max30102(50.0, 6.4, 6.4).fetch(bus, 25.0).values) == 25


def test_two_samples_that_differ_or_few_that_do_not_are_light() -> None:
    chip = Max30102(50.0, 6.4, 6.4)
    bus = ScriptedBus({(AT, 0x00): head(25, 0, 0), (AT, 0x07): burst(*[(70_000, 90_000)] * 24, (70_000, 90_001))})
    assert len(chip.fetch(bus, 25.0).values) == 25
    bus = ScriptedBus({(AT, 0x00): head(6, 0, 0), (AT, 0x07): burst(*[(70_000, 90_000)] * 6)})
    assert len(chip.fetch(bus, 6.0).values) == 6


def test_a_full_flag_left_from_before_is_no_witness() -> None:
    bus = ScriptedBus({(AT, 0x00): head(7, 0, 7, 0x80)})
    assert len(Max30102(50.0, 6.4, 6.4).fetch(bus, 2.0).values) == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"\xff" * 7, MisreadError),
        (head(32, 0, 0), MisreadError),
        (head(3, 5, 0), MisreadError),
        (head(3, 0, 0, status=0x41), LostSettingsError),
        (bytes(7), LostSettingsError),
    ],
)
def test_impossible_heads_are_never_samples(answer: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        Max30102(50.0, 6.4, 6.4).fetch(ScriptedBus({(AT, 0x00): answer}), 25.0)


def test_a_burst_of_ff_is_a_bus_fault_not_a_bright_light() -> None:
    bus = ScriptedBus({(AT, 0x00): head(2, 0, 0), (AT, 0x07): b"\xff" * 12})
    with pytest.raises(MisreadError, match="wire"):
        Max30102(50.0, 6.4, 6.4).fetch(bus, 2.0)


@pytest.mark.parametrize("index", [0, 1, 2, 4, 5])
def test_any_setting_that_changed_is_noticed(index: int) -> None:
    good = bytearray([0x00, 0x03, 0x23, 0x77, 0x20, 0x20])
    chip = Max30102(50.0, 6.4, 6.4)
    chip.verify(ScriptedBus({(AT, 0x08): bytes(good)}))
    good[index] ^= 0x04
    with pytest.raises(LostSettingsError):
        chip.verify(ScriptedBus({(AT, 0x08): bytes(good)}))


def test_leds_change_in_one_write_and_old_samples_are_counted() -> None:
    bus = ScriptedBus({(AT, 0x04): bytes([1, 0, 31])})
    assert Max30102(50.0, 6.4, 6.4).set_leds(bus, 10.0, 3.0) == 2
    assert bus.written == [(AT, 0x0C, 50, 15)]


def test_sleep_is_shutdown() -> None:
    bus = ScriptedBus()
    Max30102(50.0, 6.4, 6.4).sleep(bus)
    assert bus.written == [(AT, 0x09, 0x83)]
