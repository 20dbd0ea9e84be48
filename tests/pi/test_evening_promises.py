"""What an evening promises a sleeper, over random nights: one promise a test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.number_bedside import NumberBedside

from somnisphere.bedtime.evening import GAIN_STEP_DB
from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.ritual import RitualSettings
from somnisphere.bedtime.state import volume_gain_db
from somnisphere.events import Press
from somnisphere.story import Mark, Story

EPOCH_S = 30
TOLD = Story(
    "told.opus",
    "Told in sentences",
    Path("told.opus"),
    7200.0,
    marks=tuple(Mark(7.0 * k, 7.0 * k + 6.2, f"s{k + 1}") for k in range(1000)),
)
LIMIT_S = 2400.0

likelihoods = st.one_of(st.none(), st.floats(0.0, 1.0))
nights = st.lists(likelihoods, min_size=4, max_size=110)
"""One likelihood of sleep an epoch; None: not known."""
rising = st.lists(st.floats(0.0, 1.0), min_size=4, max_size=60).map(sorted)


@dataclass
class Course:
    """What was heard, second by second."""

    gain_db: list[float] = field(default_factory=list)
    likelihood: list[float | None] = field(default_factory=list)
    playing: list[bool] = field(default_factory=list)


def evening(bed: NumberBedside, night: Sequence[float | None], course: Course) -> None:
    """An evening in the bedside: sleep is said when it has been likely for three epochs, and unsaid likewise."""
    likely = unlikely = 0
    for chance in night:
        likely = likely + 1 if chance is not None and chance >= 0.5 else 0
        unlikely = unlikely + 1 if chance is not None and chance < 0.3 else 0
        if likely >= 3 and bed.phase in (Phase.STORY, Phase.DRIFTING):
            bed.cue(Cue.SLEPT)
        elif unlikely >= 3 and bed.phase is Phase.ASLEEP:
            bed.cue(Cue.STIRRED)
        for _ in range(EPOCH_S):
            bed.live(1, chance)
            course.gain_db.append(bed.gain_db)
            course.likelihood.append(chance)
            course.playing.append(bed.playing)


def begun(volume_pct: float = 50.0, ceiling_pct: float = 80.0, limit_s: float = LIMIT_S) -> NumberBedside:
    rules = RitualSettings(
        wind_down_s=5.0,
        story_limit_s=limit_s,
        volume_pct=volume_pct,
        volume_ceiling_pct=ceiling_pct,
        sleep_timer_s=900.0,
    )
    bed = NumberBedside(rules, [TOLD])
    bed.press(Press.TAP)
    bed.live(6)
    assert bed.playing
    return bed


@settings(max_examples=40, deadline=None)
@given(rising)
def test_loudness_never_rises_while_sleep_grows_likelier(night: list[float]) -> None:
    bed, course = begun(), Course()
    evening(bed, night, course)
    heard = [gain_db for gain_db, playing in zip(course.gain_db, course.playing, strict=True) if playing]
    assert all(after <= before for before, after in pairwise(heard))
    if night[-1] > 0.9 and sum(chance > 0.9 for chance in night) > 3:
        assert heard[-1] < heard[0], "and falls"


@settings(max_examples=40, deadline=None)
@given(nights)
def test_in_any_night_loudness_rises_only_where_sleep_does_not_grow(night: list[float | None]) -> None:
    bed, course = begun(), Course()
    evening(bed, night, course)
    grew = [
        later is not None and earlier is not None and later > earlier
        for earlier, later in pairwise([night[0], *night])
        for _ in range(EPOCH_S)
    ]
    for (before, after), playing, growing in zip(pairwise(course.gain_db), course.playing[1:], grew[1:], strict=False):
        assert not (playing and growing and after > before + 1e-9)


@settings(max_examples=40, deadline=None)
@given(nights, st.floats(5.0, 100.0), st.floats(20.0, 100.0))
def test_loudness_never_exceeds_the_ceiling(night: list[float | None], volume_pct: float, ceiling_pct: float) -> None:
    bed, course = begun(volume_pct, ceiling_pct), Course()
    evening(bed, night, course)
    assert max(course.gain_db) <= volume_gain_db(min(volume_pct, ceiling_pct)) + 1e-9


@settings(max_examples=40, deadline=None)
@given(nights)
def test_falling_is_never_faster_than_a_decibel_in_ten_seconds(night: list[float | None]) -> None:
    bed, course = begun(), Course()
    evening(bed, night, course)
    for before, after in zip(course.gain_db, course.gain_db[10:], strict=False):
        assert after >= before - 1.0 - GAIN_STEP_DB - 1e-9
    for before, after in pairwise(course.gain_db):
        assert after >= before - GAIN_STEP_DB - 0.1 - 1e-9, "and in steps that are not heard"


@settings(max_examples=30, deadline=None)
@given(nights, st.floats(300.0, LIMIT_S))
def test_it_always_ends_paused_within_the_limit(night: list[float | None], limit_s: float) -> None:
    bed, course = begun(limit_s=limit_s), Course()
    evening(bed, night, course)
    bed.live(limit_s, night[-1])
    assert not bed.playing
    assert bed.heard_s <= limit_s + 1.0


@settings(max_examples=25, deadline=None)
@given(nights, st.integers(10, 75))
def test_the_next_evening_begins_at_the_persons_own_volume(night: list[float | None], volume_pct: int) -> None:
    bed, course = begun(), Course()
    bed.do(bed.ritual.set_volume(volume_pct, bed.at_s))
    evening(bed, night, course)
    bed.cue(Cue.NIGHT_OVER)
    bed.live(12 * 3600.0, None) if len(night) < 6 else bed.live(60, None)
    assert bed.ritual.state.volume_pct == volume_pct
    bed.press(Press.TAP)
    bed.live(7)
    assert bed.playing
    assert bed.gain_db == pytest.approx(volume_gain_db(volume_pct))


@settings(max_examples=25, deadline=None)
@given(nights)
def test_the_place_is_always_known(night: list[float | None]) -> None:
    """The ritual's idea of where the story is follows the player, through all pauses between sentences."""
    bed = begun()
    for chance in night:
        for _ in range(EPOCH_S):
            bed.live(1, chance)
            if bed.playing:
                position_s = bed.ritual.state.position_s
                assert position_s is not None
                assert abs(position_s - bed.position_s) <= 1.0, "a tick"


