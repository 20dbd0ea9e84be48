"""What goes to a coach: a week in words and half hours, of a consent that is in force, and nothing else at all."""

import json
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pi.coach.diaries import FIRST, rows

from somnisphere.coach.consent import LONGEST_DAYS, SHARED, Consent
from somnisphere.coach.diary_row import DAY_S, DiaryRow, arc
from somnisphere.coach.summary import (
    FEWEST,
    AskedForAWord,
    Summary,
    UnusableError,
    Withdrawn,
    decode,
    encode,
    last_whole_week,
    schema,
    summarise,
    topic,
)

ID = "0123456789abcdef" * 2
TODAY = FIRST + timedelta(days=40)
CONSENT = Consent(ID, "anna", "Anna the coach", "Family B.", FIRST, FIRST + timedelta(days=84))
WORD = AskedForAWord(TODAY.isoformat(), "May we talk?")


def usual(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(encode(summarise([], CONSENT, 3, TODAY, WORD)))
    return said | changes


def refused(said: object, at: str | None = None, today: date = TODAY) -> str:
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    with pytest.raises(UnusableError) as caught:
        decode(at or f"somnisphere/coach/anna/summary/{ID}", payload, today)
    return str(caught.value)


@settings(max_examples=300, deadline=None)
@given(diary=st.lists(rows(), max_size=40), number=st.integers(1, 2**31), asks=st.booleans(), day=st.integers(0, 84))
def test_any_diary_makes_a_summary_that_is_taken(diary: list[DiaryRow], number: int, asks: bool, day: int) -> None:
    today = FIRST + timedelta(days=day)
    summary = summarise(diary, CONSENT, number, today, WORD if asks else None)
    payload = encode(summary)
    assert decode(topic(summary, "anna"), payload, today) == summary
    jsonschema.validate(json.loads(payload), schema())
    assert len(payload) < 700


@settings(max_examples=200, deadline=None)
@given(diary=st.lists(rows(), max_size=30))
def test_no_night_can_be_read_from_it(diary: list[DiaryRow]) -> None:
    """Ranges hold all of a week's times, to the half hour, of three nights at least; everything else is a word."""
    summary = summarise(diary, CONSENT, 1, TODAY, None)
    week = {last_whole_week(TODAY) + timedelta(days=n) for n in range(7)}
    told = {row.morning: row for row in diary if row.morning in week and row.is_told}.values()
    for between, times in (
        (summary.bed, [row.bed_at_s for row in told if row.bed_at_s is not None]),
        (summary.rising, [row.rose_at_s for row in told if row.rose_at_s is not None]),
    ):
        assert (between is not None) == (len(times) >= FEWEST)
        if between is not None:
            first_s, last_s = (int(at[:2]) * 3600 + int(at[3:]) * 60 for at in (between.first, between.last))
            assert first_s != last_s or arc(times) is not None
            wide = (last_s - first_s) % DAY_S or DAY_S
            assert all((at_s - first_s) % DAY_S <= wide for at_s in times)
    values = [value for key, value in json.loads(encode(summary)).items() if key not in ("number",)]
    assert not [value for value in values if isinstance(value, int | float)]


def test_it_says_what_the_consent_says_and_no_more() -> None:
    """A new key of the wire must be agreed to first: the consent's sentences are then changed with this list."""
    assert set(Summary.__struct_fields__) == {
        *("household", "called", "number", "given_on", "until", "week"),
        *("told", "bed", "rising", "sleep_came_late", "long_awake", "rising_apart", "word"),
    }
    assert len(SHARED) == 7
    for body in ("stage", "heart", "bpm", "rem", "breath", "night_id"):
        assert body not in json.dumps(schema()["$defs"]["Summary"]["properties"]).replace("rememb", "")


def test_mornings_before_the_consent_are_left_out() -> None:
    today = last_whole_week(TODAY) + timedelta(days=7)
    late = Consent(ID, "anna", "Anna", "B.", today - timedelta(days=2), today + timedelta(days=30))
    diary = [DiaryRow(last_whole_week(TODAY) + timedelta(days=n), bed_at_s=80_000.0) for n in range(7)]
    assert summarise(diary, late, 1, today, None).told == "few"
    assert summarise(diary, CONSENT, 1, today, None).told == "most"


def test_a_week_in_words() -> None:
    monday = last_whole_week(TODAY)
    diary = [
        DiaryRow(monday + timedelta(days=n), bed_at_s=bed_s % DAY_S, onset_min=onset, waso_min=10.0, rose_at_s=rose_s)
        for n, (bed_s, onset, rose_s) in enumerate(
            [
                (84_000.0, 40.0, 25_000.0),
                (87_000.0, 35.0, 25_500.0),
                (85_000.0, 5.0, 28_000.0),
                (84_500.0, 50.0, 26_000.0),
            ]
        )
    ]
    said = json.loads(encode(summarise(diary, CONSENT, 1, TODAY, None)))
    assert said["told"] == "some"
    assert said["bed"] == {"first": "23:00", "last": "00:30"}
    assert said["rising"] == {"first": "06:30", "last": "08:00"}
    assert (said["sleep_came_late"], said["long_awake"]) == ("most_nights", "no_night")
    assert said["rising_apart"] == "within_an_hour"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sleep_score": 80}, "not a summary"),
        ({"told": "always"}, "not a summary"),
        ({"bed": {"first": "23:10", "last": "00:30"}}, "not a summary"),
        ({"number": 0}, "not a summary"),
        ({"household": "f" * 32}, "another household's topic"),
        ({"called": "x" * 41}, "not a summary"),
        ({"called": "a\x00b"}, "characters that cannot be shown"),
        ({"called": "a\u202eb"}, "characters that cannot be shown"),
        ({"word": {"on": "2026-02-31", "message": ""}}, "dates that cannot be"),
        ({"until": "2026-01-20"}, "its consent is over"),
        ({"until": "2030-01-01"}, "dates that cannot be"),
        ({"given_on": "2027-01-01", "until": "2027-02-01"}, "dates that cannot be"),
        ({"week": "2026-02-03"}, "dates that cannot be"),
        ({"week": "2026-03-30"}, "dates that cannot be"),
        ({"kind": "withdrawn"}, "not a summary"),
        ({"word": {"on": TODAY.isoformat(), "message": "x" * 281}}, "not a summary"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert refused(usual(**changes)) == reason


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 1900, b'{"kind":"summary"}', b'"\\ud800"', b"1e999"],
)
def test_noise_is_no_summary(payload: bytes) -> None:
    assert refused(payload) == "not a summary"


