"""The Coach room in a real browser with something in it: a suggestion, consent given and taken back without scripts."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.home.browser import compress
from tests.home.harness import ROOT
from tests.home.page import look_at, served
from tests.home.test_page_in_the_browser import PICTURES, assert_good
from tests.pi.page_house import house_in
from tests.pi.test_page_coach import COACH, tell_fortnight

from somnisphere.coach.programmes import PROGRAMMES
from somnisphere.coach.store import CoachStore
from somnisphere.page.house import House

pytestmark = [pytest.mark.home, pytest.mark.timeout(400)]
PATHS = ("/coach", "/coach/person", "/coach/sharing")


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = house_in(tmp_path, coach=COACH)
    tell_fortnight(made)
    CoachStore(made.household).say_welcome(True, made.moment(made.now_s()).date())
    return made


@pytest.fixture
def url(house: House) -> Iterator[str]:
    if shutil.which("chromium") is None or not (ROOT / "tests/home/node_modules/playwright-core").exists():
        pytest.skip("not installed: the browser; run: bash tests/home/install.sh")
    with served(house) as address:
        yield address


def test_a_suggestion_and_the_forms_by_keyboard_and_in_german(url: str, tmp_path: Path) -> None:
    looks = [{"path": path, "window": "phone", "tab": True} for path in PATHS]
    looks += [{"path": path, "window": "phone", "locale": "de-DE"} for path in PATHS]
    for path in PATHS:
        name = f"page-{path[1:].replace('/', '-')}-with-phone-dark.png"
        looks.append({"path": path, "window": "phone", "scheme": "dark", "file": str(tmp_path / name)})
    seen = look_at(url, looks)
    for look in seen:
        assert_good(look, url)
        for one in look.get("controls") or ():
            assert one["reached"], f"{look['path']}: Tab never comes to {one['what']}"
            assert one["outlined"], f"{look['path']}: nobody sees that {one['what']} has the focus"
    assert PROGRAMMES[0].suggestion.en in seen[0]["text"]
    assert PROGRAMMES[0].suggestion.de in seen[3]["text"]
    if os.environ.get("SOMNISPHERE_KEEP_PICTURES") == "1":
        for picture in tmp_path.glob("page-coach*.png"):
            compress(picture, PICTURES / picture.name)


def test_consent_is_given_and_taken_back_without_javascript(url: str, house: House) -> None:
    give = [
        {"fill": "#called", "with": "Family B."},
        {"click": "input[name=agreed]"},
        {"click": "form[action='/coach/share'] button"},
        {"wait_text": "Summaries are shared with Anna Lind"},
    ]
    ask = [
        {"fill": "#message", "with": "May we talk?"},
        {"click": "form[action='/coach/ask'] button"},
        {"wait_text": "“May we talk?”"},
    ]
    back = [{"click": "form[action='/coach/withdraw'] button"}, {"wait_text": "Taken back on"}]
    looks = [
        {"path": "/coach/sharing", "script": False, "steps": give},
        {"path": "/coach/sharing", "window": "phone", "tab": True},
        {"path": "/coach/sharing", "script": False, "steps": ask},
        {"path": "/coach/sharing", "script": False, "steps": back},
        {"path": "/coach/sharing", "window": "phone", "tab": True},
    ]
    seen = look_at(url, looks)
    for look in (seen[1], seen[4]):
        assert_good(look, url)
    assert [look["errors"] for look in seen] == [[]] * 5
    (kept,) = CoachStore(house.household).consents()
    assert kept.consent.called == "Family B."
    assert kept.withdrawn_at_s == house.now_s()
