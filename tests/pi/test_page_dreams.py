"""The dreams' room: a dream told by day is a story on the shelf; by night, or where a person is wanted, it is not."""

import html
import re
from pathlib import Path

import pytest
from tests.pi.page_house import NOON_S, Browser, Time, ToldBox, house_in

from somnisphere.assemble import shelf_reader
from somnisphere.comfort_file import ComfortFile, beside
from somnisphere.diary.seal import Step
from somnisphere.diary.store import Diary
from somnisphere.dreams.store import DreamStore
from somnisphere.dreams.telling import MOST_CHARS, Dream
from somnisphere.dreams.weave import weave
from somnisphere.events import KeepComfort
from somnisphere.library import scan_books
from somnisphere.page import dreams
from somnisphere.page.house import House

DAY_S = 86_400.0
IDLE = {"ritual": {"phase": "idle"}}
SAID = {
    "happened": "a big dog ran after me",
    "change": "it is as small as a shoe",
    "helper": "my grandmother",
    "ending": "it sleeps in the shoe",
    "dreamer": "Mira",
}
DREAM = Dream(**SAID)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "stories"
    folder.mkdir()
    return folder


def at_home(tmp_path: Path, time: Time, box: ToldBox | None = None) -> House:
    stories = {"folder": str(tmp_path / "stories"), "cache": str(tmp_path / "cache")}
    return house_in(tmp_path, time, box or ToldBox(IDLE), stories=stories)


