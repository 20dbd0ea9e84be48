"""A dream as it was told, and what keeps it from being rewoven. Pure."""

from dataclasses import dataclass, fields
from enum import StrEnum

MOST_CHARS = 2000
LEAST_CHARS = 2


class Stop(StrEnum):
    """Why a dream wants a person and not a page. The first three are ticked by whoever tells it."""

    REPEATED = "repeated"
    VIOLENT = "violent"
    REMEMBERED = "remembered"
    WORDS = "words"
    """A word in it that often goes with one of the others."""


@dataclass(frozen=True, slots=True)
class Dream:
    """Four answers in the teller's own words. ``dreamer``: a first name, "" for none; ``language``: "en" or "de"."""

    happened: str
    change: str
    helper: str
    ending: str
    dreamer: str = ""
    language: str = "en"
    title: str = ""

    def missing(self) -> list[str]:
        """Which of the four answers are not there yet."""
        return [name for name in ("happened", "change", "helper", "ending") if len(getattr(self, name)) < LEAST_CHARS]


def told(said: dict[str, str]) -> Dream:
    """From a form: white space folded, nothing longer than ``MOST_CHARS``, no control characters."""
    known = {field.name for field in fields(Dream)}
    clean = {key: _clean(value) for key, value in said.items() if key in known}
    clean["language"] = "de" if clean.get("language", "").startswith("de") else "en"
    return Dream(**{"happened": "", "change": "", "helper": "", "ending": "", **clean})


def _clean(text: str) -> str:
    printable = "".join(sign if sign.isprintable() or sign.isspace() else " " for sign in text)
    return " ".join(printable.split())[:MOST_CHARS].strip()


_WORDS = """
  abuse abused beaten bleeding blood bomb choked dead died drowned gun hanged killed killing knife murder murdered rape
  raped shot stabbed strangled suicide tortured
  blut blutet bombe erhängt ermordet erschossen ersticht erstochen ertrunken erwürgt gefoltert gestorben getötet gewehr
  messer missbraucht mord pistole selbstmord tot tötet umgebracht vergewaltigt verprügelt
"""
WORDS = frozenset(_WORDS.split())
"""Words that often go with what a page should leave to a person. A list cannot know; it errs to the kind side."""


def stops(dream: Dream, ticked: frozenset[Stop] = frozenset()) -> frozenset[Stop]:
    """Why this dream is not to be rewoven here; empty: nothing speaks against it."""
    everything = " ".join((dream.happened, dream.change, dream.helper, dream.ending)).casefold()
    words = {word.strip(".,;:!?\"'()«»„“”…–-") for word in everything.split()}
    return ticked | ({Stop.WORDS} if words & WORDS else set())
