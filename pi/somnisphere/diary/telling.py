"""What a person tells of a night, checked. Any part may be left blank, and what is blank stays blank. Pure."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from somnisphere.diary.questions import DONT_KNOW, FORMS, Form, Question
from somnisphere.diary.words import Words

MOST_MINUTES = 16 * 60
MOST_CHARS = 2000
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")

Answer = str | int
"""A time as hh:mm, whole minutes, the key of a choice, words, or ``DONT_KNOW``."""

WRONG: dict[str, Words] = {
    "clock": Words("A time such as 22:45 is meant here.", "Hier ist eine Uhrzeit wie 22:45 gemeint."),
    "minutes": Words("Minutes are meant here, in whole numbers.", "Hier sind Minuten gemeint, ohne Komma."),
    "choice": Words("Please choose one of the answers.", "Bitte eine der Antworten wählen."),
    "text": Words("That is too long to keep; please shorten it.", "Das ist zu lang; bitte etwas kürzen."),
}


@dataclass(frozen=True, slots=True)
class Telling:
    """``answers``: what was answered, by the question's key; the rest is blank and is never filled in."""

    form: Form = "adult"
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def known(self, key: str) -> Answer | None:
        """None: blank, or not known."""
        said = self.answers.get(key)
        return None if said == DONT_KNOW else said


class NotUnderstoodError(ValueError):
    """``wrong``: for each question that could not be understood, what is meant there."""

    def __init__(self, wrong: Mapping[str, Words]) -> None:
        super().__init__(", ".join(wrong))
        self.wrong = wrong


def read_telling(form: Form, said: Mapping[str, str]) -> Telling:
    """What a form sent, by question. What the form does not ask is passed over. Raises ``NotUnderstoodError``."""
    answers: dict[str, Answer] = {}
    wrong: dict[str, Words] = {}
    for question in FORMS[form]:
        text = said.get(question.key, "").strip()
        if not text:
            continue
        answer = DONT_KNOW if text == DONT_KNOW else _read(question, text)
        if answer is None:
            wrong[question.key] = WRONG[question.kind]
        else:
            answers[question.key] = answer
    if wrong:
        raise NotUnderstoodError(wrong)
    return Telling(form, answers)


def _read(question: Question, text: str) -> Answer | None:
    match question.kind:
        case "clock":
            found = _CLOCK.fullmatch(text)
            return None if found is None else f"{int(found[1]):02d}:{found[2]}"
        case "minutes":
            return int(text) if text.isascii() and text.isdigit() and int(text) <= MOST_MINUTES else None
        case "choice":
            return text if text in {choice.key for choice in question.choices} else None
        case "text":
            return text if len(text) <= MOST_CHARS else None


def clock_wall_s(night_id: str, clock: str, utc_offset_s: float) -> float:
    """Unix seconds of a clock time in a night: from noon on it is the evening's day, before that the day after."""
    evening = datetime.date.fromisoformat(night_id[:10])
    hours, minutes = clock.split(":")
    since_s = int(hours) * 3600.0 + int(minutes) * 60.0
    days = (evening - datetime.date(1970, 1, 1)).days + (since_s < 12 * 3600.0)
    return days * 86400.0 + since_s - utc_offset_s


def told_onset_s(telling: Telling, night_id: str, utc_offset_s: float) -> float | None:
    """When sleep came as it was told, Unix seconds. None: that was not told in times, as by a child."""
    tried, latency_min = telling.known("tried"), telling.known("latency_min")
    if telling.form != "adult" or not isinstance(tried, str) or not isinstance(latency_min, int):
        return None
    return clock_wall_s(night_id, tried, utc_offset_s) + latency_min * 60.0
