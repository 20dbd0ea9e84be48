"""The circle: who belongs, what goes round, what we offer; joining, taking, taking back. Nothing is counted."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from somnisphere.config import cache_place
from somnisphere.errors import UserError
from somnisphere.library import STARTER_FOLDER, Broken, read
from somnisphere.library.consent import write_consent
from somnisphere.library.titles import one_line
from somnisphere.page import circle_evening
from somnisphere.page.circle_evening import code_of, offer_book
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.headers import PICTURE_POLICY
from somnisphere.page.house import House
from somnisphere.page.replies import render, see
from somnisphere.page.shelf_books import ShelfBooks
from somnisphere.page.visit import visit_of
from somnisphere.page.words import Words, gettext_noop
from somnisphere.story import Consent

if TYPE_CHECKING:  # cryptography is for those who are in a circle
    from somnisphere.circle.desk import Desk
    from somnisphere.circle.known import HeldOffer, Known

MOST_INVITATION_CHARS = 1500


@dataclass(frozen=True, slots=True)
class Offered:
    """A story that goes round, as the page shows it."""

    sha256: str
    title: str
    facts: str
    household: str
    state: str
    problem: str
    cover: str


def is_installed() -> bool:
    return find_spec("cryptography") is not None and find_spec("segno") is not None


def routes(house: House) -> list[BaseRoute]:
    stories = house.config.stories
    folder = Path(stories.folder).expanduser() if stories.folder else STARTER_FOLDER
    cache = Path(stories.cache or cache_place()).expanduser()
    books = ShelfBooks(folder, cache)

    def page(request: Request) -> Response:
        words = visit_of(request).words
        evenings = circle_evening.evenings_of(house).all()
        if not is_installed():
            return render(request, "circle_new.html", installed=False, evenings=evenings, typed="")
        with _desk(house) as desk:
            if not desk.in_circle:
                return render(request, "circle_new.html", installed=True, evenings=evenings, typed="")
            known = desk.known
            return render(
                request,
                "circle.html",
                known=known,
                ours=desk.identity().household,
                members=sorted(known.members.values(), key=lambda one: one.name.casefold()),
                offered=[_offered(held, known, words) for held in known.offered()],
                mine=[_offered(held, known, words) for held in known.offers.values() if held.mine],
                rows=books.listing().rows,
                evenings=evenings,
            )

    def cover(request: Request) -> Response:
        wanted = request.query_params.get("story", "")
        if is_installed():
            with _desk(house) as desk:
                offers = list(desk.known.offers.values()) if desk.in_circle else []
            for held in offers:
                if held.offer.sha256 == wanted and held.offer.cover:
                    headers = {"content-security-policy": PICTURE_POLICY}
                    return Response(held.offer.cover, media_type=_kind(held.offer.cover), headers=headers)
        raise HTTPException(404)

    def act(request: Request, said: str, do: "Callable[[Desk], str]") -> Response:
        """``do``: on the desk; what it gives is filled into ``said``."""
        words = visit_of(request).words
        if not is_installed():
            return see(request, "/circle")
        try:
            with _desk(house) as desk:
                name = do(desk)
        except UserError as problem:
            return see(request, "/circle", words.gettext("It was not done: %(problem)s", problem=str(problem)), "sorry")
        return see(request, "/circle", words.gettext(said, name=name))

    def begin(request: Request, form: Form) -> Response:
        names = form.text("name", 120), form.text("household", 120)
        said = gettext_noop("“%(name)s” has begun.")
        return act(request, said, lambda desk: desk.begin(*names, house.now_s()).circle.name)

    def look(request: Request, form: Form) -> Response:
        """What an invitation says, before anybody says yes to it."""
        text = form.words("invitation", MOST_INVITATION_CHARS)
        try:
            if not is_installed():
                return see(request, "/circle")
            from somnisphere.circle.desk import Desk
            from somnisphere.circle.identity import household_id

            key, said = Desk.read(text, house.now_s())
        except UserError as problem:
            words = visit_of(request).words
            return see(request, "/circle", words.gettext("It was not done: %(problem)s", problem=str(problem)), "sorry")
        return render(request, "circle_join.html", said=said, theirs=household_id(key), text=text)

    def join(request: Request, form: Form) -> Response:
        text, name = form.words("invitation", MOST_INVITATION_CHARS), form.text("household", 120)
        said = gettext_noop("We belong to “%(name)s” as soon as they have let us in.")
        return act(request, said, lambda desk: desk.join(text, name, house.now_s()).circle.name)

    def invite(request: Request, form: Form) -> Response:
        words = visit_of(request).words
        host, _, port = form.text("address", 200).rpartition(":")
        if not is_installed():
            return see(request, "/circle")
        try:
            with _desk(house) as desk:
                circle = desk.known.circle
                if not host:
                    host, port = circle.host, str(circle.port)
                number = int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 0
                private = form.choice("private", ("yes",)) == "yes"
                text = desk.invite(host, number, house.now_s(), tls=not private)
                ours = desk.identity().household
        except UserError as problem:
            return see(request, "/circle", words.gettext("It was not done: %(problem)s", problem=str(problem)), "sorry")
        return render(request, "circle_invite.html", code=code_of(text), text=text, ours=ours)

    def admit(request: Request, form: Form) -> Response:
        named = form.text("household", 60)
        said = gettext_noop("%(name)s belongs to the circle.")
        return act(request, said, lambda desk: desk.admit(named, house.now_s()).name)

    def part(request: Request, form: Form) -> Response:
        named = form.text("household", 60)
        return act(
            request,
            gettext_noop("No more stories to or from %(name)s."),
            lambda desk: desk.part(named, house.now_s()).name,
        )

    def take(request: Request, form: Form) -> Response:
        named = form.text("story", 70)
        return act(request, gettext_noop("“%(name)s” is being fetched."), lambda desk: desk.take(named).offer.title)

    def take_back(request: Request, form: Form) -> Response:
        named, today = form.text("story", 70), house.moment(house.now_s()).date()
        said = gettext_noop("“%(name)s” is taken back: every household removes it, for good.")
        return act(request, said, lambda desk: desk.take_back(named, today).offer.title)

    def offer(request: Request, form: Form) -> Response:
        words, today = visit_of(request).words, house.moment(house.now_s()).date()
        row = books.listing().row(form.text("key", 500))
        licence, by = form.text("licence", 120), one_line(form.text("by", 120))
        if row is None:
            return see(request, "/circle", words.gettext("Choose a story of the shelf."), "sorry")

        def do(desk: "Desk") -> str:
            if by and form.choice("allowed", ("yes",)):
                try:
                    write_consent(row.path, Consent(by, today.isoformat(), circle=True))
                except OSError as problem:
                    raise UserError(f"{row.path}: {problem.strerror or problem}") from None
            found = read(row.path, folder, cache)
            if isinstance(found, Broken):
                raise UserError(found.reason)
            return offer_book(desk, found, licence, today)

        return act(request, gettext_noop("“%(name)s” is offered to the circle."), do)

    def leave(request: Request, form: Form) -> Response:
        del form

        def do(desk: "Desk") -> str:
            name = desk.known.circle.name
            desk.leave(house.now_s())
            return name

        return act(request, gettext_noop("“%(name)s” is left."), do)

    return [
        shown("/circle", page),
        shown("/circle/cover", cover),
        *(
            posted(f"/circle/{name}", do)
            for name, do in (
                *(
                    ("begin", begin),
                    ("look", look),
                    ("join", join),
                    ("invite", invite),
                    ("admit", admit),
                    ("part", part),
                ),
                *(("take", take), ("take-back", take_back), ("offer", offer), ("leave", leave)),
            )
        ),
        *circle_evening.routes(house),
    ]


def _desk(house: House) -> "Desk":
    from somnisphere.circle.desk import Desk

    return Desk(house.config)


def _offered(held: "HeldOffer", known: "Known", words: Words) -> Offered:
    offer = held.offer
    take = known.takes.get(offer.sha256)
    teller = words.gettext("told by %(teller)s", teller=offer.teller) if offer.teller else ""
    language = words.language_name(offer.language) if offer.language else ""
    facts = ", ".join(filter(None, (teller, language, offer.licence)))
    return Offered(
        offer.sha256,
        offer.title,
        facts,
        known.name_of(held.household),
        take.state if take else "",
        take.problem if take else "",
        f"/circle/cover?story={offer.sha256}" if offer.cover else "",
    )


def _kind(cover: bytes) -> str:
    from somnisphere.library.audio_tags import picture_type

    return picture_type(cover)
