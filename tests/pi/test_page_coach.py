"""The Coach room: one suggestion with its reason and its end, what is for a person, consent given and taken back."""

import datetime
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from tests.pi.page_house import GUEST, Browser, Time, house_in, with_pin

from somnisphere.coach.programmes import PROGRAMMES
from somnisphere.coach.red_flags import AT_ONCE, FOR_A_PERSON, RED_FLAGS
from somnisphere.coach.store import CoachStore
from somnisphere.diary.store import Diary
from somnisphere.diary.telling import Telling
from somnisphere.page.house import House

DAY_S = 86_400.0
COACH = {"key": "anna", "name": "Anna Lind", "host": "coach.example"}


def tell_fortnight(house: House, *, form: str = "adult") -> None:
    """Long waking, late sleep, and rising at all hours."""
    diary = Diary(house.household)
    for n in range(1, 15):
        evening = (house.moment(house.now_s()) - datetime.timedelta(days=n)).date().isoformat()
        answers: dict[str, str | int] = {"got_up": f"0{5 + n % 4}:30", "latency_min": 50, "awake_min": 60}
        if form == "child":
            answers = {"fell_asleep": "snail", "awake_long": "long"}
        diary.tell(evening, Telling(form, answers), house.now_s())  # type: ignore[arg-type]


def text_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return unescape(re.sub(r"\s+", " ", answer.text))


def test_nothing_is_suggested_before_somebody_read_what_is_for_a_person(tmp_path: Path) -> None:
    house = house_in(tmp_path)
    tell_fortnight(house)
    browser = Browser(house)
    assert "please read what is for a person" in text_of(browser, "/coach")
    assert CoachStore(house.household).history() == []
    page = text_of(browser, "/coach/person")
    assert FOR_A_PERSON.en in page
    assert AT_ONCE.en in page
    assert all(flag.sign.en in page and flag.person.en in page for flag in RED_FLAGS)
    german = text_of(browser, "/coach/person?lang=de")
    assert all(flag.sign.de in german and flag.person.de in german for flag in RED_FLAGS)


def test_a_suggestion_says_why_by_whom_and_until_when(tmp_path: Path) -> None:
    time = Time()
    house = house_in(tmp_path, time)
    tell_fortnight(house)
    browser = Browser(house)
    browser.fill_in("/coach/welcome", suggestions="welcome")
    first = PROGRAMMES[0]
    for language in ("en", "de"):
        page = text_of(browser, f"/coach?lang={language}")
        for words in (first.title, first.suggestion, first.reason):
            assert words.to(language) in page
        assert first.source in page
    assert "This ends by itself on Saturday, 27 June." in text_of(browser, "/coach?lang=en")
    time.wall_s += 13 * DAY_S
    assert first.title.en in text_of(browser, "/coach")
    assert len(CoachStore(house.household).history()) == 1, "looking again makes no second one"


def test_an_ignored_one_goes_and_none_comes_for_a_week(tmp_path: Path) -> None:
    time = Time()
    house = house_in(tmp_path, time)
    tell_fortnight(house)
    browser = Browser(house)
    browser.fill_in("/coach/welcome", suggestions="welcome")
    browser.get("/coach")
    browser.fill_in("/coach/ignore", programme=PROGRAMMES[0].key)
    for _ in range(7):
        assert "There is nothing to suggest." in text_of(browser, "/coach")
        time.wall_s += DAY_S
    assert PROGRAMMES[1].title.en in text_of(browser, "/coach")


def test_a_flag_ends_all_suggestions_and_only_that_is_kept(tmp_path: Path) -> None:
    house = house_in(tmp_path)
    tell_fortnight(house)
    browser = Browser(house)
    browser.fill_in("/coach/welcome", suggestions="welcome")
    browser.get("/coach")
    browser.fill_in("/coach/welcome", suggestions="none")
    page = text_of(browser, "/coach")
    assert FOR_A_PERSON.en in page
    assert PROGRAMMES[0].title.en not in page
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("household.db*")).lower()
    assert not [flag.key for flag in RED_FLAGS if flag.key.encode() in kept]


