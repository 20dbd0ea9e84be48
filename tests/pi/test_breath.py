import numpy as np
import pytest

from somnisphere.night import Beat
from somnisphere.sleep.breath import Breath
from somnisphere.sleep.pulse import Wave
from somnisphere_hardware.samples import MotionBlock


def breathing(
    breath_bpm: float,
    *,
    from_s: float = 0.0,
    to_s: float = 90.0,
    swing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    noise: float = 0.2,
    quality: float = 0.95,
) -> list[Wave]:
    """Waves of a heart at 65 whose level, rise and interval swing with the breath by ``swing``."""
    rng = np.random.default_rng(5)
    waves, at_s = list[Wave](), from_s
    while at_s < to_s:
        breath = np.sin(2 * np.pi * breath_bpm / 60 * at_s)
        level, rise, interval = (s * breath + noise * rng.normal() for s in swing)
        ibi_s = 60 / 65 + 0.03 * interval
        at_s += ibi_s
        waves.append(Wave(Beat(at_s, ibi_s, quality), 100 + 5 * rise, 17_000 + 50 * level))
    return waves


def ask(breath: Breath, waves: list[Wave], until_s: float) -> float | None:
    answer, left = None, list(waves)
    for at_s in np.arange(15.0, until_s + 1, 15.0):
        breath.add([wave for wave in left if wave.beat.at_s <= at_s])
        left = [wave for wave in left if wave.beat.at_s > at_s]
        answer = breath.rate_bpm(float(at_s))
    return answer


@pytest.mark.parametrize("breath_bpm", [9.0, 12.0, 16.0, 22.0])
@pytest.mark.parametrize("swing", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_any_one_of_the_three_modulations_is_enough(breath_bpm: float, swing: tuple[float, float, float]) -> None:
    assert ask(Breath(), breathing(breath_bpm, swing=swing), 90.0) == pytest.approx(breath_bpm, abs=1.0)


def test_no_answer_without_breath_in_the_pulse() -> None:
    assert ask(Breath(), breathing(15.0, swing=(0, 0, 0), noise=1.0), 90.0) is None


def test_no_answer_from_doubtful_beats_or_too_few() -> None:
    assert ask(Breath(), breathing(15.0, quality=0.3), 90.0) is None
    assert ask(Breath(), breathing(15.0, to_s=20.0), 90.0) is None
    assert Breath().rate_bpm(60.0) is None


def test_a_new_rate_is_followed() -> None:
    breath = Breath()
    waves = breathing(12.0, to_s=200.0) + breathing(18.0, from_s=200.0, to_s=420.0)
    assert ask(breath, waves, 405.0) == pytest.approx(18.0, abs=1.0)


def test_one_odd_minute_does_not_shake_a_steady_belief() -> None:
    breath = Breath()
    steady = breathing(14.0, to_s=300.0)
    assert ask(breath, steady, 300.0) == pytest.approx(14.0, abs=1.0)
    breath.add(breathing(14.0, from_s=300.0, to_s=330.0, swing=(0, 0, 0), noise=1.5))
    answer = breath.rate_bpm(330.0)
    assert answer is None or answer == pytest.approx(14.0, abs=1.5)


def swaying(breath_bpm: float, sway_g: float, seconds: float = 120.0, rate_hz: float = 25.0) -> list[MotionBlock]:
    """A mattress that tilts with the breath, seen by a noisy accelerometer that lies at an angle."""
    rng = np.random.default_rng(6)
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    breath = np.sin(2 * np.pi * breath_bpm / 60 * t)[:, None] * np.array([0.6, -0.3, 0.1])
    accel_g = np.array([0.2, 0.1, 0.97]) + sway_g * breath + rng.normal(0, 0.002, (len(t), 3))
    size = round(rate_hz)
    return [MotionBlock(k / rate_hz, rate_hz, accel_g[k : k + size]) for k in range(0, len(t), size)]


@pytest.mark.parametrize("rate_hz", [12.5, 25.0, 50.0])
@pytest.mark.parametrize("breath_bpm", [10.0, 16.0])
def test_a_still_body_breathes_into_the_accelerometer(rate_hz: float, breath_bpm: float) -> None:
    breath = Breath()
    breath.add_motion(swaying(breath_bpm, 0.004, rate_hz=rate_hz))
    assert [breath.rate_bpm(at_s) for at_s in (90.0, 105.0, 120.0)][-1] == pytest.approx(breath_bpm, abs=1.0)


def test_movement_is_not_breath() -> None:
    breath = Breath()
    breath.add_motion(swaying(16.0, 0.3))
    assert breath.rate_bpm(120.0) is None


def test_noise_of_an_accelerometer_alone_is_no_breath() -> None:
    breath = Breath()
    breath.add_motion(swaying(16.0, 0.0))
    assert [breath.rate_bpm(at_s) for at_s in (90.0, 105.0, 120.0)] == [None, None, None]


def test_chest_and_pulse_together_hear_what_neither_hears_alone() -> None:
    faint = breathing(15.0, swing=(0.12, 0.12, 0.12), to_s=120.0, noise=0.3)
    alone, both = Breath(), Breath()
    both.add_motion(swaying(15.0, 0.003))
    assert ask(alone, faint, 120.0) is None
    assert ask(both, faint, 120.0) == pytest.approx(15.0, abs=1.0)
