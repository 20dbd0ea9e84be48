"""The page of a community evening: whoever knows its five words sits down, tells, and takes the story home.

Guests need no PIN and get nothing else of the house. Ending it and offering its story is for the household.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from somnisphere.circle import evening as ring
from somnisphere.circle.evening import Evening, Passage, Refusal, RefusedStepError
from somnisphere.circle.evening_store import LARGEST_SOUND_BYTES, Evenings
from somnisphere.config import cache_place
from somnisphere.errors import UserError
from somnisphere.library import Broken, read
from somnisphere.library.broken import UnreadableError
from somnisphere.library.sent_sound import NotSoundError
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.house import House
from somnisphere.page.replies import render, see
from somnisphere.page.visit import visit_of
from somnisphere.page.words import gettext_noop
from somnisphere.story import Book
from somnisphere.telling import SPOKEN
from somnisphere.telling.voices import choose

if TYPE_CHECKING:
    from somnisphere.circle.desk import Desk

ADDRESS = "/circle/evening/"
OPEN_DAYS = 14
"""So long guests may come back for the story."""

GUESTS_MAY = ("", "sit", "stand", "pass", "tell", "story", "programme", "sound")
REFUSALS = {
    Refusal.OVER: gettext_noop("This evening is over."),
    Refusal.NO_NAME: gettext_noop("A name is needed."),
    Refusal.TAKEN: gettext_noop("Somebody of this name sits here already. Take another one."),
    Refusal.FULL: gettext_noop("The ring is full."),
    Refusal.NOBODY: gettext_noop("Nobody of this name sits in the ring."),
    Refusal.NOT_THEIRS: gettext_noop("It is somebody else's turn now. Nothing was taken; look who is next."),
    Refusal.EMPTY: gettext_noop("Nothing was told yet: write something, or record it."),
    Refusal.NOT_ALLOWED: gettext_noop(
        "Nothing was taken. What is told here goes home with everybody, so it needs your yes."
    ),
    Refusal.TOO_LONG: gettext_noop("This is too long for one turn. Tell a part of it."),
    Refusal.NOTHING: gettext_noop("Nobody told anything yet."),
}


def evenings_of(house: House) -> Evenings:
    return Evenings(house.journal.with_name("circle") / "evenings")


def lets_in(house: House) -> Callable[[str], bool]:
    """The addresses of an evening that goes on, or is not long over."""
    evenings = evenings_of(house)

    def opens(path: str) -> bool:
        if not path.startswith(ADDRESS):
            return False
        words, _, what = path.removeprefix(ADDRESS).partition("/")
        if what.partition("/")[0] not in GUESTS_MAY:
            return False
        try:
            evening = evenings.find(words)
        except OSError:
            return False
        today = house.moment(house.now_s()).date()
        return evening is not None and today - date.fromisoformat(evening.on) <= timedelta(days=OPEN_DAYS)

    return opens


def code_of(text: str) -> Markup:
    """A QR code as a picture of ours, "" where none can be drawn."""
    try:
        from somnisphere.circle.qr import svg
    except ImportError:
        return Markup("")
    return Markup(svg(text))


def offer_book(desk: "Desk", book: Book, licence: str, today: date) -> str:
    """Its title."""
    return desk.offer(book, licence, today).offer.title


def routes(house: House) -> list[BaseRoute]:
    evenings = evenings_of(house)
    cache = Path(house.config.stories.cache or cache_place()).expanduser()

    def found(request: Request) -> Evening:
        evening = evenings.find(request.path_params["words"])
        if evening is None:
            raise HTTPException(404)
        return evening

    def address(request: Request, evening: Evening) -> str:
        return f"{'https' if house.config.page.https else 'http'}://{visit_of(request).host}{ADDRESS}{evening.id}"

    def page(request: Request) -> Response:
        evening = found(request)
        link = address(request, evening)
        ready = evening.ended and evenings.story(evening).exists()
        return render(
            request,
            "circle_evening.html",
            evening=evening,
            link=link,
            code=code_of(link),
            most_chars=ring.MOST_CHARS,
            ready=ready,
            day=date.fromisoformat(evening.on),
        )

    def programme(request: Request) -> Response:
        evening = found(request)
        link = address(request, evening)
        day = date.fromisoformat(evening.on)
        tellers = ring.who_told(evening) or evening.tellers
        return render(
            request, "circle_programme.html", evening=evening, link=link, code=code_of(link), day=day, tellers=tellers
        )

    def sound(request: Request) -> Response:
        evening = found(request)
        number = request.path_params["number"]
        if not (number.isascii() and number.isdecimal() and len(number) < 4) or int(number) >= len(evening.passages):
            raise HTTPException(404)
        name = evening.passages[int(number)].sound
        if not name or not evenings.sound(evening.id, name).is_file():
            raise HTTPException(404)
        return FileResponse(evenings.sound(evening.id, name), headers={"content-security-policy": "sandbox"})

    def story(request: Request) -> Response:
        evening = found(request)
        path = evenings.story(evening)
        if not evening.ended or not path.is_file():
            raise HTTPException(404)
        disposition = f"attachment; filename*=UTF-8''{quote(path.name)}"
        headers = {"content-disposition": disposition}
        return FileResponse(path, media_type="application/zip", headers=headers)

    def step(request: Request, take: Callable[[], Evening | None], said: str = "", **values: str) -> Response:
        words, back = visit_of(request).words, ADDRESS + request.path_params["words"]
        try:
            if take() is None:
                raise HTTPException(404)
        except RefusedStepError as problem:
            return see(request, back, words.gettext(REFUSALS[problem.why]), "sorry")
        except NotSoundError:
            return see(
                request, back, words.gettext("This is no recording that can be played. Record it again."), "sorry"
            )
        return see(request, back, words.gettext(said, **values) if said else "")

    def begin(request: Request, form: Form) -> Response:
        words, today = visit_of(request).words, house.moment(house.now_s()).date()
        title, licence = form.text("title", 120), form.text("licence", 120)
        try:
            evening = evenings.begin(title, words.language, licence, today)
        except RefusedStepError:
            return see(request, "/circle", words.gettext("An evening needs a title and a licence."), "sorry")
        return see(request, ADDRESS + evening.id)

    def sit(request: Request, form: Form) -> Response:
        name, words = form.text("name", 120), request.path_params["words"]
        said = gettext_noop("Welcome, %(name)s.")
        return step(request, lambda: evenings.change(words, lambda one: ring.sit_down(one, name)), said, name=name)

    def stand(request: Request, form: Form) -> Response:
        name, words = form.text("name", 120), request.path_params["words"]
        return step(request, lambda: evenings.change(words, lambda one: ring.stand_up(one, name)))

    def pass_on(request: Request, form: Form) -> Response:
        teller, words = form.text("teller", 120), request.path_params["words"]

        def take(one: Evening) -> Evening:
            return ring.pass_on(one) if one.whose_turn == teller else one  # pressed twice passes once

        return step(request, lambda: evenings.change(words, take))

    def tell(request: Request, form: Form) -> Response:
        words, teller, text = request.path_params["words"], form.text("teller", 120), form.words("text", 20_000)
        allowed, upload = form.choice("allows", ("yes",)) == "yes", form.file("sound")

        def take(one: Evening, name: str) -> Evening:
            return ring.tell(one, Passage(teller, text, name), allowed=allowed)

        said = gettext_noop("It is told. Thank you, %(name)s.")
        file = None if upload is None else upload.file
        return step(request, lambda: evenings.tell(words, take, file), said, name=teller)

    def end(request: Request, form: Form) -> Response:
        del form
        words, ident = visit_of(request).words, request.path_params["words"]

        def take() -> Evening | None:
            evening = evenings.find(ident)
            evening = evening if evening is not None and evening.ended else evenings.change(ident, ring.end)
            if evening is not None:
                evenings.make_story(evening, choose(house.config.voice), cache / SPOKEN)
            return evening

        try:
            return step(request, take, gettext_noop("The evening is over, and its story is whole."))
        except UnreadableError as problem:
            told = words.gettext("The story could not be made: %(problem)s", problem=str(problem))
            return see(request, ADDRESS + ident, told, "sorry")

    def offer(request: Request, form: Form) -> Response:
        """The evening's story to the circle, for households that were not there."""
        del form
        words, evening = visit_of(request).words, found(request)
        back = ADDRESS + evening.id
        try:
            path = evenings.story(evening)
            book = read(path, path.parent, cache)
            if isinstance(book, Broken):
                raise UserError(book.reason)
            from somnisphere.circle.desk import Desk

            with Desk(house.config) as desk:
                offer_book(desk, book, evening.licence, house.moment(house.now_s()).date())
        except (UserError, ImportError) as problem:
            return see(request, back, words.gettext("It was not done: %(problem)s", problem=str(problem)), "sorry")
        return see(request, back, words.gettext("“%(name)s” is offered to the circle.", name=evening.title))

    one = ADDRESS + "{words}"
    return [
        posted("/circle/evenings", begin),
        shown(one, page),
        shown(one + "/programme", programme),
        shown(one + "/story", story),
        shown(one + "/sound/{number}", sound),
        posted(one + "/sit", sit),
        posted(one + "/stand", stand),
        posted(one + "/pass", pass_on),
        posted(one + "/tell", tell, most_bytes=LARGEST_SOUND_BYTES + 64_000),
        posted(one + "/end", end),
        posted(one + "/offer", offer),
    ]
