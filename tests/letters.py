"""Letters of nights that might have been, and the rule that no number in them is bigger than a clock time."""

import re
from collections.abc import Iterator

from hypothesis import strategies as st

from somnisphere.journal import Told
from somnisphere.letter.morning import morning
from somnisphere.letter.night_facts import LetterFacts
from somnisphere.sleep.facts import Range

LANGUAGES = ("en", "de")
HOUR_S = 3600.0
_CLOCK = re.compile(r"\b([01]?\d|2[0-3]):[0-5]\d\b")
_BIG_WORDS = re.compile(
    r"\b(thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|\w*(twenty|thirty|forty|fifty|sixty|seventy"
    r"|eighty|ninety|hundred|thousand)\w*|dreizehn|vierzehn|fünfzehn|sechzehn|siebzehn|achtzehn|neunzehn"
    r"|\w*(zwanzig|dreißig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig|hundert|tausend)\w*)\b",
    re.IGNORECASE,
)


def number_too_big(text: str) -> str:
    """The first number that is no clock time: a digit, a number word above twelve, or a sign of shares; "" if none is.

    Clock times are hh:mm. What stands in quotation marks is a story's own title, and the household's.
    """
    plain = _CLOCK.sub("", re.sub(r"[“„][^“”]*[“”]", "", text))
    found = re.search(r"[\d%‰½¼¾⅓⅔]", plain) or _BIG_WORDS.search(plain)
    return found.group(0) if found else ""


@st.composite
def ranges_of(draw: st.DrawFn, low: float, high: float) -> Range:
    first = draw(st.floats(low, high))
    return Range(first, first + draw(st.floats(0.0, (high - low) / 2)))


NAMES = st.sampled_from(["", "Oma Lene", "Mia", "Jonas"])
TOLD = st.builds(Told, st.just(0.0), st.sampled_from(["The attic", "Der Teig im Bett"]), NAMES, NAMES)
FACTS = st.builds(
    LetterFacts,
    st.dates().map(lambda day: day.isoformat()),
    onset=st.none() | ranges_of(19 * HOUR_S, 30 * HOUR_S),
    waking=st.none() | ranges_of(25 * HOUR_S, 36 * HOUR_S),
    sleep_min=st.none() | ranges_of(0.0, 900.0),
    recorded_min=st.sampled_from([0.0, 480.0]),
    unknown_min=st.floats(0.0, 480.0),
    told=st.lists(TOLD, max_size=3).map(tuple),
)


def letters_of(facts: LetterFacts) -> Iterator[str]:
    for language in LANGUAGES:
        yield from morning(facts, language)
