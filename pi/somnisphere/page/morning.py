"""Morning: the night is told first, then opened; a letter, a ribbon of the week, and the picture for those who ask."""

import datetime
from collections.abc import Mapping
from urllib.parse import quote

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from somnisphere.diary.learning import learn
from somnisphere.diary.questions import DONT_KNOW, FORMS
from somnisphere.diary.questions import Form as TellingForm
from somnisphere.diary.seal import Seal, Step, lets_through
from somnisphere.diary.store import Diary
from somnisphere.diary.telling import MOST_CHARS, NotUnderstoodError, Telling, read_telling, told_onset_s
from somnisphere.diary.words import Words as Said
from somnisphere.letter.difference import LEARNED, difference
from somnisphere.letter.morning import morning as letter_of
from somnisphere.letter.ribbon import ribbon
from somnisphere.letter.week import evenings, monday_of, week_words
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.headers import PICTURE_POLICY
from somnisphere.page.house import House
from somnisphere.page.morning_nights import DAY_S, Asked, Nights
from somnisphere.page.morning_words import ShownNight, questions, told_rows, usual_form, weekdays
from somnisphere.page.replies import render, see
from somnisphere.page.visit import visit_of
from somnisphere.picture import draw_night, to_svg

WEEK = datetime.timedelta(days=7)


