"""A bed in good order: everything arrives, in time, at the price the bus can pay."""

from typing import Any

import numpy as np
import pytest
from tests.hardware.bed import TellTale, bed_of

from somnisphere_hardware.bedside import Bedside, BedsideSettings
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.samples import PartState
from somnisphere_hardware.simulated.adxl345 import SimulatedAdxl345
from somnisphere_hardware.simulated.body import NOBODY_IR_NA_PER_MA, NOBODY_RED_NA_PER_MA, Phantom
from somnisphere_hardware.simulated.bus import SimulatedBus
from somnisphere_hardware.simulated.lis3dh import SimulatedLis3dh
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050

MOTION_CHIPS = [
    (SimulatedMpu6050, "MPU-6050", 25.0),
    (SimulatedLis3dh, "LIS3DH", 25.0),
    (SimulatedAdxl345, "ADXL345", 12.5),
]


@pytest.mark.parametrize(("motion_chip", "name", "motion_hz"), MOTION_CHIPS)
@pytest.mark.parametrize(("pulse_hz", "clock_error"), [(25.0, 0.05), (50.0, -0.03), (100.0, 0.05)])
def test_ten_minutes_complete_and_cheap(
    motion_chip: Any, name: str, motion_hz: float, pulse_hz: float, clock_error: float
) -> None:
    body = TellTale()
    pulse, motion = SimulatedMax30102(body, clock_error=clock_error), motion_chip(body, clock_error=-clock_error)
    with bed_of(pulse, motion, settings=BedsideSettings(pulse_rate_hz=pulse_hz)) as bed:
        bed.run(600.0)
        traffic = bed.bedside.traffic
        assert (bed.sim.transactions, bed.sim.wire_bytes) == (traffic.transactions, traffic.bytes)
        assert bed.bedside.samples_lost == {"pulse": 0, "motion": 0}
    bed.check_time()
    bed.check_truth(body)
    assert {(state.part, state.ok, state.chip, state.problem) for state in bed.states} == {
        ("pulse", True, "MAX30102", ""),
        ("motion", True, name, ""),
    }
    assert len(bed.states) == 2
    assert bed.gaps("pulse") == bed.gaps("motion") == 0
    assert sum(len(block.ir) for block in bed.pulse) == pytest.approx(600 * pulse_hz * (1 + clock_error), rel=0.003)
    assert sum(len(b.accel_g) for b in bed.motion) == pytest.approx(600 * motion_hz * (1 - clock_error), rel=0.004)
    assert bed.pulse[-1].rate_hz == pytest.approx(pulse_hz * (1 + clock_error), rel=0.003)
    assert bed.motion[-1].rate_hz == pytest.approx(motion_hz * (1 - clock_error), rel=0.003)
    assert pulse.empty_reads == motion.empty_reads == 0
    assert traffic.transactions / 600 <= (20.0 if name != "ADXL345" else 21.0)
    assert traffic.bytes / 600 <= 1000.0


def test_one_wake_up_serves_both_chips() -> None:
    body = TellTale()
    with bed_of(SimulatedMax30102(body), SimulatedMpu6050(body)) as bed:
        bed.run(100.0)
    assert bed.polls <= 2 * 100 + 5


@pytest.mark.parametrize("jitter_s", [0.0, 0.02, 0.1])
def test_late_polls_lose_nothing_within_the_fifos_depth(jitter_s: float) -> None:
    body = TellTale()
    pulse = SimulatedMax30102(body, clock_error=0.02)
    random = np.random.default_rng(0)
    with bed_of(pulse, SimulatedLis3dh(body, clock_error=0.04)) as bed:
        for _ in range(600):
            bed.poll(max(bed.bedside.due_s, bed.at_s) + jitter_s * random.random())
        assert bed.bedside.samples_lost == {"pulse": 0, "motion": 0}
    bed.check_time()
    bed.check_truth(body)
    assert bed.gaps("pulse") == bed.gaps("motion") == 0
    assert pulse.lost_samples == 0


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_blocks_carry_the_currents_in_force(scale: float) -> None:
    """The gain control changes the currents on the way; counts must fit the current that each block claims."""
    body = TellTale(scale)
    with bed_of(SimulatedMax30102(body)) as bed:
        bed.run(120.0)
    bed.check_time()
    currents = {(block.led_red_ma, block.led_ir_ma) for block in bed.pulse}
    assert (len(currents) > 1) == (scale != 1.0)
    last = bed.pulse[-1]
    assert 0.15 * 0x3FFFF < last.ir.mean() < 0.85 * 0x3FFFF
    assert 0.15 * 0x3FFFF < last.red.mean() < 0.85 * 0x3FFFF
    # Before the control has turned it down, a bright finger clips; from then on every count fits.
    bed.samples = [block for block in bed.pulse if block.ir.max() < 0x3FFFF]
    bed.check_truth(body)
    assert len(bed.samples) > 220
    assert bed.gaps("pulse") == 0


