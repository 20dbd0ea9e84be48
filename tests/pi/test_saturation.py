import numpy as np
import pytest
from tests.pulse_waves import beat_times, light

from somnisphere.sleep.saturation import MAXIM_CURVE, Oxygen

RATE_HZ = 50.0


def fed(
    ratio: float, *, seconds: float = 30.0, noise: float = 0.0, usable: bool = True, oxygen: Oxygen | None = None
) -> Oxygen:
    """Red that pulses ``ratio`` times as much as infrared, each over its own mean, in chunks of three seconds."""
    oxygen = oxygen or Oxygen()
    beats = beat_times(seconds)
    ir = light(beats, seconds, RATE_HZ, level=120_000, depth=0.01)
    red = light(beats, seconds, RATE_HZ, level=90_000, depth=0.01 * ratio)
    red = red + np.random.default_rng(4).normal(0, 1, len(red)) * noise
    size = 150
    for first in range(0, len(ir), size):
        part = slice(first, first + size)
        oxygen.add(first / RATE_HZ, RATE_HZ, red[part], ir[part], usable=usable, follows=first > 0)
    return oxygen


@pytest.mark.parametrize("ratio", [0.4, 0.6, 0.9, 1.2])
def test_the_ratio_of_ratios_is_found(ratio: float) -> None:
    oxygen = fed(ratio, noise=30)
    assert oxygen.ratio(30.0) == pytest.approx(ratio, rel=0.03)
    maxim = MAXIM_CURVE[0] * ratio**2 + MAXIM_CURVE[1] * ratio + MAXIM_CURVE[2]
    assert oxygen.spo2_pct(30.0) == pytest.approx(maxim, abs=1.5)


def test_the_curve_is_not_followed_over_its_top() -> None:
    # Maxim's parabola falls again below R = 0.337: less red must never read as less oxygen.
    assert fed(0.2).spo2_pct(30.0) == pytest.approx(99.96, abs=0.05)


def test_the_curve_is_a_setting() -> None:
    assert fed(0.5, oxygen=Oxygen((-25.0, 110.0))).spo2_pct(30.0) == pytest.approx(97.5, abs=0.3)
    with pytest.raises(ValueError, match="curve"):
        Oxygen(())


def test_silence_when_the_two_lights_do_not_agree_or_nothing_is_usable() -> None:
    assert fed(0.5, noise=2000).spo2_pct(30.0) is None
    assert fed(0.5, usable=False).spo2_pct(30.0) is None
    assert fed(0.5, seconds=6.0).spo2_pct(6.0) is None
    assert fed(2.5).spo2_pct(30.0) is None
    assert Oxygen().spo2_pct(0.0) is None


def test_old_light_is_forgotten() -> None:
    oxygen = fed(0.5)
    assert oxygen.spo2_pct(30.0) is not None
    assert oxygen.spo2_pct(300.0) is None
    oxygen.clear()
    assert oxygen.spo2_pct(30.0) is None
