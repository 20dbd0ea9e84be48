from collections.abc import Sequence

import numpy as np
import pytest
from tests.hardware.bed import bed_of
from tests.pulse_waves import beat_times, light, lying_still, motion_blocks, pulse_blocks

from somnisphere.sleep.dips import OxygenDip, OxygenDips
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere_hardware.samples import MotionBlock, PulseBlock
from somnisphere_hardware.simulated.max30102 import SimulatedMax30102
from somnisphere_hardware.simulated.mpu6050 import SimulatedMpu6050
from somnisphere_hardware.simulated.sleeper import Sleeper


def told(values: Sequence[float | None], step_s: float = 5.0) -> list[OxygenDip]:
    dips = OxygenDips()
    found = [dips.see(k * step_s, value) for k, value in enumerate(values)]
    return [dip for dip in found if dip is not None]


def test_a_fall_under_the_nights_own_median_is_dated_and_measured() -> None:
    for level in (97.0, 88.0):  # a wrong curve moves both, the dip stays
        (dip,) = told([level] * 100 + [level - 4, level - 6, level - 5, level - 3.5] + [level] * 10)
        assert (dip.start_s, dip.end_s) == (497.5, 517.5)
        assert dip.depth_points == pytest.approx(6.0, abs=0.3)


@pytest.mark.parametrize(
    "fall",
    [[-2.0] * 6, [-5.0], [-8.0] * 60, [None] * 40],
    ids=["shallow", "short", "a new level", "nothing known"],
)
def test_what_is_no_dip(fall: list[float | None]) -> None:
    values: list[float | None] = [96.0] * 100
    values += [None if points is None else 96.0 + points for points in fall]
    assert told([*values, *[96.0] * 20]) == []


def test_no_dip_before_the_night_has_a_median() -> None:
    assert told([97.0] * 20 + [90.0] * 5 + [97.0] * 5) == []
    assert OxygenDips().median_pct is None


def test_a_dip_that_ends_in_silence_is_told_once() -> None:
    assert len(told([97.0] * 100 + [92.0] * 5 + [None] * 30 + [97.0] * 5)) == 1


def test_dips_are_kept_and_added_up_in_flat_memory() -> None:
    dips = OxygenDips()
    for k in range(300 * 20):
        dips.see(5.0 * k, 92.0 if k % 20 in (10, 11, 12) else 97.0)
    assert len(dips.dips) == 100
    assert dips.newest == dips.dips[-1]
    assert dips.dips[0].start_s < dips.dips[-1].start_s
    assert dips.total_s == pytest.approx(15.0 * (300 - 3), rel=0.02)


def test_another_night_has_a_median_and_dips_of_its_own() -> None:
    dips = OxygenDips()
    for k in range(200):
        dips.see(5.0 * k, 92.0 if 150 <= k < 155 else 97.0)
    assert (len(dips.dips), dips.median_pct) == (1, 97.0)
    later_s = 1000.0 + 2 * 3600.0
    for k in range(200):
        dips.see(later_s + 5.0 * k, 93.0)
        assert k > 70 or dips.newest is None
    assert (len(dips.dips), dips.median_pct, dips.total_s) == (0, 93.0, 0.0)


def test_light_that_moves_more_than_usual_is_no_lack_of_oxygen() -> None:
    def after(ripple: float) -> int:
        dips = OxygenDips(window_s=12.0)
        for k in range(200):
            low = 100 <= k < 104
            dips.see(4.0 * k, 88.0 if low else 97.0, ripple if low else 0.003)
        return len(dips.dips)

    assert (after(0.003), after(0.007)) == (1, 0)


def test_what_the_window_still_holds_of_a_movement_is_left_out_too() -> None:
    dips = OxygenDips(window_s=12.0)
    for k in range(200):
        dips.see(4.0 * k, 88.0 if 100 <= k < 104 else 97.0, 0.008 if k == 100 else 0.003)
    assert len(dips.dips) == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sleeper_who_moves_and_lacks_nothing_has_no_dips_from_chips(seed: int) -> None:
    body = Sleeper.usual_night(seed, hours=1.5)
    pipeline = SleepPipeline()
    with bed_of(SimulatedMax30102(body), SimulatedMpu6050(body)) as bed:
        for at_s in range(10, 5400, 10):
            for sample in bed.run(at_s):
                pipeline.add(sample)
            pipeline.advance(at_s)
    assert pipeline.vitals.spo2_median_pct == pytest.approx(body.spo2_pct, abs=0.5)
    assert pipeline.oxygen_dips == ()


def test_from_light_to_dip() -> None:
    seconds = 600.0
    beats = beat_times(seconds)
    ir = light(beats, seconds, 50.0, depth=0.01)
    high, low = (light(beats, seconds, 50.0, depth=0.01 * ratio) for ratio in (0.5, 0.85))
    t = np.arange(len(ir)) / 50.0
    red = 0.8 * np.where((t > 500) & (t < 540), low, high)
    pipeline = SleepPipeline()
    samples: list[PulseBlock | MotionBlock] = [
        *pulse_blocks(ir, 50.0, red=red),
        *motion_blocks(lying_still(seconds, 25.0), 25.0),
    ]
    for block in sorted(samples, key=lambda block: block.end_s):
        pipeline.add(block)
        pipeline.advance(block.end_s)
    dip = pipeline.vitals.newest_dip
    assert dip is not None
    assert dip.start_s == pytest.approx(500.0, abs=5.0)
    assert dip.end_s == pytest.approx(540.0, abs=5.0)
    assert pipeline.vitals.dip_total_s == pytest.approx(40.0, abs=8.0)
    assert pipeline.oxygen_dips == (dip,)
    assert dip.depth_points > 8.0
    assert pipeline.vitals.spo2_median_pct == pytest.approx(98.8, abs=0.5)
