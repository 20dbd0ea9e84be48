"""Puts the page together: headers around the gate, the gate around the rooms, and what is said when something fails."""

import sqlite3
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from somnisphere.page import door
from somnisphere.page.desk import Desk, desk_of
from somnisphere.page.forms import TOKEN_FIELD, is_guarded, shown
from somnisphere.page.gate import Gate, household_trouble
from somnisphere.page.headers import WithHeaders
from somnisphere.page.house import House
from somnisphere.page.replies import trouble
from somnisphere.page.rooms import ROOMS
from somnisphere.page.static import Static
from somnisphere.page.visit import visit_of
from somnisphere.page.words import LANGUAGES


def build_app(house: House, **clock: Any) -> Starlette:
    """The whole page. ``clock``: ``monotonic_s``, for tests."""
    static = Static()
    desk = Desk(
        house,
        {
            "rooms": ROOMS,
            "static": static.address,
            "languages": LANGUAGES,
            "token_field": TOKEN_FIELD,
            "box_name": house.config.box.name,
            "moment": house.moment,
        },
        **clock,
    )
    desk.guests = tuple(room.lets_in(house) for room in ROOMS if room.lets_in is not None)
    routes: list[BaseRoute] = [shown("/", _first_room), *door.routes(), static.route]
    for room in ROOMS:
        routes += room.routes(house)
    for route in routes:
        if not (isinstance(route, Route) and is_guarded(route)):
            raise TypeError(f"{route}: a route that changes something is made with forms.posted")
    framed_by = house.config.page.framed_by or house.config.home_assistant.url or ""
    app = Starlette(
        routes=routes,
        middleware=[Middleware(WithHeaders, framed_by=framed_by), Middleware(Gate, desk=desk)],
        exception_handlers={
            HTTPException: _http_trouble,
            sqlite3.Error: _file_trouble,
            OSError: _file_trouble,
            Exception: _crashed,
        },
    )
    app.router.redirect_slashes = False
    app.state.desk = desk
    return app


def _first_room(request: Request) -> Response:
    del request
    return RedirectResponse(f"/{ROOMS[0].name}", 303)


async def _http_trouble(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    gettext = visit_of(request).words.gettext
    way_out = ""
    match problem.status_code:
        case 403 if not request.cookies.get(desk_of(request).cookies.visitor):
            what = gettext("The browser kept no cookie of this page.")
            mend = gettext("A frame of another address keeps none; a window of its own does, when cookies are allowed.")
            way_out = "/"
        case 403:
            what = gettext("This form was not taken.")
            mend = gettext("Load the page it was on again, and send it from there. The browser must allow cookies.")
        case 404:
            what = gettext("There is no such page here.")
            mend = gettext("Choose one of the rooms above.")
        case 405:
            what = gettext("This address is not one to open.")
            mend = gettext("Choose one of the rooms above.")
        case 413:
            what = gettext("This is more than the page takes at once.")
            mend = gettext("Make it shorter or smaller, and send it again.")
        case _:
            what = gettext("The page did not understand the browser.")
            mend = gettext("Go back, load the page again, and try once more.")
    answer = trouble(request, problem.status_code, what, mend, problem.detail, way_out=way_out)
    answer.headers.update(problem.headers or {})
    return answer


async def _file_trouble(request: Request, problem: Exception) -> Response:
    return household_trouble(request, problem)


async def _crashed(request: Request, problem: Exception) -> Response:
    """A mistake of the program; the server logs it. Said plainly, by itself, for nothing else can be relied on now."""
    del request, problem
    return PlainTextResponse("The page made a mistake. It is in the log. The night goes on without it.", 500)
