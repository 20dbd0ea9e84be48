"""Dreams: a room for the day that waits to be opened and never asks. What is told here is woven with another ending."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from somnisphere.config import cache_place
from somnisphere.dreams.by_the_home import instructions, woven_by_the_home
from somnisphere.dreams.daylight import is_open
from somnisphere.dreams.store import DreamStore
from somnisphere.dreams.telling import MOST_CHARS, Dream, Stop, stops, told
from somnisphere.dreams.weave import Woven, weave
from somnisphere.library import read
from somnisphere.library.text_adder import NotAddedError, add_text
from somnisphere.page.dreams_comfort import comforted
from somnisphere.page.dreams_offer import choose, phase_of
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.house import BoxError, House
from somnisphere.page.household_voice import teller_of
from somnisphere.page.replies import render, see
from somnisphere.page.visit import visit_of
from somnisphere.page.words import Words
from somnisphere.story import Book

Writer = Callable[[str], str | None]
"""Has a text written from instructions, by the household's own Home Assistant; None: it did not."""

MOST_NAME = 40
MOST_TITLE = 100
MOST_STORY = 4 * MOST_CHARS + 2000
"""The four answers at their longest, and what the grammar puts around them."""
MOST_BYTES = 500_000
"""Of a form with all of it: a letter may take twelve bytes on its way."""
MOST_TELLINGS = 1000
WRITES_WITHIN_S = 60.0
"""So long the home's writer is waited for, with a person before the page."""
_TICKS = (Stop.REPEATED, Stop.VIOLENT, Stop.REMEMBERED)
_LONG = ("happened", "change", "helper", "ending")


def routes(house: House, writer: Writer | None = None) -> list[BaseRoute]:
    """``writer`` None: the one that the configuration names, if it does."""
    store, writer = DreamStore(house.household), writer or _home_writer(house)

    def page(request: Request) -> Response:
        return render(
            request,
            "dreams.html",
            is_open=_is_open(house),
            kept=store.all(),
            today=_today(house),
            comfort_is_on=house.config.comfort.enabled,
            comforted=comforted(house, visit_of(request).words),
        )

    def tell(request: Request) -> Response:
        return _form(request, Dream("", "", "", "")) if _is_open(house) else _back()

    def woven(request: Request, form: Form) -> Response:
        if not _is_open(house):
            return _back()
        dream = _dream(form, visit_of(request).words)
        why = stops(dream, frozenset(Stop(tick) for tick in form.choices("ticked", _TICKS)))
        if why:  # nothing of it is kept
            return render(request, "dreams_person.html", by_word=why == {Stop.WORDS})
        if dream.missing():
            return _form(request, dream, asked=True)
        variant = form.whole("variant", 0, MOST_TELLINGS) or 0
        draft, by, sorry = weave(dream, variant, {kept.title for kept in store.all()}), "grammar", ""
        if form.choice("by", ("home",)) and writer is not None:
            answer = writer(instructions(dream))
            from_home = None if answer is None else woven_by_the_home(dream, answer)
            if from_home is None:
                sorry = visit_of(request).words.gettext(
                    "The house's own writer had no story this time. This one is ours."
                )
            else:
                draft, by = replace(from_home, title=draft.title), "home"
        return _draft(request, dream, draft, by, variant, sorry, has_writer=writer is not None)

    def keep(request: Request, form: Form) -> Response:
        words = visit_of(request).words
        dream = _dream(form, words)
        variant, by = form.whole("variant", 0, MOST_TELLINGS) or 0, form.choice("woven_by", ("grammar", "home"))
        text, title = form.words("text", MOST_STORY), form.text("title", MOST_TITLE)
        if dream.missing() or stops(dream):
            return _back()
        draft = weave(dream, variant)
        if by != "home" and text != draft.text:
            by = "hand"
        try:
            key = _put(house, words, title, text, dream)
        except NotAddedError as problem:
            shown_again = Woven(title, tuple(text.split("\n\n")))
            return _draft(request, dream, shown_again, by, variant, str(problem), has_writer=writer is not None)
        try:
            store.keep(dream, key, title, by, _today(house))
        except (sqlite3.Error, OSError):
            _off_the_shelf(house, key)
            raise  # both are there or none: whoever sends the form again finds its name free
        return see(request, "/dreams", words.gettext("“%(title)s” is on the shelf.", title=title))

    def answer(request: Request, form: Form) -> Response:
        """Works at any hour: the offer is seen in the evening, on Tonight."""
        words, number = visit_of(request).words, form.whole("dream", 0, 2**31)
        back = "/tonight" if form.choice("back", ("tonight",)) else "/dreams"
        kept = next((one for one in store.offered(_today(house)) if one.id == number), None)
        match form.choice("wish", ("yes", "no")):
            case _ if kept is None:
                return see(request, back, words.gettext("This dream is not offered any more."), "sorry")
            case "yes":
                try:
                    choose(house, kept, words)
                except BoxError as problem:
                    said = words.gettext("The bedside did not do it: %(problem)s", problem=str(problem))
                    return see(request, back, said, "sorry")
                store.answer(kept.id, "yes")
                said = words.gettext("“%(title)s” is the next evening's story.", title=kept.title)
                return see(request, back, said)
            case "no":
                store.answer(kept.id, "no")
                said = words.gettext("It is not offered any more. It stays on the shelf.")
                return see(request, back, said)
            case _:
                return see(request, back)

    def forget(request: Request, form: Form) -> Response:
        words, number = visit_of(request).words, form.whole("dream", 0, 2**31)
        kept = next((one for one in store.all() if one.id == number), None)
        if kept is not None:
            _off_the_shelf(house, kept.story_key)  # first: a story that cannot go keeps its dream, and its button
            store.forget(kept.id)
        return see(request, "/dreams", words.gettext("The dream is forgotten, and its story is off the shelf."))

    return [
        shown("/dreams", page),
        shown("/dreams/tell", tell),
        posted("/dreams/weave", woven, most_bytes=MOST_BYTES),
        posted("/dreams/keep", keep, most_bytes=MOST_BYTES),
        posted("/dreams/answer", answer),
        posted("/dreams/forget", forget),
    ]


