"""What a household shares with a coach: one week in words and half hours, or that it is over. Pure.

The wire's two kinds of messages are declared here, once, for the box that writes and the collector that reads; what
does not fit them exactly is refused. Nothing else can be said: no stage, no heart rate, no single night.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from somnisphere.coach.consent import LONGEST_DAYS, Consent
from somnisphere.coach.diary_row import DAY_S, DiaryRow, arc, width_min
from somnisphere.coach.signs import LONG_MIN

FEWEST = 3
"""Of fewer told nights no range is given: it would be those nights."""
GRAIN_S = 1800.0
"""Clock times are widened to half hours."""
LONGEST_BYTES = 2000

Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
Half = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[03]0$")]
Often = Literal["none", "few", "some", "most"]
Nights = Literal["no_night", "some_nights", "most_nights"]
Apart = Literal["within_half_an_hour", "within_an_hour", "within_two_hours", "hours_apart"]


class Between(Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of the day that holds all of a week's clock times; over midnight where ``first`` is the later one."""

    first: Half
    last: Half


class AskedForAWord(Struct, frozen=True, forbid_unknown_fields=True):
    """The household would like to hear from the coach."""

    on: Day
    message: Annotated[str, Meta(max_length=280)] = ""


class Summary(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="summary"):
    """One week, Monday to Sunday. None: not known."""

    household: Id
    called: Annotated[str, Meta(min_length=1, max_length=40)]
    number: Annotated[int, Meta(ge=1, le=2**31)]
    """Grows with each message of a household, so that an older one that comes late changes nothing."""
    given_on: Day
    until: Day
    week: Day
    """Its Monday."""
    told: Often
    bed: Between | None
    rising: Between | None
    sleep_came_late: Nights | None
    long_awake: Nights | None
    rising_apart: Apart | None
    word: AskedForAWord | None


class Withdrawn(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="withdrawn"):
    """All that is held of a household must go, now."""

    household: Id
    until: Day
    """When the consent would have ended: until then its late messages are to be known and dropped."""


class UnusableError(ValueError):
    """A message that is not taken; the text is one of a few reasons, to be counted."""


_DECODER = msgspec.json.Decoder(Summary | Withdrawn)


def topic(message: Summary | Withdrawn, coach: str) -> str:
    kind = "summary" if isinstance(message, Summary) else "withdrawn"
    return f"somnisphere/coach/{coach}/{kind}/{message.household}"


def encode(message: Summary | Withdrawn) -> bytes:
    return msgspec.json.encode(message)


def decode(received_topic: str, payload: bytes, today: date) -> Summary | Withdrawn:
    """``UnusableError`` for whatever is not exactly such a message, of a consent that is in force."""
    if len(payload) > LONGEST_BYTES:
        raise UnusableError("too long")
    try:
        message: Summary | Withdrawn = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnusableError("not a summary") from None
    kind, _, household = received_topic.rpartition("/")
    if household != message.household or not kind.endswith(
        "/summary" if isinstance(message, Summary) else "/withdrawn"
    ):
        raise UnusableError("another household's topic")
    until = _day(message.until)
    if isinstance(message, Withdrawn):
        if until > today + timedelta(days=LONGEST_DAYS + 1):
            raise UnusableError("dates that cannot be")
        return message
    given_on, week = _day(message.given_on), _day(message.week)
    if not timedelta(0) <= until - given_on <= timedelta(days=LONGEST_DAYS) or given_on > today + timedelta(days=1):
        raise UnusableError("dates that cannot be")
    if until < today:
        raise UnusableError("its consent is over")
    if week.weekday() or not given_on - timedelta(days=14) <= week <= min(until, today):
        raise UnusableError("dates that cannot be")
    texts = (message.called, "" if message.word is None else message.word.message)
    if not all(text.isprintable() for text in texts):
        raise UnusableError("characters that cannot be shown")
    if message.word is not None:
        _day(message.word.on)
    return message


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnusableError("dates that cannot be") from None


def schema() -> dict[str, Any]:
    """Of both kinds, as JSON Schema; every key is named, and no other allowed."""
    return msgspec.json.schema(Summary | Withdrawn)


# ---- made of a diary ------------------------------------------------------------------------------------------------


def last_whole_week(today: date) -> date:
    """The Monday of the latest week that is over."""
    return today - timedelta(days=today.weekday() + 7)


def summarise(
    diary: Sequence[DiaryRow], consent: Consent, number: int, today: date, word: AskedForAWord | None
) -> Summary:
    """The latest whole week that the consent covers, else nothing of it. Mornings before the consent are left out."""
    week = last_whole_week(today)
    days = {week + timedelta(days=i) for i in range(7)}
    told = {
        row.morning: row for row in diary if row.is_told and row.morning in days and row.morning >= consent.given_on
    }
    rows = list(told.values())
    rose = [row.rose_at_s for row in rows if row.rose_at_s is not None]
    return Summary(
        household=consent.id,
        called=consent.called,
        number=number,
        given_on=consent.given_on.isoformat(),
        until=consent.until.isoformat(),
        week=week.isoformat(),
        told=_often(len(rows)),
        bed=_between([row.bed_at_s for row in rows if row.bed_at_s is not None]),
        rising=_between(rose),
        sleep_came_late=_nights([row.onset_min for row in rows if row.onset_min is not None]),
        long_awake=_nights([row.waso_min for row in rows if row.waso_min is not None]),
        rising_apart=_apart(width_min(rose)) if len(rose) >= FEWEST else None,
        word=word,
    )


def _often(mornings: int) -> Often:
    return "none" if not mornings else "few" if mornings < FEWEST else "some" if mornings < 5 else "most"


def _nights(minutes: Sequence[float]) -> Nights | None:
    if len(minutes) < FEWEST:
        return None
    long = sum(value >= LONG_MIN for value in minutes)
    return "no_night" if not long else "some_nights" if 2 * long <= len(minutes) else "most_nights"


def _between(clock_s: Sequence[float]) -> Between | None:
    ends = arc(clock_s)
    if ends is None or len(clock_s) < FEWEST:
        return None
    first_s, last_s = ends[0] // GRAIN_S * GRAIN_S, -(-ends[1] // GRAIN_S) * GRAIN_S
    return Between(_half(first_s), _half(last_s if last_s != first_s else last_s + GRAIN_S))


def _half(clock_s: float) -> str:
    minutes = int(clock_s % DAY_S) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _apart(minutes: float | None) -> Apart | None:
    if minutes is None:
        return None
    borders: tuple[tuple[float, Apart], ...] = (
        (30.0, "within_half_an_hour"),
        (60.0, "within_an_hour"),
        (120.0, "within_two_hours"),
    )
    return next((name for border, name in borders if minutes <= border), "hours_apart")
