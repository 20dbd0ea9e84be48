"""Nobody passes who is not of the house: the name asked for, the PIN, and what a browser keeps from then on."""

import sqlite3
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from somnisphere.page import hosts
from somnisphere.page.desk import Desk
from somnisphere.page.replies import trouble
from somnisphere.page.static import PREFIX as STATIC
from somnisphere.page.visit import Visit

SIGN_IN = "/sign-in"


class Gate:
    """Around all routes. What is behind it can rely on ``visit_of(request)``."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        if not scope["query_string"].isascii():  # no browser sends such, and an address of it cannot be written
            scope["query_string"] = b""
        request = Request(scope, receive)
        visit = self._desk.stranger(request)
        request.state.visit = visit
        answer: Response | None = None
        if not hosts.is_of_the_house(visit.host, self._desk.hosts):
            answer = _misdirected(request, visit)
        elif not request.scope["path"].startswith(STATIC):
            try:
                visit = await run_in_threadpool(self._desk.receive, request)
                request.state.visit = visit
            except (sqlite3.Error, OSError) as problem:
                answer = household_trouble(request, problem)
            path = request.scope["path"]
            if answer is None and not visit.may_enter and path != SIGN_IN:
                is_open = await run_in_threadpool(self._desk.lets_in, path)
                answer = None if is_open else _to_the_door(request)

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start" and not request.scope["path"].startswith(STATIC):
                headers = MutableHeaders(scope=message)
                for line in visit.further_cookies:
                    headers.append("set-cookie", line)
            await send(message)

        await (answer or self._app)(scope, receive, send_with_cookies)


def household_trouble(request: Request, problem: Exception) -> Response:
    """The household's file, or the disk it is on."""
    words = request.state.visit.words
    return trouble(
        request,
        503,
        words.gettext("The household's file cannot be opened."),
        words.gettext("The night goes on without it. Look whether the disk is full, then load this page again."),
        str(problem),
    )


def _to_the_door(request: Request) -> Response:
    if request.method in ("GET", "HEAD"):
        return RedirectResponse(f"{SIGN_IN}?next={quote(request.scope['path'])}", 303)
    words = request.state.visit.words
    answer = trouble(
        request,
        401,
        words.gettext("You are not signed in."),
        words.gettext("Open the page again, sign in with the household's PIN, then repeat what you did."),
    )
    answer.headers["www-authenticate"] = 'PIN realm="Somnisphere"'
    return answer


def _misdirected(request: Request, visit: Visit) -> Response:
    words = visit.words
    return trouble(
        request,
        421,
        words.gettext("This page is not served under that name."),
        words.gettext(
            "Ask for the box by its address or by its name in the house. Another name goes into page.hosts of the"
            " configuration."
        ),
    )