def put(browser: Browser, **more: str) -> None:
    draft = weave(DREAM)
    answer = browser.fill_in(
        "/dreams/keep", **SAID, variant="0", woven_by="grammar", title=draft.title, text=draft.text, **more
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/dreams")


def test_a_dream_told_by_day_is_a_story_on_the_shelf_and_tomorrow_evenings_if_wished(
    tmp_path: Path, shelf: Path
) -> None:
    time, box = Time(), ToldBox(IDLE)
    house = at_home(tmp_path, time, box)
    browser = Browser(house, time=time)
    draft = browser.fill_in("/dreams/weave", **SAID)
    assert draft.status_code == 200
    assert "It is as small as a shoe." in draft.text
    assert list(shelf.iterdir()) == [], "nothing is kept before somebody says so"
    assert DreamStore(house.household).all() == []
    put(browser)
    (story,) = shelf.iterdir()
    assert "It is as small as a shoe." in story.read_text()
    page = browser.get("/dreams").text
    assert "is on the shelf" in page
    assert "Yes, tell it" not in page, "not on the day of the telling"
    time.wall_s += DAY_S
    page = browser.get("/dreams").text
    assert "Yes, tell it" in page
    (number,) = re.findall(r'name="dream" value="(\d+)">\n<button name="wish"', page)
    browser.fill_in("/dreams/answer", dream=number, wish="yes")
    assert box.told == [("story", weave(DREAM).title)]
    assert "Yes, tell it" not in browser.get("/dreams").text
    (book,), broken = scan_books(shelf, tmp_path / "cache")
    assert (book.title, broken) == (weave(DREAM).title, [])


def test_another_telling_and_changed_words(tmp_path: Path, shelf: Path) -> None:
    time = Time()
    house = at_home(tmp_path, time)
    browser = Browser(house, time=time)
    first = browser.fill_in("/dreams/weave", **SAID).text
    assert any(browser.fill_in("/dreams/weave", **SAID, variant=str(n)).text != first for n in range(1, 4))
    browser.fill_in("/dreams/keep", **SAID, variant="0", woven_by="grammar", title="Ours", text="All other words.")
    (kept,) = DreamStore(house.household).all()
    assert (kept.title, kept.woven_by) == ("Ours", "hand")
    assert "All other words." in (shelf / "Ours.txt").read_text()


def test_what_is_missing_is_asked_for_and_the_rest_is_still_there(tmp_path: Path, shelf: Path) -> None:
    del shelf
    time = Time()
    browser = Browser(at_home(tmp_path, time), time=time)
    answer = browser.fill_in("/dreams/weave", **{**SAID, "helper": ""})
    assert "One more answer is needed" in answer.text
    assert SAID["happened"] in answer.text
    assert re.search(r'id="helper"[^>]*aria-invalid="true"', answer.text)


@pytest.mark.parametrize("how", [{"ticked": "repeated"}, {"ticked": "remembered"}, {"happened": "there was blood"}])
def test_a_dream_for_a_person_is_not_woven_and_not_kept(tmp_path: Path, shelf: Path, how: dict[str, str]) -> None:
    time = Time()
    house = at_home(tmp_path, time)
    browser = Browser(house, time=time)
    answer = browser.fill_in("/dreams/weave", **{**SAID, **how})
    assert "This one is for a person" in answer.text
    assert SAID["ending"] not in answer.text
    if "happened" in how:
        browser.fill_in("/dreams/keep", **{**SAID, **how}, variant="0", woven_by="grammar", title="T", text="words")
    assert list(shelf.iterdir()) == []
    assert DreamStore(house.household).all() == []


@pytest.mark.parametrize(("hours", "phase"), [(8.0, "idle"), (-6.0, "idle"), (0.0, "wind_down"), (0.0, "asleep")])
def test_never_at_bedtime(tmp_path: Path, shelf: Path, hours: float, phase: str) -> None:
    del shelf
    time = Time(NOON_S + hours * 3600.0)
    house = at_home(tmp_path, time, ToldBox({"ritual": {"phase": phase}}))
    browser = Browser(house, time=time)
    page = browser.get("/dreams").text
    assert "Dreams are for daylight" in page
    assert "/dreams/tell" not in page
    assert browser.get("/dreams/tell").status_code == 303
    assert browser.fill_in("/dreams/weave", **SAID).status_code == 303


def test_forgotten_is_gone_from_page_shelf_and_file(tmp_path: Path, shelf: Path) -> None:
    time = Time()
    house = at_home(tmp_path, time)
    browser = Browser(house, time=time)
    put(browser)
    (kept,) = DreamStore(house.household).all()
    (shelf / "other.txt").write_text("Something else altogether.")
    reader = shelf_reader(house.config, background=True)  # the daemon's own: it tells all that is new
    reader.read()
    assert reader.wait(60.0)
    spoken = tmp_path / "cache" / "spoken"
    assert sorted(path.suffix for path in spoken.iterdir())[:4] == [".json", ".json", ".opus", ".opus"]
    browser.fill_in("/dreams/forget", dream=str(kept.id))
    assert [path.name for path in shelf.iterdir()] == ["other.txt"]
    assert sorted(path.suffix for path in spoken.iterdir()) == [".json", ".opus", ".pcm"], "the other story's"
    assert SAID["happened"] not in browser.get("/dreams").text


def test_a_shelf_that_cannot_take_it_says_so_and_keeps_the_words(tmp_path: Path) -> None:
    time = Time()
    house = house_in(tmp_path, time, ToldBox(IDLE))
    browser = Browser(house, time=time)
    answer = browser.fill_in("/dreams/keep", **SAID, variant="0", woven_by="grammar", title="Mine", text="My words.")
    assert answer.status_code == 200
    assert "[stories] folder" in answer.text
    assert "My words." in answer.text


def test_a_bedside_that_refuses_leaves_the_offer_open(tmp_path: Path, shelf: Path) -> None:
    del shelf
    time, box = Time(), ToldBox(IDLE)
    house = at_home(tmp_path, time, box)
    browser = Browser(house, time=time)
    put(browser)
    time.wall_s += DAY_S
    box.refuses = "the broker is away"
    (kept,) = DreamStore(house.household).all()
    browser.fill_in("/dreams/answer", dream=str(kept.id), wish="yes")
    page = browser.get("/dreams").text
    assert "the broker is away" in page
    assert "Yes, tell it" in page
    browser.fill_in("/dreams/answer", dream=str(kept.id), wish="no")
    assert "Yes, tell it" not in browser.get("/dreams").text


# ---- the offer on Tonight -------------------------------------------------------------------------------------------

OFFER = "Shall it be this evening"


@pytest.mark.parametrize(
    ("days", "hours", "phase", "is_seen"),
    [
        (0, 8.0, "idle", False),
        (1, 0.0, "idle", False),
        (1, 8.0, "idle", True),
        (1, 5.0, "wind_down", True),
        (1, 8.0, "story", False),
        (1, 15.0, "asleep", False),
        (1, 18.0, "idle", False),
        (7, 8.0, "idle", True),
        (8, 8.0, "idle", False),
    ],
)
def test_the_offer_is_seen_on_tonight_before_the_story_and_only_then(
    tmp_path: Path, shelf: Path, days: int, hours: float, phase: str, *, is_seen: bool
) -> None:
    del shelf
    time, box = Time(), ToldBox(IDLE)
    house = at_home(tmp_path, time, box)
    put(Browser(house, time=time))
    time.wall_s += days * DAY_S + hours * 3600.0
    box.groups = {"ritual": {"phase": phase}}
    browser = Browser(house, time=time)
    for address in ("/tonight", "/tonight/now"):
        assert (OFFER in browser.get(address).text) is is_seen


@pytest.mark.parametrize("wish", ["yes", "no"])
def test_the_offer_is_answered_in_the_evening_once_and_without_the_room(tmp_path: Path, shelf: Path, wish: str) -> None:
    del shelf
    time, box = Time(), ToldBox(IDLE)
    house = at_home(tmp_path, time, box)
    browser = Browser(house, time=time)
    put(browser)
    time.wall_s += DAY_S + 8 * 3600.0
    page = browser.get("/tonight").text
    (number,) = re.findall(r'name="dream" value="(\d+)"', page)
    for _ in range(2):
        answer = browser.fill_in("/dreams/answer", dream=number, back="tonight", wish=wish)
        assert (answer.status_code, answer.headers["location"]) == (303, "/tonight")
    assert box.told == ([("story", weave(DREAM).title)] if wish == "yes" else [])
    page = browser.get("/tonight").text
    assert "not offered any more" in page
    assert OFFER not in page


def test_tonight_does_without_the_offer_where_it_cannot_be_made(tmp_path: Path, shelf: Path) -> None:
    time, box = Time(), ToldBox(IDLE)
    house = at_home(tmp_path, time, box)
    browser = Browser(house, time=time)
    put(browser)
    time.wall_s += DAY_S + 8 * 3600.0
    assert OFFER in browser.get("/tonight").text
    box.online = False
    assert OFFER not in browser.get("/tonight").text
    box.online = True
    (story,) = shelf.iterdir()
    story.unlink()
    assert OFFER not in browser.get("/tonight").text
    (kept,) = DreamStore(house.household).all()
    browser.fill_in("/dreams/answer", dream=str(kept.id), wish="yes")
    assert "not on the shelf of whose evening it is" in browser.get("/dreams").text
    assert box.told == []


@pytest.mark.parametrize("said", [["idle"], {"idle": 1}, 7, "an unknown one"])
def test_what_is_no_phase_closes_the_room_and_offers_nothing(tmp_path: Path, said: object) -> None:
    time = Time()
    browser = Browser(at_home(tmp_path, time, ToldBox({"ritual": {"phase": said}})), time=time)
    assert "Dreams are for daylight" in browser.get("/dreams").text
    assert OFFER not in browser.get("/tonight").text


def test_another_story_of_the_same_title_is_not_taken_for_it(tmp_path: Path, shelf: Path) -> None:
    time, box = Time(), ToldBox(IDLE)
    house = at_home(tmp_path, time, box)
    browser = Browser(house, time=time)
    put(browser)
    (story,) = shelf.iterdir()
    title = weave(DREAM).title
    (shelf / "A first one.txt").write_text(f"---\ntitle: {title}\n---\n\nNo dream at all.\n")
    time.wall_s += DAY_S
    (kept,) = DreamStore(house.household).all()
    browser.fill_in("/dreams/answer", dream=str(kept.id), wish="yes")
    assert box.told == [("story", f"{title} ({story.name})")]


def test_the_dream_of_a_listener_lies_where_they_hear_it(tmp_path: Path, shelf: Path) -> None:
    time, box = Time(), ToldBox({"ritual": {"phase": "idle"}, "story": {"listener": "Mira"}})
    house = house_in(
        tmp_path, time, box, stories={"folder": str(shelf)}, listener=[{"name": "Mira", "folder": "for-mira"}]
    )
    browser = Browser(house, time=time)
    put(browser)
    (kept,) = DreamStore(house.household).all()
    assert (shelf / kept.story_key).parent == shelf / "for-mira"
    time.wall_s += DAY_S
    browser.fill_in("/dreams/answer", dream=str(kept.id), wish="yes")
    assert box.told == [("story", kept.title)]
    browser.fill_in("/dreams/forget", dream=str(kept.id))
    assert list((shelf / "for-mira").iterdir()) == []


def test_a_second_dream_has_a_title_of_its_own_and_the_longest_fits(tmp_path: Path, shelf: Path) -> None:
    time = Time()
    house = at_home(tmp_path, time)
    browser = Browser(house, time=time)
    longest = dict.fromkeys(("happened", "change", "helper", "ending"), "ä" * MOST_CHARS)
    titles = []
    for _ in range(5):
        page = browser.fill_in("/dreams/weave", **longest).text
        (text,) = re.findall(r'<textarea id="text"[^>]*>(.*?)</textarea>', page, re.DOTALL)
        titles += re.findall(r'id="title"[^>]* value="([^"]*)"', page)
        kept = browser.fill_in(
            "/dreams/keep",
            **longest, variant="0", woven_by="grammar", title=titles[-1], text=html.unescape(text),
        )  # fmt: skip
        assert kept.status_code == 303
    assert len(set(titles)) == len(titles) == len(list(shelf.iterdir()))


def test_a_file_that_cannot_be_written_leaves_no_story_without_its_dream(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    house = at_home(tmp_path, time)
    browser = Browser(house, time=time)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    said = {**SAID, "variant": "0", "woven_by": "grammar", "title": "Mine", "text": "My words."}
    with monkeypatch.context() as patch:
        patch.setattr(DreamStore, "keep", full)
        assert browser.fill_in("/dreams/keep", **said).status_code == 503
        assert list(shelf.iterdir()) == []
    assert browser.fill_in("/dreams/keep", **said).status_code == 303


# ---- the home's writer ----------------------------------------------------------------------------------------------


def with_writer(
    monkeypatch: pytest.MonkeyPatch, house: House, answer: str | None, time: Time
) -> tuple[Browser, list[str]]:
    asked: list[str] = []

    def writer(_: House) -> dreams.Writer:
        def write(text: str) -> str | None:
            asked.append(text)
            return answer

        return write

    monkeypatch.setattr(dreams, "_home_writer", writer)
    return Browser(house, time=time), asked


def test_the_homes_writer_writes_only_when_asked_to(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del shelf
    time = Time()
    house = at_home(tmp_path, time)
    story = "The dog lay in the shoe and snored, and the grandmother laughed. " * 6
    browser, asked = with_writer(monkeypatch, house, story, time)
    page = browser.fill_in("/dreams/weave", **SAID).text
    assert "may leave the house" in page
    assert asked == []
    page = browser.fill_in("/dreams/weave", **SAID, by="home").text
    assert "snored" in page
    assert len(asked) == 1
    assert SAID["happened"] in asked[0]
    browser.fill_in("/dreams/keep", **SAID, variant="0", woven_by="home", title="By the home", text=story)
    (kept,) = DreamStore(house.household).all()
    assert kept.woven_by == "home"


def test_a_writer_that_fails_is_replaced_by_ours(tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del shelf
    time = Time()
    browser, asked = with_writer(monkeypatch, at_home(tmp_path, time), None, time)
    page = browser.fill_in("/dreams/weave", **SAID, by="home").text
    assert asked
    assert "had no story this time" in page
    assert "It is as small as a shoe." in page


def test_without_a_writer_named_nothing_is_offered_and_nobody_asked(tmp_path: Path, shelf: Path) -> None:
    del shelf
    time = Time()
    house = at_home(tmp_path, time)
    assert house.config.home_assistant.ai_task is None
    page = Browser(house, time=time).fill_in("/dreams/weave", **SAID, by="home").text
    assert "own writer" not in page
    assert "It is as small as a shoe." in page


# ---- comfort --------------------------------------------------------------------------------------------------------


def test_comfort_is_told_as_it_is(tmp_path: Path) -> None:
    """Its figures on the page are those that the bench printed into the README."""
    time = Time()
    house = at_home(tmp_path, time)
    page = Browser(house, time=time).get("/dreams").text
    assert "The box does nothing about uneasy sleep" in page
    readme = (Path(__file__).resolve().parents[2] / "pi" / "README.md").read_text().split("<!-- comfort -->")[1]
    printed = re.search(r"(\d+) nights, .* it began (\d+) times .* waking at (\d+) of these", readme)
    assert printed is not None
    assert "glow 0, sound 0, word 0. Of" in readme
    nights, times, awake = printed.groups()
    assert f"On {nights} nights of other people" in page
    assert f"it was guessed {times} times" in page
    assert f"{awake} of those times the sleeper was awake" in page


def test_what_comfort_did_is_shown_to_whoever_opens_the_room(tmp_path: Path) -> None:
    time = Time()
    house = house_in(tmp_path, time, ToldBox(IDLE), comfort={"enabled": True})
    kept = ComfortFile(beside(house.journal))
    for what in ("tried", "lit", "woke", "dark"):
        kept.keep(KeepComfort("glow", what, 0.0), NOON_S - 9 * 3600.0)
    page = Browser(house, time=time).get("/dreams").text
    assert "may try to comfort" in page
    assert "03:00: a faint glow" in page
    assert "somebody woke soon after the glow" in page
    broken = beside(house.journal)
    broken.write_text("no such thing")
    assert "a faint glow</li>" not in Browser(house, time=time).get("/dreams").text
    assert broken.read_text() == "no such thing", "the page leaves the daemon's file alone"


def test_of_a_night_that_waits_to_be_told_comfort_says_nothing(tmp_path: Path) -> None:
    time = Time()
    house = house_in(tmp_path, time, ToldBox(IDLE), comfort={"enabled": True}, sleeper={"tell_first": True})
    ComfortFile(beside(house.journal)).keep(KeepComfort("glow", "tried", 0.0), NOON_S - 9 * 3600.0)
    assert "03:00" not in Browser(house, time=time).get("/dreams").text
    Diary(house.household).step("2026-06-13", Step.SHOW, time.wall_s)
    assert "03:00: a faint glow" in Browser(house, time=time).get("/dreams").text
