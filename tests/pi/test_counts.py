"""ActiGraph-style counts against figures of the open reference implementation (agcounts 0.2.6 on these same waves)."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_waves import motion_blocks

from somnisphere.sleep.counts import ActigraphCounter, ActivityCounts

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


@pytest.mark.parametrize(("rate_hz", "within"), [(12.5, 0.06), (25.0, 0.03), (50.0, 0.03), (100.0, 0.03)])
def test_any_rate_counts_nearly_the_same(rate_hz: float, within: float) -> None:
    found = np.array([c.magnitude for c in counted(swinging(rate_hz), rate_hz)])
    true = np.linalg.norm(np.array(REFERENCE_30_HZ), axis=1)
    assert found == pytest.approx(true, rel=within)


@pytest.mark.parametrize("block_s", [0.1, 0.64, 7.0, 300.0])
def test_the_cut_into_blocks_does_not_matter(block_s: float) -> None:
    whole = counted(swinging(25.0), 25.0)
    cut = counted(swinging(25.0), 25.0, block_s)
    assert [c.start_s for c in cut] == [c.start_s for c in whole]
    assert np.array([(c.x, c.y, c.z) for c in cut]) == pytest.approx(np.array([(c.x, c.y, c.z) for c in whole]), abs=9)


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


def test_what_is_no_number_does_no_harm() -> None:
    accel_g = swinging(25.0, 60.0)
    accel_g[300:310] = np.nan
    assert all(np.isfinite(c.magnitude) for c in counted(accel_g, 25.0))
