"""The room Circle and the evening's pages: joining, offering, taking back; guests at the ring and nowhere else."""

import re
import subprocess
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from tests.circle_house import House as Neighbour
from tests.circle_house import cover, offer_for
from tests.pi.page_house import GUEST, NOON_S, Browser, Time, house_in, with_pin

from somnisphere.circle.desk import Desk
from somnisphere.circle.evening_store import Evenings
from somnisphere.circle.known import ASKS, MEMBER, HeldOffer, Member, Take
from somnisphere.circle.manifest import sign_offer
from somnisphere.page.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "fog.txt").write_text(
        "---\ntitle: The fog\nlicence: CC0-1.0\nteller: Ilse\n---\n\nThe fog came. It stayed.\n"
    )
    return house_in(tmp_path, stories={"folder": str(shelf), "cache": str(tmp_path / "cache")})


@pytest.fixture
def browser(house: House) -> Browser:
    browser = Browser(house)
    browser.fill_in("/circle/begin", name="Birch Street", household="The Arslans")
    return browser


def told(browser: Browser, answer: Any) -> str:
    """The page that a form leads to."""
    return str(browser.get(answer.headers["location"]).text)


def offered_by_a_neighbour(house: House, title: str = "The whale") -> Neighbour:
    neighbour = Neighbour("The Bauers")
    with Desk(house.config) as desk:
        offer = offer_for(title.encode(), title, circle=desk.known.circle.id, cover=cover())
        desk.store.keep_member(Member(neighbour.id, neighbour.name, neighbour.identity.key))
        desk.store.keep_offer(HeldOffer(neighbour.id, sign_offer(neighbour.identity, offer), offer))
    return neighbour


def test_a_circle_is_begun_and_an_invitation_is_a_code(house: House, browser: Browser) -> None:
    page = browser.get("/circle").text
    assert "Birch Street" in page
    assert "The Arslans, that is us" in page
    made = browser.fill_in("/circle/invite", address="stories.example.org:8883").text
    assert "<svg" in made
    text = re.search(r"SOMNISPHERE-CIRCLE:\w+", made)
    assert text is not None
    with Desk(house.config) as desk:
        assert desk.identity().household in made
    for wrong in ("", "nowhere", "a b:1", "x:99999", "x:²"):
        assert "It was not done" in told(browser, browser.fill_in("/circle/invite", address=wrong))


def test_joining_shows_who_invites_before_anybody_says_yes(house: House, browser: Browser, tmp_path: Path) -> None:
    made = browser.fill_in("/circle/invite", address="stories.example.org:8883").text
    text = re.search(r"SOMNISPHERE-CIRCLE:\w+", made).group()  # type: ignore[union-attr]
    (tmp_path / "other").mkdir()
    other = Browser(house_in(tmp_path / "other"))
    asked = other.fill_in("/circle/look", invitation=text).text
    with Desk(house.config) as desk:
        assert desk.identity().household in asked
    assert "The Arslans invites us to “Birch Street”" in asked
    joined = other.fill_in("/circle/join", invitation=text, household="The Bauers")
    assert "We belong to “Birch Street” as soon as they have let us in." in told(other, joined)
    assert "It was not done: This is no invitation" in told(other, other.fill_in("/circle/look", invitation="hello"))


def test_who_asks_is_let_in_and_who_belongs_can_be_parted_from(house: House, browser: Browser) -> None:
    dana = Neighbour("<b>Dana</b>")
    with Desk(house.config) as desk:
        desk.store.keep_member(Member(dana.id, dana.name, dana.identity.key, ASKS))
    page = browser.get("/circle").text
    assert "&lt;b&gt;Dana" in page
    assert "<b>Dana" not in page
    assert "are these the five words" in page
    browser.fill_in("/circle/admit", household=dana.id)
    with Desk(house.config) as desk:
        assert desk.known.members[dana.id].state == MEMBER
    assert "No more stories to or from" in told(browser, browser.fill_in("/circle/part", household=dana.id))
    with Desk(house.config) as desk:
        assert not desk.known.belongs(dana.id)


