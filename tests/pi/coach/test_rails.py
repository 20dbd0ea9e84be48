"""Never two suggestions a week, never a forbidden one, for any diary and any clock."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pi.coach.diaries import FIRST, bad_fortnight, rows

from somnisphere.coach.diary_row import DiaryRow
from somnisphere.coach.programmes import ALLOWED, NEVER, PROGRAMMES, Programme
from somnisphere.coach.rails import (
    IGNORED_DAYS,
    RESTS_DAYS,
    ForAPerson,
    Given,
    Suggestion,
    running,
    suggest,
    whom,
)
from somnisphere.coach.red_flags import RED_FLAGS
from somnisphere.diary.words import Words
from somnisphere.sleep.facts import Range
from somnisphere.sleep.regularity import Regularity

regularities = st.none() | st.builds(
    lambda usual_s, spread: Regularity(14, usual_s, spread, Range(spread, spread)),
    st.floats(0, 86_399),
    st.floats(0, 400),
)
visits = st.lists(
    st.tuples(st.integers(-40, 120), st.booleans(), st.booleans(), st.sampled_from(["adult", "child", None])),
    max_size=40,
)
"""Days until the next look at the page (the clock may go back), whether the suggestion is ignored, a flag, who."""


@settings(max_examples=400, deadline=None)
@given(diary=st.lists(rows(), max_size=40), rising=regularities, visits=visits, everything=st.booleans())
def test_never_two_a_week_never_beside_another_never_forbidden(
    diary: list[DiaryRow], rising: Regularity | None, visits: list[tuple[int, bool, bool, str | None]], everything: bool
) -> None:
    history: list[Given] = []
    today = FIRST + timedelta(days=20)
    for days, ignores, red_flag, sleeper in visits:
        today += timedelta(days=days)
        told = bad_fortnight(today) if everything else diary
        before = running(history, today)
        answer = suggest(told, rising, history, today, sleeper=sleeper, red_flag=red_flag)  # type: ignore[arg-type]
        if red_flag or sleeper is None:
            assert isinstance(answer, ForAPerson)
        elif isinstance(answer, Suggestion):
            assert before is None
            assert answer.given_on == today
            assert answer.programme in PROGRAMMES
            assert answer.programme.whom == sleeper
            assert answer.programme.asks <= ALLOWED
            assert not answer.programme.asks & NEVER
            assert today <= answer.ends_on
            assert all(abs(today - past.given_on) >= timedelta(days=7) for past in history)
            refused = [past for past in history if past.programme == answer.programme.key and past.ignored_on]
            assert len(refused) < 2
            assert all(today - past.ignored_on >= timedelta(days=IGNORED_DAYS) for past in refused if past.ignored_on)
            history.append(Given(answer.programme.key, today, answer.ends_on, today if ignores else None))
        shown = [past for past in history if past.ignored_on is None and past.given_on <= today <= past.ends_on]
        assert len(shown) <= 1


def ask(today: date, history: list[Given], diary: list[DiaryRow] | None = None, whose: str = "adult") -> str | None:
    told = bad_fortnight(today) if diary is None else diary
    answer = suggest(told, None, history, today, sleeper=whose, red_flag=False)  # type: ignore[arg-type]
    return answer.programme.key if isinstance(answer, Suggestion) else None


def test_one_after_another_until_all_rest() -> None:
    """The property above would hold for a coach that never speaks: this one does."""
    history: list[Given] = []
    for day in range(120):
        today = FIRST + timedelta(days=day)
        if (key := ask(today, history)) is not None:
            days = next(programme.days for programme in PROGRAMMES if programme.key == key)
            history.append(Given(key, today, today + timedelta(days=days - 1)))
    order = [past.programme for past in history]
    assert order[:4] == ["steady_rising", "getting_up", "wind_down", "morning_light"]
    again = history[4].given_on - history[0].ends_on
    assert order[4] == "steady_rising"
    assert again >= timedelta(days=RESTS_DAYS)


def test_an_ignored_one_makes_room_only_after_a_week_and_stays_away_for_a_year() -> None:
    history = [Given("steady_rising", FIRST, FIRST + timedelta(days=13), ignored_on=FIRST)]
    assert [ask(FIRST + timedelta(days=day), history) for day in range(8)] == [None] * 7 + ["getting_up"]
    only_rising = [DiaryRow(FIRST + timedelta(days=n), rose_at_s=20_000.0 + 4000.0 * (n % 3)) for n in range(600)]
    wait = next(
        day for day in range(8, 600) if ask(FIRST + timedelta(days=day), history, only_rising) == "steady_rising"
    )
    assert wait == IGNORED_DAYS
    history.append(Given("steady_rising", FIRST + timedelta(days=400), FIRST + timedelta(days=413), FIRST))
    assert ask(FIRST + timedelta(days=900), history) != "steady_rising"


def test_little_told_is_nobody() -> None:
    assert ask(FIRST, [], bad_fortnight(FIRST)[:4]) is None
    assert ask(FIRST, [], bad_fortnight(FIRST)[:5]) is not None
    assert ask(FIRST + timedelta(days=30), [], bad_fortnight(FIRST)) is None, "the diary is a month old"
    calm = [
        DiaryRow(FIRST - timedelta(days=n), 80_000.0, 80_000.0, 10.0, 1, 5.0, 25_000.0, 25_300.0) for n in range(14)
    ]
    assert ask(FIRST, [], calm) is None


def test_a_child_has_its_own_and_ages_between_have_none() -> None:
    assert ask(FIRST, [], whose="child") == "childs_routine"
    assert [whom(months) for months in (None, 11, 12, 131, 132, 215, 216)] == [
        "adult",
        None,
        "child",
        "child",
        None,
        None,
        "adult",
    ]


@pytest.mark.parametrize("forbidden", sorted(NEVER | {"something_new"}))
def test_a_forbidden_programme_cannot_even_be_made(forbidden: str) -> None:
    told = Words("", "")
    for asks in (frozenset([forbidden]), frozenset([forbidden, "daylight"])):
        with pytest.raises(ValueError, match="left to a person"):
            Programme(
                key="x",
                whom="adult",
                asks=asks,
                fits=lambda _: True,
                days=14,
                title=told,
                suggestion=told,
                reason=told,
                source="",
            )


FORBIDDEN_WORDS = re.compile(
    r"\d|score|goal|streak|rank|effizien|efficien|prozent|percent|stay up|later to bed|sleep less|restrict"
    r"|länger auf(bleiben|zubleiben)|später ins bett|weniger schlaf|einschränk|bettzeit"
    r"|melatonin|tablet|pill|wecker stellen|good sleeper|bad sleep|schlechte[rs]? schlaf|should|musst|must|solltest",
    re.IGNORECASE,
)


def texts() -> list[tuple[str, str]]:
    said = [
        (f"{programme.key} {words}", text)
        for programme in PROGRAMMES
        for words in ("title", "suggestion", "reason")
        for text in (getattr(programme, words).en, getattr(programme, words).de)
    ]
    flags = [(flag.key, text) for flag in RED_FLAGS for part in (flag.sign, flag.person) for text in (part.en, part.de)]
    return said + flags


@pytest.mark.parametrize(("place", "text"), texts())
def test_words_judge_nobody_and_set_no_number(place: str, text: str) -> None:
    assert text.strip(), place
    assert FORBIDDEN_WORDS.findall(text) == [], place


@pytest.mark.parametrize(
    "mutant",
    ["Be asleep for 8 hours.", "Stay up until you are tired.", "Bleib auf: geh später ins Bett.", "You should rise."],
)
def test_the_words_test_finds_a_planted_one(mutant: str) -> None:
    assert FORBIDDEN_WORDS.search(mutant)


def test_every_programme_says_why_by_whom_and_when_it_ends() -> None:
    for programme in PROGRAMMES:
        assert re.search(r"(19|20)\d\d", programme.source), programme.key
        assert 7 <= programme.days <= 28
    assert len({programme.key for programme in PROGRAMMES}) == len(PROGRAMMES)
    assert sorted(flag.key for flag in RED_FLAGS) == sorted(
        ["breathing", "at_the_wheel", "low_mood", "mania", "seizures", "pregnancy", "shift_work", "under_18", "trauma"]
    )