@pytest.mark.parametrize(("born", "expected"), [("2022-05", "childs_routine"), ("2012-05", ""), ("2026-01", "")])
def test_a_child_has_its_own_and_those_between_have_a_person(tmp_path: Path, born: str, expected: str) -> None:
    house = house_in(tmp_path, sleeper={"born": born})
    tell_fortnight(house, form="child")
    browser = Browser(house)
    browser.fill_in("/coach/welcome", suggestions="welcome")
    page = text_of(browser, "/coach")
    assert (FOR_A_PERSON.en in page) is not bool(expected)
    assert [given.programme for given in CoachStore(house.household).history()] == [expected] * bool(expected)


def test_without_a_coach_nothing_can_be_shared(tmp_path: Path) -> None:
    house = house_in(tmp_path)
    browser = Browser(house)
    assert "no coach is named" in text_of(browser, "/coach/sharing")
    browser.fill_in("/coach/share", called="B.", lasts="84", agreed="yes")
    assert CoachStore(house.household).consents() == []


@pytest.mark.parametrize("missing", ["called", "lasts", "agreed"])
def test_consent_is_explicit(tmp_path: Path, missing: str) -> None:
    house = house_in(tmp_path, coach=COACH)
    browser = Browser(house)
    form = {"called": "Family B.", "lasts": "84", "agreed": "yes"}
    browser.fill_in("/coach/share", **{**form, missing: ""})
    assert "Nothing is shared." in text_of(browser, "/coach/sharing")
    assert CoachStore(house.household).consents() == []


def test_consent_is_given_seen_used_and_taken_back(tmp_path: Path) -> None:
    nudged: list[bool] = []
    house = replace(house_in(tmp_path, coach=COACH), nudge_post=lambda: nudged.append(True))
    browser, store = Browser(house), CoachStore(house.household)
    tell_fortnight(house)
    browser.fill_in("/coach/share", called="Family <B>", lasts="28", agreed="yes")
    page = text_of(browser, "/coach/sharing")
    assert "Summaries are shared with Anna Lind since Sunday, 14 June, as “Family <B>”, until Sunday, 12 July." in page
    letter = re.search(r"<pre[^>]*>(.*?)</pre>", browser.get("/coach/sharing").text, re.DOTALL)
    assert letter
    assert json.loads(unescape(letter[1]))["called"] == "Family <B>"
    browser.fill_in("/coach/share", called="Another", lasts="28", agreed="yes")
    assert "Take that back first" in text_of(browser, "/coach/sharing")
    (kept,) = store.consents()
    browser.fill_in("/coach/ask", consent=kept.consent.id, asks="yes", message="May we talk?")
    assert "“May we talk?”" in text_of(browser, "/coach/sharing")
    browser.fill_in("/coach/withdraw", consent=kept.consent.id)
    page = text_of(browser, "/coach/sharing")
    assert "Taken back on Sunday, 14 June at 12:00." in page
    assert "The coach's broker is not told yet" in page
    (kept,) = store.consents()
    assert kept.word is None
    assert not kept.consent.allows(kept.consent.given_on)
    assert b"May we talk?" not in house.household.read_bytes()
    assert len(nudged) >= 3
    store.told(kept.consent.id, house.now_s())
    assert "The coach's broker was told at 12:00." in text_of(browser, "/coach/sharing")


def test_a_guest_sees_and_does_nothing(tmp_path: Path) -> None:
    house = with_pin(house_in(tmp_path, coach=COACH))
    guest = Browser(house, GUEST)
    for path in ("/coach", "/coach/person", "/coach/sharing"):
        assert guest.get(path).status_code in (303, 401)
    guest.fill_in("/coach/share", called="X", lasts="84", agreed="yes")
    assert CoachStore(house.household).consents() == []