def test_an_empty_bed_stays_dim() -> None:
    with bed_of(SimulatedMax30102(Phantom(NOBODY_RED_NA_PER_MA, NOBODY_IR_NA_PER_MA, present=False))) as bed:
        bed.run(1800.0)
    assert max(block.led_ir_ma for block in bed.pulse) == 6.4
    assert (bed.pulse[-1].led_red_ma, bed.pulse[-1].led_ir_ma) == (0.2, 2.0)


def test_swapped_leds_are_put_right_by_the_setting() -> None:
    body = TellTale()
    with bed_of(SimulatedMax30102(body, swapped_leds=True), settings=BedsideSettings(swap_leds=True)) as bed:
        bed.run(60.0)
    bed.check_truth(body)
    assert len(bed.pulse) > 100


def test_rest_puts_out_the_light_and_poll_lights_it_again() -> None:
    body = TellTale()
    with bed_of(SimulatedMax30102(body), SimulatedMpu6050(body)) as bed:
        bed.run(20.0)
        bed.bedside.rest()
        bed.bedside.rest()
        other = Bus.open(1)
        assert other.read(0x57, 0x09, 1) == b"\x83"
        assert other.read(0x68, 0x6B, 1) == b"\x40"
        bed.at_s = 50.0
        came = bed.run(60.0)
        other.close()
    blocks = [sample for sample in came if not isinstance(sample, PartState)]
    assert blocks[0].gap_before
    assert not any(isinstance(sample, PartState) for sample in came)
    assert bed.gaps("pulse") == bed.gaps("motion") == 1
    bed.check_time()
    bed.check_truth(body)


def test_sensing_switched_off_puts_out_the_light_and_reads_nothing_until_it_is_wanted_again() -> None:
    body = TellTale()
    with bed_of(SimulatedMax30102(body), SimulatedMpu6050(body)) as bed:
        bed.run(20.0)
        bed.bedside.sensing = False
        off = bed.run(25.0)
        assert [(said.part, said.ok, said.problem) for said in off if isinstance(said, PartState)] == [
            ("pulse", False, "Sensing is switched off."),
            ("motion", False, "Sensing is switched off."),
        ]
        assert len(off) == 2, "no sample is taken"
        transactions = bed.sim.transactions
        assert bed.run(625.0) == []
        assert bed.sim.transactions == transactions, "the bus is left alone"
        other = Bus.open(1)
        assert other.read(0x57, 0x09, 1) == b"\x83", "the LEDs are dark"
        assert other.read(0x68, 0x6B, 1) == b"\x40"
        other.close()
        bed.bedside.sensing = True
        came = bed.run(655.0)
        assert [said.ok for said in came if isinstance(said, PartState)] == [True, True]
        assert len(came) > 20
        assert bed.bedside.samples_lost == {"pulse": 0, "motion": 0}, "what nobody wanted is not lost"
    bed.check_time()
    bed.check_truth(body)


def test_rest_finds_a_chip_that_another_process_left_shining() -> None:
    sim = SimulatedBus(number=1)
    body = TellTale()
    sim.attach(SimulatedMax30102(body))
    sim.attach(SimulatedAdxl345(body))
    with sim.installed():
        other = Bus.open(1)
        other.write(0x57, 0x09, 0x03)
        other.write(0x53, 0x2D, 0x08)
        fresh = Bedside(lambda: Bus.open(1))
        fresh.rest()
        assert other.read(0x57, 0x09, 1) == b"\x83"
        assert other.read(0x53, 0x2D, 1) == b"\x00"
        fresh.close()
        other.close()


def test_traffic_is_kept_over_closing() -> None:
    body = TellTale()
    with bed_of(SimulatedMax30102(body)) as bed:
        bed.run(10.0)
        before = bed.bedside.traffic
        bed.bedside.close()
        assert bed.bedside.traffic.transactions > before.transactions
        assert bed.bedside.traffic.bytes > before.bytes


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"pulse_rate_hz": 200.0}, "pulse_rate_hz 200: allowed are 25, 50, 100"),
        ({"motion_rate_hz": 100.0}, "motion_rate_hz 100: allowed are 10, 25, 50"),
        ({"led_cap_ma": 80.0}, "LED cap 80.0 mA: allowed are 0.2 to 51.0"),
        ({"led_start_ma": 0.0}, "LED start current 0.0 mA: allowed are 0.2 to 51.0"),
    ],
)
def test_settings_out_of_range_say_what_is_allowed(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        BedsideSettings(**wrong)


@pytest.mark.parametrize("motion_hz", [10.0, 50.0])
@pytest.mark.parametrize("motion_chip", [SimulatedMpu6050, SimulatedLis3dh, SimulatedAdxl345])
def test_other_motion_rates(motion_chip: Any, motion_hz: float) -> None:
    body = TellTale()
    with bed_of(motion_chip(body, clock_error=0.04), settings=BedsideSettings(motion_rate_hz=motion_hz)) as bed:
        bed.run(120.0)
        assert bed.bedside.samples_lost["motion"] == 0
    bed.check_time()
    bed.check_truth(body, within_s=0.15)
    assert bed.gaps("motion") == 0
    assert len(bed.motion) > 100
