"""Every room of the house page in a real browser: phone and tablet, light and dark, keyboard alone, JavaScript off.

Rooms come from ``rooms.py``: a new one is looked at without a line here.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from tests.home.browser import compress
from tests.home.harness import ROOT
from tests.home.page import WINDOWS, look_at, served
from tests.pi.page_house import EVENING, PIN, Browser, ToldBox, house_in, with_pin

from somnisphere.journal import Journal
from somnisphere.library import STARTER_FOLDER
from somnisphere.page.house import House
from somnisphere.page.rooms import ROOMS

pytestmark = [pytest.mark.home, pytest.mark.timeout(400)]

PICTURES = ROOT / "pi" / "pictures"
KEPT = (("phone", "dark"), ("tablet", "light"))
"""Of each room; kept in pi/pictures with SOMNISPHERE_KEEP_PICTURES=1 and shown in pi/README.md."""
LISTENERS = [{"name": "Mia"}, {"name": "Jon"}]


@dataclass
class LivingBox(ToldBox):
    """Its phase follows the buttons."""

    def command(self, key: str, payload: str) -> None:
        super().command(key, payload)
        phase = {"begin": "wind_down", "stop": "idle", "one_more_page": "story"}.get(key)
        if phase:
            self.groups = {**self.groups, "ritual": {"phase": phase}}


def furnished(folder: Path, box: ToldBox, **sections: Any) -> House:
    """With the starter stories as its own, two listeners and a bookmark."""
    shutil.copytree(STARTER_FOLDER, folder / "stories")
    journal = Journal(folder / "journal.db")
    journal.save_bookmark("the-attic-of-old-stories.story", 260.0, listener="Mia")
    assert journal.commit()
    journal.close()
    return house_in(folder, box=box, stories={"folder": str(folder / "stories")}, listener=LISTENERS, **sections)


@pytest.fixture(scope="module")
def box() -> ToldBox:
    story = {**EVENING["story"], "listener": "Mia"}
    return LivingBox({**EVENING, "story": story})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, box: ToldBox) -> House:
    return furnished(tmp_path_factory.mktemp("house"), box)


@pytest.fixture(scope="module")
def url(house: House) -> Iterator[str]:
    if shutil.which("chromium") is None or not (ROOT / "tests/home/node_modules/playwright-core").exists():
        pytest.skip("not installed: the browser; run: bash tests/home/install.sh")
    with served(house) as address:
        yield address


@pytest.fixture(scope="module")
def pages(house: House) -> list[str]:
    """Every address that shows a whole page, whichever room it belongs to."""
    browser = Browser(house)
    routes: list[Route] = browser.app.routes  # type: ignore[attr-defined]
    shown = [route.path for route in routes if "GET" in (route.methods or ()) and "{" not in route.path]
    answers = {path: browser.get(path) for path in shown}
    found = [path for path, answer in answers.items() if answer.status_code == 200 and "<html" in answer.text]
    assert set(found) >= {f"/{room.name}" for room in ROOMS}
    return found


def assert_good(look: dict[str, Any], url: str) -> None:
    where = look["path"]
    assert look["errors"] == [], where
    assert look["overflow_px"] <= 0, f"{where} is wider than its window"
    assert look["unloaded"] == [], f"{where}: pictures that did not come"
    assert look["barriers"] == [], f"{where}: {look['barriers']}"
    assert [address for address in look["asked"] if not address.startswith(url)] == [], "asked outside of the house"


@pytest.mark.parametrize("room", [room.name for room in ROOMS])
def test_a_room_is_whole_on_phone_and_tablet_by_day_and_by_night(url: str, room: str, pictures: Path) -> None:
    looks = [
        {
            "path": f"/{room}",
            "window": window,
            "scheme": scheme,
            "file": str(pictures / f"page-{room}-{window}-{scheme}.png"),
        }
        for window in WINDOWS
        for scheme in ("light", "dark")
    ]
    seen = look_at(url, looks)
    for look in seen:
        assert_good(look, url)
        assert "not a medical device" in look["text"]
    assert seen[0]["ground"] != seen[1]["ground"], "by night as by day"
    if os.environ.get("SOMNISPHERE_KEEP_PICTURES") == "1":
        for window, scheme in KEPT:
            name = f"page-{room}-{window}-{scheme}.png"
            compress(pictures / name, PICTURES / name)
            assert (PICTURES / name).stat().st_size < 150_000


def test_every_page_by_the_keyboard_alone(url: str, pages: list[str]) -> None:
    """Tab comes to every control, one sees where it is, and a finger can hit it."""
    for look in look_at(url, [{"path": path, "window": "phone", "tab": True} for path in pages]):
        assert_good(look, url)
        controls = look["controls"]
        assert len(controls) > 3
        for one in controls:
            assert one["reached"], f"{look['path']}: Tab never comes to {one['what']}"
            assert one["outlined"], f"{look['path']}: nobody sees that {one['what']} has the focus"
            assert one["in_view"], f"{look['path']}: {one['what']} has the focus out of sight"
            inline = one["what"].startswith("a ") and one["height"] < 44 and one["height"] > 18
            assert one["is_skip"] or one["height"] >= 44 or inline, (
                f"{look['path']}: {one['what']} is {one['height']} px"
            )


def test_every_page_in_german_keeps_nobody_out(url: str, pages: list[str]) -> None:
    for look in look_at(url, [{"path": path, "window": "phone", "locale": "de-DE"} for path in pages]):
        assert_good(look, url)
        assert "kein Medizinprodukt" in look["text"]


def test_the_first_tab_skips_to_the_page(url: str) -> None:
    steps = [{"press": "Tab"}, {"press": "Enter"}]
    look = look_at(url, [{"path": "/tonight", "steps": steps}])[0]
    assert look["focused"] == "main"


def test_an_evening_without_javascript(url: str, box: ToldBox) -> None:
    box.groups = {**EVENING, "ritual": {"phase": "idle"}}
    begun = look_at(
        url,
        [
            {
                "path": "/tonight",
                "script": False,
                "steps": [{"click": "button.great"}, {"wait_text": "light is going down"}],
            },
            {"path": "/tonight", "script": False, "steps": [{"click": "form[action='/tonight/stop'] button"}]},
            {"path": "/tonight", "script": False, "steps": [{"click": "a.again"}]},
        ],
    )
    assert [look["address"] for look in begun] == ["/tonight"] * 3
    assert "The evening has not begun." in begun[2]["html"]
    assert [told[0] for told in box.told[-2:]] == ["begin", "stop"]


def test_a_story_is_written_and_played_without_javascript(url: str, box: ToldBox) -> None:
    title = "The moth that read by moonlight"
    steps = [
        {"fill": "#title", "with": title},
        {"fill": "#text", "with": "There was a moth.\nIt read."},
        {"click": "button.great"},
        {"wait_text": "is on the shelf"},
    ]
    looks = [
        {"path": "/shelf/new", "script": False, "steps": steps},
        {
            "path": "/shelf?listener=Mia",
            "script": False,
            "steps": [{"click": "text=Go on with it"}, {"wait": "#phase"}],
        },
    ]
    added, played = look_at(url, looks)
    assert title in added["html"]
    assert played["address"] == "/tonight"
    assert box.told[-1] == ("play", {"key": "the-attic-of-old-stories.story"})


def test_tonight_follows_the_evening_by_itself(url: str, box: ToldBox) -> None:
    """The small script looks again; nobody touches anything."""
    box.groups = {**EVENING, "ritual": {"phase": "idle"}}
    others = [{"wait_text": "The evening has not begun."}, {"click": "text=A glow"}, {"wait": "#phase"}]
    look = {"path": "/tonight", "steps": [*others, {"click": "h1"}, {"wait_text": "light is going down"}]}

    def begin(key: str, payload: str, command: Any = box.command) -> None:
        command(key, payload)
        box.groups = {**EVENING, "ritual": {"phase": "wind_down"}}

    before = box.command
    box.command = begin  # type: ignore[method-assign]
    try:
        assert "The light is going down" in look_at(url, [look])[0]["text"]
    finally:
        box.command = before  # type: ignore[method-assign]


def test_the_door_by_keyboard_and_then_the_rooms(tmp_path: Path, pictures: Path, box: ToldBox) -> None:
    house = with_pin(furnished(tmp_path, box, page={"loopback_needs_pin": True}))
    wrong = [{"fill": "#pin", "with": "000000"}, {"press": "Enter"}, {"wait": "#problem"}]
    right = [{"fill": "#pin", "with": PIN}, {"press": "Enter"}, {"wait_text": "Tonight"}, {"wait": "#phase"}]
    door = pictures / "page-door-phone-dark.png"
    with served(house) as address:
        looks: list[dict[str, Any]] = [
            {"path": "/tonight", "window": "phone", "scheme": "dark", "file": str(door), "tab": True},
            {"path": "/shelf", "window": "phone", "steps": wrong},
            {"path": "/tonight", "window": "phone", "steps": right},
        ]
        closed, refused, opened = look_at(address, looks)
    assert (closed["address"], refused["address"], opened["address"]) == ("/sign-in", "/sign-in", "/tonight")
    assert_good(closed, address)
    assert all(one["reached"] and one["outlined"] for one in closed["controls"])
    assert "This is not the household's PIN." in refused["text"]
    assert refused["barriers"] == []
    assert "The attic" not in closed["html"] + refused["html"]
    if os.environ.get("SOMNISPHERE_KEEP_PICTURES") == "1":
        compress(door, PICTURES / door.name)
