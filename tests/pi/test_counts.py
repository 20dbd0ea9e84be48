"""ActiGraph-style counts against figures of the open reference implementation (agcounts 0.2.6 on these same waves)."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_waves import motion_blocks

from somnisphere.sleep.counts import _BACK, _FORWARD, ActigraphCounter, ActivityCounts
from somnisphere_hardware.samples import MotionBlock

Floats = NDArray[np.float64]


def swinging(rate_hz: float, seconds: float = 300.0) -> Floats:
    """A made-up body: a sway that comes and goes, a small tremble, a slow swell on top of gravity."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.stack(
        [
            0.3 * np.sin(2 * np.pi * 0.8 * t) * (np.sin(2 * np.pi * t / 97) > 0),
            0.06 * np.sin(2 * np.pi * 1.5 * t) + 0.02 * np.sin(2 * np.pi * 4.1 * t),
            1 + 0.5 * np.sin(2 * np.pi * 0.5 * t) * np.exp(-(((t - 150) / 60) ** 2)),
        ],
        axis=1,
    )


def counted(accel_g: Floats, rate_hz: float, block_s: float = 1.0, origin_s: float = 0.0) -> list[ActivityCounts]:
    counter = ActigraphCounter(origin_s)
    found = [c for block in motion_blocks(accel_g, rate_hz, block_s=block_s) for c in counter.add([block])]
    return found + counter.flush()


REFERENCE_30_HZ = [
    (4952.0, 0.0, 0.0),
    (2321.0, 0.0, 3308.0),
    (2639.0, 0.0, 9136.0),
    (4665.0, 0.0, 3440.0),
    (1165.0, 0.0, 0.0),
]
"""Per minute (x, y, z), from ``agcounts.extract.get_counts(swinging(30.0), freq=30, epoch=60)``."""


def test_the_counts_are_those_of_the_reference() -> None:
    found = [(c.x, c.y, c.z) for c in counted(swinging(30.0), 30.0)]
    assert np.array(found) == pytest.approx(np.array(REFERENCE_30_HZ), abs=2)


@pytest.mark.parametrize("rate_hz", [12.5, 23.7, 25.0, 50.0, 100.0])
def test_any_rate_counts_the_same(rate_hz: float) -> None:
    found = np.array([(c.x, c.y, c.z) for c in counted(swinging(rate_hz), rate_hz)])
    assert found[:4] == pytest.approx(np.array(REFERENCE_30_HZ[:4]), rel=0.005, abs=4)
    # The body moves up to the end, and of the last tenth of a second a slow sensor has one sample.
    assert found[4] == pytest.approx(np.array(REFERENCE_30_HZ[4]), abs=20)


def recursive_counts(x_g: Floats) -> list[float]:
    """The published recipe for one axis at 30 Hz as it is written, sample by sample, with the recursive filter."""
    forward, back = np.array(_FORWARD), np.array(_BACK)
    # A body that has always lain as in the first sample: the filter has settled on its response to a constant.
    settled = x_g[0] * forward.sum() / (1 + back.sum())
    before, out = np.full(len(forward), x_g[0]), np.full(len(back), settled)
    swing = np.zeros(len(x_g))
    for k, value in enumerate(np.round(x_g, 3)):
        before = np.concatenate(([value], before[:-1]))
        swing[k] = forward @ before - back @ out
        out = np.concatenate(([swing[k]], out[:-1]))
    steps = np.minimum(np.abs(swing) * (3 / 4096) / (2.6 / 256) * 237.5, 128)
    tenths = np.floor(np.floor(np.where(steps < 4, 0, steps)).reshape(-1, 3).sum(axis=1) / 3)
    return [float(part.sum()) for part in tenths.reshape(-1, 600)]


def test_the_finite_filter_stands_for_the_recursive_one() -> None:
    """A walk at random holds slow swings, which ring longest in the recursive filter."""
    walk_g = np.cumsum(np.random.default_rng(5).normal(0, 0.02, (9000, 3)), axis=0)
    walk_g += np.array([0.0, 0.0, 1.0])
    found = np.array([(c.x, c.y, c.z) for c in counted(walk_g, 30.0)])
    true = np.stack([recursive_counts(walk_g[:, axis]) for axis in range(3)], axis=1)
    assert true.min() > 200
    assert found == pytest.approx(true, abs=4)


