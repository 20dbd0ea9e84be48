"""Every fault that the wild is known to hold: gaps are marked, never spliced, never garbled; trouble is said once, in a
sentence; nothing raises; whatever comes back is taken up again."""

import errno
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.hardware.bed import Bed, TellTale, bed_of

from somnisphere_hardware.bedside import BedsideSettings
from somnisphere_hardware.bus import Bus
from somnisphere_hardware.samples import Part, PartState
from somnisphere_hardware.simulated.adxl345 import SimulatedAdxl345
from somnisphere_hardware.simulated.faults import (
    BrownOut,
    CutRead,
    DriverBound,
    Fault,
    Forbidden,
    NoNode,
    Refused,
    StuckBus,
    Unplugged,
    nack,
    timed_out,
    try_again,
)
from somnisphere_hardware.simulated.lis3dh import SimulatedLis3dh
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050

MOTION_CHIPS = [SimulatedMpu6050, SimulatedLis3dh, SimulatedAdxl345]
PULSE = 0x57


def run(*faults: Fault, until_s: float = 120.0, motion: Any = SimulatedMpu6050, clock_error: float = 0.02) -> Bed:
    """Two minutes (or so) of a bed in which these faults happen; time and truth checked."""
    body = TellTale()
    with bed_of(SimulatedMax30102(body, clock_error=clock_error), motion(body, clock_error=-clock_error)) as bed:
        for fault in faults:
            bed.sim.add_fault(fault)
        bed.run(until_s)
        assert bed.bedside.due_s < until_s + 31.0
    bed.check_time()
    bed.check_truth(body)
    return bed


def said(bed: Bed, part: Part) -> list[tuple[bool, str]]:
    return [(state.ok, state.problem) for state in bed.states if state.part == part]


def alive_at(bed: Bed, part: Part, at_s: float) -> bool:
    """Does a block of this part reach to within two seconds of that time?"""
    blocks = bed.pulse if part == "pulse" else bed.motion
    return any(abs(block.end_s - at_s) < 2.0 for block in blocks)


def test_brown_out_of_the_pulse_sensor() -> None:
    bed = run(BrownOut(PULSE, 40.2), BrownOut(PULSE, 80.0))
    assert bed.gaps("pulse") == 2
    assert bed.gaps("motion") == 0
    assert said(bed, "pulse") == [(True, "")], "a moment's dip is a gap, not an alarm"
    assert 10 < bed.bedside.samples_lost["pulse"] < 110


@pytest.mark.parametrize("motion", MOTION_CHIPS)
def test_brown_out_of_the_motion_sensor(motion: Any) -> None:
    bed = run(BrownOut({SimulatedMpu6050: 0x68, SimulatedLis3dh: 0x18}.get(motion, 0x53), 40.2), motion=motion)
    assert bed.gaps("motion") == 1
    assert bed.gaps("pulse") == 0
    assert said(bed, "motion") == [(True, "")]
    assert alive_at(bed, "motion", 45.0)


def test_a_sensor_that_keeps_browning_out_is_an_alarm() -> None:
    bed = run(*[BrownOut(PULSE, 20.0 + 3.0 * i) for i in range(12)], until_s=200.0)
    problems = [problem for ok, problem in said(bed, "pulse") if not ok]
    assert problems
    assert "keeps losing its power" in problems[0]
    assert said(bed, "pulse")[-1] == (True, "")
    assert alive_at(bed, "pulse", 200.0)


@pytest.mark.parametrize("after_bytes", [0, 1, 2, 3, 4, 5, 7, 50, 149])
def test_a_burst_cut_anywhere_garbles_nothing(after_bytes: int) -> None:
    bed = run(CutRead(PULSE, after_bytes=after_bytes, from_s=30.0, times=1, least_bytes=12))
    assert bed.gaps("pulse") == 1
    assert said(bed, "pulse") == [(True, "")]


@pytest.mark.parametrize("motion", MOTION_CHIPS)
def test_a_motion_burst_cut_anywhere_garbles_nothing(motion: Any) -> None:
    address = {SimulatedMpu6050: 0x68, SimulatedLis3dh: 0x18}.get(motion, 0x53)
    for after_bytes in range(6):
        bed = run(
            CutRead(address, after_bytes=after_bytes, from_s=30.0, times=1, least_bytes=6), until_s=60.0, motion=motion
        )
        assert bed.gaps("motion") == 1
        assert said(bed, "motion") == [(True, "")]


