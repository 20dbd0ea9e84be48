"""The shelf: choice, order and bookmarks."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from somnisphere.bedtime.reading import STRETCHES, Reading
from somnisphere.bedtime.shelf import Shelf
from somnisphere.story import Story


def story(key: str, title: str = "", duration_s: float | None = 600.0) -> Story:
    return Story(key, title or key, Path(key), duration_s)


def test_stories_stand_in_the_order_of_their_titles() -> None:
    shelf = Shelf([story("3", "the Zoo"), story("1", "An owl"), story("2", "boat")])
    assert shelf.titles == ("An owl", "boat", "the Zoo")


def test_two_stories_of_one_title_can_be_told_apart() -> None:
    shelf = Shelf([story("mum/owl.mp3", "The owl"), story("dad/owl.mp3", "The owl")])
    assert shelf.titles == ("The owl", "The owl (mum/owl.mp3)")
    for title in shelf.titles:
        chosen = shelf.choose(title)
        assert chosen is not None
        assert shelf.title_of(chosen.key) == title


def test_a_story_is_found_by_key_and_by_title_in_any_case() -> None:
    shelf = Shelf([story("a.mp3", "The Owl")])
    assert shelf.find("a.mp3") == shelf.find("The Owl") == shelf.find(" the owl ")
    assert shelf.find("A.MP3") is None


def test_an_unknown_story_leaves_the_choice() -> None:
    shelf = Shelf([story("a"), story("b")])
    shelf.choose("b")
    assert shelf.choose("c") is None
    assert shelf.current() == story("b")


def test_without_a_choice_the_story_that_was_begun_goes_on() -> None:
    shelf = Shelf([story("a"), story("b")], {"b": 120.0})
    assert shelf.current() == story("b")
    assert Shelf([story("a"), story("b")]).current() == story("a")
    assert Shelf().current() is None


def test_the_next_story_goes_round() -> None:
    shelf = Shelf([story("a"), story("b")])
    assert shelf.next_after("a") == story("b")
    assert shelf.next_after("b") == story("a")
    assert Shelf([story("a")]).next_after("a") is None
    assert shelf.next_after("gone") == story("a")


def test_bookmarks_outlive_a_folder_that_is_away_for_an_evening() -> None:
    shelf = Shelf([story("a")])
    shelf.keep("a", 99.0)
    shelf.choose("a")
    shelf.put([])
    assert shelf.current() is None
    shelf.put([story("a")])
    assert shelf.bookmark_s("a") == 99.0


def test_a_bookmark_behind_the_end_is_the_beginning() -> None:
    shelf = Shelf([story("a", duration_s=100.0), story("b", duration_s=None)], {"a": 100.0, "b": 100.0})
    assert shelf.bookmark_s("a") == 0.0
    assert shelf.bookmark_s("b") == 100.0
    shelf.keep("a", -5.0)
    assert shelf.bookmark_s("a") == 0.0


# ---- the reading: where a story was at any moment of the evening -----------------------------------------------------


def test_a_straight_reading_is_one_stretch() -> None:
    reading = Reading()
    for second in range(3000):
        reading.heard("a", second * 1.0, 40.0 + second)
    assert len(reading.stretches) == 1
    assert reading.place_at(1234.5) == ("a", 1274.5)


def test_pauses_seeks_and_other_stories_break_the_line() -> None:
    reading = Reading()
    reading.heard("a", 0.0, 0.0)
    reading.heard("a", 100.0, 100.0)
    reading.interrupted(110.0)
    reading.heard("a", 500.0, 110.0)
    reading.heard("a", 600.0, 210.0)
    reading.heard("b", 600.0, 0.0)
    reading.heard("b", 700.0, 100.0)
    assert reading.place_at(300.0) == ("a", 110.0), "in the pause: where it was paused"
    assert reading.place_at(550.0) == ("a", 160.0)
    assert reading.place_at(650.0) == ("b", 50.0)
    assert reading.place_at(9999.0) == ("b", 100.0)
    assert reading.place_at(-50.0) == ("a", 0.0), "before the evening: its beginning"


def test_nothing_was_read() -> None:
    assert Reading().place_at(5.0) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), max_size=200))
def test_a_reading_stays_small_and_every_place_is_one_that_was_heard(steps: list[tuple[float, float]]) -> None:
    reading = Reading()
    for at_s, position_s in steps:
        reading.heard("a", at_s, position_s)
    assert len(reading.stretches) <= STRETCHES
    place = reading.place_at(5000.0)
    assert (place is None) == (not steps)
    if place is not None:
        assert 0.0 <= place[1] <= 2e4
