"""The coach's own page: who asked for a word first, then everybody by name; one household's summaries, in words.

It is for the coach's own machine: served at a loopback address and to nobody else (from afar: ``ssh -L``). It opens the
books for each request and closes them, so that nothing of a household that went stays in memory.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from somnisphere.coach.summary import Summary
from somnisphere.coach_desk.ledger import Ledger, LedgerError
from somnisphere.coach_desk.order import by_who_asks
from somnisphere.page import csrf
from somnisphere.page.headers import WithHeaders
from somnisphere.page.hosts import is_at_the_box
from somnisphere.page.rendering import Rendering
from somnisphere.page.static import Static
from somnisphere.page.words import all_words, gettext_noop, language_for

HERE = Path(__file__).parent
ON_A_PAGE = 50
MOST_BYTES = 4_000

WORDS: Mapping[str, str] = {
    "none": gettext_noop("no morning"),
    "few": gettext_noop("a few mornings"),
    "some": gettext_noop("some mornings"),
    "most": gettext_noop("most mornings"),
    "no_night": gettext_noop("on no night that was told"),
    "some_nights": gettext_noop("on some nights"),
    "most_nights": gettext_noop("on most nights"),
    "within_half_an_hour": gettext_noop("close together"),
    "within_an_hour": gettext_noop("within an hour"),
    "within_two_hours": gettext_noop("within two hours"),
    "hours_apart": gettext_noop("hours apart"),
}
NOT_KNOWN = gettext_noop("not told often enough")


class Desk:
    """``open_books``: anew for each request."""

    def __init__(self, open_books: Callable[[], Ledger]) -> None:
        self._open_books = open_books
        self._words = all_words(HERE / "translations")
        self.static = Static()
        self._key = secrets.token_bytes(32)
        shown = {"static": self.static.address, "token": csrf.token_for(self._key, "coach")}
        self._rendering = Rendering(self._words, shown, HERE / "templates")

    def routes(self) -> list[Route]:
        return [
            Route("/", self._on_a_thread(self._list), methods=["GET"]),
            Route("/household/{id}", self._on_a_thread(self._household), methods=["GET"]),
            Route("/answered", self._answered, methods=["POST"]),
            self.static.route,
        ]

    def _list(self, request: Request) -> Response:
        asked = request.query_params.get("from", "0")
        first = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 0
        listed = by_who_asks(self._read(lambda books: books.standings()))
        after = first + ON_A_PAGE if first + ON_A_PAGE < len(listed) else None
        before = max(0, first - ON_A_PAGE) if first else None
        return self._page(request, "list.html", listed=listed[first : first + ON_A_PAGE], after=after, before=before)

    def _household(self, request: Request) -> Response:
        name = request.path_params["id"]
        one = next((one for one in self._read(lambda books: books.standings()) if one.id == name), None)
        if one is None:
            raise HTTPException(404)
        bodies = self._read(lambda books: books.weeks(name))
        weeks = [msgspec.json.decode(body, type=Summary) for body in bodies]
        said = self._words[self._language(request)].gettext
        rows = [
            {
                "week": date.fromisoformat(week.week),
                "told": said(WORDS[week.told]),
                "bed": week.bed,
                "rising": week.rising,
                "rest": {
                    "late": said(WORDS.get(week.sleep_came_late or "", NOT_KNOWN)),
                    "awake": said(WORDS.get(week.long_awake or "", NOT_KNOWN)),
                    "apart": said(WORDS.get(week.rising_apart or "", NOT_KNOWN)),
                },
            }
            for week in weeks
        ]
        return self._page(request, "household.html", one=one, weeks=rows)

    async def _answered(self, request: Request) -> Response:
        self._check(request)
        length = request.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or len(length) > 6 or int(length) > MOST_BYTES:
            raise HTTPException(413)
        headers = request.headers
        own = csrf.is_own_origin(headers.get("origin"), headers.get("sec-fetch-site"), headers.get("host", ""))
        async with request.form(max_fields=4, max_files=0) as form:
            token, household = form.get("token"), form.get("household")
        if not own or not isinstance(token, str) or not csrf.is_own_form(self._key, "coach", token):
            raise HTTPException(403)
        if isinstance(household, str) and household.isascii() and household.isalnum():
            await run_in_threadpool(self._read, lambda books: books.answered(household))
        return RedirectResponse("/", 303)

    def _on_a_thread(self, show: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            self._check(request)
            return await run_in_threadpool(show, request)

        return endpoint

    @staticmethod
    def _check(request: Request) -> None:
        host = request.headers.get("host", "")
        if not is_at_the_box(request.client.host if request.client else None, host, request.headers.keys()):
            raise HTTPException(403)

    def _read(self, deed: Callable[[Ledger], Any]) -> Any:
        books = self._open_books()
        try:
            return deed(books)
        finally:
            books.close()

    def _language(self, request: Request) -> str:
        return language_for(request.query_params.get("lang", ""), request.headers.get("accept-language", ""), "en")

    def _page(self, request: Request, template: str, **values: object) -> Response:
        language = self._language(request)
        return HTMLResponse(self._rendering.page(template, language, {"language": language, **values}))


def build_desk(open_books: Callable[[], Ledger]) -> Starlette:
    """The whole page."""
    desk = Desk(open_books)
    return Starlette(
        routes=desk.routes(),
        middleware=[Middleware(WithHeaders)],
        exception_handlers={HTTPException: _refused, LedgerError: _trouble},
    )


async def _refused(request: Request, problem: Exception) -> Response:
    del request
    assert isinstance(problem, HTTPException)
    return PlainTextResponse(problem.detail, problem.status_code)


async def _trouble(request: Request, problem: Exception) -> Response:
    del request
    return PlainTextResponse(str(problem), 503)
