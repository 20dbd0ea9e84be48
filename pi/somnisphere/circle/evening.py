"""A community evening: a ring of tellers, one story, a passage in each turn. Pure; every step gives a new evening.

Nobody has an account and nothing is counted: a teller is a name at the table. What is told here goes home with every
household of the evening, so a passage is only kept when its teller allows that.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from somnisphere.library.titles import one_line
from somnisphere.story import Consent, Sentence

MOST_TELLERS = 24
MOST_PASSAGES = 200
MOST_CHARS = 4000
"""Of one passage that is typed."""


class Refusal(Enum):
    """Why a step is not taken."""

    OVER = "over"
    NO_NAME = "no name"
    TAKEN = "taken"
    FULL = "full"
    NOBODY = "nobody"
    NOT_THEIRS = "not theirs"
    EMPTY = "empty"
    NOT_ALLOWED = "not allowed"
    TOO_LONG = "too long"
    NOTHING = "nothing"


class RefusedStepError(Exception):
    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Passage:
    """What one teller told in a turn: ``text`` typed, ``sound`` the name of a recording's file, or both."""

    teller: str
    text: str = ""
    sound: str = ""


@dataclass(frozen=True, slots=True)
class Evening:
    """``id``: five words, which open the evening's page to guests. ``turn``: who tells next, as a place in the ring."""

    id: str
    title: str
    language: str
    licence: str
    on: str
    tellers: tuple[str, ...] = ()
    turn: int = 0
    passages: tuple[Passage, ...] = ()
    ended: bool = False

    @property
    def whose_turn(self) -> str:
        """ "" as long as nobody sits in the ring."""
        return self.tellers[self.turn] if self.tellers else ""

    @property
    def last_words(self) -> str:
        """The end of what was typed last, for whoever goes on."""
        return self.passages[-1].text[-280:] if self.passages else ""


def begin(ident: str, title: str, language: str, licence: str, today: date) -> Evening:
    if not one_line(title) or not one_line(licence):
        raise RefusedStepError(Refusal.NO_NAME)
    return Evening(ident, one_line(title), language, one_line(licence), today.isoformat())


def sit_down(evening: Evening, name: str) -> Evening:
    """A teller joins the ring, at its end."""
    _going_on(evening)
    name = one_line(name)[:60].strip()
    if not name:
        raise RefusedStepError(Refusal.NO_NAME)
    if name.casefold() in (teller.casefold() for teller in evening.tellers):
        raise RefusedStepError(Refusal.TAKEN)
    if len(evening.tellers) >= MOST_TELLERS:
        raise RefusedStepError(Refusal.FULL)
    return replace(evening, tellers=(*evening.tellers, name))


def stand_up(evening: Evening, name: str) -> Evening:
    """A teller goes home early; what they told stays in the story."""
    _going_on(evening)
    if name not in evening.tellers:
        raise RefusedStepError(Refusal.NOBODY)
    place = evening.tellers.index(name)
    tellers = tuple(teller for teller in evening.tellers if teller != name)
    turn = evening.turn - (place < evening.turn)
    return replace(evening, tellers=tellers, turn=turn % len(tellers) if tellers else 0)


def tell(evening: Evening, passage: Passage, *, allowed: bool) -> Evening:
    """The next passage, by whoever's turn it is; then it is the next one's."""
    _going_on(evening)
    if not evening.tellers:
        raise RefusedStepError(Refusal.NOBODY)
    if passage.teller != evening.whose_turn:
        raise RefusedStepError(Refusal.NOT_THEIRS)
    if not allowed:
        raise RefusedStepError(Refusal.NOT_ALLOWED)
    if not passage.text.strip() and not passage.sound:
        raise RefusedStepError(Refusal.EMPTY)
    if len(passage.text) > MOST_CHARS or len(evening.passages) >= MOST_PASSAGES:
        raise RefusedStepError(Refusal.TOO_LONG)
    told = replace(evening, passages=(*evening.passages, passage))
    return replace(told, turn=(evening.turn + 1) % len(evening.tellers))


def pass_on(evening: Evening) -> Evening:
    """Whoever's turn it is lets the next one tell."""
    _going_on(evening)
    if not evening.tellers:
        raise RefusedStepError(Refusal.NOBODY)
    return replace(evening, turn=(evening.turn + 1) % len(evening.tellers))


def end(evening: Evening) -> Evening:
    _going_on(evening)
    if not evening.passages:
        raise RefusedStepError(Refusal.NOTHING)
    return replace(evening, ended=True)


def who_told(evening: Evening) -> tuple[str, ...]:
    """All whose passages are in the story, in the order in which they first told."""
    return tuple(dict.fromkeys(passage.teller for passage in evening.passages))


def consent_of(evening: Evening) -> Consent:
    """All who are heard allowed it, each with their passage."""
    return Consent(one_line(", ".join(who_told(evening))), evening.on, circle=True)


def sentences_of(evening: Evening) -> tuple[Sentence, ...]:
    """The story's words, passage by passage, each with its teller; one that was only spoken has none."""
    found: list[Sentence] = []
    for passage in evening.passages:
        for line in (line for line in passage.text.split("\n") if line.strip()):
            found.append(Sentence(f"s{len(found) + 1}", " ".join(line.split()), passage.teller, True))
    return tuple(found)


def _going_on(evening: Evening) -> None:
    if evening.ended:
        raise RefusedStepError(Refusal.OVER)