@pytest.mark.parametrize("block_s", [0.1, 0.64, 7.0, 300.0])
def test_the_cut_into_blocks_does_not_matter(block_s: float) -> None:
    whole = counted(swinging(25.0), 25.0)
    cut = counted(swinging(25.0), 25.0, block_s)
    assert [c.start_s for c in cut] == [c.start_s for c in whole]
    assert np.array([(c.x, c.y, c.z) for c in cut]) == pytest.approx(np.array([(c.x, c.y, c.z) for c in whole]), abs=1)


def test_lying_still_counts_nothing_from_the_first_second_on() -> None:
    still = np.repeat([[0.3, -0.5, 0.8]], 3000, axis=0) + np.random.default_rng(1).normal(0, 0.002, (3000, 3))
    assert [c.magnitude for c in counted(still, 25.0)] == [0.0, 0.0]


def test_a_gap_costs_its_time_and_no_false_counts() -> None:
    counter = ActigraphCounter()
    still = np.repeat([[0.0, 0.0, 1.0]], 25 * 30, axis=0)
    found = [c for block in motion_blocks(still, 25.0) for c in counter.add([block])]
    tilted = np.repeat([[1.0, 0.0, 0.0]], 25 * 90, axis=0)
    found += [c for block in motion_blocks(tilted, 25.0, start_s=90.0) for c in counter.add([block])]
    found += counter.flush()
    assert [(c.start_s, c.magnitude) for c in found] == [(0.0, 0.0), (60.0, 0.0), (120.0, 0.0)]
    assert [c.known_s for c in found] == pytest.approx([30.0, 30.0, 60.0], abs=0.3)


def test_what_is_no_number_is_like_the_sample_before_it() -> None:
    accel_g = np.repeat([[0.3, -0.5, 0.8]], 1500, axis=0)
    accel_g[300:310] = np.nan
    accel_g[400, 1] = np.inf
    accel_g[625:650] = np.nan  # a whole block
    found = counted(accel_g, 25.0)
    assert [c.magnitude for c in found] == [0.0]
    assert found[0].known_s == pytest.approx(60.0, abs=1.3)
    assert ActigraphCounter().add([MotionBlock(0.0, 25.0, np.full((25, 3), np.nan))]) == []


def test_a_clock_that_differs_from_the_rate_does_not_drift_away() -> None:
    """The rate is fitted and may be off by a little all night; the epochs stay with the blocks' own times."""
    counter, found = ActigraphCounter(), []
    accel_g = np.repeat([[0.0, 0.0, 1.0]], 2 * 3600 * 25, axis=0)
    accel_g[-25 * 20 :, 0] = 0.5 * np.sin(2 * np.pi * 0.8 * np.arange(25 * 20) / 25)
    for block in motion_blocks(accel_g, 25.0):
        found += counter.add([MotionBlock(block.start_s, 25.0 * 1.005, block.accel_g)])
    found += counter.flush()
    assert [c.start_s for c in found if c.magnitude] == [7200.0 - 60.0]
    assert found[-1].known_s == pytest.approx(60.0, abs=0.3)


def test_what_was_before_the_origin_is_not_added_to_what_comes_after() -> None:
    found = counted(swinging(30.0, 120.0), 30.0, origin_s=60.0)
    assert [c.start_s for c in found] == [0.0, 60.0]
    assert [c.x for c in found] == pytest.approx([4952.0, 2321.0], abs=1)
    half = counted(swinging(30.0, 120.0), 30.0, origin_s=30.0)
    assert [c.start_s for c in half] == [-30.0, 30.0, 90.0]
    assert [c.known_s for c in half] == pytest.approx([30.0, 60.0, 30.0])


def test_memory_stays_flat() -> None:
    counter = ActigraphCounter()
    sizes = []
    for block in motion_blocks(swinging(50.0, 600.0), 50.0, block_s=0.64):
        counter.add([block])
        sizes.append(sum(v.nbytes for v in vars(counter).values() if isinstance(v, np.ndarray)))
    assert max(sizes[20:]) < 16_000
