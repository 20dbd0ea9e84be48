"""Two whites as one light: its luminance, its colour on the way down, and what happens at the edges."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere_hardware.colour import (
    Mix,
    TwoChannelOutput,
    Whites,
    mix,
    planckian_uv,
    wanted_cct_k,
)
from somnisphere_hardware.fade import lightness, luminance
from somnisphere_hardware.lamp import open_lamp
from somnisphere_hardware.simulated.pins import simulated_pins

WARM, COLD = 18, 13
WHITES = Whites(COLD)


class Recorder:
    def __init__(self, smallest_duty: float = 0.0005) -> None:
        self.smallest_duty = smallest_duty
        self.duty = 0.0
        self.closed = False

    def write(self, duty: float, *, moving: bool = False) -> None:  # noqa: ARG002
        self.duty = duty

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("cct_k", "uv"),
    [(2856.0, (0.2560, 0.3495)), (6500.0, (0.2003, 0.3105)), (2000.0, (0.3050, 0.3591))],
)
def test_the_locus_is_the_published_one(cct_k: float, uv: tuple[float, float]) -> None:
    assert planckian_uv(cct_k) == pytest.approx(uv, abs=3e-4)


def uv_of(shares: Mix, warm_k: float, cold_k: float) -> tuple[float, float]:
    """Chromaticity of the mixture by tristimulus values: X, Y, Z add up."""
    x_sum = y_sum = z_sum = 0.0
    for luminous, cct_k in ((shares.warm, warm_k), (shares.cold, cold_k)):
        u, v = planckian_uv(cct_k)
        x, y = 3.0 * u / (2.0 * u - 8.0 * v + 4.0), 2.0 * v / (2.0 * u - 8.0 * v + 4.0)
        x_sum += luminous * x / y
        y_sum += luminous
        z_sum += luminous * (1.0 - x - y) / y
    whole = x_sum + 15.0 * y_sum + 3.0 * z_sum
    return 4.0 * x_sum / whole, 6.0 * y_sum / whole


def cct_of(uv: tuple[float, float]) -> float:
    """Correlated colour temperature: the nearest point of the locus, searched for."""

    def away(cct_k: float) -> float:
        u, v = planckian_uv(cct_k)
        return (u - uv[0]) ** 2 + (v - uv[1]) ** 2

    low, high = 1000.0, 10_000.0
    for _ in range(100):
        third = (high - low) / 3.0
        low, high = (low, high - third) if away(low + third) < away(high - third) else (low + third, high)
    return (low + high) / 2.0


@given(cct_k=st.floats(1500.0, 6500.0), warm_k=st.floats(1500.0, 3000.0), apart_k=st.floats(200.0, 3500.0))
def test_a_mixture_has_the_colour_that_was_asked_for(cct_k: float, warm_k: float, apart_k: float) -> None:
    cold_k = warm_k + apart_k
    shares = mix(cct_k, warm_k, cold_k)
    assert shares.warm + shares.cold == pytest.approx(1.0)
    assert min(shares.warm, shares.cold) >= 0.0
    possible_k = min(cold_k, max(warm_k, cct_k))
    assert cct_of(uv_of(shares, warm_k, cold_k)) == pytest.approx(possible_k, rel=0.002)


def test_what_the_warm_led_cannot_do_is_the_warm_led_alone() -> None:
    assert mix(1800.0, 2700.0, 6500.0) == Mix(1.0, 0.0)
    assert mix(7000.0, 2700.0, 6500.0) == Mix(0.0, 1.0)
    with pytest.raises(ValueError, match="not less than"):
        Whites(COLD, warm_k=3000.0, cold_k=2700.0)


@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0))
def test_darker_is_warmer(one_pct: float, other_pct: float) -> None:
    low_pct, high_pct = sorted((one_pct, other_pct))
    assert wanted_cct_k(low_pct, 2700.0, 1800.0) <= wanted_cct_k(high_pct, 2700.0, 1800.0) + 1e-9
    assert wanted_cct_k(4.0, 2700.0, 1800.0) == pytest.approx(1800.0)
    assert wanted_cct_k(60.0, 2700.0, 1800.0) == pytest.approx(2700.0)


@given(
    st.floats(0.0, 1.0),
    st.floats(1500.0, 2900.0),
    st.floats(3000.0, 6500.0),
    st.floats(1000.0, 2000.0),
    st.floats(2000.0, 5000.0),
)
def test_two_channels_give_the_luminance_of_one(
    duty: float, warm_k: float, cold_k: float, night_k: float, evening_k: float
) -> None:
    warm, cold = Recorder(), Recorder()
    output = TwoChannelOutput(warm, cold, Whites(COLD, warm_k, cold_k, evening_k, night_k))
    output.write(duty)
    assert warm.duty + cold.duty == pytest.approx(duty)
    for channel in (warm, cold):  # none so faint that its own pin would drop it, unless the whole light is
        assert channel.duty == 0.0 or channel.duty >= 0.0005 or duty < 0.0005
    output.close()
    assert warm.closed
    assert cold.closed


def test_closing_darkens_the_cold_one_though_the_warm_one_fails() -> None:
    class Broken(Recorder):
        def close(self) -> None:
            raise OSError("gone")

    cold = Recorder()
    with pytest.raises(OSError, match="gone"):
        TwoChannelOutput(Broken(), cold, WHITES).close()
    assert cold.closed


def test_twenty_minutes_down_are_even_in_light_and_get_warmer_only() -> None:
    """On mock pins, as the daemon steps it."""
    with simulated_pins() as pins:
        lamp, problem = open_lamp(WARM, whites=WHITES)
        assert problem == ""
        lamp.dim(60.0, 0.0, 0.0)
        lamp.step(0.0)
        assert pins.duty(WARM) == 0.0  # 2700 K from L* 50 up: the cold one alone
        lamp.dim(0.0, 1200.0, 0.0)
        due_s: float | None = 0.0
        levels_pct, ccts_k = [], []
        while due_s is not None:
            at_s, due_s = due_s, lamp.step(due_s)
            warm, cold = pins.duty(WARM), pins.duty(COLD)
            wanted_pct = 60.0 - at_s / 20.0
            assert lightness(warm + cold) == pytest.approx(wanted_pct, abs=0.03) or wanted_pct < 0.46
            levels_pct.append(lightness(warm + cold))
            if warm + cold > 0.0:
                shares = Mix(warm / (warm + cold), cold / (warm + cold))
                ccts_k.append(cct_of(uv_of(shares, WHITES.warm_k, WHITES.cold_k)))
        assert max(a - b for a, b in pairwise(levels_pct)) < 0.5
        seconds_k = [sum(ccts_k[i : i + 20]) / 20 for i in range(0, len(ccts_k) - 20, 20)]
        assert all(b <= a + 0.5 for a, b in pairwise(seconds_k))
        assert seconds_k[0] == pytest.approx(2700.0, abs=1.0)
        assert seconds_k[-1] == pytest.approx(1800.0, abs=1.0)
        assert (pins.duty(WARM), pins.duty(COLD)) == (0.0, 0.0)
        lamp.close()


def test_a_cold_led_that_cannot_be_had_leaves_the_warm_one() -> None:
    with simulated_pins() as pins:
        taken, _ = open_lamp(COLD)
        lamp, problem = open_lamp(WARM, whites=WHITES)
        assert f"GPIO {COLD} cannot be used" in problem
        lamp.dim(60.0, 0.0, 0.0)
        lamp.step(0.0)
        assert pins.duty(WARM) == pytest.approx(luminance(60.0), rel=1e-3)
        lamp.close()
        taken.close()


def test_both_pins_go_dark_when_the_lamp_is_closed() -> None:
    with simulated_pins() as pins:
        lamp, _ = open_lamp(WARM, whites=WHITES)
        lamp.dim(25.0, 0.0, 0.0)
        lamp.step(0.0)
        assert min(pins.duty(WARM), pins.duty(COLD)) > 0.0
        lamp.close()
        assert (pins.duty(WARM), pins.duty(COLD)) == (0.0, 0.0)