def test_pauses_between_sentences_grow_as_sleep_comes() -> None:
    bed = begun()
    before_s = bed.position_s
    bed.live(120, 0.05)
    assert bed.position_s - before_s == pytest.approx(120, abs=1.0), "an awake listener hears no pauses"
    bed.live(600, 0.6)
    before_s = bed.position_s
    bed.live(120, 0.6)
    told = (bed.position_s - before_s) / 120.0
    assert 0.72 < told < 0.88, "seven seconds take about nine"


def test_a_settled_sleeper_is_told_a_few_sentences_near_silence_and_the_last_one_whole() -> None:
    bed = begun()
    bed.live(300, 0.5)
    bed.cue(Cue.SLEPT)
    silent_db = bed.ritual.state.gain_db
    for _ in range(1200):
        bed.live(1, 0.9)
        if not bed.playing:
            break
        silent_db = bed.gain_db
    assert not bed.playing
    assert silent_db == pytest.approx(volume_gain_db(50) - 30.0, abs=GAIN_STEP_DB)
    into_s = bed.position_s % 7.0
    assert 6.2 <= into_s < 7.0, "in the silence after a sentence"


def test_a_sleeper_who_is_not_settled_is_not_left_in_silence() -> None:
    bed = begun()
    bed.live(300, 0.4)
    bed.cue(Cue.SLEPT)
    bed.live(900, 0.4)
    assert bed.playing, "near silence, until sleep is surer"
    bed.live(200, 0.8)
    assert not bed.playing


def test_whoever_wakes_while_the_story_still_plays_is_told_on() -> None:
    bed = begun()
    bed.live(300, 0.5)
    bed.cue(Cue.SLEPT)
    bed.live(200, 0.6)
    faint_db = bed.gain_db
    bed.cue(Cue.STIRRED)
    assert bed.in_phase(Phase.DRIFTING)
    bed.live(240, 0.02)
    assert bed.playing
    assert bed.gain_db > faint_db
    assert bed.lamp_pct == 0.0, "in the dark"
    bed.cue(Cue.RESETTLED)
    bed.live(900, 0.9)
    assert bed.in_phase(Phase.ASLEEP)
    assert not bed.playing


def test_a_story_of_the_night_is_under_the_nights_ceiling_and_the_morning_forgets_it() -> None:
    bed = begun(volume_pct=70.0)
    bed.live(60, 0.9)
    bed.cue(Cue.SLEPT)
    bed.live(900, 0.9)
    assert not bed.playing
    bed.cue(Cue.STIRRED)
    bed.press(Press.TAP)
    assert bed.playing
    assert bed.gain_db <= volume_gain_db(40)
    assert bed.ritual.state.volume_pct == 70.0
    bed.cue(Cue.NIGHT_OVER)
    bed.live(5 * 3600.0, None)
    bed.press(Press.TAP)
    bed.live(7)
    assert bed.gain_db == pytest.approx(volume_gain_db(70))


def test_a_plain_timer_ends_the_story_of_those_who_want_one() -> None:
    bed = begun()
    bed.do(bed.ritual.set_follow_sleep(False, bed.at_s))
    bed.live(600, 0.95)
    bed.cue(Cue.SLEPT)
    assert bed.playing
    bed.live(400, 0.95)
    assert not bed.playing
    assert bed.heard_s == pytest.approx(900.0, abs=5.0)
