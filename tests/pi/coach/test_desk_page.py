"""The coach's page: by who asks, in words, for the coach's machine alone; what somebody wrote is shown as words."""

import re
from datetime import date
from html import unescape
from pathlib import Path

import msgspec
import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import read_po
from starlette.testclient import TestClient
from tests.no_scores import RULES
from tests.pi.coach.households import household_id, said

from somnisphere.cli import main
from somnisphere.coach_desk import desk_page
from somnisphere.coach_desk.desk_page import HERE, ON_A_PAGE, build_desk
from somnisphere.coach_desk.ledger_sqlite import SqliteLedger

TODAY = date(2026, 3, 18)
LOOPBACK = ("127.0.0.1", 50000)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    path = tmp_path / "coach.db"
    ledger = SqliteLedger(path)
    ledger.take([said(n, TODAY, asks=n in (3, 60)) for n in range(70)], [])
    ledger.take([msgspec.structs.replace(said(71, TODAY, asks=True), called="<b>Zoë</b> & co")], [])
    ledger.close()
    return path


def browser(books: Path, client: tuple[str, int] = LOOPBACK, host: str = "localhost:8135") -> TestClient:
    app = build_desk(lambda: SqliteLedger(books))
    return TestClient(app, f"http://{host}", client=client, follow_redirects=False)


def names(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'<a href="/household/\w+">(.*?)</a>', page)]


def test_who_asked_comes_first_and_all_are_there(books: Path) -> None:
    desk = browser(books)
    first, second = desk.get("/").text, desk.get(f"/?from={ON_A_PAGE}").text
    assert names(first)[:3] == ["<b>Zoë</b> & co", "Family 3", "Family 60"]
    assert len(names(first)) == ON_A_PAGE
    assert len({*names(first), *names(second)}) == 71
    assert "“A word, please: 3”" in first
    assert "<b>Zoë" not in first
    assert "Familie" not in first
    assert "Bat um ein Wort" in desk.get("/?lang=de").text


@pytest.mark.parametrize("asked", ["-1", "x", "9" * 30, "²", "700"])
def test_a_wrong_place_in_the_list_is_no_fault(books: Path, asked: str) -> None:
    assert browser(books).get("/", params={"from": asked}).status_code == 200


def test_a_household_in_words_without_a_score(books: Path) -> None:
    desk = browser(books)
    for number in range(12):
        for language in ("en", "de"):
            answer = desk.get(f"/household/{household_id(number)}?lang={language}")
            assert answer.status_code == 200
            read = unescape(re.sub(r"<[^>]+>", " ", answer.text))
            assert {name for name, rule in RULES.items() if rule.search(read)} == set()
            assert not re.search(r"\d{3,}", re.sub(r"20\d\d-\d\d-\d\d", "", read))
    assert desk.get("/household/nobody").status_code == 404


def test_a_word_that_is_given_is_off_the_top(books: Path) -> None:
    desk = browser(books)
    token = re.search(r'name="token" value="(\w+)"', desk.get("/").text)
    assert token
    form = {"token": token[1], "household": household_id(3)}
    assert desk.post("/answered", data={**form, "token": "no"}).status_code == 403
    assert desk.post("/answered", data=form, headers={"origin": "http://elsewhere.example"}).status_code == 403
    assert desk.post("/answered", data={**form, "more": "x" * 9000}).status_code == 413
    assert "Family 3" in names(desk.get("/").text)[:3]
    assert desk.post("/answered", data=form).status_code == 303
    assert names(desk.get("/").text)[:2] == ["<b>Zoë</b> & co", "Family 60"]


@pytest.mark.parametrize(
    ("client", "host"),
    [(("192.168.1.9", 5), "localhost:8135"), (LOOPBACK, "evil.example"), (LOOPBACK, "192.168.1.5:8135")],
)
def test_nobody_else_is_shown_anything(books: Path, client: tuple[str, int], host: str) -> None:
    desk = browser(books, client, host)
    answers = [desk.get("/"), desk.get(f"/household/{household_id(3)}"), desk.post("/answered", data={"token": "x"})]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "Family" not in "".join(answer.text for answer in answers)


def test_its_answers_hold_the_browser_back(books: Path) -> None:
    headers = browser(books).get("/").headers
    assert headers["cache-control"] == "no-store"
    assert "default-src 'self'" in headers["content-security-policy"]


def test_books_in_trouble_are_told(tmp_path: Path) -> None:
    answer = browser(tmp_path / "nowhere" / "coach.db").get("/")
    assert answer.status_code == 503
    assert "the books cannot be kept" in answer.text


def test_every_text_of_it_is_translated() -> None:
    keywords = {**DEFAULT_KEYWORDS, "gettext_noop": None}
    found = {one[1] for one in extract_from_file("python", desk_page.__file__, keywords=keywords)}
    for path in (HERE / "templates").glob("*.html"):
        options = {"trimmed": "false", "newstyle_gettext": "true", "silent": "false"}
        found |= {one[1] for one in extract_from_file("jinja2.ext:babel_extract", path, options=options)}
    with (HERE / "translations" / "de" / "desk.po").open("rb") as file:
        written = {message.id: message.string for message in read_po(file) if message.id}
    assert found == set(written)
    assert all(written.values())


def test_the_list_on_the_command_line(books: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coach", "list", "--database", str(books)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"asked on {TODAY.isoformat()}    <b>Zoë</b> & co: A word, please: 71"
    assert len(lines) == 71
    assert main(["coach", "list", "--database", str(tmp_path / "no.db")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert not (tmp_path / "no.db").exists()
    assert main(["coach", "schema"]) == 0
    assert '"additionalProperties": false' in capsys.readouterr().out
