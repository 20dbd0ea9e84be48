"""The circle and a community evening in a real browser: full pages by day and night, by keyboard, with and without
JavaScript; and a passage recorded by the browser's own recorder becomes a story."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.circle_house import House as Neighbour
from tests.home.browser import compress
from tests.home.harness import ROOT
from tests.home.page import WINDOWS, look_at, served
from tests.home.test_page_in_the_browser import PICTURES, assert_good, furnished
from tests.pi.page_house import Browser, ToldBox
from tests.pi.test_page_circle import an_evening, offered_by_a_neighbour

from somnisphere.circle.desk import Desk
from somnisphere.circle.known import ASKS, Member
from somnisphere.library import read
from somnisphere.page.circle_evening import evenings_of
from somnisphere.page.house import House
from somnisphere.story import Book

pytestmark = [pytest.mark.home, pytest.mark.timeout(400)]

LAST = "The fog stood at the door, wiped its feet, and asked what there was for supper."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """In a circle with two neighbours, one of whom asks to join; it offers a story and is offered one."""
    house = furnished(tmp_path_factory.mktemp("house"), ToldBox())
    browser = Browser(house)
    browser.fill_in("/circle/begin", name="Birch Street", household="The Arslans")
    offered_by_a_neighbour(house, "The whale that could not sleep")
    dana = Neighbour("The Cohens")
    with Desk(house.config) as desk:
        desk.store.keep_member(Member(dana.id, dana.name, dana.identity.key, ASKS))
    browser.fill_in("/circle/offer", key="the-fog-that-came-to-supper.story")
    return house


@pytest.fixture(scope="module")
def evening(house: House) -> str:
    """One that goes on, with a passage told."""
    browser = Browser(house)
    here = an_evening(browser, "The fog on Birch Street")
    for name in ("Ilse", "Kofi", "Mia"):
        browser.fill_in(f"{here}/sit", name=name)
    browser.fill_in(f"{here}/tell", teller="Ilse", text=LAST, allows="yes")
    return here


@pytest.fixture(scope="module")
def url(house: House) -> Iterator[str]:
    if shutil.which("chromium") is None or not (ROOT / "tests/home/node_modules/playwright-core").exists():
        pytest.skip("not installed: the browser; run: bash tests/home/install.sh")
    with served(house) as address:
        yield address


def test_the_circle_and_its_evening_by_day_and_by_night(url: str, evening: str, pictures: Path) -> None:
    looks: list[dict[str, Any]] = []
    for name, path in (("circle-full", "/circle"), ("evening", evening), ("programme", f"{evening}/programme")):
        for window in WINDOWS:
            for scheme in ("light", "dark"):
                file = str(pictures / f"page-{name}-{window}-{scheme}.png")
                looks.append({"path": path, "window": window, "scheme": scheme, "file": file, "whole": True})
    for look in look_at(url, looks):
        assert_good(look, url)
    if shutil.which("zbarimg"):  # a telephone would read the programme on the wall
        picture = str(pictures / "page-programme-tablet-dark.png")
        read_out = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True, text=True, check=True)
        assert read_out.stdout.strip() == url + evening
    if os.environ.get("SOMNISPHERE_KEEP_PICTURES") == "1":
        for name in ("page-circle-full-tablet-light.png", "page-evening-phone-dark.png"):
            compress(pictures / name, PICTURES / name)


def test_the_circle_and_its_evening_by_the_keyboard_alone(url: str, evening: str) -> None:
    for look in look_at(url, [{"path": path, "window": "phone", "tab": True} for path in ("/circle", evening)]):
        assert_good(look, url)
        for one in look["controls"]:
            assert one["reached"], f"{look['path']}: Tab never comes to {one['what']}"
            assert one["outlined"], f"{look['path']}: nobody sees that {one['what']} has the focus"
            assert one["is_skip"] or one["height"] >= 44 or one["is_in_text"], f"{look['path']}: {one}"


def test_an_invitation_is_made_and_joined_without_javascript(url: str, house: House, tmp_path: Path) -> None:
    steps = [
        {"fill": "#address", "with": "stories.example.org:8883"},
        {"click": "text=Make an invitation"},
        {"wait": "#text"},
    ]
    made = look_at(url, [{"path": "/circle", "script": False, "steps": steps}, {"path": "/circle", "steps": steps}])
    assert_good(made[1], url)
    text = re.search(r"SOMNISPHERE-CIRCLE:\w+", made[0]["html"])
    assert text is not None
    (tmp_path / "other").mkdir()
    with served(furnished(tmp_path / "other", ToldBox())) as other:
        steps = [
            {"fill": "#invitation", "with": text.group()},
            {"click": "text=Look who invites us"},
            {"wait_text": "invites us to"},
            {"fill": "#household", "with": "The Bauers"},
            {"click": "text=They are the same: join"},
            {"wait_text": "We belong to"},
        ]
        (joined,) = look_at(other, [{"path": "/circle", "script": False, "steps": steps}])
    assert "Birch Street" in joined["html"]
    with Desk(house.config) as desk:
        assert desk.identity().household in joined["html"]


def test_a_passage_is_recorded_in_the_browser_and_the_next_is_typed_without_javascript(url: str, house: House) -> None:
    browser = Browser(house)
    here = an_evening(browser, "The humming")
    for name in ("Ilse", "Kofi"):
        browser.fill_in(f"{here}/sit", name=name)
    recorded = [
        {"click": "#record"},
        {"wait_text": "End the recording"},
        {"wait": "#recording:not(:empty)"},
        {"click": "#record"},
        {"wait": "#heard:not([hidden])"},
        {"click": "input[name=allows]"},
        {"click": "button.great"},
        {"wait_text": "Thank you, Ilse."},
    ]
    typed = [
        {"fill": "#text", "with": "And then it was quiet."},
        {"click": "input[name=allows]"},
        {"click": "button.great"},
        {"wait_text": "Thank you, Kofi."},
    ]
    first, second = look_at(
        url, [{"path": here, "steps": recorded}, {"path": here, "script": False, "steps": typed, "window": "phone"}]
    )
    assert first["errors"] == []
    assert "Ilse tells now" in second["html"]
    evenings = evenings_of(house)
    told = evenings.find(here.rpartition("/")[2])
    assert told is not None
    assert [bool(passage.sound) for passage in told.passages] == [True, False]
    browser.fill_in(f"{here}/end")
    path = evenings.story(told)
    book = read(path, path.parent, path.parent / "cache")
    assert isinstance(book, Book), book
    assert book.recordings[0].duration_s
    assert book.recordings[0].consent is not None
    assert book.recordings[0].consent.by == "Ilse, Kofi"
