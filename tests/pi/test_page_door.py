"""The door of the page: the PIN, how often it may be tried, sessions and their end, and what a guest gets: nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.routing import Route
from tests.pi.page_house import AT_THE_BOX, GUEST, NOON_S, PIN, Browser, Time, ToldBox, house_in, with_pin

from somnisphere.page import sign_in
from somnisphere.page.app import build_app
from somnisphere.page.door import way_on
from somnisphere.page.hosts import is_at_the_box, is_of_the_house, neighbourhood
from somnisphere.page.rooms import ROOMS
from somnisphere.page.sessions import EXPIRES_S, Sessions
from somnisphere.page.static import PREFIX

# ---- the PIN ---------------------------------------------------------------------------------------------------------


def test_a_pin_is_kept_as_a_hash_and_known_again() -> None:
    kept = sign_in.hash_pin(PIN, b"salt of the house")
    assert PIN not in kept
    assert sign_in.is_pin(PIN, kept)
    assert not sign_in.is_pin("714286", kept)
    assert not sign_in.is_pin("", kept)


@pytest.mark.parametrize("kept", ["", "scrypt$1$2", "md5$1$1$1$00$00", "scrypt$x$8$1$00$00", "scrypt$3$8$1$00$00"])
def test_a_hash_that_cannot_be_read_is_nobodys(kept: str) -> None:
    assert not sign_in.is_pin(PIN, kept)


@pytest.mark.parametrize("pin", ["", "12345", "123456", "987654", "111111", "121212", "x" * 65])
def test_a_pin_that_anybody_tries_first_is_refused(pin: str) -> None:
    assert sign_in.pin_problem(pin)


@pytest.mark.parametrize("pin", [PIN, "unter dem dach", "40 Ziegen"])
def test_a_pin_of_its_own_is_taken(pin: str) -> None:
    assert sign_in.pin_problem(pin) == ""


def test_five_tries_are_free_then_the_rests_grow() -> None:
    tries, at_s, rests = sign_in.Tries(), 0.0, []
    for _ in range(12):
        rest_s = tries.begin("phone", at_s)
        if rest_s:
            rests.append(rest_s)
            at_s += rest_s
            assert tries.begin("phone", at_s) == 0.0
    assert rests == [30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0]
    assert tries.rest_s("tablet", at_s) == 0.0
    tries.succeeded("phone")
    assert tries.rest_s("phone", at_s) == 0.0


def test_many_devices_together_get_no_more_than_forty_an_hour() -> None:
    tries = sign_in.Tries()
    tried = sum(tries.begin(f"device {number}", number * 1.0) == 0.0 for number in range(600))
    assert tried == sign_in.MOST_TRIES
    assert tries.rest_s("a new one", 600.0) == 3000.0
    assert tries.rest_s("a new one", 3600.0) == 0.0


def test_a_clock_that_is_put_back_locks_nobody_out_for_long() -> None:
    tries = sign_in.Tries()
    for _ in range(60):
        tries.begin("phone", 1e9)
    assert tries.rest_s("phone", 5.0) <= sign_in.LONGEST_REST_S
    assert tries.rest_s("tablet", 5.0) == 0.0


# ---- signing in ------------------------------------------------------------------------------------------------------


def test_the_pin_opens_the_door_and_only_the_pin(tmp_path: Path) -> None:
    guest = Browser(with_pin(house_in(tmp_path)), GUEST)
    wrong = guest.sign_in("000001")
    assert wrong.status_code == 403
    assert "This is not the household" in wrong.text
    assert guest.get("/tonight").headers["location"] == "/sign-in?next=/tonight"
    right = guest.sign_in()
    assert right.status_code == 303
    assert guest.get(right.headers["location"]).headers["location"] == "/"
    assert guest.get("/tonight").status_code == 200


def test_a_try_too_many_waits_and_the_right_pin_waits_with_it(tmp_path: Path) -> None:
    time = Time()
    house = with_pin(house_in(tmp_path, time))
    guest = Browser(house, GUEST, time=time)
    for _ in range(sign_in.FREE_TRIES):
        assert guest.sign_in("000001").status_code == 403
    waiting = guest.sign_in()
    assert waiting.status_code == 429
    assert waiting.headers["retry-after"] == "60"
    assert "Wait 1 minute, then" in waiting.text
    time.at_s += sign_in.FIRST_REST_S
    assert guest.sign_in().status_code == 303


def test_of_a_token_only_the_hash_is_on_the_disk(tmp_path: Path) -> None:
    house = with_pin(house_in(tmp_path))
    guest = Browser(house, GUEST)
    guest.sign_in()
    token = guest.cookies[guest.desk.cookies.session]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("household.db*"))
    assert token.encode() not in kept
    assert PIN.encode() not in kept
    assert Sessions(house.household).find(token, NOON_S) is not None


def test_sessions_end_by_hand_by_time_and_with_a_new_pin(tmp_path: Path) -> None:
    time = Time()
    house = with_pin(house_in(tmp_path, time))
    phone, tablet = Browser(house, GUEST), Browser(house, ("192.168.1.8", 1))
    phone.sign_in()
    tablet.sign_in()
    assert phone.fill_in("/devices/end", session="2").status_code == 303
    assert tablet.get("/tonight").status_code == 303
    assert phone.get("/tonight").status_code == 200
    time.wall_s += EXPIRES_S - 1
    assert phone.get("/tonight").status_code == 200  # a visit: it lasts on
    time.wall_s += EXPIRES_S + 1
    assert phone.get("/tonight").status_code == 303
    phone.sign_in()
    with_pin(house)
    assert phone.get("/tonight").status_code == 303
    phone.sign_in()
    tablet.sign_in()
    assert phone.fill_in("/devices/end-all").status_code == 303
    assert (phone.get("/tonight").status_code, tablet.get("/tonight").status_code) == (303, 303)
    phone.sign_in()
    phone.fill_in("/sign-out")
    assert phone.get("/tonight").status_code == 303


def test_without_a_pin_nobody_comes_in_from_elsewhere(tmp_path: Path) -> None:
    guest = Browser(house_in(tmp_path), GUEST)
    assert "somnisphere page pin" in guest.get("/sign-in").text
    assert guest.sign_in("").status_code == 403
    assert guest.get("/tonight").status_code == 303


def test_a_cookie_that_was_not_kept_is_said_with_a_way_out(tmp_path: Path) -> None:
    """As in a webpage card of another host, over plain http."""
    guest = Browser(with_pin(house_in(tmp_path)), GUEST)
    fields = {"form_token": guest.token(), "pin": PIN}
    guest.cookies.clear()
    page = guest.post("/sign-in", data=fields)
    assert page.status_code == 403
    assert "kept no cookie" in page.text
    assert 'href="/" target="_blank"' in page.text


@pytest.mark.parametrize(
    "asked", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1", "", "/a\nb", "\\/x", "///x"]
)
def test_signing_in_leads_to_a_page_of_ours(asked: str) -> None:
    assert way_on(asked) == "/"


def test_signing_in_leads_to_where_one_wanted() -> None:
    assert way_on("/shelf?listener=Mia") == "/shelf?listener=Mia"


# ---- who is a guest --------------------------------------------------------------------------------------------------


def test_at_the_box_itself_no_pin_is_needed_unless_it_is_wished(tmp_path: Path) -> None:
    assert Browser(house_in(tmp_path)).get("/tonight").status_code == 200
    strict = house_in(tmp_path, page={"loopback_needs_pin": True})
    assert Browser(strict).get("/tonight").status_code == 303


@pytest.mark.parametrize(
    ("client", "host", "headers", "at_the_box"),
    [
        ("127.0.0.1", "localhost:8125", (), True),
        ("127.0.0.1", "127.0.0.1:8125", (), True),
        ("::1", "[::1]:8125", (), True),
        ("::ffff:127.0.0.1", "localhost", (), True),
        ("192.168.1.7", "localhost:8125", (), False),
        ("127.0.0.1", "somnisphere.local", (), False),
        ("127.0.0.1", "192.168.1.5", (), False),
        ("127.0.0.1", "localhost", ("x-forwarded-for",), False),
        ("127.0.0.1", "localhost", ("x-forwarded-proto",), False),
        ("127.0.0.1", "localhost", ("forwarded",), False),
        ("127.0.0.1", "localhost", ("via",), False),
        ("127.0.0.1", "localhost", ("x-real-ip",), False),
        (None, "localhost", (), False),
        ("testclient", "localhost", (), False),
        ("127.0.0.1", "", (), False),
    ],
)
def test_who_sits_at_the_box(client: str | None, host: str, headers: tuple[str, ...], at_the_box: bool) -> None:
    assert is_at_the_box(client, host, headers) is at_the_box


@pytest.mark.parametrize(
    "host",
    ["192.168.1.5", "192.168.1.5:8125", "[fe80::1]:8125", "localhost", "my-box", "box.local", "my.own.name"],
)
def test_names_of_the_house(host: str) -> None:
    assert is_of_the_house(host, {"my.own.name"})


@pytest.mark.parametrize(
    "host", ["", "evil.example", "local.evil.example", "box.local.", "a b", "x\x00", "ü", "[", ":"]
)
def test_names_of_strangers(host: str) -> None:
    assert is_of_the_house(host, ()) is (host == "box.local.")


def test_a_name_that_points_at_the_box_from_outside_is_refused(tmp_path: Path) -> None:
    answer = Browser(house_in(tmp_path), AT_THE_BOX, "rebound.evil.example").get("/tonight")
    assert answer.status_code == 421
    assert "page.hosts" in answer.text


def test_devices_of_one_ipv6_network_count_as_one() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:2") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("10.0.0.1") == neighbourhood("::ffff:10.0.0.1") != neighbourhood("10.0.0.2")


def rows_of(household: Path) -> list[str]:
    with closing(sqlite3.connect(household)) as db:
        return list(db.iterdump())


def test_a_guest_without_the_pin_gets_nothing(tmp_path: Path) -> None:
    """Every route there is, whichever room adds it, asked by each method."""
    box = ToldBox()
    house = with_pin(house_in(tmp_path, box=box))
    routes = [route for route in build_app(house).routes if isinstance(route, Route)]
    assert len(routes) >= 6 + len(ROOMS)
    guest = Browser(house, GUEST)
    token = guest.token()
    before = rows_of(house.household)
    for route in routes:
        path = route.path.replace("{name}", "style.css").replace("{", "").replace("}", "")
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = guest.request(method, path, data={"form_token": token} if method == "POST" else None)
            if path == "/sign-in":
                assert answer.status_code in (200, 403, 405)
                continue
            if path.startswith(PREFIX):
                assert answer.status_code in (401, 404, 405)
                continue
            if method in ("GET", "HEAD"):
                assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in"), path
                assert answer.content == b""
            else:
                assert answer.status_code == 401, f"{method} {path}"
                assert "You are not signed in" in answer.text
            assert "old stories" not in answer.text
    assert box.told == []
    assert rows_of(house.household) == before


def test_a_session_of_nobody_opens_nothing(tmp_path: Path) -> None:
    guest = Browser(with_pin(house_in(tmp_path)), GUEST)
    for token in ("", "x", "0" * 43, "'; DROP TABLE page_session; --"):
        answer = guest.get("/tonight", headers={"cookie": f"{guest.desk.cookies.session}={token}"})
        assert answer.status_code == 303


# ---- trouble ---------------------------------------------------------------------------------------------------------


def test_a_household_file_that_is_broken_is_said_and_the_box_itself_goes_on(tmp_path: Path) -> None:
    house = with_pin(house_in(tmp_path, box=ToldBox()))
    guest = Browser(house, GUEST)
    guest.sign_in()
    for path in tmp_path.glob("household.db*"):
        path.write_bytes(b"no database at all " * 400)
    with pytest.raises(sqlite3.DatabaseError):
        Sessions(house.household).pin_hash()
    answer = guest.get("/tonight")
    assert answer.status_code == 503
    assert "The night goes on without it" in answer.text
    at_the_box = Browser(house)  # begins with the file broken
    assert at_the_box.get("/tonight").status_code == 200
    assert at_the_box.get("/devices").status_code == 503
