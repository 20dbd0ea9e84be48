"""The weaver's table in a browser: lines in turn, the helper asked and told, versions, the story on the shelf."""

import html
import re
from pathlib import Path

import pytest
from tests.pi.page_house import Browser, house_in

from somnisphere.library.reading import read
from somnisphere.story import Book
from somnisphere.weaver.store import WeaverStore

MANY = 700


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    (tmp_path / "stories").mkdir()
    return Browser(house_in(tmp_path, stories={"folder": str(tmp_path / "stories")}))


def begin(browser: Browser, **more: str) -> str:
    """A new table; its number."""
    answer = browser.fill_in("/weaver/new", title="The lantern", tellers="Mira, Oma , Mira,", **more)
    assert answer.status_code == 303
    return str(answer.headers["location"]).removeprefix("/weaver/table?n=")


def seen(browser: Browser, number: str) -> tuple[str, str]:
    page = browser.get(f"/weaver/table?n={number}").text
    (version,) = set(re.findall(r'name="seen" value="(\d+)"', page))
    return html.unescape(page), version


def tell(browser: Browser, number: str, text: str, **more: str) -> str:
    page, version = seen(browser, number)
    teller = re.findall(r'name="teller"[^>]* value="([^"]*)"', page)[0]
    answer = browser.fill_in("/weaver/tell", n=number, seen=version, nth="0", text=text, **{"teller": teller, **more})
    return html.unescape(answer.text) if answer.status_code == 200 else seen(browser, number)[0]


def test_a_story_is_made_in_turn_and_put_on_the_shelf(browser: Browser, tmp_path: Path) -> None:
    number = begin(browser)
    assert "Mira, it is your line" in seen(browser, number)[0]
    page = tell(browser, number, "Once there was an otter.")
    assert "Oma, it is your line" in page
    tell(browser, number, "It could sing.")
    page = tell(browser, number, "And it had a guest.", teller="Ben")
    assert "Mira, it is your line" in page, "Ben sits down after Oma"
    _, version = seen(browser, number)
    browser.fill_in("/weaver/finish", n=number, seen=version, title="The otter")
    assert "“The otter” is on the shelf." in seen(browser, number)[0]
    (path,) = (tmp_path / "stories").iterdir()
    book = read(path, path.parent, tmp_path / "cache")
    assert isinstance(book, Book)
    assert [(sentence.text, sentence.teller) for sentence in book.sentences] == [
        ("Once there was an otter.", "Mira"),
        ("It could sing.", "Oma"),
        ("And it had a guest.", "Ben"),
    ]
    browser.fill_in("/weaver/finish", n=number, seen=version, title="The otter")
    assert "another title" in seen(browser, number)[0]


def test_the_helper_asks_and_writes_only_into_the_field_and_only_when_told(browser: Browser, tmp_path: Path) -> None:
    number = begin(browser, cards="yes")
    store = WeaverStore(tmp_path / "household.db")
    page = tell(browser, number, "half a li", wish="ask")
    assert "half a li" in page, "what was typed is still there"
    page = tell(browser, number, "", wish="write")
    written = re.findall(r'<textarea id="text"[^>]*>([^<]+)</textarea>', page)
    assert len(written) == 1
    assert store.versions(int(number))[0].table.lines == ()
    assert tell(browser, number, written[0]).count(written[0]) >= 1
    assert [line.text for line in store.versions(int(number))[0].table.lines] == written


def test_lines_are_changed_taken_out_and_every_version_can_lie_there_again(browser: Browser, tmp_path: Path) -> None:
    number = begin(browser)
    for text in ("One.", "Two."):
        tell(browser, number, text)
    _, version = seen(browser, number)
    browser.fill_in("/weaver/change", n=number, seen=version, line="0", text="Uno.")
    _, version = seen(browser, number)
    browser.fill_in("/weaver/change", n=number, seen=version, line="1", text="", wish="out")
    store = WeaverStore(tmp_path / "household.db")
    assert [line.text for line in store.versions(int(number))[0].table.lines] == ["Uno."]
    assert "Two." in browser.get(f"/weaver/versions?n={number}").text
    _, version = seen(browser, number)
    browser.fill_in("/weaver/back", n=number, seen=version, version="3")
    assert [line.text for line in store.versions(int(number))[0].table.lines] == ["One.", "Two."]


def test_two_who_tell_at_once_are_told_of_each_other(browser: Browser) -> None:
    number = begin(browser)
    _, version = seen(browser, number)
    browser.fill_in("/weaver/tell", n=number, seen=version, nth="0", text="First.", teller="Mira")
    browser.fill_in("/weaver/tell", n=number, seen=version, nth="0", text="Too late.", teller="Oma")
    page = seen(browser, number)[0]
    assert "Somebody else told a line meanwhile" in page
    assert "Too late." not in page


@pytest.mark.parametrize(("text", "sorry"), [("  ", "There was no line in it."), ("a" * MANY, "too long for a turn")])
def test_what_is_no_line_is_said_and_still_there(browser: Browser, text: str, sorry: str) -> None:
    number = begin(browser)
    page = tell(browser, number, text)
    assert sorry in page
    assert text.strip() in page


def test_a_table_that_is_not_there_is_said(browser: Browser) -> None:
    for address in ("/weaver/table", "/weaver/table?n=77", "/weaver/table?n=x", "/weaver/versions?n=-1"):
        assert browser.get(address).status_code == 404
    assert browser.fill_in("/weaver/tell", n="77", seen="1", text="x").status_code == 404
    number = begin(browser)
    assert browser.fill_in("/weaver/back", n=number, seen="1", version="9").status_code == 404
    browser.fill_in("/weaver/change", n=number, seen="1", line="5", text="x")
    assert "no longer there" in seen(browser, number)[0]


def test_a_cleared_table_is_gone(browser: Browser) -> None:
    number = begin(browser)
    tell(browser, number, "One.")
    browser.fill_in("/weaver/clear", n=number, seen="2")
    assert browser.get(f"/weaver/table?n={number}").status_code == 404
    assert "The lantern" not in browser.get("/weaver").text


def test_a_box_without_a_shelf_of_its_own_says_the_mend(tmp_path: Path) -> None:
    browser = Browser(house_in(tmp_path))
    number = begin(browser)
    tell(browser, number, "One.")
    browser.fill_in("/weaver/finish", n=number, seen="2", title="")
    assert "[stories] folder" in seen(browser, number)[0]
