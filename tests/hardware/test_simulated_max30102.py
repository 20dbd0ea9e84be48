"""The simulated MAX30102, byte by byte through the real smbus2, against the datasheet's facts."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from smbus2 import SMBus, i2c_msg

from somnisphere_hardware.simulated.body import Body, Phantom
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.faults import CutRead
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102

SPO2_100_HZ_411_US = 0x27  # 4096 nA, 100/s, 411 us


class Rig:
    """A chip on a bus, and short words for what is sent to it."""

    smbus: SMBus

    def __init__(self, chip: SimulatedMax30102) -> None:
        self.chip = chip
        self.bus = SimulatedBus(1)
        self.bus.attach(chip)

    def write(self, register: int, *values: int) -> None:
        self.smbus.i2c_rdwr(i2c_msg.write(0x57, [register, *values]))

    def read(self, register: int, count: int = 1) -> bytes:
        answer = i2c_msg.read(0x57, count)
        self.smbus.i2c_rdwr(i2c_msg.write(0x57, [register]), answer)
        return bytes(answer)

    def start(self, spo2: int = SPO2_100_HZ_411_US, fifo: int = 0x10, mode: int = 3, current: int = 32) -> None:
        for register, value in ((0x08, fifo), (0x0A, spo2), (0x0C, current), (0x0D, current), (0x09, mode)):
            self.write(register, value)
        self.started_s = self.bus.now_s

    def at(self, samples: float, period_s: float = 0.01) -> None:
        """Go to the time when so many samples have been taken since the start."""
        self.bus.now_s = self.started_s + samples * period_s

    def counts(self, samples: int, leds: int = 2) -> NDArray[np.int64]:
        raw = np.frombuffer(self.read(0x07, 3 * leds * samples), dtype=np.uint8).reshape(samples, leds, 3)
        return np.asarray(raw.astype(np.int64) @ np.array([65536, 256, 1]))


@pytest.fixture
def rig() -> Iterator[Rig]:
    yield from rig_of()


def rig_of(body: Body | None = None, **options: float) -> Iterator[Rig]:
    rig = Rig(SimulatedMax30102(body or Ramp(), **options))  # type: ignore[arg-type]
    with rig.bus.installed(), SMBus(1) as rig.smbus:
        yield rig


class Ramp(Phantom):
    """Infrared light that says which sample it is: sample i (from 1) of 100/s gives 1000 i counts at 6.4 mA; red half
    of that."""

    start_s = 0.0

    def light_na_per_ma(self, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        infrared = np.round((times_s - self.start_s) * 100) * 1000 * (4096 / 2**18) / 6.4
        return infrared / 2, infrared


def numbers(counts: NDArray[np.int64]) -> list[int]:
    """Which samples of the ramp these are, by their infrared count."""
    return [round(c / 1000) for c in counts[:, 1]]


def test_reset_values(rig: Rig) -> None:
    assert rig.read(0xFE, 2) == b"\x03\x15"
    assert rig.read(0x00) == b"\x01"  # PWR_RDY
    assert rig.read(0x00) == b"\x00"  # cleared by reading
    assert rig.read(0x01, 6) == bytes(6)
    assert rig.read(0x08, 0x1A) == bytes(0x1A)


def test_reserved_and_read_only_registers_hear_nothing(rig: Rig) -> None:
    for register in (0x0B, 0x10, 0x30, 0xFE, 0xFF, 0x1F):
        rig.write(register, 0xFF)
    assert [rig.read(r) for r in (0x0B, 0x10, 0x30, 0xFE, 0xFF, 0x1F)] == [b"\0", b"\0", b"\0", b"\x03", b"\x15", b"\0"]
    rig.write(0x02, 0xFF, 0xFF)
    assert rig.read(0x02, 2) == b"\xe0\x02"  # PROX_INT_EN and PWR_RDY are not there to be set


def test_nothing_lights_after_reset(rig: Rig) -> None:
    rig.start(current=0)
    rig.at(10)
    assert rig.counts(8).max() < 20


def test_a_burst_from_the_pointers_runs_into_the_data(rig: Rig) -> None:
    rig.start()
    rig.at(5.2)
    burst = rig.read(0x04, 3 + 12)
    assert burst[:3] == bytes([5, 0, 0])
    assert int.from_bytes(burst[6:9]) == pytest.approx(1000, abs=30)
    assert int.from_bytes(burst[12:15]) == pytest.approx(2000, abs=30)
    assert rig.read(0x04, 3) == bytes([5, 0, 2])
    assert numbers(rig.counts(3)) == [3, 4, 5]


def test_the_pointer_stays_at_fifo_data(rig: Rig) -> None:
    rig.start()
    rig.at(3.2)
    rig.read(0x07, 6)
    again = i2c_msg.read(0x57, 6)  # no new register address
    rig.smbus.i2c_rdwr(again)
    assert int.from_bytes(bytes(again)[3:]) == pytest.approx(2000, abs=30)


def test_pointers_wrap_at_32_and_equal_means_empty_or_full(rig: Rig) -> None:
    rig.start()
    rig.at(20.2)
    assert numbers(rig.counts(20)) == list(range(1, 21))
    rig.at(50.2)
    assert rig.read(0x04, 3) == bytes([50 % 32, 0, 20])
    assert numbers(rig.counts(30)) == list(range(21, 51))
    assert rig.read(0x04, 3) == bytes([18, 0, 18])
    rig.at(82.2)
    assert rig.read(0x04, 3) == bytes([18, 0, 18])  # 32 waiting, none lost: full looks as empty
    assert rig.read(0x00)[0] & 0x80  # but A_FULL tells
    assert numbers(rig.counts(32)) == list(range(51, 83))


@pytest.mark.parametrize(("rollover", "expected"), [(0x10, range(9, 41)), (0x00, range(1, 33))])
def test_overflow_loses_the_oldest_or_the_newest(rig: Rig, rollover: int, expected: range) -> None:
    rig.start(fifo=rollover)
    rig.at(40.2)
    assert rig.read(0x04, 3) == bytes([8, 8, 8] if rollover else [0, 8, 0])
    assert numbers(rig.counts(32)) == list(expected)
    assert rig.read(0x05) == b"\x00"  # a popped sample clears the counter
    assert rig.chip.lost_samples == 8


def test_overflow_may_leave_the_read_pointer_where_it_was() -> None:
    for rig in rig_of(rollover_moves_read=False):
        rig.start()
        rig.at(40.2)
        assert rig.read(0x04, 3) == bytes([8, 8, 0])


def test_the_overflow_counter_saturates(rig: Rig) -> None:
    rig.start()
    rig.at(500.2)
    assert rig.read(0x05) == b"\x1f"


@pytest.mark.parametrize(("slots_left", "full_at"), [(0, 32), (15, 17)])
def test_almost_full_fires_with_slots_left(rig: Rig, slots_left: int, full_at: int) -> None:
    rig.start(fifo=0x10 | slots_left)
    rig.read(0x00)
    rig.at(full_at - 0.5)
    assert rig.read(0x00) == b"\x40"  # PPG_RDY alone
    rig.at(full_at + 0.5)
    assert rig.read(0x00) == b"\xc0"
    assert rig.read(0x00) == b"\x00"


def test_reading_data_clears_ready_but_not_almost_full(rig: Rig) -> None:
    rig.start()
    rig.read(0x00)
    rig.at(32.5)
    rig.read(0x07, 6)
    assert rig.read(0x00) == b"\x80"


def test_the_read_pointer_moves_after_the_first_byte(rig: Rig) -> None:
    rig.start()
    rig.at(4.2)
    first = rig.read(0x07, 1)
    assert rig.read(0x06) == b"\x01"
    rest = rig.read(0x07, 5)  # the place within the sample outlives the STOP
    assert int.from_bytes((first + rest)[3:]) == pytest.approx(1000, abs=30)
    assert rig.read(0x06) == b"\x01"


def test_a_cut_read_leaves_red_and_infrared_shifted_until_the_pointers_are_written(rig: Rig) -> None:
    rig.start()
    rig.at(20.2)
    whole = numbers(rig.counts(2))
    assert whole == [1, 2]
    rig.bus.add_fault(CutRead(0x57, after_bytes=9, times=1, least_bytes=18))
    with pytest.raises(OSError, match="5"):
        rig.read(0x07, 18)
    garbled = rig.counts(3)  # begins with the infrared half of sample 4
    assert [round(c / 1000) for c in garbled[:, 0]] == [4, 5, 6]
    assert garbled[0, 1] == pytest.approx(2500, abs=30)
    rig.write(0x04, 0, 0, 0)
    assert rig.read(0x04, 3) == bytes(3)
    rig.at(22.2)
    assert numbers(rig.counts(2)) == [21, 22]


def test_an_empty_fifo_repeats_and_does_not_move(rig: Rig) -> None:
    rig.start()
    rig.at(2.2)
    rig.counts(2)
    rig.read(0x07, 6)
    assert rig.read(0x04, 3) == bytes([2, 0, 2])
    assert rig.chip.empty_reads == 1


def test_a_pointer_set_back_gives_a_sample_again(rig: Rig) -> None:
    rig.start()
    rig.at(3.2)
    rig.counts(3)
    rig.write(0x06, 1)
    assert numbers(rig.counts(2)) == [2, 3]


@pytest.mark.parametrize(("pulse", "bits"), [(0, 15), (1, 16), (2, 17), (3, 18)])
def test_shorter_pulses_leave_the_low_bits_zero(pulse: int, bits: int) -> None:
    for rig in rig_of(Phantom()):
        rig.start(spo2=0x24 | pulse)
        rig.at(32.2)
        low = 18 - bits
        counts = rig.counts(32)
        assert not (counts & (2**low - 1)).any()
        assert (counts >> low & 1).any()  # the next bit is alive
        assert counts[:, 1].mean() == pytest.approx(260 * 6.4 / 4096 * 2**18, rel=0.001)


@pytest.mark.parametrize(("code", "range_na"), [(0, 2048), (1, 4096), (2, 8192), (3, 16384)])
def test_counts_follow_range_and_current(code: int, range_na: int) -> None:
    for rig in rig_of(Phantom(100.0, 200.0)):
        rig.start(spo2=code << 5 | 0x07, current=25)  # 5 mA
        rig.at(10.2)
        mean = rig.counts(10).mean(axis=0)
        assert mean[0] == pytest.approx(500 / range_na * 2**18, rel=0.001)
        assert mean[1] == pytest.approx(1000 / range_na * 2**18, rel=0.001)


def test_too_much_light_clips_at_full_scale() -> None:
    for rig in rig_of(Phantom(900.0, 200.0)):
        rig.start(spo2=0x24)  # 69 us: even so the clipped value has all bits
        rig.at(5.2)
        counts = rig.counts(5)
        assert (counts[:, 0] == 0x3FFFF).all()
        assert (counts[:, 1] < 0x3FFFF).all()


def test_a_current_change_counts_from_the_next_sample_on(rig: Rig) -> None:
    rig.start()
    rig.at(4.2)
    rig.write(0x0C, 64, 64)
    rig.at(8.2)
    assert numbers(rig.counts(8)) == [1, 2, 3, 4, 10, 12, 14, 16]


def test_red_mode_has_samples_of_three_bytes(rig: Rig) -> None:
    rig.start(mode=2)
    rig.at(6.2)
    assert [round(c / 500) for c in rig.counts(4, leds=1)[:, 0]] == [1, 2, 3, 4]
    assert rig.read(0x06) == b"\x04"


def test_slots_choose_leds_and_order(rig: Rig) -> None:
    rig.write(0x11, 0x12)  # slot 1: LED2, slot 2: LED1
    rig.write(0x12, 0x02)  # slot 3: LED2
    rig.start(mode=7)
    rig.at(2.2)
    counts = rig.counts(2, leds=3)
    assert np.round(counts[1] / 1000, 1).tolist() == [2.0, 1.0, 2.0]


def test_swapped_leds() -> None:
    for rig in rig_of(Phantom(100.0, 300.0), swapped_leds=True):
        rig.start()
        rig.at(3.2)
        red, infrared = rig.counts(3).mean(axis=0)
        assert red == pytest.approx(3 * infrared, rel=0.01)
        rig.write(0x0C, 0, 32)  # only LED2 is lit: on this board that is the red one
        rig.at(6.2)
        red, infrared = rig.counts(3).mean(axis=0)
        assert red < 20
        assert infrared == pytest.approx(100 * 6.4 / 4096 * 2**18, rel=0.01)


def test_averaging_lowers_the_rate_and_the_noise() -> None:
    spread = {}
    for code, factor in ((0, 1), (2, 4)):
        for rig in rig_of(Phantom()):
            rig.start(fifo=code << 5 | 0x10)
            seen: list[NDArray[np.int64]] = []
            for block in range(1, 11):
                rig.at(20 * block + 0.5, 0.01 * factor)
                assert (rig.read(0x04)[0] - 20 * block) % 32 == 0
                seen.append(rig.counts(20))
            spread[factor] = np.concatenate(seen)[:, 1].std()
    assert spread[4] == pytest.approx(spread[1] / 2, rel=0.2)


def test_averaging_is_a_mean_over_the_span(rig: Rig) -> None:
    rig.start(fifo=3 << 5 | 0x10)  # 8 of the ramp's samples
    rig.at(2.2, 0.08)
    assert rig.counts(2)[:, 1] == pytest.approx([4500, 12500], abs=400)


@pytest.mark.parametrize(
    ("asked", "given"),
    [(0x33, 0x2F), (0x3F, 0x2F), (0x3E, 0x32), (0x3D, 0x35), (0x3C, 0x38), (0x27, 0x27), (0x2F, 0x2F)],
)
def test_a_rate_too_fast_for_the_pulse_is_replaced(rig: Rig, asked: int, given: int) -> None:
    rig.start(spo2=asked)
    assert rig.read(0x0A)[0] == given


def test_soft_reset_takes_a_millisecond_and_loses_what_is_written_meanwhile(rig: Rig) -> None:
    rig.start()
    rig.at(3.2)
    rig.read(0x00)
    rig.write(0x09, 0x40)
    rig.write(0x0C, 77)
    assert rig.read(0x09) == b"\x40"
    polls = 0
    while rig.read(0x09)[0] & 0x40:
        polls += 1
        assert polls < 50
    assert rig.read(0x04, 3) == bytes(3)
    assert rig.read(0x08, 6) == bytes(6)
    assert rig.read(0x00) == b"\x00"  # no PWR_RDY: that is for lost power


def test_shutdown_keeps_registers_and_stops_sampling(rig: Rig) -> None:
    rig.start()
    rig.at(3.2)
    rig.write(0x09, 0x83)
    rig.at(50)
    assert rig.read(0x04, 3) == bytes([3, 0, 0])
    assert rig.read(0x0A) == bytes([SPO2_100_HZ_411_US])
    rig.write(0x09, 0x03)
    rig.at(52.3)
    assert rig.read(0x04) == b"\x05"


def test_die_temperature() -> None:
    for rig in rig_of(die_temperature_c=-3.25):
        rig.write(0x21, 1)
        assert rig.read(0x21) == b"\x01"
        rig.bus.wait(0.03)
        assert rig.read(0x21) == b"\x00"
        assert rig.read(0x01) == b"\x00"  # its interrupt is off: not shown
        whole, sixteenths = rig.read(0x1F, 2)
        assert whole - 256 + sixteenths / 16 == -3.25
        rig.write(0x03, 0x02)
        rig.write(0x21, 1)
        rig.bus.wait(0.03)
        assert rig.read(0x01) == b"\x02"
        assert rig.read(0x01) == b"\x00"


def test_a_fast_clock_gives_more_samples() -> None:
    for rig in rig_of(clock_error=0.05):
        rig.start()
        rig.at(20.5)
        assert rig.read(0x04) == b"\x15"


def test_samples_do_not_depend_on_when_they_are_read() -> None:
    streams = []
    for step in (7, 25, 31):
        for rig in rig_of(Phantom(), seed=5):
            rig.start()
            seen: list[NDArray[np.int64]] = []
            done = 0
            while done < 7 * 25 * 31:
                done += step
                rig.at(done + 0.5)
                seen.append(rig.counts(step))
            assert rig.chip.lost_samples == 0
            streams.append(np.concatenate(seen))
    assert (streams[0] == streams[1]).all()
    assert (streams[0] == streams[2]).all()
    assert streams[0][:, 0].std() > 1


@pytest.mark.parametrize(("rollover", "expected"), [(0x10, range(9, 41)), (0x00, range(1, 33))])
def test_overflow_of_a_fifo_already_half_full(rig: Rig, rollover: int, expected: range) -> None:
    rig.start(fifo=rollover)
    rig.at(20.2)
    assert rig.read(0x04) == b"\x14"
    rig.at(40.2)
    assert rig.read(0x05) == b"\x08"
    assert numbers(rig.counts(32)) == list(expected)