def test_what_others_offer_is_taken_by_hand(house: House, browser: Browser) -> None:
    offered_by_a_neighbour(house)
    page = browser.get("/circle").text
    assert "offered by The Bauers" in page
    picture = re.search(r"/circle/cover\?story=\w+", page)
    assert picture is not None
    answer = browser.get(picture.group())
    assert answer.headers["content-type"] == "image/png"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert browser.get("/circle/cover?story=nothing").status_code == 404
    assert "“The whale” is being fetched." in told(browser, browser.fill_in("/circle/take", story="The whale"))
    with Desk(house.config) as desk:
        (take,) = desk.known.takes.values()
        desk.store.keep_take(Take(take.sha256, take.household, "failed", "its pieces lie"))
    assert "its pieces lie" in browser.get("/circle").text


def test_a_story_is_offered_and_taken_back(house: House, browser: Browser) -> None:
    assert "“The fog” is offered" in told(browser, browser.fill_in("/circle/offer", key="fog.txt"))
    with Desk(house.config) as desk:
        (held,) = desk.known.offers.values()
    page = browser.get("/circle").text
    assert held.offer.sha256 in page
    assert "is taken back" in told(browser, browser.fill_in("/circle/take-back", story=held.offer.sha256))
    assert held.offer.sha256 not in browser.get("/circle").text
    assert "Choose a story" in told(browser, browser.fill_in("/circle/offer", key="../../etc/passwd"))


def spoken(folder: Path, words: str = "Once there was a whale.") -> bytes:
    subprocess.run(["espeak-ng", "-w", str(folder / "x.wav"), words], check=True, timeout=30)
    return (folder / "x.wav").read_bytes()


def test_a_voice_is_asked_before_it_goes_round(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "shelf" / "whale.wav").write_bytes(spoken(tmp_path))
    said = told(browser, browser.fill_in("/circle/offer", key="whale.wav", licence="CC0-1.0"))
    assert "was not asked yet" in said
    said = told(browser, browser.fill_in("/circle/offer", key="whale.wav", licence="CC0-1.0", by="Oma Ilse"))
    assert "was not asked yet" in said  # a name alone is no yes
    fields = {"key": "whale.wav", "licence": "CC0-1.0", "by": "Oma Ilse", "allowed": "yes"}
    assert "is offered" in told(browser, browser.fill_in("/circle/offer", **fields))
    assert 'consent_by = "Oma Ilse"' in (tmp_path / "shelf" / "whale.wav.consent.toml").read_text()


def test_without_a_circle_the_room_says_how_to_begin(tmp_path: Path) -> None:
    browser = Browser(house_in(tmp_path))
    english, german = (browser.get(f"/circle?lang={language}").text for language in ("en", "de"))
    assert "Begin a circle" in english
    assert "Einen Kreis beginnen" in german
    assert "This household is in no circle" in told(browser, browser.fill_in("/circle/take", story="x"))


# ---- the evening -----------------------------------------------------------------------------------------------------


def an_evening(browser: Browser, title: str = "The whale") -> str:
    answer = browser.fill_in("/circle/evenings", title=title, licence="CC-BY-SA-4.0")
    address: str = answer.headers["location"]
    assert address.startswith("/circle/evening/")
    return address


def test_guests_tell_in_turn_and_take_the_story_home(house: House, tmp_path: Path) -> None:
    host, guest = Browser(with_pin(house)), Browser(house, GUEST)
    here = an_evening(host)
    for name in ("Ilse", "Kofi"):
        assert f"Welcome, {name}." in told(guest, guest.fill_in(f"{here}/sit", name=name))
    page = guest.get(here).text
    assert "Ilse tells now" in page
    assert f"http://192.168.1.5:8125{here}" in page
    assert "<svg" in page
    recording = {"sound": ("passage.webm", spoken(tmp_path), "audio/webm")}
    said = guest.fill_in(f"{here}/tell", teller="Ilse", allows="yes", files=recording)
    assert "It is told. Thank you, Ilse." in told(guest, said)
    assert guest.get(f"{here}/sound/0").content == spoken(tmp_path)
    said = guest.fill_in(
        f"{here}/tell", teller="Kofi", text="It swam to the moon.\n<script>alert(1)</script>", allows="yes"
    )
    page = told(guest, said)
    assert "It swam to the moon." in page
    assert "<script>alert" not in page
    assert "Ilse tells now" in page
    assert guest.fill_in(f"{here}/end").status_code == 401  # the household ends it
    assert "its story is whole" in told(host, host.fill_in(f"{here}/end"))
    home = guest.get(f"{here}/story")
    assert "the-whale.story" in home.headers["content-disposition"]
    names = zipfile.ZipFile(BytesIO(home.content)).namelist()
    assert {"story.toml", "text.txt", "recording.mka"} <= set(names)
    manifest = zipfile.ZipFile(BytesIO(home.content)).read("story.toml").decode()
    assert 'consent = "circle"' in manifest
    assert 'consent_by = "Ilse, Kofi"' in manifest
    programme = guest.get(f"{here}/programme").text
    assert "Kofi</strong> – It swam to the moon." in programme
    assert "CC-BY-SA-4.0" in programme
    host.fill_in("/circle/begin", name="Birch Street", household="The Arslans")
    assert "is offered to the circle" in told(host, host.fill_in(f"{here}/offer"))


