from collections.abc import Sequence

import numpy as np
import pytest
from tests.pulse_waves import beat_times, light, lying_still, motion_blocks, pulse_blocks

from somnisphere.sleep.dips import OxygenDip, OxygenDips
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere_hardware.samples import MotionBlock, PulseBlock


def told(values: Sequence[float | None], step_s: float = 5.0) -> list[OxygenDip]:
    dips = OxygenDips()
    found = [dips.see(k * step_s, value) for k, value in enumerate(values)]
    return [dip for dip in found if dip is not None]


def test_a_fall_under_the_nights_own_median_is_dated_and_measured() -> None:
    for level in (97.0, 88.0):  # a wrong curve moves both, the dip stays
        (dip,) = told([level] * 100 + [level - 4, level - 6, level - 5, level - 3.5] + [level] * 10)
        assert (dip.start_s, dip.end_s) == (500.0, 515.0)
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
    assert 500.0 <= dip.start_s <= 515.0
    assert 535.0 <= dip.end_s <= 555.0
    assert dip.depth_points > 8.0
    assert pipeline.vitals.spo2_median_pct == pytest.approx(98.8, abs=0.5)
