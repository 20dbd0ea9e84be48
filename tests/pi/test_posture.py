import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_waves import motion_blocks

from somnisphere.sleep.posture import Lie, Posture, Turn, Worn
from somnisphere_hardware.samples import MotionBlock

Floats = NDArray[np.float64]
STEP_G = {
    "MPU-6050, 2 g": 2 / 32768,
    "MPU-6050, 16 g": 16 / 32768,
    "LIS3DH, 2 g, 12 bit": 0.001,
    "LIS3DH, 16 g, 12 bit": 0.012,
    "LIS3DH, 4 g, 8 bit": 0.032,
    "ADXL345, any range": 0.0039,
}


def lain(directions: list[tuple[float, float, float]], each_s: float, rate_hz: float, step_g: float = 1e-4) -> Floats:
    """A body that lies in each direction in turn, one second of tumbling between; breath and noise on top."""
    rng = np.random.default_rng(8)
    count = round(each_s * rate_hz)
    up = np.concatenate([np.repeat([np.array(d) / np.linalg.norm(d)], count, axis=0) for d in directions])
    t = np.arange(len(up)) / rate_hz
    for k in range(1, len(directions)):
        tumbling = slice(k * count, k * count + round(rate_hz))
        up[tumbling] += 0.4 * np.sin(2 * np.pi * 2.3 * t[tumbling])[:, None]
    up += 0.005 * np.sin(2 * np.pi * 0.25 * t)[:, None] + rng.normal(0, 0.003, up.shape)
    return np.asarray(np.round(up / step_g) * step_g)


def told(accel_g: Floats, rate_hz: float, lie: Lie | None = None) -> list[Turn]:
    lie = lie or Lie()
    return [turn for block in motion_blocks(accel_g, rate_hz) for turn in lie.add([block])]


@pytest.mark.parametrize("rate_hz", [12.5, 25.0, 50.0])
@pytest.mark.parametrize("chip", STEP_G)
def test_every_turn_over_is_told_once_with_its_angle(rate_hz: float, chip: str) -> None:
    turns = told(lain([(0, 0, 1), (1, 0, 0), (1, 0, 1), (0, 0, -1)], 60.0, rate_hz, STEP_G[chip]), rate_hz)
    assert [turn.at_s for turn in turns] == pytest.approx([60.0, 120.0, 180.0], abs=1.6)
    assert [turn.angle_deg for turn in turns] == pytest.approx([90.0, 45.0, 135.0], abs=3.0)
    assert all(0 <= turn.until_s - turn.at_s < 6 for turn in turns)


def test_a_slip_of_the_hand_is_no_turn_over_nor_is_a_lie_that_is_not_kept() -> None:
    assert told(lain([(0, 0, 1), (0.4, 0, 1)], 60.0, 25.0), 25.0) == []
    assert told(lain([(0, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 1)], 8.0, 25.0), 25.0) == []


def test_a_lie_that_creeps_is_followed_without_a_turn() -> None:
    angle = np.linspace(0, np.pi / 2, 25 * 3600)
    assert told(np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=1), 25.0) == []


def test_a_turn_within_a_gap_is_told_after_it() -> None:
    before, after = lain([(0, 0, 1)], 60.0, 25.0), lain([(0, 1, 0)], 60.0, 25.0)
    lie = Lie()
    assert told(before, 25.0, lie) == []
    blocks = motion_blocks(after, 25.0, start_s=400.0)
    (turn,) = [turn for block in blocks for turn in lie.add([block])]
    assert 400.0 <= turn.at_s < 405.0
    assert turn.angle_deg == pytest.approx(90.0, abs=2.0)
    assert not turn.seen
    back = motion_blocks(lain([(0, 1, 0), (0, 0, 1)], 60.0, 25.0), 25.0, start_s=460.0)
    assert [turn.seen for block in back for turn in lie.add([block])] == [True]


