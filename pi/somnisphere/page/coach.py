"""Coach: a suggestion now and then, what is for a person, and what the household shares with a coach, if it wishes."""

import json
from datetime import date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from somnisphere.coach import red_flags
from somnisphere.coach.consent import NAME_MOST, NEVER_SHARED, SHARED, USUAL_DAYS, Consent
from somnisphere.coach.diary_row import DiaryRow
from somnisphere.coach.post import KeptConsent
from somnisphere.coach.programmes import PROGRAMMES
from somnisphere.coach.rails import ForAPerson, Given, suggest, whom
from somnisphere.coach.store import CoachStore
from somnisphere.coach.summary import encode, summarise
from somnisphere.coach.told import age_months, rising_clock_s, rows
from somnisphere.diary.store import Diary
from somnisphere.page.forms import Form, posted, shown
from somnisphere.page.house import House
from somnisphere.page.replies import render, see
from somnisphere.page.visit import visit_of
from somnisphere.sleep.regularity import regularity

MESSAGE_MOST = 280
LASTS_DAYS = {"28": 28, "84": 84, "182": 182}
"""For how long a consent may be given, as the form has it."""


def routes(house: House) -> list[BaseRoute]:
    store, diary = CoachStore(house.household), Diary(house.household)

    def today() -> date:
        return house.moment(house.now_s()).date()

    def told() -> list[DiaryRow]:
        since = (today() - timedelta(days=60)).isoformat()
        return rows({night: kept.telling for night, kept in diary.tellings(since).items()})

    def decided(welcome: bool | None) -> Given | ForAPerson | None:
        if welcome is None:
            return None
        day, told_rows = today(), told()
        rising = regularity(rising_clock_s(told_rows))
        sleeper = whom(age_months(house.config.sleeper.born, day))
        return store.suggestion(
            day, lambda history: suggest(told_rows, rising, history, day, sleeper=sleeper, red_flag=not welcome)
        )

    def page(request: Request) -> Response:
        language, welcome = visit_of(request).words.language, store.welcome()
        answer = decided(welcome)
        running = answer if isinstance(answer, Given) else None
        return render(
            request,
            "coach.html",
            is_welcome=welcome,
            suggestion=None if running is None else _shown(running, language),
            for_a_person=red_flags.FOR_A_PERSON.to(language) if isinstance(answer, ForAPerson) else "",
            why=red_flags.WHY.to(language),
        )

    def ignore(request: Request, form: Form) -> Response:
        key = form.choice("programme", [programme.key for programme in PROGRAMMES])
        store.ignore(key, today())
        return see(request, "/coach", visit_of(request).words.gettext("It is put away, and does not come back soon."))

    def person(request: Request) -> Response:
        language = visit_of(request).words.language
        return render(
            request,
            "coach_person.html",
            heading=red_flags.FOR_A_PERSON.to(language),
            why=red_flags.WHY.to(language),
            at_once=red_flags.AT_ONCE.to(language),
            none_of_these=red_flags.NONE_OF_THESE.to(language),
            one_of_these=red_flags.ONE_OF_THESE.to(language),
            flags=[(flag.sign.to(language), flag.person.to(language)) for flag in red_flags.RED_FLAGS],
        )

    def say_welcome(request: Request, form: Form) -> Response:
        said = form.choice("suggestions", ("welcome", "none"))
        if not said:
            return see(request, "/coach/person")
        store.say_welcome(said == "welcome", today())
        return see(request, "/coach")

    def sharing(request: Request) -> Response:
        language, day = visit_of(request).words.language, today()
        kept = store.consents()
        now = next((one for one in kept if one.consent.allows(day)), None)
        return render(
            request,
            "coach_sharing.html",
            coach_name=now.consent.coach_name if now else house.config.coach.name or house.config.coach.key,
            now=None if now is None else _open(now),
            past=[_past(one, house) for one in kept if one is not now],
            shared=[words.to(language) for words in SHARED],
            never=NEVER_SHARED.to(language),
            name_most=NAME_MOST,
            message_most=MESSAGE_MOST,
            lasts=list(LASTS_DAYS),
            usual=str(USUAL_DAYS),
            letter="" if now is None else _letter(told(), now, day),
        )

    def give(request: Request, form: Form) -> Response:
        words, coach, day = visit_of(request).words, house.config.coach, today()
        called = form.text("called", most=NAME_MOST)
        days = LASTS_DAYS.get(form.choice("lasts", LASTS_DAYS))
        if not coach.key or days is None or not called or not form.choice("agreed", ("yes",)):
            sorry = words.gettext("Nothing is shared. A name and your “yes” are needed for it.")
            return see(request, "/coach/sharing", sorry, "sorry")
        given = store.grant(coach.key, coach.name or coach.key, called, day, day + timedelta(days=days), house.now_s())
        _nudge(house)
        said = words.gettext("Summaries are shared from now on. Take it back at any time, here.")
        if given is None:
            said = words.gettext("Summaries are shared already. Take that back first, to change it.")
        return see(request, "/coach/sharing", said, "good" if given else "sorry")

    def withdraw(request: Request, form: Form) -> Response:
        """The file says so before anybody is told; nothing is sent from here on."""
        store.withdraw(form.text("consent", most=40), today(), house.now_s())
        _nudge(house)
        said = visit_of(request).words.gettext(
            "It is taken back. Nothing is sent any more; the coach's books are told."
        )
        return see(request, "/coach/sharing", said)

    def ask(request: Request, form: Form) -> Response:
        words, asks = visit_of(request).words, bool(form.choice("asks", ("yes",)))
        message = form.text("message", most=MESSAGE_MOST) if asks else ""
        changed = store.ask(form.text("consent", most=40), today() if asks else None, message)
        _nudge(house)
        if not changed:
            return see(request, "/coach/sharing", words.gettext("Nothing is shared, so nobody can be asked."), "sorry")
        said = (
            words.gettext("The coach is asked for a word.")
            if asks
            else words.gettext("The coach is not asked any more.")
        )
        return see(request, "/coach/sharing", said)

    return [
        shown("/coach", page),
        posted("/coach/ignore", ignore),
        shown("/coach/person", person),
        posted("/coach/welcome", say_welcome),
        shown("/coach/sharing", sharing),
        posted("/coach/share", give),
        posted("/coach/withdraw", withdraw),
        posted("/coach/ask", ask),
    ]


