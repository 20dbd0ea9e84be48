import math

import numpy as np
import pytest
from tests.pulse_waves import lying_still, motion_blocks

from somnisphere.sleep.motion import Motion
from somnisphere_hardware.samples import MotionBlock


def shaken(rate_hz: float, amplitude_g: float, shake_hz: float, *, axis: int = 0, seconds: float = 60.0) -> Motion:
    """Still, but for the seconds 20 to 25, in which one axis swings."""
    accel_g = lying_still(seconds, rate_hz)
    t = np.arange(len(accel_g)) / rate_hz
    during = (t >= 20) & (t < 25)
    accel_g[during, axis] += amplitude_g * np.sin(2 * np.pi * shake_hz * t[during])
    motion = Motion()
    for block in motion_blocks(accel_g, rate_hz):
        motion.add([block])
    return motion


def walch_count(peak_g: float, seconds: int) -> float:
    """The published recipe for ``seconds`` of one peak and the rest of 15 s still."""
    step = min(math.floor(peak_g / (5 / 128)) + 1, 129)
    return max(0.0, (seconds * step + (15 - seconds) * 1 - 18) * 3.07)


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
def test_counts_follow_the_published_recipe(rate_hz: float) -> None:
    motion = shaken(rate_hz, 0.5, 5.0)
    assert motion.count(0) == 0.0
    assert motion.count(1) == pytest.approx(walch_count(0.5, 5), rel=0.2)  # the filter smears into the next second
    assert motion.count(2) == 0.0


def test_the_axis_that_moves_counts_whichever_it_is() -> None:
    assert [shaken(25.0, 0.5, 5.0, axis=axis).count(1) for axis in range(3)] == [
        pytest.approx(shaken(25.0, 0.5, 5.0).count(1) or 0.0, rel=0.1)
    ] * 3


def test_breath_and_heartbeat_and_gravity_do_not_count() -> None:
    assert shaken(25.0, 0.1, 0.25).count(1) == 0.0
    assert Motion().count(0) is None


def test_a_slow_sensor_still_counts_in_the_same_order() -> None:
    counts = [shaken(12.5, amplitude_g, 4.5).count(1) or 0.0 for amplitude_g in (0.0, 0.2, 0.6, 1.5)]
    assert counts[0] == 0.0
    assert counts == sorted(counts)
    assert counts[2] > 50


def test_a_count_with_most_of_its_seconds_missing_is_not_known() -> None:
    accel_g = lying_still(60.0, 25.0)
    motion = Motion()
    for block in motion_blocks(accel_g, 25.0):
        if not 15 <= block.start_s < 28:
            motion.add([block])
    assert [motion.count(step) for step in range(3)] == [0.0, None, 0.0]


def test_restless_seconds_are_known_and_memory_is_bounded() -> None:
    motion = shaken(25.0, 0.5, 2.0)
    assert motion.restless(21.0, 22.0) is True
    assert motion.restless(30.0, 40.0) is False
    assert motion.restless(500.0, 510.0) is None
    for block in motion_blocks(lying_still(600.0, 25.0), 25.0, start_s=60.0):
        motion.add([block])
    assert motion.restless(21.0, 22.0) is None


def test_values_that_are_not_numbers_do_no_harm() -> None:
    motion = Motion()
    accel_g = lying_still(40.0, 25.0)
    accel_g[300:310] = np.nan
    motion.add([MotionBlock(0.0, 25.0, accel_g)])
    motion.add([MotionBlock(40.0, 25.0, accel_g[:1])])
    count = motion.count(1)
    assert count is not None
    assert math.isfinite(count)