def test_a_gap_in_the_same_lie_does_not_make_the_next_turn_unseen() -> None:
    lie = Lie()
    told(lain([(0, 0, 1)], 60.0, 25.0), 25.0, lie)
    after = motion_blocks(lain([(0, 0, 1), (0, 1, 0)], 60.0, 25.0), 25.0, start_s=400.0)
    (turn,) = [turn for block in after for turn in lie.add([block])]
    assert turn.seen
    assert turn.at_s == pytest.approx(460.0, abs=1.6)


@pytest.mark.parametrize("block_s", [0.04, 0.64, 2.0, 240.0])
def test_the_cut_into_blocks_does_not_matter(block_s: float) -> None:
    accel_g = lain([(0, 0, 1), (1, 0, 0), (1, 0, 1), (0, 0, -1)], 60.0, 25.0)
    lie = Lie()
    turns = [turn for block in motion_blocks(accel_g, 25.0, block_s=block_s) for turn in lie.add([block])]
    whole = told(accel_g, 25.0)
    for field in ("at_s", "until_s", "angle_deg"):
        assert [getattr(t, field) for t in turns] == pytest.approx([getattr(t, field) for t in whole], abs=0.6)
    assert len(whole) == 3


def test_an_empty_bed_turns_nobody_and_lies_still() -> None:
    """Eight hours of a chip's own noise and of a room that warms it: a tenth of a g of drift."""
    rng = np.random.default_rng(11)
    lie = Lie()
    for hour in range(8):
        noise_g = rng.normal(0, 0.004, (3600 * 12, 3)) + np.array([0.0, 0.0125 * hour, 1.0])
        assert lie.add([MotionBlock(3600.0 * hour, 12.0, np.round(noise_g / 0.0039) * 0.0039)]) == []
    assert lie.still_s(8 * 3600.0) is None  # it has never moved


def test_a_quick_shake_ends_the_stillness_but_is_no_other_lie() -> None:
    accel_g = lain([(0, 0, 1)], 120.0, 25.0)
    t = np.arange(len(accel_g)) / 25.0
    accel_g[:, 1] += 0.4 * np.sin(2 * np.pi * 6.0 * t) * ((t >= 40) & (t < 41))
    lie = Lie()
    assert told(accel_g, 25.0, lie) == []
    assert lie.still_s(120.0) == pytest.approx(79.0, abs=0.6)


def test_stillness_counts_from_the_last_movement() -> None:
    lie = Lie()
    assert lie.still_s(10.0) is None
    told(lain([(0, 0, 1), (1, 0, 0)], 60.0, 25.0), 25.0, lie)
    assert lie.still_s(120.0) == pytest.approx(58.0, abs=2.5)
    assert lie.still_s(500.0) is None
    assert lie.direction == pytest.approx((1.0, 0.0, 0.0), abs=0.02)


def test_a_lie_is_named_only_by_a_sensor_that_knows_how_it_is_worn() -> None:
    worn = Worn(front=(0, 0, 1), head=(0, 1, 0))  # x = y cross z: towards the wearer's left hand
    names = {
        (0, 0, 1): Posture.SUPINE,
        (0, 0, -1): Posture.PRONE,
        (0, 1, 0): Posture.UPRIGHT,
        (1, 0, 0): Posture.RIGHT,
        (-1, 0, 0): Posture.LEFT,
    }
    for up, name in names.items():
        lie = Lie(worn)
        told(lain([up], 10.0, 25.0), 25.0, lie)
        assert lie.posture is name
    unnamed = Lie()
    told(lain([(0, 0, 1)], 10.0, 25.0), 25.0, unnamed)
    assert unnamed.posture is None


def test_odd_blocks_do_no_harm() -> None:
    lie = Lie()
    for values in (np.full((50, 3), np.nan), np.zeros((50, 3)), np.full((50, 3), 40.0), np.ones((1, 3))):
        assert lie.add([MotionBlock(0.0, 25.0, values, gap_before=True)]) == []
    assert lie.direction is None
