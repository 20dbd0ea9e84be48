"""The Morning room in a real browser as a family meets it: told in words and pictures, opened, read, and a week of it.

With SOMNISPHERE_KEEP_PICTURES=1 three photographs are kept in pi/pictures and shown in pi/README.md.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.home.browser import compress
from tests.home.harness import ROOT
from tests.home.page import look_at, served
from tests.home.test_page_in_the_browser import PICTURES, assert_good
from tests.pi.page_house import Browser, Time, house_in
from tests.pi.test_page_morning import MORNING_S, NIGHT, TOLD, keep_night

from somnisphere.page.house import House

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

CLOSED, PUT_OFF = "2026-06-10", "2026-06-12"
OPEN = ("2026-06-08", "2026-06-09", "2026-06-11", NIGHT)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("house")
    for number, night in enumerate(sorted((*OPEN, CLOSED, PUT_OFF))):
        keep_night(
            folder, night, minutes=400 + 17 * number, onset_min=15 + 9 * number, title="The attic of old stories"
        )
    made = house_in(folder, Time(MORNING_S))
    browser = Browser(made)
    for night in OPEN:
        browser.fill_in("/morning/tell", **TOLD | {"night": night})
        browser.fill_in("/morning/seal", night=night, step="open")
    browser.fill_in("/morning/seal", night=PUT_OFF, step="not_today")
    return made


@pytest.fixture(scope="module")
def url(house: House) -> Iterator[str]:
    if shutil.which("chromium") is None or not (ROOT / "tests/home/node_modules/playwright-core").exists():
        pytest.skip("not installed: the browser; run: bash tests/home/install.sh")
    with served(house) as address:
        yield address


PLACES = (
    f"/morning?night={NIGHT}",
    f"/morning?night={NIGHT}&picture=yes",
    f"/morning?night={NIGHT}&tell=yes",
    f"/morning?night={CLOSED}&form=child",
    f"/morning?night={PUT_OFF}",
    "/morning/week",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_of_a_morning_keeps_nobody_out(url: str, scheme: str) -> None:
    for look in look_at(url, [{"path": path, "window": "phone", "scheme": scheme, "tab": True} for path in PLACES]):
        assert_good(look, url)
        for one in look["controls"]:
            assert one["reached"], f"{look['path']}: Tab never comes to {one['what']}"
            assert one["outlined"], f"{look['path']}: nobody sees that {one['what']} has the focus"


def test_a_letter_and_a_childs_form_are_photographed(url: str, tmp_path: Path) -> None:
    shots: dict[str, dict[str, Any]] = {
        "morning-letter-phone-dark.png": {"path": PLACES[0], "window": "phone", "scheme": "dark"},
        "morning-child-tablet-light.png": {"path": PLACES[3], "window": "tablet", "scheme": "light"},
        "morning-week-tablet-dark.png": {"path": PLACES[5], "window": "tablet", "scheme": "dark"},
    }
    seen = look_at(url, [{**look, "file": str(tmp_path / name)} for name, look in shots.items()])
    assert "Oma Lene told “The attic of old stories” to Mia" in seen[0]["text"]
    assert "What weather was your night?" in seen[1]["text"]
    assert "closed" in seen[2]["text"]
    if os.environ.get("SOMNISPHERE_KEEP_PICTURES") == "1":
        for name in shots:
            compress(tmp_path / name, PICTURES / name)
            assert (PICTURES / name).stat().st_size < 150_000