@pytest.mark.parametrize("motion", MOTION_CHIPS)
def test_half_a_per_cent_of_broken_reads_for_ten_minutes(motion: Any) -> None:
    """The case that makes drivers which simply read on garble 24 to 60 % of all samples."""
    address = {SimulatedMpu6050: 0x68, SimulatedLis3dh: 0x18}.get(motion, 0x53)
    bed = run(CutRead(PULSE, chance=0.02), CutRead(address, chance=0.01), until_s=600.0, motion=motion)
    assert bed.gaps("pulse") >= 10
    assert bed.gaps("motion") >= 2
    assert bed.bedside.samples_lost["pulse"] < 0.1 * 600 * 50
    assert {state.ok for state in bed.states} == {True}


@pytest.mark.parametrize("sleep_s", [0.7, 2.0, 10.0])
@pytest.mark.parametrize("motion", MOTION_CHIPS)
def test_a_poll_that_comes_too_late_is_a_gap(sleep_s: float, motion: Any) -> None:
    body = TellTale()
    pulse = SimulatedMax30102(body, clock_error=0.02)
    with bed_of(pulse, motion(body)) as bed:
        bed.run(30.0)
        bed.at_s += sleep_s
        came = bed.run(60.0)
        lost = bed.bedside.samples_lost["pulse"]
    bed.check_time()
    bed.check_truth(body)
    blocks = [sample for sample in came if not isinstance(sample, PartState)]
    assert not blocks[0].gap_before, "the oldest 32 still join what came before"
    assert bed.gaps("pulse") == 1
    assert lost == pytest.approx(51.0 * (bed.pulse[-1].end_s) - sum(len(b.ir) for b in bed.pulse), abs=4)
    assert len(bed.states) == 2


def test_a_loose_cable_of_one_chip() -> None:
    bed = run(Unplugged(PULSE, 30.0, 50.0))
    assert said(bed, "pulse") == [
        (True, ""),
        (False, "The pulse sensor does not answer: check its SDA, SCL, 3.3 V and ground wires."),
        (True, ""),
    ]
    assert bed.gaps("pulse") == 1
    assert bed.gaps("motion") == 0
    trouble = [state.at_s for state in bed.states if not state.ok]
    assert 30.5 < trouble[0] < 33.0, "a few retries first"
    assert alive_at(bed, "pulse", 70.0)
    assert bed.bedside.traffic.errors < 20, "bounded retry, then backoff"


def test_a_loose_cable_of_all_chips() -> None:
    bed = run(Unplugged(None, 30.0, 50.0))
    assert [ok for ok, _ in said(bed, "pulse")] == [ok for ok, _ in said(bed, "motion")] == [True, False, True]
    assert bed.gaps("pulse") == bed.gaps("motion") == 1


@pytest.mark.parametrize(
    "fault",
    [
        nack(PULSE, from_s=30.0, times=1),
        nack(PULSE, from_s=30.0, times=2),
        try_again(PULSE, from_s=30.0),
        Refused(errno.EIO, PULSE, from_s=30.0, times=1),
        Refused(errno.ENXIO, PULSE, from_s=30.0, times=2),
        timed_out(PULSE, from_s=30.0, times=1),
    ],
)
def test_a_moments_trouble_is_a_gap_and_no_more(fault: Fault) -> None:
    bed = run(fault)
    assert said(bed, "pulse") == [(True, "")]
    assert bed.gaps("pulse") == 1
    assert bed.bedside.samples_lost["pulse"] < 130


def test_a_bus_stuck_high() -> None:
    bed = run(StuckBus(True, 30.0, 50.0))
    for part in ("pulse", "motion"):
        states = said(bed, part)
        assert [ok for ok, _ in states][-1]
        assert "0xFF everywhere" in states[1][1]
        assert not states[1][0]
    assert bed.gaps("pulse") == bed.gaps("motion") == 1
    starts = [block.start_s for block in bed.pulse] + [block.start_s for block in bed.motion]
    assert not any(30.1 < start_s < 49.0 for start_s in starts)


def test_a_bus_stuck_low_blocks_seldom() -> None:
    """Each call over such a bus takes a second; the thread must not spend the night in it."""
    bed = run(StuckBus(False, 30.0, 200.0), until_s=400.0)
    assert bed.bedside.traffic.errors < 30
    for part in ("pulse", "motion"):
        states = said(bed, part)
        assert states[0] == states[-1] == (True, "")
        assert "the bus is stuck" in states[1][1]
    assert alive_at(bed, "pulse", 400.0)
    assert bed.gaps("pulse") == bed.gaps("motion") == 1


@pytest.mark.parametrize("missing", ["pulse", "motion"])
def test_one_chip_missing_leaves_the_other_alone(missing: Part) -> None:
    body = TellTale()
    chips: list[Any] = [SimulatedMpu6050(body)] if missing == "pulse" else [SimulatedMax30102(body)]
    with bed_of(*chips) as bed:
        bed.run(300.0)
        traffic = bed.bedside.traffic
    bed.check_truth(body)
    assert [ok for ok, _ in said(bed, missing)] == [False]
    assert (bed.pulse == []) == (missing == "pulse")
    assert (bed.motion == []) == (missing == "motion")
    assert bed.gaps("pulse") == bed.gaps("motion") == 0
    assert traffic.transactions / 300 < 8.0


