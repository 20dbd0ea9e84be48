"""The frame around the rooms: headers, forms, languages, light, what is said when something is not there."""

import re
from dataclasses import astuple
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.routing import Route
from tests.pi.page_house import NOON_S, Browser, Time, ToldBox, house_in

from somnisphere.page import csrf
from somnisphere.page.app import build_app
from somnisphere.page.forms import is_guarded
from somnisphere.page.headers import origin_of, page_policy
from somnisphere.page.light import is_dark
from somnisphere.page.rooms import ROOMS
from somnisphere.page.visit import Cookies

PAGES = [f"/{room.name}" for room in ROOMS]
NOT_MEDICAL = {"en": "is not a medical device", "de": "ist kein Medizinprodukt"}


@pytest.fixture
def box() -> ToldBox:
    return ToldBox()


@pytest.fixture
def browser(tmp_path: Path, box: ToldBox) -> Browser:
    return Browser(house_in(tmp_path, box=box))


# ---- headers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/nowhere", "/static/nothing.css", "/"])
def test_every_answer_tells_the_browser_to_hold_back(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_only_the_configured_home_may_frame_the_page(tmp_path: Path) -> None:
    home = {"url": "http://homeassistant.local:8123/", "token_file": "/nowhere"}
    framed = Browser(house_in(tmp_path, home_assistant=home)).get("/sign-in")
    assert "frame-ancestors 'self' http://homeassistant.local:8123" in framed.headers["content-security-policy"]
    other = house_in(tmp_path, home_assistant=home, page={"framed_by": "https://ha.example https://two.example:444/x"})
    assert (
        Browser(other)
        .get("/sign-in")
        .headers["content-security-policy"]
        .endswith("frame-ancestors 'self' https://ha.example https://two.example:444")
    )
    assert page_policy("").endswith("frame-ancestors 'self'")


@pytest.mark.parametrize("address", ["", "homeassistant.local", "javascript:x", "http://", "http://a:b", "//x", "*"])
def test_what_is_no_address_frames_nothing(address: str) -> None:
    assert origin_of(address) == ""


def test_a_cookie_is_for_the_server_alone_and_for_https_where_there_is_some(tmp_path: Path) -> None:
    plain = Browser(house_in(tmp_path)).get("/sign-in").headers["set-cookie"]
    assert plain.endswith("; HttpOnly; SameSite=Lax")
    secure = Browser(house_in(tmp_path, page={"https": True})).get("/sign-in").headers["set-cookie"]
    assert secure.endswith("; HttpOnly; SameSite=None; Secure; Partitioned")


def test_static_files_may_be_kept_and_nothing_else_is_served_from_there(browser: Browser) -> None:
    address = re.search(r'href="(/static/style\.[0-9a-f]+\.css)"', browser.get("/sign-in").text)
    assert address is not None
    style = browser.get(address.group(1))
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in style.headers["cache-control"]
    assert "set-cookie" not in style.headers
    for path in ("style.css", "../app.py", "..%2fapp.py", "%00", ""):
        assert browser.get(f"/static/{path}").status_code in (404, 405)


# ---- forms -----------------------------------------------------------------------------------------------------------


def test_a_form_needs_the_token_of_its_visitor(browser: Browser, box: ToldBox) -> None:
    token = browser.token()
    assert browser.post("/tonight/begin").status_code == 403
    assert browser.post("/tonight/begin", data={"form_token": token[::-1]}).status_code == 403
    browser.cookies.clear()  # another visitor
    assert browser.post("/tonight/begin", data={"form_token": token}).status_code == 403
    assert box.told == []
    assert browser.fill_in("/tonight/begin").status_code == 303
    assert box.told == [("begin", "PRESS")]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:8126"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused(browser: Browser, box: ToldBox, headers: dict[str, str]) -> None:
    data = {"form_token": browser.token()}
    assert browser.post("/tonight/begin", data=data, headers=headers).status_code == 403
    assert box.told == []
    own = {"origin": "http://localhost:8125", "sec-fetch-site": "same-origin"}
    assert browser.post("/tonight/begin", data=data, headers=own).status_code == 303


def test_every_form_route_is_guarded_and_the_others_only_show(tmp_path: Path) -> None:
    app = build_app(house_in(tmp_path))
    assert all(isinstance(route, Route) and is_guarded(route) for route in app.routes)

    async def endpoint(request: object) -> Response:
        raise AssertionError(request)

    assert not is_guarded(Route("/x", endpoint, methods=["POST"]))
    assert not is_guarded(Route("/x", endpoint, methods=["DELETE"]))
    assert is_guarded(Route("/x", endpoint, methods=["GET"]))


def test_every_posted_route_refuses_a_form_without_a_token(browser: Browser, box: ToldBox) -> None:
    posted = [route.path for route in browser.app.routes if "POST" in (getattr(route, "methods", None) or ())]  # type: ignore[attr-defined]
    assert len(posted) > 8
    for path in posted:
        assert browser.post(path.replace("{", "").replace("}", ""), data={"x": "y"}).status_code == 403, path
    assert box.told == []


def test_a_form_that_is_too_large_is_refused_whatever_it_says_of_its_length(browser: Browser) -> None:
    data = {"form_token": browser.token(), "x": "y" * 70_000}
    assert browser.post("/tonight/begin", data=data).status_code == 413

    def pieces() -> object:
        yield b"form_token=" + data["form_token"].encode() + b"&x="
        for _ in range(80):
            yield b"y" * 1000

    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/tonight/begin", content=pieces(), headers=kind).status_code == 413
    assert browser.post("/tonight/begin", content=b"x", headers={**kind, "content-length": "many"}).status_code == 413


def test_tokens_outlive_the_page_and_belong_to_one_household(tmp_path: Path) -> None:
    house = house_in(tmp_path)
    first, second = Browser(house), Browser(house)
    assert first.desk.form_key == second.desk.form_key
    (tmp_path / "other").mkdir()
    assert Browser(house_in(tmp_path / "other")).desk.form_key != first.desk.form_key
    assert not csrf.is_own_form(b"key", "visitor", "ü\ud800")


# ---- languages and light ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/devices", "/nowhere"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_page_speaks_the_language_and_says_what_it_is_not(browser: Browser, path: str, language: str) -> None:
    text = browser.get(path, headers={"accept-language": language}).text
    assert f'<html lang="{language}"' in text
    assert NOT_MEDICAL[language] in text
    assert text.count("<h1>") == 1
    assert "<title>" in text
    assert "style=" not in text
    assert not re.search(r"<script(?! src=\"/static/)", text)
    assert not re.search(r"(src|href|action)=\"(https?:)?//", text), "nothing comes from outside the house"


def test_the_chosen_language_is_kept(browser: Browser) -> None:
    assert 'lang="de"' in browser.get("/sign-in?lang=de").text
    assert '<html lang="de"' in browser.get("/tonight", headers={"accept-language": "en"}).text
    assert '<html lang="de"' in browser.get("/tonight?lang=xx").text
    assert '<html lang="en"' in browser.get("/tonight?lang=en").text


def test_dark_after_sunset_unless_the_reader_chose(tmp_path: Path) -> None:
    time = Time()
    browser = Browser(house_in(tmp_path, time))
    assert 'class="auto"' in browser.get("/tonight").text
    time.wall_s = NOON_S + 9 * 3600
    assert 'class="night"' in browser.get("/tonight").text
    assert 'class="day"' in browser.get("/tonight?light=day").text
    assert 'class="day"' in browser.get("/tonight").text
    assert 'class="night"' in browser.get("/tonight?light=auto").text
    time.wall_s = NOON_S
    assert 'class="night"' in browser.get("/tonight?light=night").text


@pytest.mark.parametrize(
    ("place", "day_s", "sunset_h"),
    [
        # Sunset in UTC by NOAA's Solar Calculator, to the minute: Vienna and Sydney at midsummer and midwinter.
        ((48.21, 16.37), 1_781_913_600.0, 18.98),  # 20 June 2026
        ((48.21, 16.37), 1_797_724_800.0, 15.05),  # 20 December 2026
        ((-33.87, 151.21), 1_781_913_600.0, 6.90),
        ((-33.87, 151.21), 1_797_724_800.0, 9.09),
    ],
)
def test_it_grows_dark_with_the_sun(place: tuple[float, float], day_s: float, sunset_h: float) -> None:
    sunset_s = day_s + sunset_h * 3600
    assert not is_dark(sunset_s - 360, 0.0, *place)
    assert is_dark(sunset_s + 360, 0.0, *place)


def test_at_the_poles_a_day_may_have_no_night() -> None:
    june_s, december_s = 1_781_913_600.0, 1_797_724_800.0
    assert not any(is_dark(june_s + hour * 3600, 0.0, 69.65, 18.96) for hour in range(24))
    assert all(is_dark(december_s + hour * 3600, 0.0, 69.65, 18.96) for hour in range(24))


# ---- what is not there -----------------------------------------------------------------------------------------------


def test_trouble_says_what_and_the_mend(browser: Browser) -> None:
    missing = browser.get("/nowhere")
    assert (missing.status_code, "There is no such page here." in missing.text) == (404, True)
    wrong_way = browser.get("/tonight/begin")
    assert (wrong_way.status_code, "Choose one of the rooms above." in wrong_way.text) == (405, True)
    assert "POST" in wrong_way.headers["allow"]


def test_a_mistake_of_the_program_is_a_crash_that_is_logged(tmp_path: Path) -> None:
    browser = Browser(house_in(tmp_path, box=ToldBox()))
    del browser.desk.rendering
    with pytest.raises(AttributeError):
        browser.get("/tonight")


def test_what_is_said_after_a_form_is_said_once(tmp_path: Path) -> None:
    browser = Browser(house_in(tmp_path, box=ToldBox(refuses="it sleeps")))
    assert browser.fill_in("/tonight/begin").headers["location"] == "/tonight"
    assert "it sleeps" in browser.get("/tonight").text
    assert "it sleeps" not in browser.get("/tonight").text


def test_two_bedsides_on_one_host_keep_their_visitors_apart() -> None:
    assert set(astuple(Cookies.of("attic"))).isdisjoint(astuple(Cookies.of("bedside")))
