"""Consent to share summaries with one coach: explicit, dated, revocable, and it ends by itself. Pure.

Each consent has a random name of its own, so that a coach cannot tell that an earlier household is the same one, and
what is taken back can never be mixed up with what is given again.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from somnisphere.diary.words import Words

LONGEST_DAYS = 182
USUAL_DAYS = 84
NAME_MOST = 40
ID = re.compile(r"[0-9a-f]{32}")
COACH = re.compile(r"[a-z0-9_]{1,32}")

SHARED: tuple[Words, ...] = (
    Words(
        "once a day, the latest whole week, in words and never night by night",
        "einmal am Tag die letzte ganze Woche, in Worten und nie Nacht für Nacht",
    ),
    Words(
        "on how many mornings you told something: none, a few, some or most",
        "an wie vielen Morgen Sie etwas erzählt haben: an keinem, wenigen, einigen oder den meisten",
    ),
    Words(
        "between which half hours you went to bed and rose, where you told it three times or more",
        "zwischen welchen halben Stunden Sie ins Bett gegangen und aufgestanden sind, wenn Sie es mindestens dreimal "
        "erzählt haben",
    ),
    Words(
        "whether sleep came late, or long waking, on no, some or most of the nights you told",
        "ob der Schlaf spät kam oder Sie lange wach waren: in keiner, einigen oder den meisten erzählten Nächten",
    ),
    Words(
        "how far apart your rising times lie, in four words from close together to hours apart",
        "wie weit Ihre Aufstehzeiten auseinanderliegen, in vier Stufen von nah beieinander bis Stunden",
    ),
    Words("the name you choose for it, and until when", "der Name, den Sie dafür wählen, und bis wann"),
    Words(
        "that you ask for a word, and what you write with it",
        "dass Sie um ein Wort bitten, und was Sie dazu schreiben",
    ),
)
"""What somebody agrees to, said before they do. ``summary.py`` can say nothing else."""
NEVER_SHARED = Words(
    "Never shared: heart, breath, movement, stages of sleep, single nights, dreams, stories, recordings, who else "
    "sleeps here, what you answered on the page of what is for a person.",
    "Nie geteilt: Herz, Atem, Bewegung, Schlafstadien, einzelne Nächte, Träume, Geschichten, Aufnahmen, wer sonst hier "
    "schläft und was Sie auf der Seite über das, was für einen Menschen ist, gesagt haben.",
)


@dataclass(frozen=True, slots=True)
class Consent:
    id: str
    """Random; how the coach knows this household for as long as this consent lasts."""
    coach: str
    """The coach's name in topics."""
    coach_name: str
    """As people say it."""
    called: str
    """What the household wishes to be called."""
    given_on: date
    until: date
    """The last day."""
    withdrawn_on: date | None = None

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id) or not COACH.fullmatch(self.coach):
            raise ValueError(f"consent {self.id!r} for {self.coach!r}: these cannot be parts of a topic")
        if not timedelta(0) <= self.until - self.given_on <= timedelta(days=LONGEST_DAYS):
            raise ValueError(f"a consent lasts at most {LONGEST_DAYS} days, not from {self.given_on} to {self.until}")
        if not self.called.isprintable() or not 1 <= len(self.called) <= NAME_MOST:
            raise ValueError(f"the name is 1 to {NAME_MOST} printable characters")

    def allows(self, today: date) -> bool:
        """Whether anything may go to the coach today. A clock before the day it was given on allows nothing."""
        return self.withdrawn_on is None and self.given_on <= today <= self.until

    def is_over(self, today: date) -> bool:
        """Taken back, or its last day is past: what the coach holds must go."""
        return self.withdrawn_on is not None or today > self.until