def routes(house: House) -> list[BaseRoute]:
    nights, diary = Nights(house), Diary(house.household)

    def asked_in(night_id: str) -> Asked:
        if (asked := nights.find(night_id)) is None:
            raise HTTPException(404)
        return asked

    def page(request: Request) -> Response:
        asked = asked_in(request.query_params.get("night", ""))
        seal, kept = diary.seal(asked.night_id), diary.telling(asked.night_id)
        wants_to_tell = "tell" in request.query_params
        if seal is Seal.SEALED or wants_to_tell:
            return telling_page(request, asked, kept.telling if kept else Telling())
        language = visit_of(request).words.language
        letter: tuple[str, ...] = ()
        notes: list[str] = []
        if lets_through(seal) and asked.is_kept:
            learned = learn(diary.differences_s())
            facts = nights.facts(asked.night_id, learned)
            if facts is not None:
                letter = letter_of(facts, language)
                told_s = told_clock_s(asked, kept.telling if kept else Telling())
                differs = difference(told_s, facts.onset, language)
                notes = [differs] if differs else []
                notes += [LEARNED[learned.direction].to(language)] if learned.direction else []
        return render(
            request,
            "morning.html",
            night=title(request, asked),
            state=seal.value,
            letter=letter,
            notes=notes,
            rows=told_rows(kept.telling, language) if kept else [],
            shows_picture=bool(letter) and "picture" in request.query_params,
        )

    def telling_page(
        request: Request,
        asked: Asked,
        telling: Telling,
        status: int = 200,
        form: TellingForm | None = None,
        typed: Mapping[str, str] | None = None,
        wrong: Mapping[str, Said] | None = None,
    ) -> Response:
        """What was typed is never lost to a refusal."""
        usual = usual_form(house.config.sleeper.born, house.moment(house.now_s()).date())
        form = form or form_of(request.query_params.get("form", "")) or (telling.form if telling.answers else usual)
        said = typed or {key: str(answer) for key, answer in telling.answers.items()}
        return render(
            request,
            "morning_telling.html",
            status,
            night=title(request, asked),
            form=form,
            questions=questions(form, visit_of(request).words.language, said, wrong or {}),
            is_refused=bool(wrong),
            is_sealed=not lets_through(diary.seal(asked.night_id)),
            dont_know=DONT_KNOW,
        )

    def told_clock_s(asked: Asked, telling: Telling) -> float | None:
        """When sleep came as it was told, in seconds after the evening's midnight."""
        offset_s = nights.utc_offset_s(asked.night_id)
        told_s = told_onset_s(telling, asked.night_id, offset_s)
        midnight_s = (asked.evening - datetime.date(1970, 1, 1)).days * DAY_S - offset_s
        return None if told_s is None else told_s - midnight_s

    def tell(request: Request, form: Form) -> Response:
        words, asked = visit_of(request).words, asked_in(form.text("night", 40))
        kind = form_of(form.text("form", 10)) or "adult"
        typed = {question.key: form.words(question.key, MOST_CHARS * 2) for question in FORMS[kind]}
        for key in typed:
            if form.choice(f"{key}_unknown", (DONT_KNOW,)):
                typed[key] = DONT_KNOW
        try:
            telling = read_telling(kind, typed)
        except NotUnderstoodError as refused:
            return telling_page(request, asked, Telling(), 422, kind, typed, refused.wrong)
        if not telling.answers:
            return see(request, here(asked), words.gettext("Nothing was told; the night stays blank."), "sorry")
        told_s = told_onset_s(telling, asked.night_id, nights.utc_offset_s(asked.night_id))
        sensed_s = nights.sensed_onset_s(asked.night_id) if asked.is_kept and told_s is not None else None
        later_s = None if told_s is None or sensed_s is None else told_s - sensed_s
        diary.tell(asked.night_id, telling, house.now_s(), later_s)
        return see(request, here(asked), words.gettext("Thank you for telling."))

    def seal(request: Request, form: Form) -> Response:
        asked = asked_in(form.text("night", 40))
        step = form.choice("step", (Step.OPEN, Step.SHOW, Step.NOT_TODAY))
        if not step:
            raise HTTPException(422)
        diary.step(asked.night_id, Step(step), house.now_s())
        return see(request, here(asked))

    def picture(request: Request) -> Response:
        """The hypnogram, behind the same seal."""
        asked = asked_in(request.query_params.get("night", ""))
        if not lets_through(diary.seal(asked.night_id)) or (kept := nights.load(asked.night_id)) is None:
            raise HTTPException(404)
        offset_s = nights.utc_offset_s(asked.night_id)
        drawn = to_svg(draw_night(kept.epochs, kept.estimates, offset_s, ""))
        return Response(drawn, media_type="image/svg+xml", headers={"content-security-policy": PICTURE_POLICY})

    def week(request: Request) -> Response:
        today = nights.latest().evening
        monday = monday_of(date_of(request.query_params.get("of", ""), today))
        language, seals, learned = visit_of(request).words.language, diary.seals(), learn(diary.differences_s())
        within = [night for night in nights.past() if monday.isoformat() <= night[:10] < (monday + WEEK).isoformat()]
        open_nights = [night for night in within if lets_through(seals.get(night, Seal.SEALED))]
        found = {night: facts for night in open_nights if (facts := nights.facts(night, learned)) is not None}
        rows = evenings(monday, found, [night for night in within if night not in found])
        return render(
            request,
            "morning_week.html",
            rows=[(row.weekday(language), row.words(language), row.day.isoformat(), row.state) for row in rows],
            sentences=week_words(rows, language),
            ribbon=Markup(ribbon(rows, language)),
            before=(monday - WEEK).isoformat(),
            after=(monday + WEEK).isoformat() if monday + WEEK <= today else "",
        )

    return [
        shown("/morning", page),
        posted("/morning/tell", tell),
        posted("/morning/seal", seal),
        shown("/morning/picture", picture),
        shown("/morning/week", week),
    ]


def title(request: Request, asked: Asked) -> ShownNight:
    first, second = weekdays(asked.evening, visit_of(request).words.language)
    return ShownNight(asked.night_id, asked.is_kept, asked.evening.isoformat(), first, second)


def here(asked: Asked) -> str:
    return f"/morning?night={quote(asked.night_id)}"


def form_of(text: str) -> TellingForm | None:
    return next((form for form in FORMS if form == text), None)


def date_of(text: str, otherwise: datetime.date) -> datetime.date:
    """An ISO date of these centuries, else ``otherwise``."""
    try:
        found = datetime.date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if 2000 <= found.year <= 2200 else otherwise
