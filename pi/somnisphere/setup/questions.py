"""What a person may be asked, as data, and what the line that they type means. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["line", "yes_no", "secret"]

NONE = ("-", "none")
"""Typed where an answer may be left out, to take out what Enter would keep."""

YES, NO = "yes", "no"
_YES = ("y", "yes", "j", "ja")
_NO = ("n", "no", "nein")


class NotUnderstoodError(ValueError):
    """The answer will not do; the text says why, and what would."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One of the answers that are shown with a number."""

    answer: str
    words: str


def anything(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``key`` is the configuration's, dotted, where the answer goes there. ``complaint`` is "" for an answer that will
    do, else a sentence. ``unattended`` is the answer where nobody can be asked; None: ``default``, as for Enter."""

    key: str
    text: str
    default: str = ""
    kind: Kind = "line"
    offers: tuple[Offer, ...] = ()
    only_offers: bool = False
    optional: bool = False
    complaint: Callable[[str], str] = anything
    unattended: str | None = None


def understood(question: Question, typed: str) -> str:
    """The answer that ``typed`` means; ``NotUnderstoodError`` where it is none."""
    answer = _meant(question, typed.strip())
    if question.only_offers and answer not in [offer.answer for offer in question.offers]:
        raise NotUnderstoodError(f"“{typed.strip()}” is none of 1 to {len(question.offers)}.")
    if (answer or not question.optional) and (complaint := question.complaint(answer)):
        raise NotUnderstoodError(complaint)
    return answer


def _meant(question: Question, typed: str) -> str:
    if not typed:
        return question.default
    if question.optional and typed.lower() in NONE:
        return ""
    if question.kind == "yes_no":
        word = typed.lower()
        if word not in (*_YES, *_NO):
            raise NotUnderstoodError(f"“{typed}” is neither yes nor no.")
        return YES if word in _YES else NO
    if question.offers and typed.isdecimal() and 1 <= int(typed) <= len(question.offers):
        return question.offers[int(typed) - 1].answer
    return typed
