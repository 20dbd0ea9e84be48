"""The falling page: what it promises, over any night."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somnisphere.bedtime.fades import FadeSettings, FallingPage

SETTINGS = FadeSettings()

wavering = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=60)
spells = st.lists(
    st.tuples(st.sampled_from([None, 0.0, 0.05, 0.15, 0.3, 0.6, 0.9, 1.0]), st.integers(1, 20)), min_size=1
)
"""Long spells of sleep and waking: without them a random night never falls deep enough to be raised."""
epochs = st.one_of(
    wavering, spells.map(lambda night: [p for probability, count in night for p in [probability] * count][:120])
)


def fall(
    page: FallingPage, start_s: int, seconds: int, probability: float | None, left_s: float | None = None
) -> float:
    for second in range(seconds):
        page.step(float(start_s + second), probability, None if left_s is None else left_s - second)
    return page.fade_db


@settings(max_examples=50, deadline=None)
@given(epochs, st.booleans())
def test_loudness_never_rises_while_sleep_grows_likelier(night: list[float | None], timed: bool) -> None:
    page = FallingPage()
    before_db, last_known, total_s = 0.0, None, len(night) * 30.0
    page.step(0.0, None)
    for number, probability in enumerate(night):
        grew = probability is not None and last_known is not None and probability > last_known
        last_known = probability if probability is not None else last_known
        for second in range(30):
            at_s = number * 30.0 + second + 1
            fade_db = page.step(at_s, probability, total_s - at_s if timed else None)
            assert SETTINGS.floor_db <= fade_db <= 0.0
            assert before_db - fade_db <= 0.1 + 1e-9, "falls at most 1 dB in 10 s"
            if grew:
                assert fade_db <= before_db + 1e-12
            if fade_db > before_db:
                assert probability is not None
                assert probability < SETTINGS.awake_below, "only somebody awake raises it"
                assert fade_db - before_db <= SETTINGS.raise_db_per_s + 1e-9
            assert 0.0 <= page.lamp_factor <= 1.0
            before_db = fade_db


@settings(max_examples=50, deadline=None)
@given(epochs)
def test_the_page_raises_at_most_once_in_five_minutes(night: list[float | None]) -> None:
    page = FallingPage()
    raises: list[float] = []
    for second in range(len(night) * 30):
        page.step(float(second), night[second // 30])
        if page.state.raised_s is not None and (not raises or page.state.raised_s != raises[-1]):
            raises.append(page.state.raised_s)
    assert all(later - earlier >= SETTINGS.raise_again_s for earlier, later in itertools.pairwise(raises))


@settings(max_examples=50, deadline=None)
@given(epochs, st.floats(5, 60))
def test_steps_of_any_length_keep_the_pace(night: list[float | None], step_s: float) -> None:
    page = FallingPage()
    before_db = page.step(0.0, night[0])
    for number, probability in enumerate(night):
        fade_db = page.step((number + 1) * step_s, probability)
        assert before_db - fade_db <= 0.1 * step_s + 1e-9
        before_db = fade_db


def test_deep_sleep_brings_the_page_to_its_floor_in_the_time_of_the_fade() -> None:
    page = FallingPage()
    assert fall(page, 0, 601, 0.95) == pytest.approx(SETTINGS.floor_db, abs=0.06)
    assert page.at_floor
    assert page.lamp_factor == pytest.approx(0.0, abs=0.01)


def test_a_short_fade_time_never_breaks_the_pace() -> None:
    page = FallingPage(FadeSettings(fade_s=60))
    assert fall(page, 0, 61, 1.0) == pytest.approx(-6.0, abs=0.01)


def test_what_was_reached_is_kept_while_sleep_wavers() -> None:
    page = FallingPage()
    reached_db = fall(page, 0, 300, 0.7)
    assert reached_db < -10
    assert fall(page, 300, 300, 0.4) == reached_db
    assert fall(page, 600, 300, 0.25) == reached_db, "the hysteresis: not asleep, and not clearly awake"


def test_waking_raises_to_half_and_only_after_a_while() -> None:
    page = FallingPage()
    reached_db = fall(page, 0, 300, 0.9)
    lamp = page.lamp_factor
    assert fall(page, 300, 60, 0.05) == reached_db
    assert fall(page, 360, 200, 0.05) == pytest.approx(reached_db / 2)
    assert page.lamp_factor == pytest.approx((1 + lamp) / 2)
    assert fall(page, 560, 90, 0.05) == pytest.approx(reached_db / 2), "and no further"


def test_a_growing_likelihood_stops_a_raise_under_way() -> None:
    page = FallingPage()
    fall(page, 0, 600, 0.95)
    raised_db = fall(page, 600, 90, 0.05)
    assert raised_db > SETTINGS.floor_db
    assert fall(page, 690, 29, 0.1) == raised_db


def test_without_knowledge_only_time_lowers_and_the_light_is_left_alone() -> None:
    page = FallingPage()
    assert fall(page, 0, 900, None, left_s=1800) == 0.0
    assert fall(page, 900, 900, None, left_s=900) == pytest.approx(SETTINGS.floor_db, abs=0.2)
    assert page.lamp_factor == 1.0


def test_the_lower_of_sleep_and_time_wins() -> None:
    page = FallingPage()
    asleep_db = fall(page, 0, 900, 0.5, left_s=10_000)
    assert asleep_db == pytest.approx(-15.0)
    assert fall(page, 900, 600, 0.625, left_s=600) == pytest.approx(SETTINGS.floor_db, abs=0.2)


def test_a_hand_lifts_to_half_slowly_and_holds_sleep_off() -> None:
    page = FallingPage()
    fall(page, 0, 400, 1.0)
    before_db = page.fade_db
    page.lift(400.0)
    assert page.fade_db == before_db, "what is heard does not jump"
    assert fall(page, 400, 110, 1.0) == pytest.approx(before_db / 2, abs=0.2)
    assert fall(page, 520, 100, 1.0) < before_db / 2 - 5


def test_a_hand_lifts_at_once_what_is_not_heard() -> None:
    page = FallingPage()
    fall(page, 0, 700, 1.0)
    page.lift(700.0, silent=True)
    assert page.fade_db == pytest.approx(SETTINGS.floor_db / 2, abs=0.1)


def test_landing_goes_to_the_floor_whatever_the_likelihood() -> None:
    page = FallingPage()
    for second in range(700):
        page.step(float(second), 0.1, None, landing=True)
    assert page.at_floor


def test_a_clock_that_stands_still_or_goes_back_changes_nothing() -> None:
    page = FallingPage()
    fall(page, 0, 100, 0.9)
    before_db = page.fade_db
    assert page.step(99.0, 0.9) == before_db
    assert page.step(50.0, 0.9) == before_db
