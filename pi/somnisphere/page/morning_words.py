"""What the Morning room shows of questions and tellings, in the reader's language."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from somnisphere.diary.pictures import PICTURES
from somnisphere.diary.questions import DONT_KNOW, DONT_KNOW_PICTURE, DONT_KNOW_WORDS, FORMS, Form, Question
from somnisphere.diary.telling import MOST_CHARS, MOST_MINUTES, Telling
from somnisphere.diary.words import Words as Said
from somnisphere.letter.week import WEEKDAYS

CHILD_UNDER_YEARS = 12


@dataclass(frozen=True, slots=True)
class ShownNight:
    """``first`` and ``second``: names of the evening's and the morning's day."""

    id: str
    is_kept: bool
    evening: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class ShownChoice:
    value: str
    label: str
    picture: Markup
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    key: str
    kind: str
    label: str
    choices: tuple[ShownChoice, ...]
    value: str
    problem: str
    most_minutes: int = MOST_MINUTES
    most_chars: int = MOST_CHARS


def questions(
    form: Form, language: str, typed: Mapping[str, str], wrong: Mapping[str, Said]
) -> tuple[ShownQuestion, ...]:
    """``typed``: what was said so far; ``wrong``: what of it could not be understood."""
    return tuple(
        ShownQuestion(
            question.key,
            question.kind,
            question.words.to(language),
            _choices(question, form, language, typed.get(question.key, "")),
            "" if typed.get(question.key) == DONT_KNOW else typed.get(question.key, ""),
            wrong[question.key].to(language) if question.key in wrong else "",
        )
        for question in FORMS[form]
    )


def _choices(question: Question, form: Form, language: str, typed: str) -> tuple[ShownChoice, ...]:
    if question.kind == "text":
        return ()
    offered = [(choice.key, choice.words, choice.picture) for choice in question.choices]
    offered.append((DONT_KNOW, DONT_KNOW_WORDS, DONT_KNOW_PICTURE if form == "child" else ""))
    return tuple(
        ShownChoice(key, words.to(language), Markup(PICTURES.get(picture, "")), typed == key)
        for key, words, picture in offered
    )


def told_rows(telling: Telling, language: str) -> list[tuple[str, str]]:
    """Question and answer, as they were told; blank ones are not among them."""
    rows = []
    for question in FORMS[telling.form]:
        answer = telling.answers.get(question.key)
        if answer is None:
            continue
        words = {choice.key: choice.words for choice in question.choices} | {DONT_KNOW: DONT_KNOW_WORDS}
        said = words[str(answer)].to(language) if str(answer) in words else str(answer)
        rows.append((question.words.to(language), said))
    return rows


def usual_form(born: str, today: datetime.date) -> Form:
    """Which form is offered first. ``born``: year and month, "" for an adult."""
    if not born:
        return "adult"
    year, month = (int(part) for part in born.split("-"))
    return "child" if (today.year - year) * 12 + today.month - month < CHILD_UNDER_YEARS * 12 else "adult"


def weekdays(evening: datetime.date, language: str) -> tuple[str, str]:
    """Names of the evening's day and of the morning's."""
    return tuple(WEEKDAYS[(evening.weekday() + later) % 7].to(language) for later in (0, 1))  # type: ignore[return-value]