def test_a_chip_plugged_in_later_is_taken_up() -> None:
    body = TellTale()
    with bed_of(SimulatedMax30102(body)) as bed:
        bed.run(100.0)
        bed.sim.attach(SimulatedLis3dh(body, address=0x19))
        bed.run(200.0)
    assert [(ok, state.chip) for state in bed.states if state.part == "motion" for ok in [state.ok]] == [
        (False, ""),
        (True, "LIS3DH"),
    ]
    assert bed.motion[0].start_s < 132.0
    bed.check_truth(body)


def test_another_motion_chip_in_its_place() -> None:
    body = TellTale()
    with bed_of(SimulatedMpu6050(body)) as bed:
        bed.run(30.0)
        bed.sim.detach(0x68)
        bed.sim.attach(SimulatedAdxl345(body, address=0x1D))
        bed.run(60.0)
    assert [state.chip for state in bed.states if state.part == "motion"] == ["MPU-6050", "MPU-6050", "ADXL345"]
    bed.check_time()
    bed.check_truth(body)
    assert bed.gaps("motion") == 1


@pytest.mark.parametrize(
    ("fault", "words"), [(NoNode(0.0, 40.0), "raspi-config nonint do_i2c 0"), (Forbidden(0.0, 40.0), "usermod -aG i2c")]
)
def test_a_bus_that_cannot_be_opened_yet(fault: Fault, words: str) -> None:
    bed = run(fault)
    for part in ("pulse", "motion"):
        states = said(bed, part)
        assert [ok for ok, _ in states] == [False, True]
        assert words in states[0][1]
    assert bed.bedside.traffic.errors < 10


def test_the_adapter_goes_and_comes_back() -> None:
    """A USB-to-I2C adapter pulled out: the open file is dead and must be opened anew."""
    bed = run(Refused(errno.ENODEV, from_s=30.0, until_s=45.0))
    assert [ok for ok, _ in said(bed, "pulse")] == [True, False, True]
    assert "the adapter is gone" in said(bed, "pulse")[1][1]
    assert alive_at(bed, "pulse", 80.0)
    assert alive_at(bed, "motion", 80.0)


def test_a_kernel_driver_on_the_address() -> None:
    bed = run(DriverBound(PULSE, transfers=True))
    assert [ok for ok, _ in said(bed, "pulse")] == [False]
    assert "kernel driver owns this address" in said(bed, "pulse")[0][1]
    assert said(bed, "motion") == [(True, "")]


@pytest.mark.parametrize("part_id", [0x11, 0x33])
def test_another_chip_where_the_pulse_sensor_should_be(part_id: int) -> None:
    body = TellTale()
    with bed_of(SimulatedMax30102(body, part_id=part_id), SimulatedMpu6050(body)) as bed:
        bed.run(60.0)
    (ok, problem), *more = said(bed, "pulse")
    assert not ok
    assert not more
    assert ("MAX30100" if part_id == 0x11 else "id 0x33") in problem
    assert bed.pulse == []


@pytest.mark.parametrize(("who_am_i", "fifo_bytes"), [(0x70, 512), (0x98, 512), (0x72, 512), (0x71, 512), (0x73, 512)])
def test_clones_of_the_mpu6050(who_am_i: int, fifo_bytes: int) -> None:
    body = TellTale()
    with bed_of(SimulatedMpu6050(body, address=0x69, who_am_i=who_am_i, fifo_bytes=fifo_bytes)) as bed:
        bed.run(60.0)
        bed.at_s += 10.0
        bed.run(120.0)
    bed.check_time()
    bed.check_truth(body)
    assert bed.gaps("motion") == 1
    assert alive_at(bed, "motion", 120.0)


@pytest.mark.parametrize("stolen_bytes", [1, 2, 3, 4, 5, 6])
def test_a_motion_fifo_out_of_step_is_emptied(stolen_bytes: int) -> None:
    """Another program reads a few bytes of the FIFO: every axis would be another's from then on."""
    body = TellTale()
    with bed_of(SimulatedMpu6050(body)) as bed:
        bed.run(30.0)
        thief = Bus.open(1)
        thief.read(0x68, 0x74, stolen_bytes)
        thief.close()
        bed.run(60.0)
    bed.check_time()
    bed.check_truth(body, within_s=0.2)
    assert bed.gaps("motion") <= 1
    assert alive_at(bed, "motion", 60.0)


