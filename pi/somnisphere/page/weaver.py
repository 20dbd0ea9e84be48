"""The weaver's table: making a story together, a line each in turn. Nothing is written but what somebody says."""

from dataclasses import replace
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from somnisphere.page import weaver_voices
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.house import House
from somnisphere.page.replies import render, see
from somnisphere.page.visit import visit_of
from somnisphere.page.weaver_desk import MOST_NUMBER, WeaverDesk, address
from somnisphere.page.words import Words
from somnisphere.weaver.binding import NotBoundError, bind
from somnisphere.weaver.cards import CARDS, draw
from somnisphere.weaver.helper import line_when_told, question
from somnisphere.weaver.store import Version
from somnisphere.weaver.table import MOST_CHARS, MOST_LINES, MOST_TELLERS, Table, TableError

MOST_TITLE = 100
MOST_NAME = 40
MOST_ASKED = 1000


def routes(house: House) -> list[BaseRoute]:
    desk = WeaverDesk(house)
    store = desk.store

    def page(request: Request) -> Response:
        return render(request, "weaver.html", latest=store.latest(), most_title=MOST_TITLE)

    def new(request: Request, form: Form) -> Response:
        words = visit_of(request).words
        title = form.text("title", MOST_TITLE)
        names = (" ".join(name.split())[:MOST_NAME] for name in form.text("tellers", 600).split(","))
        tellers = tuple(dict.fromkeys(name for name in names if name))[:MOST_TELLERS]
        cards = draw(int(house.now_s())) if form.choice("cards", ("yes",)) else ()
        table = Table(title or words.gettext("A story without a name"), words.language, tellers, (), cards)
        try:
            return see(request, f"/weaver/table?n={store.new(table, house.now_s())}")
        except TableError as problem:
            return see(request, "/weaver", _sorry(problem, words), "sorry")

    def table(request: Request) -> Response:
        latest = desk.latest(request.query_params.get("n", ""))
        return _table(request, latest)

    def versions(request: Request) -> Response:
        found = desk.versions(request.query_params.get("n", ""))
        return render(request, "weaver_versions.html", versions=found)

    def tell(request: Request, form: Form) -> Response:
        """A line; or what the helper is asked for, which is only shown."""
        latest = desk.of(form)
        wish, nth = form.choice("wish", ("ask", "write")), form.whole("nth", 0, MOST_ASKED) or 0
        teller, text = form.text("teller", MOST_NAME), form.words("text", 2 * MOST_CHARS)
        if wish == "ask":
            return _table(request, latest, nth=nth + 1, text=text, teller=teller)
        if wish == "write":
            return _table(request, latest, nth=nth + 1, text=line_when_told(latest.table, nth), teller=teller)
        try:
            changed = latest.table.joined(teller).added(teller, text)
        except TableError as problem:
            return _table(
                request, latest, nth=nth, text=text, teller=teller, sorry=_sorry(problem, visit_of(request).words)
            )
        if not desk.keep(form, changed):  # what was typed is not lost: it lies in the field below what came meanwhile
            said = visit_of(request).words.gettext("Somebody else told a line meanwhile. Look at it first.")
            return _table(request, desk.of(form), nth=nth, text=text, teller=teller, sorry=said)
        return see(request, address(latest))

    def change(request: Request, form: Form) -> Response:
        latest, number = desk.of(form), form.whole("line", 0, MOST_LINES)
        try:
            if number is None:
                raise TableError("gone")
            out = form.choice("wish", ("out",))
            table = latest.table
            changed = table.taken_out(number) if out else table.changed(number, form.words("text", 2 * MOST_CHARS))
        except TableError as problem:
            return see(request, address(latest), _sorry(problem, visit_of(request).words), "sorry")
        return _keep(request, form, changed)

    def back(request: Request, form: Form) -> Response:
        """An earlier version lies on the table again, as the newest."""
        number = form.whole("version", 1, MOST_NUMBER)
        found = next((one for one in desk.versions(str(form.whole("n", 1, MOST_NUMBER))) if one.number == number), None)
        if found is None:
            raise HTTPException(404)
        return _keep(request, form, found.table.heard_from(desk.voices.there()))

    def finish(request: Request, form: Form) -> Response:
        latest, words = desk.of(form), visit_of(request).words
        folder = house.config.stories.folder
        try:
            if folder is None:
                raise NotBoundError(
                    words.gettext(
                        "This box has only the stories that came with it. Name a folder of your own: [stories] folder."
                    )
                )
            title = form.text("title", MOST_TITLE) or latest.table.title
            bind(replace(latest.table, title=title), Path(folder), desk.voices.files())
        except NotBoundError as problem:
            return see(request, address(latest), str(problem), "sorry")
        return see(request, address(latest), words.gettext("“%(title)s” is on the shelf.", title=title))

    def clear(request: Request, form: Form) -> Response:
        weaver_voices.forget_spoken(house, desk.versions(str(desk.of(form).weaving)))
        desk.clear(form)
        return see(request, "/weaver", visit_of(request).words.gettext("The table is cleared."))

    def _keep(request: Request, form: Form, changed: Table) -> Response:
        back = address(desk.of(form))
        if not desk.keep(form, changed):
            said = visit_of(request).words.gettext("Somebody else told a line meanwhile. Look at it first.")
            return see(request, back, said, "sorry")
        return see(request, back)

    return [
        shown("/weaver", page),
        shown("/weaver/table", table),
        shown("/weaver/versions", versions),
        posted("/weaver/new", new),
        posted("/weaver/tell", tell),
        posted("/weaver/change", change),
        posted("/weaver/back", back),
        posted("/weaver/finish", finish),
        posted("/weaver/clear", clear),
        *weaver_voices.routes(house, desk),
    ]


def _table(
    request: Request, latest: Version, *, nth: int = 0, text: str = "", teller: str = "", sorry: str = ""
) -> Response:
    table = latest.table
    return render(
        request,
        "weaver_table.html",
        latest=latest,
        table=table,
        cards=[CARDS[key].words[table.language] for key in table.cards if key in CARDS],
        asked=question(table, nth),
        nth=nth,
        text=text,
        teller=teller or table.turn,
        sorry=sorry,
        most=MOST_CHARS,
        is_heard_whole=weaver_voices.is_heard_whole(table),
        most_title=MOST_TITLE,
    )


def _sorry(problem: TableError, words: Words) -> str:
    match str(problem):
        case "empty":
            return words.gettext("There was no line in it.")
        case "long":
            return words.gettext("One line at a time: this was too long for a turn.")
        case "tables":
            return words.gettext("There is no room for another table. Put a story on the shelf, and clear its table.")
        case "full":
            return words.gettext("The table is full. Put the story on the shelf, and begin the next one.")
        case _:
            return words.gettext("This line is no longer there.")
