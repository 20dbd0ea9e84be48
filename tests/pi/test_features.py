"""The features: smoothing, levels, windows, and what is not known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somnisphere.night import Epoch
from somnisphere.sleep.features import (
    BACK_STEPS,
    HEART_TAIL,
    FeatureStream,
    Levels,
    describe,
    epoch_arrays,
    live_features,
    overnight_features,
    smooth_heart,
)

UNKNOWN = float("nan")


def epoch(hearts: tuple[float | None, ...], counts: tuple[float | None, ...]) -> Epoch:
    return Epoch(0, 0.0, None, True, None, hearts, None, 0, 0.0, None, None, counts)


def test_what_is_impossible_is_not_known() -> None:
    heart, counts = epoch_arrays([epoch((None, 60.5, 5.0, 900.0, UNKNOWN, 70.0), (-1.0, 12.0))])
    np.testing.assert_array_equal(heart, [[UNKNOWN, 60.5, UNKNOWN, UNKNOWN, UNKNOWN, 70.0]])
    np.testing.assert_array_equal(counts, [[UNKNOWN, 12.0]])


def test_an_epoch_with_empty_series_is_not_known() -> None:
    heart, counts = epoch_arrays([epoch((), ())])
    assert np.isnan(heart).all()
    assert np.isnan(counts).all()


def test_smoothing_rounds_and_removes_a_spike() -> None:
    series = np.full(HEART_TAIL, 60.4)
    series[7] = 130.0
    np.testing.assert_allclose(smooth_heart(series), [60.0, 60.0])


def test_smoothing_takes_the_mean_of_thirty_seconds() -> None:
    ramp = np.arange(60.0, 60.0 + HEART_TAIL)
    # The trailing median of five lags by two values; the mean of six of those by two and a half.
    np.testing.assert_allclose(smooth_heart(ramp), [60.0 + 9 - 4.5, 60.0 + 12 - 4.5])


def test_smoothing_uses_what_is_known() -> None:
    series = np.full(HEART_TAIL, UNKNOWN)
    assert np.isnan(smooth_heart(series)).all()
    series[5] = 61.0
    assert smooth_heart(series)[0] == 61.0


def test_levels_are_the_percentiles_so_far() -> None:
    levels = Levels()
    assert np.isnan(levels.row()[:3]).all()
    levels.add(np.arange(50.0, 150.0), np.zeros(100))
    np.testing.assert_allclose(levels.row(), [54.0, 99.0, 139.0, 0.0], atol=1.0)


def test_a_noisy_motion_sensor_has_a_quiet_level() -> None:
    levels = Levels()
    levels.add(np.zeros(0), np.log1p(np.array([20.0] * 50 + [300.0] * 5)))
    assert levels.row()[3] == pytest.approx(np.log1p(20.0), abs=0.25)


def test_both_answers_count_the_minutes_alike() -> None:
    rng = np.random.default_rng(3)
    heart, counts = 60.0 + rng.normal(0, 3, (80, 6)), np.where(rng.random((80, 2)) < 0.1, 50.0, 0.0)
    live, overnight = live_features(heart, counts), overnight_features(heart, counts)
    minutes = live[:, -2]
    np.testing.assert_allclose(minutes, np.arange(1, 81) / 2)
    np.testing.assert_allclose(overnight[:, -4], minutes)
    np.testing.assert_allclose(live[:, -1], overnight[:, -3])


def test_time_since_movement() -> None:
    log_counts = np.zeros((1, BACK_STEPS))
    log_counts[0, -9] = np.log1p(50.0)  # eight steps of 15 s ago: two minutes
    row = describe(
        np.full((1, BACK_STEPS), 60.0), log_counts, np.array([[55.0, 60.0, 70.0, 0.0]]), np.zeros((1, 0)), ahead=False
    )[0]
    np.testing.assert_allclose(np.expm1(row[-3:]), [2.0, 2.0, 30.0])  # above 0, above 30, above 100 counts


def test_live_features_have_bounded_memory() -> None:
    stream = FeatureStream()

    def size() -> int:
        return sum(v.nbytes for v in vars(stream).values() if isinstance(v, np.ndarray))

    before = size()
    for _ in range(200):
        stream.push(np.full(6, 60.0), np.zeros(2))
    assert size() == before


known_or_not = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.one_of(known_or_not, st.floats(40, 120)), min_size=6, max_size=6),
            st.lists(st.one_of(known_or_not, st.floats(0, 600)), min_size=2, max_size=2),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_any_pattern_gives_finite_features_or_unknown(
    night: list[tuple[list[float | None], list[float | None]]],
) -> None:
    heart, counts = epoch_arrays([epoch(tuple(h), tuple(c)) for h, c in night])
    for features in (live_features(heart, counts), overnight_features(heart, counts)):
        assert len(features) == len(night)
        assert not np.isinf(features).any()
