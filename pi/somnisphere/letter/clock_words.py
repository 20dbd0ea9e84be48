"""Clock times and lengths of time in words, as ranges rounded outward: what is said is never surer than what is known.

No digit is in any of it, and no number word above twelve: a letter has no number bigger than a clock time. Pure.
"""

import math

QUARTER_S = 900.0
DAY_S = 86400.0
_EN = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_DE = ("eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")
MOST_HALVES = 24
"""Half hours beyond which no length is named."""


def is_german(language: str) -> bool:
    return language.split("-")[0] == "de"


def clock_words(clock_s: float, language: str) -> str:
    """The quarter hour nearest to a time of day, in seconds after midnight: "a quarter to seven"."""
    quarters = round(clock_s / QUARTER_S) % 96
    hour, quarter = divmod(quarters, 4)
    return _german(hour, quarter) if is_german(language) else _english(hour, quarter)


def clock_range(low_s: float, high_s: float, language: str) -> str:
    """A range of times of day, its ends in order, in seconds after some midnight: "between ten and half past ten"."""
    low = math.floor(low_s / QUARTER_S + 1e-9) * QUARTER_S
    high = math.ceil(high_s / QUARTER_S - 1e-9) * QUARTER_S
    first, last = clock_words(low, language), clock_words(high, language)
    if high <= low:
        return f"gegen {first}" if is_german(language) else f"around {first}"
    if is_german(language):
        return f"zwischen {first} und {last}"
    if last.startswith("half past ") and first == last.replace("half", "a quarter"):
        first = "a quarter past"
    return f"between {first} and {last}"


def length_range(low_min: float, high_min: float, language: str) -> str:
    """A length of time between two, to the half hour: "between six and a half and eight hours"."""
    low, high = math.floor(low_min / 30.0 + 1e-9), max(math.ceil(high_min / 30.0 - 1e-9), 1)
    german = is_german(language)
    if low >= MOST_HALVES:
        return "mehr als zwölf Stunden" if german else "more than twelve hours"
    if low == 0:
        most = _length(min(high, MOST_HALVES), german)
        return f"höchstens {most}" if german else f"{most} at the most"
    if high > MOST_HALVES:
        return f"{_length(low, german)} oder mehr" if german else f"{_length(low, german)} or more"
    if high <= low:
        return f"etwa {_length(low, german)}" if german else f"about {_length(low, german)}"
    first, last = _length(low, german, between=True), _length(high, german, between=True)
    if low > 3:  # of both, the unit is said once
        first = first.removesuffix(" Stunden" if german else " hours")
    return f"zwischen {first} und {last}" if german else f"between {first} and {last}"


def _english(hour: int, quarter: int) -> str:
    named = (hour + (quarter == 3)) % 24
    name = "midnight" if named == 0 else "noon" if named == 12 else _EN[(named - 1) % 12]
    return ("", "a quarter past ", "half past ", "a quarter to ")[quarter] + name


def _german(hour: int, quarter: int) -> str:
    if hour == 0 and quarter == 0:
        return "Mitternacht"
    name = _DE[(hour + (quarter >= 2) - 1) % 12]
    return ("", "Viertel nach ", "halb ", "Viertel vor ")[quarter] + name


def _length(halves: int, german: bool, *, between: bool = False) -> str:
    """``between``: as German says it after "zwischen"."""
    hours, half = divmod(halves, 2)
    if german:
        short = {1: "eine halbe Stunde", 2: "eine Stunde", 3: "anderthalb Stunden"}
        if between:
            short |= {1: "einer halben Stunde", 2: "einer Stunde"}
        return short.get(halves) or f"{_DE[hours - 1]}{'einhalb' if half else ''} Stunden"
    short = {1: "half an hour", 2: "an hour", 3: "an hour and a half"}
    return short.get(halves) or f"{_EN[hours - 1]}{' and a half' if half else ''} hours"
