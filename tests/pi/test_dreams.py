"""Dreams, rewoven: the grammar, what stops it, when the page is open, and what is kept."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.dreams.by_the_home import MOST_CHARS as MOST_OF_THE_HOME
from somnisphere.dreams.by_the_home import instructions, woven_by_the_home
from somnisphere.dreams.daylight import is_open
from somnisphere.dreams.frames import FRAMES
from somnisphere.dreams.store import DreamStore
from somnisphere.dreams.telling import MOST_CHARS, WORDS, Dream, Stop, stops, told
from somnisphere.dreams.weave import sentence, weave

DOG = Dream(
    happened="a big dog ran after me and I could not run",
    change="I turn round and the dog is as small as a shoe",
    helper="my grandmother",
    ending="The dog sleeps in the shoe!",
    dreamer="Mira",
)
TRAUM = replace(
    DOG,
    happened="ein großer Hund lief mir nach",
    change="der Hund ist klein wie ein Schuh",
    helper="Oma",
    ending="er schläft im Schuh",
    language="de",
)


@pytest.mark.parametrize("dream", [DOG, TRAUM], ids=["en", "de"])
def test_the_tellers_words_stand_in_the_story_as_they_were_said(dream: Dream) -> None:
    for variant in range(40):
        woven = weave(dream, variant)
        for words in (sentence(dream.happened), sentence(dream.change), sentence(dream.ending), f": {dream.helper}."):
            assert words in woven.text
        assert woven.text.index(sentence(dream.happened)) < woven.text.index(sentence(dream.change))
        assert woven.text.index(sentence(dream.change)) < woven.text.index(sentence(dream.ending))
        assert "{" not in woven.text
        assert woven == weave(dream, variant), "the same dream, the same story"


def test_there_are_many_tellings_and_help_may_come_first() -> None:
    told_ways = {weave(DOG, variant).text for variant in range(60)}
    assert len(told_ways) > 40
    first = {text.index(DOG.helper) < text.index(sentence(DOG.change)) for text in told_ways}
    assert first == {True, False}


def test_both_languages_have_the_same_slots_and_no_slot_is_poor() -> None:
    assert FRAMES["en"].keys() == FRAMES["de"].keys()
    for frames in FRAMES.values():
        assert all(len(set(choices)) >= 2 for choices in frames.values())


def test_without_a_name_nobody_is_named() -> None:
    for variant in range(20):
        woven = weave(replace(DOG, dreamer=""), variant)
        assert "Mira" not in woven.text + woven.title
        assert woven.title in FRAMES["en"]["title"]


def test_what_is_not_told_is_asked_for_and_not_made_up() -> None:
    with pytest.raises(ValueError, match="helper"):
        weave(replace(DOG, helper=""))


@given(st.text(max_size=3000), st.text(min_size=2, max_size=50))
def test_whatever_is_typed_is_kept_within_bounds_and_woven_or_asked_for(one: str, other: str) -> None:
    dream = told({"happened": one, "change": other, "helper": other, "ending": one, "password": "x", "language": other})
    assert len(dream.happened) <= MOST_CHARS
    assert dream.language in FRAMES
    assert all(sign.isprintable() for sign in dream.happened)
    if not dream.missing():
        assert sentence(dream.change) in weave(dream).text


# ---- the stop card --------------------------------------------------------------------------------------------------


def test_a_plain_bad_dream_is_not_stopped() -> None:
    assert stops(DOG) == stops(TRAUM) == frozenset()


def test_what_is_ticked_stops_it_and_so_does_a_word() -> None:
    assert stops(DOG, frozenset({Stop.REPEATED})) == {Stop.REPEATED}
    for text in ("There was BLOOD.", "he had a knife, and", "„Blut“, überall"):
        assert stops(replace(DOG, happened=text)) == {Stop.WORDS}
    assert stops(replace(DOG, happened="I was bloody-minded at the skilled knitting")) == frozenset()


def test_the_frames_need_no_stop_themselves() -> None:
    for frames in FRAMES.values():
        for choices in frames.values():
            for text in choices:
                assert not {word.strip(".,:;") for word in text.casefold().split()} & WORDS


# ---- by the home ----------------------------------------------------------------------------------------------------


def test_the_home_is_asked_with_the_tellers_words() -> None:
    asked = instructions(TRAUM)
    assert "German" in asked
    for words in (TRAUM.happened, TRAUM.change, TRAUM.helper, TRAUM.ending):
        assert words in asked


def test_an_answer_of_the_home_is_taken_or_left() -> None:
    story = "The dog was as small as a shoe, and it slept. " * 8
    woven = woven_by_the_home(DOG, f"# A story\n\n{story}\n\n{story}")
    assert woven is not None
    assert woven.paragraphs[0] == "A story"
    assert woven.title == weave(DOG).title
    for wrong in ("", "I cannot do that.", story * 40, story + " And then there was blood.", "\n\n" * 500):
        assert woven_by_the_home(DOG, wrong) is None
    assert len(story * 40) > MOST_OF_THE_HOME


# ---- by day ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "phase", "open_"),
    [(10, "idle", True), (10, None, True), (17.9, "morning", True), (18, "idle", False), (7.9, "idle", False)]
    + [(12, phase, False) for phase in ("wind_down", "story", "drifting", "asleep", "stirring")],
)
def test_it_is_open_by_day_and_never_at_bedtime(hour: float, phase: str | None, open_: bool) -> None:
    assert is_open(hour, phase) is open_


# ---- what is kept ---------------------------------------------------------------------------------------------------


def test_it_is_offered_from_the_next_evening_on_until_somebody_says_yes_or_no(tmp_path: Path) -> None:
    store, told_on = DreamStore(tmp_path / "household.db"), date(2026, 3, 14)
    number = store.keep(DOG, "Mira turns the page.txt", "Mira turns the page", "grammar", told_on)
    other = store.keep(TRAUM, "Traum.txt", "Traum", "home", date(2026, 3, 15))
    assert store.offered(told_on) == []
    (offered,) = store.offered(date(2026, 3, 15))
    assert (offered.id, offered.dream, offered.woven_by) == (number, DOG, "grammar")
    store.answer(number, "yes")
    assert [kept.id for kept in store.offered(date(2026, 3, 16))] == [other]
    assert [kept.id for kept in store.all()] == [other, number]


def test_a_dream_that_is_forgotten_is_gone_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    store = DreamStore(path)
    number = store.keep(DOG, "key", "title", "grammar", date(2026, 3, 14))
    store.forget(number)
    assert store.all() == []
    for file in tmp_path.iterdir():
        assert b"big dog" not in file.read_bytes()
