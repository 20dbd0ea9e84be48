"""The door: signing in with the household's PIN, out again, and everybody out."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from somnisphere.page.cookies import cookie
from somnisphere.page.desk import Desk, desk_of
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.gate import SIGN_IN
from somnisphere.page.replies import render, see
from somnisphere.page.sessions import EXPIRES_S
from somnisphere.page.sign_in import MOST_CHARS, is_pin
from somnisphere.page.visit import device_words, visit_of


def routes() -> list[BaseRoute]:
    return [
        shown(SIGN_IN, _ask),
        posted(SIGN_IN, _sign_in, most_bytes=4_000),
        posted("/sign-out", _sign_out),
        shown("/devices", _devices),
        posted("/devices/end", _end_one),
        posted("/devices/end-all", _end_all),
    ]


def way_on(asked: str) -> str:
    """Where to after signing in: a page of ours, whatever is asked."""
    parts = urlsplit(asked) if asked.isascii() and asked.isprintable() and "\\" not in asked else None
    ours = parts is not None and not parts.scheme and not parts.netloc and asked.startswith("/") and asked[1:2] != "/"
    return asked if ours else "/"


def _ask(request: Request, status: int = 200, problem: str = "", next_path: str | None = None) -> Response:
    asked = request.query_params.get("next", "/")[:500] if next_path is None else next_path
    if request.query_params.get("signed") == "in" and visit_of(request).session is not None:
        return RedirectResponse(way_on(asked), 303)
    pin_is_set = bool(desk_of(request).sessions.pin_hash())
    return render(
        request,
        "sign_in.html",
        status,
        next_path=way_on(asked),
        problem=problem,
        pin_is_set=pin_is_set,
        most_chars=MOST_CHARS,
    )


def _sign_in(request: Request, form: Form) -> Response:
    desk, visit = desk_of(request), visit_of(request)
    words, to = visit.words, way_on(form.text("next", 500))
    kept = desk.sessions.pin_hash()
    if not kept:
        return _ask(request, 403, "", to)
    with desk.pin_lock:
        rest_s = desk.tries.begin(visit.device, desk.monotonic_s())
        right = rest_s <= 0.0 and is_pin(form.text("pin", 200), kept)
        if right:
            desk.tries.succeeded(visit.device)
    if rest_s > 0.0:
        minutes = max(1, round(rest_s / 60.0 + 0.49))
        problem = words.ngettext(
            "The PIN was tried too often. Wait %(num)s minute, then try again.",
            "The PIN was tried too often. Wait %(num)s minutes, then try again.",
            minutes,
        )
        answer = _ask(request, 429, problem, to)
        answer.headers["retry-after"] = str(minutes * 60)
        return answer
    if not right:
        return _ask(request, 403, words.gettext("This is not the household's PIN."), to)
    token = desk.sessions.begin(device_words(request.headers.get("user-agent", "")), desk.house.now_s())
    answer = RedirectResponse(f"{SIGN_IN}?signed=in&next={quote(to)}", 303)
    answer.headers.append("set-cookie", _session_cookie(desk, token, int(EXPIRES_S)))
    return answer


def _sign_out(request: Request, form: Form) -> Response:
    del form
    desk, visit = desk_of(request), visit_of(request)
    if visit.session is not None:
        desk.sessions.end(visit.session.id)
    return _out(request)


def _devices(request: Request) -> Response:
    desk = desk_of(request)
    return render(request, "devices.html", sessions=desk.sessions.all(desk.house.now_s()))


def _end_one(request: Request, form: Form) -> Response:
    desk, number = desk_of(request), form.whole("session", 1, 999_999_999)
    if number is not None:
        desk.sessions.end(number)
    return see(request, "/devices", visit_of(request).words.gettext("That device is signed out."))


def _end_all(request: Request, form: Form) -> Response:
    del form
    desk_of(request).sessions.end_all()
    if visit_of(request).at_the_box:
        return see(request, "/devices", visit_of(request).words.gettext("Everybody is signed out."))
    return _out(request)


def _out(request: Request) -> Response:
    answer = see(request, SIGN_IN, visit_of(request).words.gettext("You are signed out."))
    answer.headers.append("set-cookie", _session_cookie(desk_of(request), "", 0))
    return answer


def _session_cookie(desk: Desk, token: str, max_age_s: int) -> str:
    return cookie(desk.cookies.session, token, max_age_s, https=desk.https)
