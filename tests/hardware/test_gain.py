"""How bright the LEDs shine."""

import itertools
from collections.abc import Callable

import pytest

from somnisphere_hardware.gain import (
    HOLD_S,
    SEARCH_IR_MA,
    SEARCH_RED_MA,
    LedControl,
    quantised_ma,
)

FULL = 0x3FFFF


def watch_for(
    leds: LedControl, seconds: float, returned: Callable[[float], tuple[float, float]], from_s: float = 0.0
) -> list[float]:
    """Feeds the control what a body returning counts per mA would give; times of changes."""
    changes = []
    for k in range(int(seconds / 0.5)):
        at_s = from_s + 0.5 * k
        red_per_ma, ir_per_ma = returned(at_s)
        if leds.watch(at_s, min(FULL, red_per_ma * leds.red_ma), min(FULL, ir_per_ma * leds.ir_ma)):
            changes.append(at_s)
    return changes


@pytest.mark.parametrize("per_ma", [5000.0, 8000.0, 15000.0, 60000.0, 200000.0])
def test_a_finger_of_any_brightness_comes_into_range_and_stays(per_ma: float) -> None:
    leds = LedControl(6.4, 25.0)
    changes = watch_for(leds, 60.0, lambda _: (per_ma, per_ma))
    assert 0.2 * FULL <= per_ma * leds.ir_ma <= 0.8 * FULL
    assert all(change < 25.0 for change in changes), "settled, no hunting"


def test_leds_are_set_each_on_its_own() -> None:
    leds = LedControl(6.4, 25.0)
    watch_for(leds, 30.0, lambda _: (5000.0, 20000.0))
    assert leds.ir_ma == 6.4
    assert leds.red_ma == 25.0


def test_breathing_and_small_movements_change_nothing() -> None:
    leds = LedControl(6.4, 25.0)
    assert watch_for(leds, 300.0, lambda at_s: (12000.0 + 6000.0 * (at_s % 4 < 2),) * 2) == []


def test_one_odd_block_changes_nothing() -> None:
    leds = LedControl(6.4, 25.0)
    assert watch_for(leds, 60.0, lambda at_s: (60000.0 if at_s == 30.0 else 15000.0,) * 2) == []


def test_the_cap_holds() -> None:
    leds = LedControl(6.4, 10.0)
    watch_for(leds, 120.0, lambda _: (4500.0, 4500.0))
    assert (leds.red_ma, leds.ir_ma) == (10.0, 10.0)


def test_an_empty_bed_gets_the_search_current_and_never_more_all_night() -> None:
    leds = LedControl(6.4, 25.0)
    seen = []
    for k in range(8 * 3600):
        leds.watch(float(k), 700.0 * leds.red_ma, 2500.0 * leds.ir_ma)
        seen.append((leds.red_ma, leds.ir_ma))
    assert max(seen) == (6.4, 6.4)
    assert set(seen[30:]) == {(SEARCH_RED_MA, SEARCH_IR_MA)}


def test_somebody_comes_back() -> None:
    leds = LedControl(6.4, 25.0)
    watch_for(leds, 60.0, lambda _: (2500.0, 2500.0))
    assert leds.searching
    watch_for(leds, 60.0, lambda _: (12000.0, 12000.0), from_s=60.0)
    assert not leds.searching
    assert 0.2 * FULL <= 12000.0 * leds.ir_ma <= 0.8 * FULL


def test_changes_are_seconds_apart_whatever_the_light_does() -> None:
    leds = LedControl(6.4, 25.0)
    changes = watch_for(leds, 600.0, lambda at_s: (100000.0 if at_s % 12 < 6 else 6000.0,) * 2)
    assert len(changes) > 20
    assert min(b - a for a, b in itertools.pairwise(changes)) >= HOLD_S


def test_currents_are_ones_the_chip_can_set() -> None:
    assert quantised_ma(6.33) == 6.4
    assert quantised_ma(0.29) == 0.2


@pytest.mark.parametrize(("start_ma", "cap_ma"), [(0.0, 25.0), (60.0, 25.0), (6.4, 60.0), (6.4, 0.0)])
def test_settings_out_of_range_are_refused(start_ma: float, cap_ma: float) -> None:
    with pytest.raises(ValueError, match=r"LED (cap|start current) .* mA: allowed are"):
        LedControl(start_ma, cap_ma)


def test_a_cap_below_the_start_current_holds_from_the_start() -> None:
    leds = LedControl(6.4, 3.0)
    assert (leds.red_ma, leds.ir_ma) == (3.0, 3.0)
