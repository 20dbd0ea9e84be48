"""Pages and forms as routes. A form is only obeyed when it is small enough, from our own page, and of this visitor."""

from collections.abc import Callable, Collection
from weakref import WeakSet

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive

from somnisphere.page import csrf
from somnisphere.page.desk import desk_of
from somnisphere.page.visit import visit_of

KEPT = "\n\t\u200c\u200d"
"""Beside what prints: lines, and the joiners that Persian words and joined pictures need."""
TOKEN_FIELD = "form_token"
MOST_BYTES = 64_000
MOST_FIELDS = 200


class Form:
    """What somebody sent. Whatever it is, what comes out of here is text of the length asked for, or nothing."""

    def __init__(self, data: FormData) -> None:
        self._data = data

    def text(self, name: str, most: int = 200) -> str:
        """One line, "" when there is none. Raises an HTTP error when it is longer than ``most`` characters."""
        return " ".join(self.words(name, most).split())

    def words(self, name: str, most: int = 20_000) -> str:
        """Several lines, without whatever is neither text nor a new line."""
        value = self._data.get(name)
        text = value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else ""
        text = "".join(
            sign for sign in text if sign == "\n" or (sign.isprintable() and not "\ud800" <= sign < "\ue000")
        )
        if len(text) > most:
            raise HTTPException(413, f"{name}: {len(text)} characters, at most {most}")
        return text.strip()

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """One of ``allowed``, else ""."""
        value = self._data.get(name)
        return value if isinstance(value, str) and value in allowed else ""

    def choices(self, name: str, allowed: Collection[str]) -> tuple[str, ...]:
        """All that were ticked."""
        return tuple(value for value in self._data.getlist(name) if isinstance(value, str) and value in allowed)

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number in the range, else None."""
        value = self._data.get(name)
        if not isinstance(value, str) or not (value.isascii() and value.isdigit()) or len(value) > 9:
            return None
        return int(value) if least <= int(value) <= most else None

    def file(self, name: str) -> UploadFile | None:
        """A file that was chosen; read it with ``upload.file``. Its name is whatever somebody says."""
        value = self._data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


def shown(path: str, show: Callable[[Request], Response]) -> Route:
    """A page. ``show`` runs on a thread of its own and may take its time."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(show, request)

    return Route(path, endpoint, methods=["GET"], name=f"shown {path}")


def posted(path: str, act: Callable[[Request, Form], Response], *, most_bytes: int = MOST_BYTES) -> Route:
    """A form, sent to ``path``. It may have ``most_bytes`` with all its files; a file above 1 MB waits on the disk."""

    async def endpoint(request: Request) -> Response:
        desk, visit = desk_of(request), visit_of(request)
        headers = request.headers
        if not csrf.is_own_origin(headers.get("origin"), headers.get("sec-fetch-site"), visit.host):
            raise HTTPException(403, "the form was not on a page of ours")
        length = headers.get("content-length", "0")
        if len(length) > 18 or not length.isdecimal() or not length.isascii() or int(length) > most_bytes:
            raise HTTPException(413, f"at most {most_bytes} bytes")
        body = _Body(request.receive, most_bytes)
        limited = Request(request.scope, body.receive)
        try:
            data = await limited.form(max_fields=MOST_FIELDS, max_files=10, max_part_size=min(most_bytes, 2**20))
        except (HTTPException, MultiPartException, ValueError) as problem:  # which, depends on starlette's version
            if body.is_over:
                raise HTTPException(413, f"at most {most_bytes} bytes") from problem
            if body.is_cut:
                return Response(status_code=400)  # to nobody
            raise HTTPException(400, "the form cannot be read") from problem
        try:
            token = data.get(TOKEN_FIELD)
            if not isinstance(token, str) or not csrf.is_own_form(desk.form_key, visit.visitor, token):
                raise HTTPException(403, "the form has no token of ours")
            return await run_in_threadpool(act, request, Form(data))
        finally:
            await data.close()

    route = Route(path, endpoint, methods=["POST"], name=f"posted {path}")
    _OURS.add(endpoint)
    return route


_OURS: WeakSet[Callable[..., object]] = WeakSet()
"""What ``posted`` made."""


def is_guarded(route: Route) -> bool:
    """Whether a route only shows, or was made by ``posted``."""
    return not (set(route.methods or {"any"}) - {"GET", "HEAD"}) or route.endpoint in _OURS


class _Body:
    """A body that ends where it grows too large. It ends with the parser's own error, for that closes its files."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive = receive
        self._left = most_bytes
        self.is_over = self.is_cut = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self.is_over, self.is_cut = self._left < 0, message["type"] == "http.disconnect"
        if self.is_over or self.is_cut:
            raise MultiPartException("it did not end")
        return message