def test_a_long_one_is_not_even_read() -> None:
    assert refused(b" " * 2001) == "too long"


@given(payload=st.binary(max_size=300))
def test_no_bytes_raise_anything_else(payload: bytes) -> None:
    refused(payload)


def test_a_summary_on_the_topic_of_withdrawals_is_refused() -> None:
    assert refused(usual(), at=f"somnisphere/coach/anna/withdrawn/{ID}") == "another household's topic"
    gone = Withdrawn(ID, CONSENT.until.isoformat())
    assert decode(topic(gone, "anna"), encode(gone), TODAY) == gone
    assert refused(json.loads(encode(gone)) | {"until": "2099-01-01"}, at=topic(gone, "anna")) == "dates that cannot be"


@pytest.mark.parametrize(
    ("change", "value"),
    [("until", FIRST + timedelta(days=LONGEST_DAYS + 1)), ("until", FIRST - timedelta(days=1)), ("id", "../#"),
     ("coach", "a/b"), ("called", ""), ("called", "a\nb")],
)  # fmt: skip
def test_a_consent_is_explicit_and_bounded(change: str, value: Any) -> None:
    kept = {name: getattr(CONSENT, name) for name in Consent.__slots__}
    with pytest.raises(ValueError, match=r"consent|name|topic"):
        Consent(**kept | {change: value})


def test_a_consent_allows_only_its_days() -> None:
    assert [CONSENT.allows(FIRST + timedelta(days=day)) for day in (-1, 0, 84, 85)] == [False, True, True, False]
    gone = Consent(ID, "anna", "Anna", "B.", FIRST, FIRST + timedelta(days=84), withdrawn_on=FIRST)
    assert not gone.allows(FIRST)
    assert gone.is_over(FIRST)
    assert not CONSENT.is_over(FIRST - timedelta(days=5)), "a clock set back ends nothing"
