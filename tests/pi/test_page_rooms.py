"""Tonight and the Shelf: what they say of an evening, and what a hand may want of it."""

import json
from pathlib import Path

import pytest
from tests.pi.page_house import EVENING, Browser, ToldBox, house_in

from somnisphere.bedtime.phases import Phase
from somnisphere.journal import Journal
from somnisphere.page.tonight import PHASES
from somnisphere_home.entity import LIGHT_SCALE

ATTIC = "the-attic-of-old-stories.story"


def evening(**groups: object) -> ToldBox:
    return ToldBox({**EVENING, **{name: {**EVENING.get(name, {}), **said} for name, said in groups.items()}})  # type: ignore[dict-item]


# ---- Tonight ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", Phase)
def test_each_phase_is_said_in_words_in_both_languages(tmp_path: Path, phase: Phase) -> None:
    browser = Browser(house_in(tmp_path, box=evening(ritual={"phase": phase.value})))
    english, german = (browser.get(f"/tonight?lang={language}").text for language in ("en", "de"))
    assert PHASES[phase] in english
    assert PHASES[phase] not in german
    begins = phase in (Phase.IDLE, Phase.MORNING)
    assert ("Begin the evening" in english) is begins
    assert ("/tonight/stop" in english) is (phase is not Phase.IDLE)


def test_the_story_is_shown_with_its_teller_and_its_place(tmp_path: Path) -> None:
    page = Browser(house_in(tmp_path, box=ToldBox())).get("/tonight").text
    for words in ("The attic of old stories", "told by Grandmother Ines", "3 of 9 minutes told", f"key={ATTIC}"):
        assert words in page
    assert "/tonight/pause" in page
    assert "/tonight/resume" not in page


@pytest.mark.parametrize(
    ("position_s", "duration_s", "words"),
    [
        (20, 540, "at its beginning"),
        (500, 540, "nearly at its end"),
        (130, None, "2 minutes told<"),
        (float("nan"), 540, "This story comes next."),
        ("x", 540, "This story comes next."),
    ],
)
def test_the_place_is_said_as_one_says_it(tmp_path: Path, position_s: object, duration_s: object, words: str) -> None:
    playing = {**EVENING["story"]["story_playing_attributes"], "duration_s": duration_s}
    box = evening(story={"story_position": position_s, "story_playing_attributes": playing})
    assert words in Browser(house_in(tmp_path, box=box)).get("/tonight").text


def test_a_paused_story_can_go_on(tmp_path: Path) -> None:
    playing = {**EVENING["story"]["story_playing_attributes"], "paused": True}
    box = evening(story={"story_playing": None, "story_playing_attributes": playing})
    page = Browser(house_in(tmp_path, box=box)).get("/tonight").text
    assert "/tonight/resume" in page
    assert "/tonight/pause" not in page


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("begin", {}, ("begin", "PRESS")),
        ("one-more-page", {}, ("one_more_page", "PRESS")),
        ("pause", {}, ("pause", "PRESS")),
        ("resume", {}, ("resume", "PRESS")),
        ("stop", {}, ("stop", "PRESS")),
        ("lamp", {"light": "off"}, ("lamp", json.dumps({"state": "OFF"}))),
        ("lamp", {"light": "glow"}, ("lamp", json.dumps({"state": "ON", "brightness": round(LIGHT_SCALE * 0.05)}))),
        ("loudness", {"go": "softer"}, ("volume", "35")),
        ("loudness", {"go": "louder"}, ("volume", "45")),
        ("listener", {"listener": "Mia"}, ("listener", "Mia")),
    ],
)
def test_a_hand_is_obeyed(tmp_path: Path, path: str, fields: dict[str, str], told: tuple[str, str]) -> None:
    box = ToldBox()
    browser = Browser(house_in(tmp_path, box=box, listener=[{"name": "Mia"}]))
    assert browser.fill_in(f"/tonight/{path}", **fields).headers["location"] == "/tonight"
    assert box.told == [told]


@pytest.mark.parametrize(
    ("path", "fields"),
    [("lamp", {}), ("lamp", {"light": "strobe"}), ("loudness", {"go": "up"}), ("listener", {"listener": "Eve"})],
)
def test_what_nobody_offered_is_not_passed_on(tmp_path: Path, path: str, fields: dict[str, str]) -> None:
    box = ToldBox()
    browser = Browser(house_in(tmp_path, box=box, listener=[{"name": "Mia"}]))
    browser.fill_in(f"/tonight/{path}", **fields)
    assert box.told == []
    assert "did not understand" in browser.get("/tonight").text


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (ToldBox(reached=False), "cannot be reached just now"),
        (ToldBox(online=False), "switched off, or was just cut off"),
        (ToldBox(online=None), "has not said anything yet"),
        (None, "cannot be reached just now"),
    ],
)
def test_a_bedside_that_is_away_is_said_and_all_else_works(tmp_path: Path, box: ToldBox | None, words: str) -> None:
    browser = Browser(house_in(tmp_path, box=box))
    page = browser.get("/tonight").text
    assert words in page
    assert "does not need this page" in page
    assert "The attic of old stories" in browser.get("/shelf").text
    if box is None:
        browser.fill_in("/tonight/begin")
        assert "without a way to the bedside" in browser.get("/tonight").text


def test_the_piece_that_is_fetched_again_is_the_middle_of_the_page(tmp_path: Path) -> None:
    browser = Browser(house_in(tmp_path, box=ToldBox()))
    browser.token()  # the browser has its name
    piece = browser.get("/tonight/now").text
    assert "<html" not in piece
    assert piece.strip() in browser.get("/tonight").text


