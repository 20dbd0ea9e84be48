import numpy as np
import pytest

from somnisphere.night import Beat
from somnisphere.sleep.heart import Heart


def regular(count: int, interval_s: float = 1.0, start_s: float = 0.0) -> list[Beat]:
    return [Beat(start_s + k * interval_s, interval_s if k else None, 0.95) for k in range(count)]


def test_rate_is_sixty_over_the_mean_interval() -> None:
    heart = Heart()
    heart.add(regular(60, 0.8))
    assert heart.rate_bpm(10, 40) == pytest.approx(75.0)
    assert heart.share(10, 40) == pytest.approx(1.0, abs=0.03)


def test_no_rate_when_trusted_intervals_fill_less_than_half() -> None:
    heart = Heart()
    heart.add([Beat(k * 1.0, 1.0 if k % 3 == 0 else None, 0.3) for k in range(60)])
    assert heart.rate_bpm(0, 60) is None
    assert heart.quality(0, 60) < 0.2
    assert Heart().rate_bpm(0, 30) is None
    assert Heart().quality(0, 30) == 0.0


def test_rmssd_of_alternating_intervals_is_their_difference() -> None:
    heart, at_s, beats = Heart(), 0.0, list[Beat]()
    for k in range(200):
        interval_s = 1.0 if k % 2 else 1.04
        at_s += interval_s
        beats.append(Beat(at_s, interval_s, 0.9))
    heart.add(beats)
    assert heart.rmssd_ms(at_s) == pytest.approx(40.0)


def test_rmssd_needs_intervals_that_follow_each_other() -> None:
    heart = Heart()
    heart.add([Beat(k * 1.0, None if k % 2 else 1.0, 0.9) for k in range(200)])
    assert heart.rmssd_ms(200.0) is None


def test_rmssd_looks_back_five_minutes_and_memory_is_bounded() -> None:
    heart = Heart()
    rng = np.random.default_rng(2)
    wild = [Beat(float(k), 1.0 + float(rng.normal(0, 0.1)), 0.9) for k in range(3000)]
    heart.add(wild)
    heart.add(regular(310, 1.0, 3000.0))
    assert heart.rmssd_ms(3309.0) == pytest.approx(0.0, abs=1e-9)
    assert len(heart.within(0.0, 4000.0)) < 400
