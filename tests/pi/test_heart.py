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
    assert heart.rate(0, 60).quality < 0.75
    assert Heart().rate_bpm(0, 30) is None
    assert Heart().rate(0, 30).quality == 0.0


def test_a_rate_is_less_sure_the_less_it_stands_on_and_the_more_uneven_it_is() -> None:
    whole, sparse, uneven = Heart(), Heart(), Heart()
    whole.add(regular(31))
    sparse.add([Beat(beat.at_s, beat.ibi_s if k % 2 else None, 0.9) for k, beat in enumerate(regular(31))])
    uneven.add([Beat(beat.at_s, 1.4 if k % 3 == 0 else 0.8, 0.9) for k, beat in enumerate(regular(31))])
    rates = [heart.rate(0, 30) for heart in (whole, sparse, uneven)]
    assert rates[0].quality > 0.97
    assert rates[0].beat_count == 30
    assert all(rate.quality < rates[0].quality - 0.02 for rate in rates[1:])
    assert whole.rate(20, 30).quality < rates[0].quality


def test_variability_leaves_out_what_a_moving_body_gave() -> None:
    still, moved = Heart(), Heart()
    rng = np.random.default_rng(4)
    intervals_s = 1.0 + rng.normal(0, 0.03, 200)
    beats = [
        Beat(float(at_s), float(ibi_s), 0.9) for at_s, ibi_s in zip(np.cumsum(intervals_s), intervals_s, strict=True)
    ]
    still.add(beats)
    moved.add([Beat(b.at_s, (b.ibi_s or 0.0) + 0.3 * (k == 50), b.quality, still=k != 50) for k, b in enumerate(beats)])
    whole, part = still.variability(200.0), moved.variability(200.0)
    assert whole is not None
    assert part is not None
    assert whole.sdnn_ms == pytest.approx(1e3 * np.std(intervals_s, ddof=1), rel=0.02)
    assert whole.rmssd_ms == pytest.approx(1e3 * np.sqrt(np.mean(np.diff(intervals_s) ** 2)), rel=0.02)
    assert (whole.interval_count - part.interval_count, whole.difference_count - part.difference_count) == (1, 2)
    assert part.rmssd_ms == pytest.approx(whole.rmssd_ms, rel=0.05)
    assert Heart().variability(100.0) is None


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