def _nudge(house: House) -> None:
    if house.nudge_post is not None:
        house.nudge_post()


def _shown(given: Given, language: str) -> dict[str, object] | None:
    """None: of a programme that this version does not have any more."""
    programme = next((one for one in PROGRAMMES if one.key == given.programme), None)
    if programme is None:
        return None
    return {
        "key": programme.key,
        "title": programme.title.to(language),
        "suggestion": programme.suggestion.to(language),
        "reason": programme.reason.to(language),
        "source": programme.source,
        "ends_on": given.ends_on,
    }


def _open(kept: KeptConsent) -> dict[str, object]:
    consent = kept.consent
    return {
        "id": consent.id,
        "called": consent.called,
        "given_on": consent.given_on,
        "until": consent.until,
        "said_on": kept.said_on,
        "word": kept.word,
    }


def _past(kept: KeptConsent, house: House) -> dict[str, object]:
    consent: Consent = kept.consent

    def moment(at_s: float | None) -> datetime | None:
        return None if at_s is None else house.moment(at_s)

    return {
        "coach": consent.coach_name,
        "called": consent.called,
        "given_on": consent.given_on,
        "until": consent.until,
        "withdrawn": moment(kept.withdrawn_at_s),
        "told": moment(kept.told_at_s),
    }


def _letter(told: list[DiaryRow], kept: KeptConsent, day: date) -> str:
    """What goes to the coach today, word by word; only its running number is left out."""
    said = json.loads(encode(summarise(told, kept.consent, 1, day, kept.word)))
    del said["number"]
    return json.dumps(said, indent=2, ensure_ascii=False)
