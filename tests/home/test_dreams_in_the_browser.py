"""A dream told, a table woven: both rooms in a real browser as a family meets them, by day, by night, without scripts.

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
from tests.pi.page_house import ToldBox, house_in

from somnisphere.dreams.store import DreamStore
from somnisphere.page.house import House
from somnisphere.weaver.store import WeaverStore
from somnisphere.weaver.table import Table

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

TOLD = {
    "happened": "A big dog ran after me, and my legs were made of dough.",
    "change": "I turn round, and the dog is as small as a shoe.",
    "helper": "my grandmother",
    "ending": "The dog sleeps in the shoe.",
    "dreamer": "Mira",
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "stories").mkdir()
    return house_in(tmp_path, box=ToldBox({"ritual": {"phase": "idle"}}), stories={"folder": str(tmp_path / "stories")})


@pytest.fixture
def url(house: House) -> Iterator[str]:
    if shutil.which("chromium") is None or not (ROOT / "tests/home/node_modules/playwright-core").exists():
        pytest.skip("not installed: the browser; run: bash tests/home/install.sh")
    with served(house) as address:
        yield address


def keep(picture: Path) -> None:
    if os.environ.get("SOMNISPHERE_KEEP_PICTURES") == "1":
        compress(picture, PICTURES / picture.name)
        assert (PICTURES / picture.name).stat().st_size < 150_000


def test_a_dream_is_told_read_and_put_on_the_shelf(url: str, house: House, tmp_path: Path) -> None:
    form, draft = tmp_path / "page-dreams-tell-phone-dark.png", tmp_path / "page-dreams-draft-tablet-light.png"
    filled = [{"fill": f"#{name}", "with": words} for name, words in TOLD.items()]
    weave = [*filled, {"click": "form[action='/dreams/weave'] button"}, {"wait_text": "The dream, rewoven"}]
    shelve = [*weave, {"click": "form[action='/dreams/keep'] button"}, {"wait_text": "is on the shelf"}]
    person = [*filled, {"click": "input[value=repeated]"}, {"click": "form[action='/dreams/weave'] button"}]
    person.append({"wait_text": "This one is for a person"})
    tell = {"path": "/dreams/tell", "script": False}
    looks: list[dict[str, Any]] = [
        {"path": "/dreams/tell", "window": "phone", "tab": True},
        {**tell, "window": "phone", "scheme": "dark", "steps": filled, "file": str(form)},
        {"path": "/dreams/tell", "scheme": "light", "steps": weave, "file": str(draft)},
        {"path": "/dreams/tell", "window": "phone", "scheme": "dark", "steps": person},
        {**tell, "steps": shelve},
    ]
    seen = look_at(url, looks)
    for look in (seen[0], seen[2], seen[3]):  # with a script of its own, axe looks
        assert_good(look, url)
    assert [look["errors"] for look in seen] == [[]] * len(looks)
    assert all(one["reached"] and one["outlined"] for one in seen[0]["controls"])
    assert TOLD["ending"] not in seen[3]["text"], "nothing of it is shown again"
    (kept,) = DreamStore(house.household).all()
    assert kept.dream.happened == TOLD["happened"]
    assert [path.suffix for path in Path(house.config.stories.folder or "").iterdir()] == [".txt"]
    for picture in (form, draft):
        keep(picture)


def test_a_table_is_woven_by_turns(url: str, house: House, tmp_path: Path) -> None:
    store = WeaverStore(house.household)
    table = Table("The last ferry", "en", ("Mira", "Oma", "Ben"), cards=("postwoman", "ferry", "lantern", "dark"))
    for line in ("There was a postwoman with one last letter.", "It was addressed to the ferry."):
        table = table.added(table.turn, line)
    number = store.new(table, house.now_s())
    picture = tmp_path / "page-weaver-table-tablet-dark.png"
    tell = [
        {"fill": "#text", "with": "But the ferry had already gone to bed."},
        {"click": "form[action='/weaver/tell'] button.great"},
        {"wait_text": "Mira, it is your line"},
    ]
    path = f"/weaver/table?n={number}"
    looks: list[dict[str, Any]] = [
        {"path": path, "scheme": "dark", "file": str(picture)},
        {"path": path, "window": "phone", "tab": True},
        {"path": path, "window": "phone", "script": False, "steps": tell},
        {"path": f"/weaver/versions?n={number}", "window": "phone", "tab": True},
    ]
    seen = look_at(url, looks)
    for look in (seen[0], seen[1], seen[3]):
        assert_good(look, url)
    assert "Ben, it is your line" in seen[0]["text"]
    missed = [one["what"] for one in seen[1]["controls"] if not (one["reached"] and one["outlined"])]
    assert [what for what in missed if not what.startswith("audio")] == [], (
        "how a player shows its focus is the browser's"
    )
    lines = store.versions(number)[0].table.lines
    assert [line.teller for line in lines] == ["Mira", "Oma", "Ben"]
    assert lines[-1].text == "But the ferry had already gone to bed."
    keep(picture)
