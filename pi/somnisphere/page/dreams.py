"""Dreams: a room for the day that waits to be opened and never asks. What is told here is woven with another ending."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from somnisphere.dreams.by_the_home import instructions, woven_by_the_home
from somnisphere.dreams.daylight import is_open
from somnisphere.dreams.store import DreamStore
from somnisphere.dreams.telling import MOST_CHARS, Dream, Stop, stops, told
from somnisphere.dreams.weave import Woven, weave
from somnisphere.library.text_adder import NotAddedError, add_text
from somnisphere.page.dreams_comfort import comforted
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.house import BoxError, House
from somnisphere.page.replies import render, see
from somnisphere.page.visit import visit_of
from somnisphere.page.words import Words

Writer = Callable[[str], str | None]
"""Has a text written from instructions, by the household's own Home Assistant; None: it did not."""

MOST_NAME = 40
MOST_TITLE = 100
MOST_STORY = 8000
MOST_TELLINGS = 1000
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
        draft, by, sorry = weave(dream, variant), "grammar", ""
        if form.choice("by", ("home",)) and writer is not None:
            answer = writer(instructions(dream))
            from_home = None if answer is None else woven_by_the_home(dream, answer)
            if from_home is None:
                sorry = visit_of(request).words.gettext(
                    "The house's own writer had no story this time. This one is ours."
                )
            else:
                draft, by = from_home, "home"
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
        store.keep(dream, key, title, by, _today(house))
        return see(request, "/dreams", words.gettext("“%(title)s” is on the shelf.", title=title))

    def answer(request: Request, form: Form) -> Response:
        words, number = visit_of(request).words, form.whole("dream", 0, 2**31)
        kept = next((one for one in store.all() if one.id == number), None)
        if kept is None:
            return see(request, "/dreams", words.gettext("This dream is no longer here."), "sorry")
        if form.choice("wish", ("yes", "no")) == "yes":
            try:
                if house.box is None:
                    raise BoxError(words.gettext("this page was started without a way to the bedside"))
                house.box.command("story", kept.title)
            except BoxError as problem:
                said = words.gettext("The bedside did not do it: %(problem)s", problem=str(problem))
                return see(request, "/dreams", said, "sorry")
            store.answer(kept.id, "yes")
            said = words.gettext("“%(title)s” is the next evening's story.", title=kept.title)
            return see(request, "/dreams", said)
        store.answer(kept.id, "no")
        return see(request, "/dreams", words.gettext("It is not offered any more. It stays on the shelf."))

    def forget(request: Request, form: Form) -> Response:
        words, number = visit_of(request).words, form.whole("dream", 0, 2**31)
        kept = next((one for one in store.all() if one.id == number), None)
        if kept is not None:
            store.forget(kept.id)
            if folder := house.config.stories.folder:
                _within(Path(folder), kept.story_key).unlink(missing_ok=True)
        return see(request, "/dreams", words.gettext("The dream is forgotten, and its story is off the shelf."))

    return [
        shown("/dreams", page),
        shown("/dreams/tell", tell),
        posted("/dreams/weave", woven),
        posted("/dreams/keep", keep),
        posted("/dreams/answer", answer),
        posted("/dreams/forget", forget),
    ]


def _is_open(house: House) -> bool:
    moment = house.moment(house.now_s())
    phase = None if house.box is None else house.box.view().value("ritual", "phase")
    known = None if phase is None else str(phase)  # it comes from the broker, and may be anything
    return is_open(moment.hour + moment.minute / 60.0, known)


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
    return add_text(Path(folder), title, text, dream.dreamer, dream.language)


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

    return lambda asked: write_at_home(home, asked)