@pytest.mark.parametrize(
    ("address", "register", "value"),
    [
        (PULSE, 0x09, 0x83),  # shut down
        (PULSE, 0x09, 0x40),  # soft reset: PWR_RDY stays silent
        (PULSE, 0x0A, 0x2F),  # 400 samples a second
        (PULSE, 0x0C, 0x00),  # red put out
        (0x68, 0x6B, 0x40),
        (0x68, 0x23, 0x00),
        (0x68, 0x19, 0x00),
        (0x68, 0x1C, 0x18),
    ],
)
def test_settings_changed_behind_our_back(address: int, register: int, value: int) -> None:
    body = TellTale()
    part: Part = "pulse" if address == PULSE else "motion"
    with bed_of(SimulatedMax30102(body), SimulatedMpu6050(body)) as bed:
        bed.run(30.0)
        other = Bus.open(1)
        other.write(address, register, value)
        other.close()
        bed.run(45.0)
        right_s = 43.0
        bed.samples = [sample for sample in bed.samples if isinstance(sample, PartState) or sample.start_s > right_s]
        bed.run(75.0)
    bed.check_time()
    bed.check_truth(body)
    assert alive_at(bed, part, 75.0)
    assert bed.bedside.samples_lost[part] > 0


def test_a_clear_that_did_not_take_is_noticed() -> None:
    """A bus stuck high swallows writes: the FIFO then still holds what was to be thrown away, of unknown age."""
    run(StuckBus(True, 87.6, 88.1), until_s=100.0)
    run(StuckBus(True, 86.35, 87.51), until_s=100.0, clock_error=0.034)


def test_the_cap_is_kept_under_every_fault() -> None:
    body = TellTale(scale=0.3)
    capped = BedsideSettings(led_cap_ma=9.0)
    with bed_of(SimulatedMax30102(body), settings=capped) as bed:
        bed.sim.add_fault(CutRead(PULSE, chance=0.05))
        bed.sim.add_fault(BrownOut(PULSE, 60.0))
        bed.run(300.0)
    assert max(max(block.led_ir_ma, block.led_red_ma) for block in bed.pulse) == 9.0
    bed.check_truth(body)


def any_fault() -> st.SearchStrategy[Fault]:
    """One fault of any kind, at any time of the first two minutes, at any chip."""
    address = st.sampled_from([PULSE, 0x68])
    from_s = st.floats(0.0, 120.0)
    span_s = st.floats(0.01, 30.0)
    codes = st.sampled_from([errno.EREMOTEIO, errno.EIO, errno.EAGAIN, errno.ENXIO, errno.ETIMEDOUT, errno.ENODEV])
    return st.one_of(
        st.builds(BrownOut, address, from_s),
        st.builds(lambda a, t, s: Unplugged(a, t, t + s), st.one_of(address, st.none()), from_s, span_s),
        st.builds(lambda h, t, s: StuckBus(h, t, t + s), st.booleans(), from_s, span_s),
        st.builds(
            lambda a, n, t, k: CutRead(a, n, t, times=k), address, st.integers(0, 160), from_s, st.integers(1, 4)
        ),
        st.builds(lambda e, a, t, k: Refused(e, a, t, times=k), codes, address, from_s, st.integers(1, 6)),
    )


@settings(
    max_examples=20, deadline=None, derandomize=True, phases=[Phase.generate]
)  # shrinking two simulated minutes takes longer than it helps
@given(st.lists(any_fault(), min_size=1, max_size=6), st.floats(-0.05, 0.05))
def test_any_faults_in_any_order_garble_nothing_and_end(faults: list[Fault], clock_error: float) -> None:
    bed = run(*faults, until_s=700.0, clock_error=clock_error)
    assert alive_at(bed, "pulse", 700.0)
    assert alive_at(bed, "motion", 700.0)
    assert said(bed, "pulse")[-1] == said(bed, "motion")[-1] == (True, "")


@pytest.mark.parametrize("motion", MOTION_CHIPS)
def test_a_brown_out_at_any_moment_of_a_poll(motion: Any) -> None:
    """Between the reading of the pointers and of the samples, too: the chip then gives as many bytes, of nothing."""
    address = {SimulatedMpu6050: 0x68, SimulatedLis3dh: 0x18}.get(motion, 0x53)
    for step in range(40):
        bed = run(
            BrownOut(PULSE, 20.01 + 0.0004 * step),
            BrownOut(address, 20.01 + 0.0004 * step),
            until_s=30.0,
            motion=motion,
        )
        assert bed.gaps("pulse") == bed.gaps("motion") == 1
        assert alive_at(bed, "pulse", 30.0)
        assert alive_at(bed, "motion", 30.0)