def _is_open(house: House) -> bool:
    moment = house.moment(house.now_s())
    return is_open(moment.hour + moment.minute / 60.0, phase_of(house))


def _today(house: House) -> date:
    return house.moment(house.now_s()).date()


def _dream(form: Form, words: Words) -> Dream:
    said = {name: form.words(name, MOST_CHARS) for name in _LONG}
    return told({**said, "dreamer": form.text("dreamer", MOST_NAME), "language": words.language})


def _form(request: Request, dream: Dream, *, asked: bool = False) -> Response:
    missing = dream.missing() if asked else []
    return render(request, "dreams_tell.html", dream=dream, missing=missing, most=MOST_CHARS)


def _draft(
    request: Request, dream: Dream, draft: Woven, by: str, variant: int, sorry: str, *, has_writer: bool
) -> Response:
    return render(
        request,
        "dreams_draft.html",
        dream=dream,
        draft=draft,
        woven_by=by,
        variant=variant,
        sorry=sorry,
        has_writer=has_writer,
        most_title=MOST_TITLE,
        most_story=MOST_STORY,
    )


def _back() -> Response:
    return RedirectResponse("/dreams", 303)


def _put(house: House, words: Words, title: str, text: str, dream: Dream) -> str:
    folder = house.config.stories.folder
    if folder is None:
        raise NotAddedError(
            words.gettext(
                "This box has only the stories that came with it. Name a folder of your own: [stories] folder."
            )
        )
    if not text:
        raise NotAddedError(words.gettext("There is no story yet."))
    below = _folder_of(house, dream.dreamer)
    try:
        (Path(folder) / below).mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise NotAddedError(f"{folder}: {problem.strerror or problem}") from None
    key = add_text(Path(folder) / below, title, text, dream.dreamer, dream.language)
    return f"{below}/{key}" if below else key


def _folder_of(house: House, dreamer: str) -> str:
    """Where a listener hears only the stories of a folder of their own, their dream has to lie there."""
    folders = (one.folder for one in house.config.listeners if one.name.casefold() == dreamer.casefold())
    return next(folders, "").rstrip("/")


def _off_the_shelf(house: House, key: str) -> None:
    """The story, and what the household's voice told of it."""
    if not house.config.stories.folder:
        return
    folder, cache = Path(house.config.stories.folder), Path(house.config.stories.cache or cache_place())
    place = _within(folder, key)
    if place.exists():
        if isinstance(book := read(place, folder, cache), Book):
            teller_of(house).forget(book)
        place.unlink(missing_ok=True)


def _within(folder: Path, key: str) -> Path:
    """The story's file; a key that leads out of the folder is none of ours."""
    place = (folder / key).resolve()
    if not place.is_relative_to(folder.resolve()) or place.suffix != ".txt":
        raise OSError(f"{key!r} is not in {folder}")
    return place


def _home_writer(house: House) -> Writer | None:
    """Only where the household named one: what it is told may leave the house, as that writer does it."""
    home = house.config.home_assistant
    if not (home.url and home.token_file and home.ai_task):
        return None
    from somnisphere.home_writer import write_at_home

    return lambda asked: write_at_home(home, asked, WRITES_WITHIN_S)
