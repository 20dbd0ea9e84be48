"""The simulated MPU-6050, LIS3DH and ADXL345, byte by byte through the real smbus2, against their datasheets' facts."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray
from smbus2 import SMBus, i2c_msg

from somnisphere_hardware.simulated.adxl345 import SimulatedAdxl345
from somnisphere_hardware.simulated.body import Phantom
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.chip import Chip
from somnisphere_hardware.simulated.faults import CutRead
from somnisphere_hardware.simulated.lis3dh import SimulatedLis3dh
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050

STILL = Phantom(accel_g=(0.5, -0.25, 1.0))


class Clock(Phantom):
    """Acceleration that says when it was taken: x = t / 100 g, y = -x, z = 1 g."""

    def acceleration_g(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([times_s / 100, -times_s / 100, np.ones(len(times_s))], axis=1)


class Rig:
    smbus: SMBus

    def __init__(self, chip: Chip) -> None:
        self.address = chip.address
        self.bus = SimulatedBus(1)
        self.bus.attach(chip)

    def write(self, register: int, *values: int) -> None:
        self.smbus.i2c_rdwr(i2c_msg.write(self.address, [register, *values]))

    def read(self, register: int, count: int = 1) -> bytes:
        answer = i2c_msg.read(self.address, count)
        self.smbus.i2c_rdwr(i2c_msg.write(self.address, [register]), answer)
        return bytes(answer)


@contextmanager
def rigged(chip: Chip) -> Iterator[Rig]:
    rig = Rig(chip)
    with rig.bus.installed(), SMBus(1) as rig.smbus:
        yield rig


def axes(data: bytes, order: str) -> NDArray[np.int64]:
    return np.frombuffer(data, dtype=f"{order}i2").reshape(-1, 3).astype(np.int64)


# -- MPU-6050 --------------------------------------------------------------------------------------------------------


def start_mpu(rig: Rig, divider: int = 39, dlpf: int = 4, fifo: int = 0x08) -> None:
    """25 Hz through the FIFO."""
    for register, value in ((0x6B, 0x00), (0x19, divider), (0x1A, dlpf), (0x23, fifo), (0x6A, 0x04), (0x6A, 0x40)):
        rig.write(register, value)


def mpu_count(rig: Rig) -> int:
    return int.from_bytes(rig.read(0x72, 2))


def test_mpu_wakes_up_asleep_with_zeros() -> None:
    with rigged(SimulatedMpu6050(STILL)) as rig:
        assert rig.read(0x6B) == b"\x40"
        assert rig.read(0x75) == b"\x68"
        rig.bus.wait(1.0)
        assert rig.read(0x3B, 14) == bytes(14)
        rig.write(0x6B, 0x00)
        rig.bus.wait(0.1)
        assert axes(rig.read(0x3B, 6), ">")[0] == pytest.approx([8192, -4096, 16384], abs=1200)


@pytest.mark.parametrize(("address", "who"), [(0x69, 0x68), (0x68, 0x70), (0x68, 0x98)])
def test_mpu_addresses_and_clones(address: int, who: int) -> None:
    with rigged(SimulatedMpu6050(STILL, address=address, who_am_i=who)) as rig:
        assert rig.read(0x75)[0] == who


@pytest.mark.parametrize(("who", "expected"), [(0x68, (30 - 36.53) * 340), (0x70, (30 - 21) * 333.87)])
def test_mpu_temperature(who: int, expected: float) -> None:
    with rigged(SimulatedMpu6050(STILL, who_am_i=who, temperature_c=30.0)) as rig:
        rig.write(0x6B, 0)
        rig.bus.wait(0.1)
        assert int.from_bytes(rig.read(0x41, 2), signed=True) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(("code", "per_g"), [(0, 16384), (1, 8192), (2, 4096), (3, 2048)])
def test_mpu_ranges_and_clipping(code: int, per_g: int) -> None:
    with rigged(SimulatedMpu6050(Phantom(accel_g=(1.0, 0.0, 20.0)))) as rig:
        start_mpu(rig)
        rig.write(0x1C, code << 3)
        rig.bus.wait(1.0)
        x, y, z = axes(rig.read(0x3B, 6), ">")[0]
        assert x == pytest.approx(per_g, abs=0.02 * 16384)
        assert y == pytest.approx(0, abs=0.02 * 16384)
        assert z == 32767


@pytest.mark.parametrize(
    ("divider", "dlpf", "rate_hz"), [(39, 4, 25), (0, 1, 1000), (9, 6, 100), (249, 0, 32), (249, 7, 32), (0, 0, 1000)]
)
def test_mpu_rates(divider: int, dlpf: int, rate_hz: int) -> None:
    with rigged(SimulatedMpu6050(STILL)) as rig:
        start_mpu(rig, divider, dlpf)
        before_s = rig.bus.now_s
        rig.bus.now_s = before_s + 0.1601
        assert mpu_count(rig) // 6 == pytest.approx(0.16 * rate_hz, abs=1.5)


def test_mpu_fifo_holds_consecutive_samples() -> None:
    with rigged(SimulatedMpu6050(Clock())) as rig:
        start_mpu(rig)
        rig.bus.now_s = 4.02
        first = axes(rig.read(0x74, mpu_count(rig)), ">")
        rig.bus.now_s = 8.02
        both = np.concatenate([first, axes(rig.read(0x74, mpu_count(rig)), ">")])
        assert len(both) == 200
        fitted = np.polyfit(np.arange(200), both[:, 0] / 16384 * 100, 1)
        assert fitted[0] == pytest.approx(0.04, rel=0.01)  # each sample 1/25 s after the last
        assert both[:, 1] == pytest.approx(-both[:, 0], abs=250)


def test_mpu_reading_the_fifo_does_not_move_the_pointer_and_empty_repeats() -> None:
    chip = SimulatedMpu6050(STILL)
    with rigged(chip) as rig:
        start_mpu(rig)
        rig.bus.now_s = 0.06
        data = rig.read(0x74, 6)
        assert rig.read(0x74, 4) == data[-1:] * 4
        assert chip.empty_reads == 4


def test_mpu_count_is_latched_by_its_high_byte() -> None:
    with rigged(SimulatedMpu6050(STILL)) as rig:
        start_mpu(rig)
        rig.bus.now_s = 0.05
        assert rig.read(0x73) == b"\x00"  # nothing latched yet
        assert rig.read(0x72) == b"\x00"
        rig.bus.now_s = 4.02
        assert rig.read(0x73) == b"\x06"
        assert rig.read(0x72, 2) == (600).to_bytes(2)


@pytest.mark.parametrize("size", [1024, 512])
def test_mpu_overflow_drops_bytes_not_packets(size: int) -> None:
    chip = SimulatedMpu6050(STILL, fifo_bytes=size)
    with rigged(chip) as rig:
        start_mpu(rig)
        rig.bus.now_s = size / 6 / 25 - 0.1
        assert rig.read(0x3A)[0] & 0x10 == 0
        rig.bus.now_s = 20.02
        assert rig.read(0x3A)[0] & 0x10
        assert rig.read(0x3A)[0] & 0x10 == 0  # cleared by reading
        assert mpu_count(rig) == size
        assert chip.lost_bytes == 3000 - size
        data = rig.read(0x74, size)
        shift = size % 6
        shuffled = axes(data[: size - shift], ">").mean(axis=0) / 16384
        order = np.roll([0.5, -0.25, 1.0], shift // 2)  # begins in the middle of a packet
        assert shuffled == pytest.approx(order, abs=0.01)


def test_mpu_fifo_order_and_reset() -> None:
    with rigged(SimulatedMpu6050(STILL, temperature_c=36.53)) as rig:
        start_mpu(rig, fifo=0xF8)
        rig.bus.now_s = 0.06
        assert mpu_count(rig) == 14
        words = np.frombuffer(rig.read(0x74, 14), dtype=">i2")
        assert words[:3] == pytest.approx([8192, -4096, 16384], abs=200)
        assert words[3] == 0
        assert np.abs(words[4:]).max() < 40  # a gyroscope at rest
        rig.bus.now_s = 1.06
        rig.write(0x6A, 0x44)  # FIFO_RESET is heard only while FIFO_EN is 0
        assert mpu_count(rig) > 0
        rig.write(0x6A, 0x00)
        assert mpu_count(rig) > 0
        rig.write(0x6A, 0x04)
        assert mpu_count(rig) == 0
        assert rig.read(0x6A) == b"\x00"
        rig.bus.now_s = 2.0
        assert mpu_count(rig) == 0  # FIFO_EN is still 0


def test_mpu_device_reset_takes_time_and_loses_writes() -> None:
    with rigged(SimulatedMpu6050(STILL)) as rig:
        start_mpu(rig)
        rig.write(0x6B, 0x80)
        rig.write(0x19, 7)
        assert rig.read(0x6B) == b"\x80"
        rig.bus.wait(0.1)
        assert rig.read(0x6B) == b"\x40"
        assert rig.read(0x19) == b"\x00"


def test_mpu_cycle_mode_samples_slowly_and_leaves_the_fifo_alone() -> None:
    with rigged(SimulatedMpu6050(Clock())) as rig:
        start_mpu(rig)
        rig.write(0x6C, 0x47)  # 5 Hz, gyroscopes in standby
        rig.write(0x6B, 0x28)
        rig.write(0x6A, 0x04)
        rig.write(0x6A, 0x40)
        rig.bus.now_s = 10.3
        assert mpu_count(rig) == 0
        assert axes(rig.read(0x3B, 6), ">")[0][0] / 163.84 == pytest.approx(10.2, abs=1.0)


def test_mpu_cut_read_leaves_the_count_out_of_step() -> None:
    with rigged(SimulatedMpu6050(STILL)) as rig:
        start_mpu(rig)
        rig.bus.now_s = 1.02
        rig.bus.add_fault(CutRead(0x68, after_bytes=8, times=1, least_bytes=60))
        with pytest.raises(OSError, match="5"):
            rig.read(0x74, 60)
        assert mpu_count(rig) == 150 - 8


def test_mpu_an_axis_in_standby_reads_zero() -> None:
    with rigged(SimulatedMpu6050(STILL)) as rig:
        rig.write(0x6C, 0x10)
        start_mpu(rig)
        rig.bus.now_s = 0.06
        x, y, z = axes(rig.read(0x74, 6), ">")[0]
        assert y == 0
        assert min(x, z) > 7000


# -- LIS3DH ----------------------------------------------------------------------------------------------------------


def start_lis(rig: Rig, control1: int = 0x37, control4: int = 0x88, fifo: int = 0x80) -> None:
    """25 Hz, 12 bits, 2 g, streaming."""
    for register, value in ((0x23, control4), (0x24, 0x40), (0x2E, 0x00), (0x2E, fifo), (0x20, control1)):
        rig.write(register, value)


def test_lis_power_up() -> None:
    with rigged(SimulatedLis3dh(STILL, address=0x19)) as rig:
        assert rig.read(0x0F) == b"\x33"
        assert rig.read(0x20) == b"\x07"
        rig.bus.wait(1.0)
        assert rig.read(0xA8, 6) == bytes(6)


def test_lis_multi_byte_access_needs_bit_7() -> None:
    with rigged(SimulatedLis3dh(STILL)) as rig:
        rig.write(0xA3, 0x88, 0x40)
        assert rig.read(0xA3, 2) == b"\x88\x40"
        rig.write(0x23, 0x11, 0x22)  # both to 0x23
        assert rig.read(0xA3, 2) == b"\x22\x40"
        assert rig.read(0x0F, 3) == b"\x33\x33\x33"


def test_lis_one_burst_reads_the_whole_fifo() -> None:
    with rigged(SimulatedLis3dh(Clock())) as rig:
        start_lis(rig)
        rig.bus.now_s = 0.82
        assert rig.read(0x2F)[0] & 0x3F == 20
        first = axes(rig.read(0xA8, 120), "<")
        assert rig.read(0x2F) == b"\x20"  # empty
        rig.bus.now_s = 1.62
        both = np.concatenate([first, axes(rig.read(0xA8, 120), "<")])
        assert both[:, 2] / 16 == pytest.approx(np.full(40, 1000), abs=6)
        times_s = both[:, 0] / 16000 * 100
        assert times_s == pytest.approx(np.arange(1, 41) * 0.04, abs=0.6)
        assert np.polyfit(np.arange(40), times_s, 1)[0] == pytest.approx(0.04, rel=0.2)


def test_lis_an_uneven_burst_runs_from_sample_to_sample() -> None:
    with rigged(SimulatedLis3dh(STILL)) as rig:
        start_lis(rig)
        rig.bus.now_s = 0.82
        burst = rig.read(0xA8, 14)
        assert int.from_bytes(burst[6:8], "little") / 16000 == pytest.approx(0.5, abs=0.01)
        assert int.from_bytes(burst[12:14], "little") / 16000 == pytest.approx(0.5, abs=0.01)
        assert rig.read(0x2F)[0] & 0x1F == 18


def test_lis_source_register_and_overrun() -> None:
    chip = SimulatedLis3dh(STILL)
    with rigged(chip) as rig:
        start_lis(rig, fifo=0x80 | 10)
        rig.bus.now_s = 9.02 / 25
        assert rig.read(0x2F)[0] == 9
        rig.bus.now_s = 10.02 / 25
        assert rig.read(0x2F)[0] == 0x80 | 10
        rig.bus.now_s = 32.02 / 25
        assert rig.read(0x2F)[0] == 0x80 | 0x40 | 31  # 32 held: full, and the level shows 31
        assert chip.lost_samples == 0
        rig.bus.now_s = 40.02 / 25
        assert chip.lost_samples == 0  # nobody has looked yet
        assert rig.read(0x2F)[0] == 0x80 | 0x40 | 31
        assert chip.lost_samples == 8
        rig.read(0xA8, 6)
        assert rig.read(0x2F)[0] == 0x80 | 31
        rig.write(0x2E, 0x00)  # bypass empties it
        assert rig.read(0x2F)[0] & 0x3F == 0x20


def test_lis_fifo_mode_stops_when_full_and_stream_keeps_the_newest() -> None:
    newest = {}
    for mode in (0x40, 0x80):
        with rigged(SimulatedLis3dh(Clock())) as rig:
            start_lis(rig, fifo=mode)
            rig.bus.now_s = 20.02
            newest[mode] = axes(rig.read(0xA8, 192), "<")[-1, 0] / 160
    assert newest == {0x40: pytest.approx(1.28, abs=0.6), 0x80: pytest.approx(20.0, abs=0.6)}


def test_lis_a_read_that_dies_gives_its_sample_again() -> None:
    with rigged(SimulatedLis3dh(STILL)) as rig:
        start_lis(rig)
        rig.bus.now_s = 10.02 / 25
        rig.bus.add_fault(CutRead(0x18, after_bytes=8, times=1, least_bytes=60))
        with pytest.raises(OSError, match="5"):
            rig.read(0xA8, 60)
        assert rig.read(0x2F)[0] & 0x3F == 9
        assert axes(rig.read(0xA8, 6), "<")[0] / 16000 == pytest.approx([0.5, -0.25, 1.0], abs=0.01)


@pytest.mark.parametrize(
    ("control1", "control4", "zeros", "per_g"),
    [(0x37, 0x88, 4, 16000), (0x37, 0x80, 6, 16000), (0x3F, 0x80, 8, 16000), (0x37, 0x98, 4, 8000)],
)
def test_lis_resolutions(control1: int, control4: int, zeros: int, per_g: int) -> None:
    with rigged(SimulatedLis3dh(STILL)) as rig:
        start_lis(rig, control1, control4)
        rig.bus.now_s = 1.02
        samples = axes(rig.read(0xA8, 120), "<")
        assert not (samples & (2**zeros - 1)).any()
        assert samples.mean(axis=0) / per_g == pytest.approx([0.5, -0.25, 1.0], abs=0.012 if zeros < 8 else 0.02)


def test_lis_without_fifo_shows_the_newest_sample_and_says_when_one_was_missed() -> None:
    with rigged(SimulatedLis3dh(Clock())) as rig:
        rig.write(0x23, 0x88)
        rig.write(0x20, 0x37)
        rig.bus.now_s = 0.05
        assert rig.read(0x27) == b"\x08"
        rig.bus.now_s = 8.02
        assert rig.read(0x27) == b"\x88"
        assert axes(rig.read(0xA8, 6), "<")[0, 0] / 160 == pytest.approx(8.0, abs=0.6)
        assert rig.read(0x27) == b"\x00"


def test_lis_clock_error() -> None:
    with rigged(SimulatedLis3dh(STILL, clock_error=-0.08)) as rig:
        start_lis(rig)
        rig.bus.now_s = 1.02
        assert rig.read(0x2F)[0] & 0x1F == 23


# -- ADXL345 ---------------------------------------------------------------------------------------------------------


def start_adxl(rig: Rig, form: int = 0x08, fifo: int = 0x80, rate: int = 0x08) -> None:
    """25 Hz, full resolution, streaming."""
    for register, value in ((0x2C, rate), (0x31, form), (0x38, fifo), (0x2D, 0x08)):
        rig.write(register, value)


def test_adxl_power_up() -> None:
    with rigged(SimulatedAdxl345(STILL, address=0x1D)) as rig:
        assert rig.read(0x00) == b"\xe5"
        assert rig.read(0x2C, 2) == b"\x0a\x00"
        assert rig.read(0x30) == b"\x02"
        rig.write(0x00, 0x12)
        assert rig.read(0x00) == b"\xe5"
        rig.bus.wait(1.0)
        assert rig.read(0x39) == b"\x00"  # standby


def test_adxl_one_burst_pops_one_sample_and_then_tells_what_is_left() -> None:
    with rigged(SimulatedAdxl345(Clock())) as rig:
        start_adxl(rig)
        rig.bus.now_s = 20.02 / 25
        assert rig.read(0x39)[0] == 20
        taken = []
        for left in range(19, -1, -1):
            burst = rig.read(0x32, 8)  # data, FIFO_CTL, FIFO_STATUS
            assert burst[6:] == bytes([0x80, left])
            taken.append(axes(burst[:6], "<")[0])
        samples = np.array(taken)
        assert samples[:, 2] / 256 == pytest.approx(np.ones(20), abs=0.02)
        assert rig.read(0x30)[0] & 0x80 == 0


def test_adxl_any_read_of_the_output_pops() -> None:
    chip = SimulatedAdxl345(STILL)
    with rigged(chip) as rig:
        start_adxl(rig)
        rig.bus.now_s = 5.02 / 25
        rig.read(0x32, 1)
        rig.read(0x34, 2)
        assert rig.read(0x39)[0] == 3
        rig.read(0x32, 20)  # running on gives registers, not more samples
        assert rig.read(0x39)[0] == 2
        for _ in range(3):
            rig.read(0x32, 6)
        assert chip.empty_reads == 1


@pytest.mark.parametrize("mode", [0x40, 0x80])
def test_adxl_fifo_holds_32_and_one(mode: int) -> None:
    chip = SimulatedAdxl345(Clock())
    with rigged(chip) as rig:
        start_adxl(rig, fifo=mode)
        rig.bus.now_s = 33.02 / 25
        assert rig.read(0x30)[0] & 0x01 == 0
        rig.bus.now_s = 43.02 / 25
        assert rig.read(0x39)[0] == 32
        assert chip.lost_samples == 10
        assert rig.read(0x30)[0] & 0x83 == 0x83
        samples = [rig.read(0x32, 6)]
        assert rig.read(0x30)[0] & 0x01 == 0  # overrun clears when data is read
        samples += [rig.read(0x32, 6) for _ in range(32)]
        assert rig.read(0x39)[0] == 0
        assert chip.empty_reads == 0


@pytest.mark.parametrize(
    ("form", "per_g"),
    [(0x08, 256), (0x0B, 256), (0x00, 256), (0x01, 128), (0x03, 32), (0x0C, 256 * 64), (0x0F, 256 * 8)],
)
def test_adxl_formats(form: int, per_g: int) -> None:
    with rigged(SimulatedAdxl345(STILL)) as rig:
        start_adxl(rig, form)
        rig.bus.now_s = 30.02 / 25
        samples = np.array([axes(rig.read(0x32, 6), "<")[0] for _ in range(30)])
        assert samples.mean(axis=0) / per_g == pytest.approx([0.5, -0.25, 1.0], abs=0.01)


@pytest.mark.parametrize(("code", "rate_hz"), [(0x07, 12.5), (0x08, 25.0), (0x0A, 100.0)])
def test_adxl_rates(code: int, rate_hz: float) -> None:
    with rigged(SimulatedAdxl345(STILL)) as rig:
        start_adxl(rig, rate=code)
        rig.bus.now_s = 20.5 / rate_hz
        assert rig.read(0x39)[0] == 20


def test_adxl_clips_at_its_range() -> None:
    with rigged(SimulatedAdxl345(Phantom(accel_g=(0.0, -5.0, 5.0)))) as rig:
        start_adxl(rig, form=0x08)
        rig.bus.now_s = 1.0
        assert axes(rig.read(0x32, 6), "<")[0][1:].tolist() == [-512, 511]


def test_adxl_bypass_keeps_only_the_newest() -> None:
    with rigged(SimulatedAdxl345(Clock())) as rig:
        start_adxl(rig, fifo=0x00)
        rig.bus.now_s = 20.02
        assert rig.read(0x39)[0] == 1
        assert axes(rig.read(0x32, 6), "<")[0, 0] / 2.56 == pytest.approx(20.0, abs=3.0)


def test_adxl_sleep_bit_stops_and_bypass_empties() -> None:
    with rigged(SimulatedAdxl345(STILL)) as rig:
        start_adxl(rig)
        rig.bus.now_s = 5.02 / 25
        rig.write(0x2D, 0x0C)
        rig.bus.now_s = 1.0
        assert rig.read(0x39)[0] == 5
        rig.write(0x38, 0x00)
        assert rig.read(0x39)[0] == 1
