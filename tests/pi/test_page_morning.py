"""The Morning room: telling first, opening, the letter, the week, in two languages and without a script."""

import datetime
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.letters import number_too_big
from tests.pi.page_house import GUEST, Browser, Time, house_in, with_pin

from somnisphere.diary.questions import ADULT, CHILD, DONT_KNOW
from somnisphere.diary.seal import Seal
from somnisphere.diary.store import Diary
from somnisphere.journal import Journal, Told
from somnisphere.night import NightTimes, Presence, Stage, StageEstimate, unknown_epoch
from somnisphere.page.house import House

MORNING_S = datetime.datetime(2026, 6, 14, 8, 0, tzinfo=datetime.UTC).timestamp()
"""A Sunday."""
NIGHT = "2026-06-13"
TOLD = {"form": "adult", "night": NIGHT, "tried": "22:10", "latency_min": "15", "felt": "plain"}


def keep_night(
    folder: Path, night: str, *, minutes: int = 420, onset_min: int = 20, title: str = "The 3 boats"
) -> None:
    """A night in the journal: into bed at ten in the evening, asleep 20 minutes later."""
    evening = datetime.datetime.fromisoformat(f"{night}T22:00").replace(tzinfo=datetime.UTC).timestamp()
    journal = Journal(folder / "journal.db")
    journal.open_night(night, evening)
    estimates = []
    for number in range(2 * minutes):
        start_s = evening + 30.0 * number
        asleep = number >= 2 * onset_min
        sure = (0.01, 0.97, 0.01, 0.01) if asleep else (0.97, 0.01, 0.01, 0.01)
        estimates.append(StageEstimate(number, start_s, Stage.LIGHT if asleep else Stage.AWAKE, sure))
        epoch = replace(unknown_epoch(number, evening), presence=Presence.PULSE, in_bed=True)
        journal.add_epoch(night, start_s, epoch, estimates[-1])
    journal.add_told(night, Told(evening, title, "Oma Lene", "Mia"))
    journal.close_night(night, evening + 60.0 * minutes, NightTimes(night, in_bed_s=evening))
    journal.close()


@pytest.fixture
def house(tmp_path: Path) -> House:
    keep_night(tmp_path, NIGHT)
    return house_in(tmp_path, Time(MORNING_S))


