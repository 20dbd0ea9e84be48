"""The shelf: which stories there are, who tells them, where each listener left them; hearing one, adding one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from somnisphere.bedtime.shelf import EVERYBODY, Place
from somnisphere.config import cache_place
from somnisphere.covers import LARGEST_BYTES, to_svg
from somnisphere.journal_reader import JournalReader
from somnisphere.library import STARTER_FOLDER
from somnisphere.library.text_adder import MOST_CHARS, NotAddedError, add_text
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.headers import PICTURE_POLICY
from somnisphere.page.house import BoxError, House
from somnisphere.page.replies import render, see
from somnisphere.page.shelf_books import Listing, Row, ShelfBooks
from somnisphere.page.visit import visit_of
from somnisphere.page.words import Words

SENT_AS_IT_IS = ("image/jpeg", "image/png", "image/webp")
"""Any other cover is put into a picture of ours."""
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Tale:
    """A story as the page shows it. ``places``: where it was left, in words."""

    row: Row
    cover: str
    length: str
    language: str
    places: tuple[str, ...]
    is_begun: bool


def routes(house: House) -> list[BaseRoute]:
    stories = house.config.stories
    own = Path(stories.folder).expanduser() if stories.folder else None
    books = ShelfBooks(own or STARTER_FOLDER, Path(stories.cache or cache_place()).expanduser())

    def page(request: Request) -> Response:
        listing, words = books.listing(), visit_of(request).words
        listener = request.query_params.get("listener", EVERYBODY)
        return render(
            request,
            "shelf.html",
            tales=_tales(house, listing, listener, words),
            listing=listing,
            listener=listener if listener in _folders(house) else EVERYBODY,
            listeners=list(_folders(house)),
            is_own=own is not None,
        )

    def cover(request: Request) -> Response:
        found = books.cover(request.query_params.get("key", ""))
        if found is None:
            raise HTTPException(404)
        title, picture = found
        if picture is not None and picture.media_type in SENT_AS_IT_IS and len(picture.data) <= LARGEST_BYTES:
            data, media_type = picture.data, picture.media_type
        else:
            data, media_type = to_svg(title, picture), "image/svg+xml"
        headers = {"content-security-policy": PICTURE_POLICY, "cache-control": "private, max-age=3600"}
        return Response(data, media_type=media_type, headers=headers)

    def play(request: Request, form: Form) -> Response:
        words, key = visit_of(request).words, form.text("key", 500)
        listener = form.choice("listener", list(_folders(house)))
        back = f"/shelf?listener={quote(listener)}" if listener else "/shelf"
        said: dict[str, object] = {"key": key}
        if form.choice("from", ("beginning",)):
            said["position_s"] = 0
        try:
            if house.box is None:
                raise BoxError("this page was started without a way to the bedside")
            if listener and listener != house.box.view().value("story", "listener"):
                house.box.command("listener", listener)
            house.box.ask("play", said)
        except BoxError as problem:
            told = words.gettext("The bedside does not tell it: %(problem)s", problem=str(problem))
            return see(request, back, told, "sorry")
        return see(request, "/tonight", words.gettext("The story begins."))

    def new(request: Request) -> Response:
        return _form(request, is_own=own is not None)

    def add(request: Request, form: Form) -> Response:
        words = visit_of(request).words
        typed = {
            "title": form.text("title", 200),
            "teller": form.text("teller", 200),
            "language": form.text("language", 20),
            "text": form.words("text", MOST_CHARS),
        }
        if own is None:
            return _form(request, 409, is_own=False, typed=typed)
        if not typed["title"] or not typed["text"]:
            return _form(request, 422, words.gettext("A story needs a title and its words."), typed=typed)
        try:
            add_text(own, typed["title"], typed["text"], typed["teller"], typed["language"])
        except NotAddedError as problem:
            told = words.gettext("The story was not taken: %(problem)s", problem=str(problem))
            return _form(request, 422, told, typed=typed)
        return see(request, "/shelf", words.gettext("“%(title)s” is on the shelf.", title=typed["title"]))

    return [
        shown("/shelf", page),
        shown("/shelf/cover", cover),
        posted("/shelf/play", play),
        shown("/shelf/new", new),
        posted("/shelf/new", add, most_bytes=MOST_BYTES),
    ]


def _form(
    request: Request,
    status: int = 200,
    problem: str = "",
    *,
    is_own: bool = True,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """What was typed is never lost to a refusal."""
    typed = typed or {"title": "", "teller": "", "language": visit_of(request).words.language, "text": ""}
    return render(request, "shelf_new.html", status, typed=typed, problem=problem, is_own=is_own, most_chars=MOST_CHARS)


def _folders(house: House) -> dict[str, str]:
    """Of each listener that the household named: the folder whose stories are theirs, "" for all."""
    return {one.name: one.folder and one.folder.rstrip("/") + "/" for one in house.config.listeners if one.name}


def _tales(house: House, listing: Listing, listener: str, words: Words) -> list[Tale]:
    folders = _folders(house)
    places = _places(house)
    rows = [row for row in listing.rows if row.key.startswith(folders.get(listener, ""))]
    tales = []
    for row in rows:
        kept = {who: place for (who, key), place in places.items() if key == row.key and place.position_s >= 1.0}
        if listener in folders:
            kept = {who: place for who, place in kept.items() if who == listener}
        tales.append(
            Tale(
                row,
                f"/shelf/cover?key={quote(row.key)}",
                _length(row, words),
                words.language_name(row.language) if row.language else "",
                tuple(_left(who, place, row, words) for who, place in sorted(kept.items())),
                is_begun=bool(kept),
            )
        )
    return tales


def _places(house: House) -> dict[tuple[str, str], Place]:
    if not house.journal.exists():
        return {}
    journal = JournalReader(house.journal)
    try:
        return journal.places()
    finally:
        journal.close()


def _length(row: Row, words: Words) -> str:
    if row.minutes is None:
        return ""
    if row.is_about:
        return words.ngettext("about %(num)s minute", "about %(num)s minutes", row.minutes)
    return words.ngettext("%(num)s minute", "%(num)s minutes", row.minutes)


def _left(who: str, place: Place, row: Row, words: Words) -> str:
    """Where a listener left a story, as one says it."""
    whole_s = None if row.minutes is None else row.minutes * 60.0
    share = None if whole_s is None else place.position_s / whole_s
    if share is None or row.is_about:
        where = words.gettext("a bookmark lies in it")
    elif share < 0.2:
        where = words.gettext("a bookmark near its beginning")
    elif share < 0.4:
        where = words.gettext("a bookmark in its first half")
    elif share < 0.6:
        where = words.gettext("a bookmark in its middle")
    elif share < 0.85:
        where = words.gettext("a bookmark in its second half")
    else:
        where = words.gettext("a bookmark near its end")
    return f"{who}: {where}" if who else where
