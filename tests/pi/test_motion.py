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


@pytest.mark.parametrize("rate_hz", [12.5, 25.0, 50.0])
def test_movement_is_graded_by_its_widest_second(rate_hz: float) -> None:
    for swing_g in (0.03, 0.2, 0.7):
        motion = shaken(rate_hz, swing_g, 0.9)
        assert motion.movement_g(15.0, 30.0) == pytest.approx(2 * swing_g, abs=0.03)
        assert motion.restless(15.0, 30.0) is (2 * swing_g > 0.12)
        still_g = motion.movement_g(30.0, 40.0)
        assert still_g is not None
        assert 0 < still_g < 0.03
    assert motion.movement_g(500.0, 510.0) is None


def counts_of_an_arm(rate_hz: float) -> list[float]:
    """Counts of two minutes of arm-like movement from 0.5 to 9 Hz, the same body at any rate the chip may have.

    What a rate cannot hold is filtered out before, as chips do.
    """
    rng = np.random.default_rng(4)
    t = np.arange(round(120 * rate_hz)) / rate_hz
    accel_g = lying_still(120.0, rate_hz)
    for shake_hz in np.arange(0.5, 9.0, 0.37):
        size_g = rng.uniform(0.05, 0.3, 3) / math.sqrt(shake_hz)
        swell = np.sin(2 * np.pi * t / rng.uniform(20, 60))
        if shake_hz < 0.45 * rate_hz:
            accel_g += (swell * np.sin(2 * np.pi * shake_hz * t))[:, None] * size_g
    motion = Motion()
    counts: list[float] = []
    for block in motion_blocks(accel_g, rate_hz):
        motion.add([block])
        step = int(block.end_s // 15) - 2
        if step >= len(counts):
            counts.append(motion.count(step) or 0.0)
    return counts


def test_rates_agree_as_the_docstring_says() -> None:
    at_50 = np.array(counts_of_an_arm(50.0))
    assert at_50.min() > 20
    for rate_hz, within in ((25.0, 0.2), (12.5, 0.4)):
        counts = np.array(counts_of_an_arm(rate_hz))
        assert counts.sum() == pytest.approx(at_50.sum(), rel=within / 2)
        assert counts == pytest.approx(at_50, rel=within)


def test_values_that_are_not_numbers_do_no_harm() -> None:
    motion = Motion()
    accel_g = lying_still(40.0, 25.0)
    accel_g[300:310] = np.nan
    motion.add([MotionBlock(0.0, 25.0, accel_g)])
    motion.add([MotionBlock(40.0, 25.0, accel_g[:1])])
    count = motion.count(1)
    assert count is not None
    assert math.isfinite(count)