def test_trouble_of_the_box_is_told(tmp_path: Path) -> None:
    box = evening(health={"sensor_problem_attributes": {"lamp": "the lamp does not answer", "speaker": ""}})
    assert "the lamp does not answer" in Browser(house_in(tmp_path, box=box)).get("/tonight").text


def test_what_comes_over_the_wire_runs_nowhere(tmp_path: Path) -> None:
    box = evening(story={"story_playing_attributes": {"title": "<script>x</script>", "story_key": '"><b>'}})
    page = Browser(house_in(tmp_path, box=box)).get("/tonight").text
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    assert "key=%22%3E%3Cb%3E" in page


# ---- the shelf -------------------------------------------------------------------------------------------------------


def with_place(folder: Path, listener: str, key: str, position_s: float) -> None:
    journal = Journal(folder / "journal.db")
    journal.save_bookmark(key, position_s, listener=listener)
    assert journal.commit()
    journal.close()


def test_stories_stand_there_with_teller_language_and_length(tmp_path: Path) -> None:
    page = Browser(house_in(tmp_path)).get("/shelf").text
    assert page.count('<li class="card tale">') == 7
    for words in ("The goat in carriage six", "told by Grandmother, Pia and Jon", "English, ", "German, ", 'lang="de"'):
        assert words in page
    assert "Go on with it" not in page
    german = Browser(house_in(tmp_path)).get("/shelf?lang=de").text
    assert "Englisch, " in german
    assert "etwa 11 Minuten" in german


def test_each_listener_sees_their_stories_and_their_bookmark(tmp_path: Path) -> None:
    folder = tmp_path / "stories"
    for name in ("jon/boat.txt", "well.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("There was a boat. It sailed. " * 60)
    with_place(tmp_path, "Mia", "well.txt", 120.0)
    listeners = [{"name": "Mia"}, {"name": "Jon", "folder": "jon"}]
    box = ToldBox()
    browser = Browser(house_in(tmp_path, box=box, stories={"folder": str(folder)}, listener=listeners))
    everybody, mia, jon = (browser.get(f"/shelf{tail}").text for tail in ("", "?listener=Mia", "?listener=Jon"))
    assert [page.count('<li class="card tale">') for page in (everybody, mia, jon)] == [2, 2, 1]
    assert "Mia: a bookmark lies in it" in everybody
    assert mia.count("Go on with it") == 1
    assert "Go on with it" not in jon
    assert browser.fill_in("/shelf/play", key="well.txt", listener="Mia").headers["location"] == "/tonight"
    assert box.told == [("listener", "Mia"), ("play", {"key": "well.txt"})]


def test_a_story_is_played_from_its_beginning_or_from_where_it_was_left(tmp_path: Path) -> None:
    box = ToldBox()
    browser = Browser(house_in(tmp_path, box=box))
    browser.fill_in("/shelf/play", key=ATTIC, **{"from": "beginning"})
    browser.fill_in("/shelf/play", key=ATTIC)
    assert box.told == [("play", {"key": ATTIC, "position_s": 0}), ("play", {"key": ATTIC})]
    box.refuses = "it is broken"
    assert browser.fill_in("/shelf/play", key=ATTIC).headers["location"] == "/shelf"
    assert "The bedside does not tell it: it is broken" in browser.get("/shelf").text


def test_a_cover_is_a_picture_that_runs_nothing(tmp_path: Path) -> None:
    browser = Browser(house_in(tmp_path))
    cover = browser.get(f"/shelf/cover?key={ATTIC}")
    assert (cover.status_code, cover.headers["content-type"]) == (200, "image/svg+xml")
    assert cover.headers["content-security-policy"].endswith("sandbox")
    assert cover.headers["x-content-type-options"] == "nosniff"
    for key in ("", "../config.py", "nothing.story", "/etc/passwd", f"{ATTIC}/../{ATTIC}"):
        assert browser.get("/shelf/cover", params={"key": key}).status_code == 404


def test_a_text_becomes_a_story_of_the_household(tmp_path: Path) -> None:
    folder = tmp_path / "stories"
    folder.mkdir()
    browser = Browser(house_in(tmp_path, stories={"folder": str(folder)}))
    story = {"title": "The well", "teller": "Opa", "language": "en", "text": "There was a well.\r\n\r\nIt was deep."}
    assert browser.fill_in("/shelf/new", **story).headers["location"] == "/shelf"
    page = browser.get("/shelf").text
    assert "“The well” is on the shelf." in page
    assert "told by Opa" in page
    assert "There was a well.\n\nIt was deep." in (folder / "The well.txt").read_text()
    again = browser.fill_in("/shelf/new", **story)
    assert again.status_code == 422
    assert "there is a story The well.txt already" in again.text
    assert "It was deep.</textarea>" in again.text, "what was typed is not lost"
    empty = browser.fill_in("/shelf/new", title="", text="")
    assert (empty.status_code, "needs a title and its words" in empty.text) == (422, True)


def test_without_a_folder_of_ones_own_the_page_says_where_to_name_one(tmp_path: Path) -> None:
    browser = Browser(house_in(tmp_path))
    assert "[stories] folder" in browser.get("/shelf/new").text
    assert browser.fill_in("/shelf/new", title="x", text="y").status_code == 409


def test_what_cannot_be_told_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "stories"
    folder.mkdir()
    (folder / "torn.epub").write_bytes(b"PK no")
    page = Browser(house_in(tmp_path, stories={"folder": str(folder)})).get("/shelf").text
    assert "torn.epub" in page
    gone = Browser(house_in(tmp_path, stories={"folder": str(tmp_path / "away")})).get("/shelf").text
    assert "There is no story folder" in gone
