"""Sentences of a told story: where they begin and end, holds between them, and what a bookmark snaps to."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.bedtime.holding import moved_on, next_hold
from somnisphere.bedtime.reading import Reading
from somnisphere.bedtime.sentences import LEAD_S, begin_of, end_after, last_word_s, number_at
from somnisphere.bedtime.shelf import Place, Shelf
from somnisphere.bedtime.state import RitualState
from somnisphere.story import Mark, Story

MARKS = (Mark(1.0, 4.0, "s1"), Mark(5.0, 9.0, "s2"), Mark(10.0, 30.0, "s3"), Mark(31.0, 400.0, "s4"))


def test_a_sentence_and_the_silence_after_it_are_its_own() -> None:
    assert [number_at(MARKS, at_s) for at_s in (0.5, 1.0, 4.5, 5.0, 9.9, 10.0, 500.0)] == [-1, 0, 0, 1, 1, 2, 3]


def test_a_bookmark_is_the_beginning_of_its_sentence() -> None:
    assert begin_of(MARKS, 8.0) == pytest.approx(5.0 - LEAD_S)
    assert begin_of(MARKS, 9.5) == pytest.approx(5.0 - LEAD_S), "in the silence: the sentence just heard"
    assert begin_of(MARKS, 0.5) == 0.0
    assert begin_of((), 77.0) == 77.0
    assert begin_of(MARKS, 390.0) == 390.0, "what has no silence for minutes is no sentence"


@given(st.floats(0.0, 450.0))
def test_a_bookmark_that_is_kept_again_stays(position_s: float) -> None:
    begin_s = begin_of(MARKS, position_s)
    assert begin_of(MARKS, begin_s) == begin_s
    assert begin_s <= position_s


def test_ends_are_counted_from_here() -> None:
    assert end_after(MARKS, 2.0) == 4.0
    assert end_after(MARKS, 4.5) == 9.0
    assert end_after(MARKS, 2.0, 3) == 30.0
    assert end_after(MARKS, 2.0, 5) is None
    assert last_word_s(MARKS, 2.0, 3) == 30.0
    assert last_word_s(MARKS, 11.0, 3) == 30.0, "the next two would take too long"
    assert last_word_s(MARKS, 50.0, 3) == 110.0, "and one sentence may too"
    assert last_word_s((), 50.0, 3) == 50.0


def playing(position_s: float, at_s: float = 0.0) -> RitualState:
    return RitualState(story_key="a", position_s=position_s, position_at_s=at_s, playing=True)


def test_a_hold_is_asked_for_shortly_before_a_sentence_ends() -> None:
    assert next_hold(playing(2.0), MARKS, 2.0) is None, "too soon"
    hold = next_hold(playing(3.0), MARKS, 2.0)
    assert hold is not None
    assert 4.0 < hold.position_s < 5.0
    assert hold.for_s == 2.0
    assert next_hold(playing(4.1), MARKS, 2.0) is None, "too late"
    assert next_hold(playing(3.0), MARKS, 0.1) is None, "not worth it"
    assert next_hold(playing(399.0), MARKS, 2.0) is None, "there is nothing after the last"
    close = (Mark(1.0, 4.0), Mark(4.1, 8.0))
    assert next_hold(playing(3.0), close, 2.0) is None, "no silence to stand still in"


@given(st.lists(st.floats(0.1, 3.0), min_size=1, max_size=60))
def test_a_held_story_stands_still_as_long_as_it_was_asked_to(steps_s: list[float]) -> None:
    state = replace(playing(3.0), hold_position_s=4.2, hold_for_s=5.0)
    at_s = 0.0
    for step_s in steps_s:
        at_s += step_s
        state = moved_on(state, at_s)
        expected_s = 3.0 + at_s if at_s <= 1.2 else max(4.2, 3.0 + at_s - 5.0)
        assert state.position_s == pytest.approx(expected_s)


@given(st.lists(st.tuples(st.floats(3.0, 20.0), st.floats(0.0, 2.5)), min_size=1, max_size=200), st.floats(0, 1))
def test_what_was_heard_when_is_known_through_all_pauses(told: list[tuple[float, float]], where: float) -> None:
    """To a few seconds, whatever the sentences' lengths and the pauses between them."""
    reading, at_s, position_s = Reading(), 0.0, 0.0
    truth = [(0.0, 0.0)]
    reading.heard("a", 0.0, 0.0)
    for spoken_s, pause_s in told:
        for going in (True, False):
            for _ in range(int(spoken_s if going else pause_s)):
                at_s, position_s = at_s + 1.0, position_s + (1.0 if going else 0.0)
                reading.heard("a", at_s, position_s)
                truth.append((at_s, position_s))
    asked_s, heard_s = truth[int(where * (len(truth) - 1))]
    if len(reading.stretches) < 128:
        place = reading.place_at(asked_s)
        assert place is not None
        assert abs(place[1] - heard_s) <= 6.0


def test_two_children_in_one_book_never_collide() -> None:
    book = Story("book.opus", "Book", Path("book.opus"), 400.0, marks=MARKS)
    shelf = Shelf([book], places={("Ada", "book.opus"): Place(20.0), ("Ben", "book.opus"): Place(6.0)})
    shelf.listen("Ada")
    assert shelf.bookmark_s("book.opus") == 20.0
    kept = shelf.keep("book.opus", 35.0, 12.0)
    assert kept == Place(31.0 - LEAD_S, 10.0 - LEAD_S), "both snapped"
    shelf.listen("Ben")
    assert shelf.bookmark_s("book.opus") == 6.0
    shelf.listen("Ada")
    assert shelf.place("book.opus") == kept


def test_a_listener_sees_the_stories_of_their_folder() -> None:
    shelf = Shelf([Story("ada/x.opus", "X", Path("x")), Story("adam/y.opus", "Y", Path("y"))])
    shelf.listen("Ada", "ada")
    assert [*shelf.titles] == ["X"]
    shelf.listen("", "")
    assert [*shelf.titles] == ["X", "Y"]
