"""A page a week: a row an evening, and a few sentences. What is blank or closed stays so, and nobody counts. Pure."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from somnisphere.diary.words import Words
from somnisphere.letter.clock_words import clock_range, is_german
from somnisphere.letter.morning import told_words
from somnisphere.letter.night_facts import LetterFacts

WEEKDAYS = (
    Words("Monday", "Montag"),
    Words("Tuesday", "Dienstag"),
    Words("Wednesday", "Mittwoch"),
    Words("Thursday", "Donnerstag"),
    Words("Friday", "Freitag"),
    Words("Saturday", "Samstag"),
    Words("Sunday", "Sonntag"),
)
CLOSED = Words("closed", "geschlossen")
BLANK = Words("blank", "unbeschrieben")
FEWEST = 3
"""Evenings below which a week has no usual time."""

State = Literal["open", "closed", "blank"]


@dataclass(frozen=True, slots=True)
class Evening:
    """One row. ``facts`` only where the night is open."""

    day: datetime.date
    state: State
    facts: LetterFacts | None = None

    def weekday(self, language: str) -> str:
        return WEEKDAYS[self.day.weekday()].to(language)

    def words(self, language: str) -> str:
        """The row in words: what a drawn ribbon shows."""
        if self.state == "closed":
            return CLOSED.to(language)
        facts = self.facts
        if facts is None or facts.onset is None or facts.waking is None:
            return BLANK.to(language)
        asleep = clock_range(facts.onset.low, facts.onset.high, language)
        awake = clock_range(facts.waking.low, facts.waking.high, language)
        said = Words(f"asleep {asleep}, awake {awake}", f"eingeschlafen {asleep}, aufgewacht {awake}")
        return said.to(language)


def monday_of(day: datetime.date) -> datetime.date:
    return day - datetime.timedelta(days=day.weekday())


def evenings(monday: datetime.date, opened: Mapping[str, LetterFacts], closed: Sequence[str]) -> tuple[Evening, ...]:
    """Seven rows. ``opened``: facts of opened nights by id; ``closed``: ids of the others. A second night of one
    evening is left out."""
    rows = []
    for number in range(7):
        day = monday + datetime.timedelta(days=number)
        name = day.isoformat()
        facts = opened.get(name)
        rows.append(Evening(day, "open" if facts else "closed" if name in closed else "blank", facts))
    return tuple(rows)


def week_words(rows: Sequence[Evening], language: str) -> list[str]:
    """Sentences of the week: when it slept, who read to whom, and what the page does not know."""
    german = is_german(language)
    known = [row.facts for row in rows if row.facts is not None]
    onsets = [facts.onset for facts in known if facts.onset is not None]
    wakings = [facts.waking for facts in known if facts.waking is not None]
    said = []
    if len(onsets) >= FEWEST:
        asleep = clock_range(min(one.low for one in onsets), max(one.high for one in onsets), language)
        said.append(f"Der Schlaf kam {asleep}." if german else f"Sleep came {asleep}.")
    if len(wakings) >= FEWEST:
        awake = clock_range(min(one.low for one in wakings), max(one.high for one in wakings), language)
        said.append(f"Aufgewacht wurde {awake}." if german else f"Waking came {awake}.")
    for row in rows:
        if row.facts is not None and (story := told_words(row.facts.told, language)):
            weekday = row.weekday(language)
            said.append(f"{weekday}: {story}.")
    if any(row.state == "closed" for row in rows):
        said.append(
            "Was noch geschlossen ist, steht hier nicht." if german else "What is still closed is not on this page."
        )
    said.append(
        "Alles ist nach Puls und Bewegung geraten; was leer ist, bleibt leer."
        if german
        else "All of it is guessed from pulse and movement; what is blank stays blank."
    )
    return said