class Letter(HTMLParser):
    """The text of the letter, and the controls of the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.letter, self._in_letter = "", False
        self.labelled, self.fields = set[str](), dict[str, dict[str, str | None]]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_letter = given.get("class") == "letter"
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))
        if tag in ("input", "textarea") and given.get("type") not in ("hidden", "radio", "checkbox"):
            self.fields[str(given.get("id"))] = given

    def handle_data(self, data: str) -> None:
        self.letter += data if self._in_letter else ""


def letter(browser: Browser, address: str = "/morning", **params: str) -> str:
    return Letter(browser.get(address, params=params).text).letter.strip()


def test_the_night_is_asked_for_first_and_nothing_of_it_is_shown(house: House) -> None:
    page = Browser(house).get("/morning")
    assert page.status_code == 200
    assert "The night from Saturday to Sunday" in page.text
    assert "You tell it first." in page.text
    for question in ADULT:
        assert question.words.en in page.text.replace("&#39;", "'")
    assert "letter" not in page.text
    assert "<svg" not in page.text
    assert "<script" not in page.text


def test_every_field_has_a_label_and_nothing_is_required(house: House) -> None:
    browser = Browser(house)
    for form in ("adult", "child"):
        page = browser.get("/morning", params={"form": form}).text
        read = Letter(page)
        assert read.fields.keys() <= read.labelled
        assert "required" not in page


def test_a_child_is_asked_in_pictures_without_a_number(house: House) -> None:
    page = Browser(house).get("/morning", params={"form": "child", "lang": "de"}).text
    form = page[page.index('action="/morning/tell"') : page.index("</form>", page.index('action="/morning/tell"'))]
    for question in CHILD:
        assert question.words.de in form
    assert form.count("<svg") == sum(len(question.choices) + 1 for question in CHILD if question.choices)
    said = re.sub(r"<[^>]*>", "", form)
    assert not re.search(r"\d", said)
    for svg in re.findall(r"<svg.*?</svg>", form):
        assert ElementTree.fromstring(svg).get("aria-hidden") == "true", "the words beside it are what is read aloud"


def test_who_was_born_lately_meets_the_pictures_first(tmp_path: Path) -> None:
    keep_night(tmp_path, NIGHT)
    young = house_in(tmp_path, Time(MORNING_S), sleeper={"born": "2019-05"})
    assert "What weather was your night?" in Browser(young).get("/morning").text
    grown = house_in(tmp_path, Time(MORNING_S), sleeper={"born": "2014-06"})
    assert "What weather was your night?" not in Browser(grown).get("/morning").text


def test_telling_opens_nothing_by_itself_and_opening_shows_the_letter(house: House) -> None:
    browser, diary = Browser(house), Diary(house.household)
    answer = browser.fill_in("/morning/tell", **TOLD)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/morning?night={NIGHT}")
    page = browser.get(answer.headers["location"]).text
    assert "Thank you for telling." in page
    assert "What the sensor thinks of this night is still closed." in page
    assert "a night like others" in page
    assert letter(browser) == ""
    assert diary.seal(NIGHT) is Seal.TOLD
    browser.fill_in("/morning/seal", night=NIGHT, step="open")
    assert diary.seal(NIGHT) is Seal.OPENED
    told = letter(browser)
    assert told.startswith("Oma Lene told “The 3 boats” to Mia, and ")
    assert "between a quarter past and half past ten" in told
    assert number_too_big(told) == ""
    german = letter(browser, lang="de")
    assert german.startswith("Oma Lene erzählte Mia „The 3 boats“, und ")
    assert number_too_big(german) == ""
    assert diary.differences_s() == (300.0,), "told at 22:25, seen at 22:20"


def test_just_show_me_opens_it_untold_and_it_may_be_told_after_all(house: House) -> None:
    browser = Browser(house)
    browser.fill_in("/morning/seal", night=NIGHT, step="show")
    assert letter(browser)
    assert "Tell it all the same" in browser.get("/morning").text
    browser.fill_in("/morning/tell", **TOLD)
    assert letter(browser)
    assert Diary(house.household).differences_s() == (), "whoever has seen it tells what was seen"


def test_not_today_closes_it_quietly_and_nobody_asks_again(house: House) -> None:
    browser = Browser(house)
    browser.fill_in("/morning/seal", night=NIGHT, step="not_today")
    page = browser.get("/morning").text
    assert "Not today, then." in page
    assert 'action="/morning/tell"' not in page
    assert letter(browser) == ""
    assert 'action="/morning/tell"' in browser.get("/morning", params={"tell": "yes"}).text
    browser.fill_in("/morning/seal", night=NIGHT, step="show")
    assert letter(browser)


def test_a_night_cannot_be_opened_as_if_it_were_told(house: House) -> None:
    browser = Browser(house)
    browser.fill_in("/morning/seal", night=NIGHT, step="open")
    assert letter(browser) == ""


def test_the_picture_is_for_those_who_ask_and_behind_the_same_seal(house: House) -> None:
    browser = Browser(house)
    assert browser.get("/morning/picture", params={"night": NIGHT}).status_code == 404
    browser.fill_in("/morning/seal", night=NIGHT, step="show")
    assert "/morning/picture" not in browser.get("/morning").text
    assert "/morning/picture" in browser.get("/morning", params={"picture": "yes"}).text
    picture = browser.get("/morning/picture", params={"night": NIGHT})
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in picture.headers["content-security-policy"]
    assert "Deep" in picture.text


def test_what_was_not_understood_is_said_at_its_question_and_nothing_typed_is_lost(house: House) -> None:
    browser = Browser(house)
    answer = browser.fill_in("/morning/tell", **TOLD | {"woke": "half six", "words": "so <warm>"})
    assert answer.status_code == 422
    assert "A time such as 22:45 is meant here." in answer.text
    assert 'id="woke" name="woke" value="half six"' in answer.text
    assert 'aria-describedby="hint-woke"' in answer.text
    assert "so &lt;warm&gt;" in answer.text
    assert Diary(house.household).telling(NIGHT) is None


def test_i_do_not_know_is_an_answer_and_nothing_at_all_is_none(house: House) -> None:
    browser = Browser(house)
    browser.fill_in("/morning/tell", form="adult", night=NIGHT)
    assert "Nothing was told; the night stays blank." in browser.get("/morning").text
    browser.fill_in("/morning/tell", form="adult", night=NIGHT, tried="22:00", tried_unknown=DONT_KNOW)
    kept = Diary(house.household).telling(NIGHT)
    assert kept is not None
    assert kept.telling.answers == {"tried": DONT_KNOW}
    assert "I don&#39;t know" in browser.get("/morning").text


def test_a_child_tells_in_pictures(house: House) -> None:
    browser = Browser(house)
    browser.fill_in("/morning/tell", form="child", night=NIGHT, fell_asleep="snail", felt="stars")
    assert "a sky full of stars" in browser.get("/morning").text
    again = browser.get("/morning", params={"tell": "yes"}).text
    assert re.search(r'value="snail" checked', again), "told in pictures, mended in pictures"


def test_a_difference_is_said_kindly(house: House) -> None:
    browser = Browser(house)
    browser.fill_in("/morning/tell", **TOLD | {"tried": "23:00", "latency_min": "30"})
    browser.fill_in("/morning/seal", night=NIGHT, step="open")
    page = browser.get("/morning").text
    assert "As it is remembered, sleep came around half past eleven, after I saw it." in page
    assert "learned" not in page


def test_what_was_learned_is_said_in_words(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "household.db")
    for day in range(8, 14):
        night = f"2026-06-{day:02d}"
        keep_night(tmp_path, night, minutes=60)
    browser = Browser(house_in(tmp_path, Time(MORNING_S)))
    for day in range(8, 14):
        told = TOLD | {"night": f"2026-06-{day:02d}", "tried": "22:00", "latency_min": "15"}
        assert browser.fill_in("/morning/tell", **told).status_code == 303
    assert diary.differences_s() == (-300.0,) * 6
    browser.fill_in("/morning/seal", night=NIGHT, step="open")
    assert "stories now begin a little further back." in browser.get("/morning").text


def test_a_week_has_a_ribbon_and_its_words(tmp_path: Path) -> None:
    for night in ("2026-06-08", "2026-06-10", NIGHT):
        keep_night(tmp_path, night, minutes=60)
    browser = Browser(house_in(tmp_path, Time(MORNING_S)))
    for night in ("2026-06-08", NIGHT):
        browser.fill_in("/morning/seal", night=night, step="show")
    page = browser.get("/morning/week").text
    rows = re.findall(r'<th scope="row">(\w+)</th><td>(?:<a [^>]*>)?([^<]*)', page)
    assert [weekday for weekday, _ in rows] == [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]  # fmt: skip
    assert rows[0][1].startswith("asleep between ")
    assert (rows[1][1], rows[2][1]) == ("blank", "closed")
    assert page.count("<rect") >= 2
    assert "Saturday: Oma Lene told “The 3 boats” to Mia." in page
    assert "The week after" not in page
    said = re.sub(r"<[^>]*>", " ", page[page.index("<main") : page.index("</main>")])
    assert number_too_big(said) == ""
    before = browser.get("/morning/week", params={"of": "2026-06-01", "lang": "de"}).text
    assert "unbeschrieben" in before
    assert "Die Woche danach" in before
    assert browser.get("/morning/week", params={"of": "no day"}).status_code == 200


def test_a_morning_without_a_sensor_can_be_told_and_stays_otherwise_blank(tmp_path: Path) -> None:
    house = house_in(tmp_path, Time(MORNING_S))
    browser = Browser(house)
    page = browser.get("/morning").text
    assert "The night from Saturday to Sunday" in page
    assert "Just show me" not in page
    browser.fill_in("/morning/tell", **TOLD)
    assert "Open the night" not in browser.get("/morning").text
    assert not (tmp_path / "journal.db").exists(), "the page makes no journal"


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/morning/tell", {"night": "2026-01-01", "form": "adult", "tried": "22:00"}, 404),
        ("/morning/tell", {"night": "../../etc", "form": "adult", "tried": "22:00"}, 404),
        ("/morning/seal", {"night": NIGHT, "step": "tell"}, 422),
        ("/morning/seal", {"night": NIGHT}, 422),
        ("/morning/tell", {"night": NIGHT, "form": "adult", "words": "x" * 5000}, 413),
    ],
)
def test_forms_that_ours_would_not_send_are_refused(
    house: House, path: str, fields: dict[str, Any], status: int
) -> None:
    assert Browser(house).fill_in(path, **fields).status_code == status
    assert Diary(house.household).seals() == {}


@pytest.mark.parametrize("path", ["/morning", "/morning/week", f"/morning/picture?night={NIGHT}"])
def test_a_guest_without_the_pin_gets_nothing(house: House, path: str) -> None:
    answer = Browser(with_pin(house), client=GUEST).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_a_household_file_that_is_broken_is_said_and_nothing_is_shown(house: House) -> None:
    browser = Browser(house)
    token = browser.token()
    assert token
    house.household.unlink()
    house.household.write_bytes(b"no database at all" * 300)
    answer = browser.get("/morning")
    assert answer.status_code == 503
    assert "The household&#39;s file cannot be opened." in answer.text