def test_what_the_ring_does_not_take_is_said(house: House, tmp_path: Path) -> None:
    browser = Browser(house)
    here = an_evening(browser)
    browser.fill_in(f"{here}/sit", name="Ilse")
    browser.fill_in(f"{here}/sit", name="Kofi")
    for fields, words in (
        ({"teller": "Kofi", "text": "x", "allows": "yes"}, "It is somebody else's turn now"),
        ({"teller": "Ilse", "text": "x"}, "it needs your yes"),
        ({"teller": "Ilse", "allows": "yes"}, "Nothing was told yet"),
        ({"teller": "Ilse", "text": "x" * 4001, "allows": "yes"}, "too long for one turn"),
    ):
        assert words in told(browser, browser.fill_in(f"{here}/tell", **fields)).replace("&#39;", "'")
    bad = {"sound": ("x.webm", b"<html>no sound</html>", "audio/webm")}
    assert "no recording" in told(browser, browser.fill_in(f"{here}/tell", teller="Ilse", allows="yes", files=bad))
    assert "somebody of this name" in told(browser, browser.fill_in(f"{here}/sit", name="ilse")).lower()
    browser.fill_in(f"{here}/pass", teller="Ilse")
    browser.fill_in(f"{here}/pass", teller="Ilse")  # pressed twice
    assert "Kofi tells now" in browser.get(here).text
    assert "Nobody told anything yet." in told(browser, browser.fill_in(f"{here}/end"))
    assert browser.get(f"{here}/story").status_code == 404
    assert browser.get(f"{here}/sound/0").status_code == 404
    assert [path.name for path in (tmp_path / "circle" / "evenings").glob("*/*")] == ["evening.json"]


def test_a_guest_gets_the_evening_and_nothing_else(house: House) -> None:
    time = Time()
    host, guest = Browser(with_pin(house)), Browser(house, GUEST, time=time)
    here = an_evening(host)
    assert guest.get(here).status_code == 200
    assert "/tonight" not in guest.get(here).text  # no navigation either
    for path in (
        "/circle",
        "/tonight",
        "/shelf",
        "/circle/cover",
        "/circle/evening/",
        "/circle/evening/lusab-babad-gutih-tugad-mibik",
    ):
        assert guest.get(path).headers["location"].startswith("/sign-in"), path
    for path in (
        here.upper(),
        here + "/..",
        here + "/end/x",
        here[:-1],
        here + "/offer",
        "/circle/evening/../../tonight",
    ):
        assert guest.get(path).status_code in (303, 404), path
    for path in ("/circle/begin", "/circle/evenings", f"{here}/end", f"{here}/offer"):
        assert guest.fill_in(path, title="x", licence="y", name="z").status_code == 401, path
    long_after = house_in(
        house.journal.parent, Time(wall_s=NOON_S + 20 * 86400), stories={"cache": house.config.stories.cache}
    )
    assert Browser(long_after, GUEST).get(here).headers["location"].startswith("/sign-in")


def test_the_door_opens_by_the_words_alone(house: House) -> None:
    from somnisphere.page.circle_evening import lets_in

    evening = Evenings(house.journal.with_name("circle") / "evenings").begin("x", "en", "y", date(2026, 6, 14))
    opens = lets_in(house)
    here = f"/circle/evening/{evening.id}"
    assert [opens(here + end) for end in ("", "/tell", "/story", "/sound/1")] == [True] * 4
    for wrong in ("/end", "/offer", "x", "/../../shelf", "/.."):
        assert not opens(here + wrong), wrong
    for wrong in ("/circle/evening/..", "/circle/evening/.", "/circle/evening//tell", "/circle"):
        assert not opens(wrong), wrong
