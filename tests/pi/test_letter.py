"""The letter: three sentences of ranges in words, a page a week, and a ribbon that is said beside being drawn."""

import datetime
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.box import box
from tests.letters import FACTS, HOUR_S, LANGUAGES, letters_of, number_too_big

from somnisphere.diary.learning import Learned
from somnisphere.journal import Journal, KeptNight, Told
from somnisphere.letter.clock_words import QUARTER_S, clock_range, clock_words, length_range
from somnisphere.letter.difference import LEARNED, difference
from somnisphere.letter.morning import morning, told_words
from somnisphere.letter.night_facts import LetterFacts, letter_facts
from somnisphere.letter.ribbon import ribbon
from somnisphere.letter.week import evenings, monday_of, week_words
from somnisphere.night import NightTimes, Presence, Stage, StageEstimate, unknown_epoch
from somnisphere.sleep.facts import Range

NIGHT = "2026-03-14"
MONDAY = datetime.date(2026, 3, 9)
KNOWN = LetterFacts(
    NIGHT,
    onset=Range(22.76 * HOUR_S, 23.4 * HOUR_S),
    waking=Range(30.1 * HOUR_S, 30.4 * HOUR_S),
    sleep_min=Range(395.0, 440.0),
    recorded_min=480.0,
    told=(Told(0.0, "The attic", "Oma Lene", "Mia"),),
)

# ---- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "en", "de"),
    [
        ("23:20", "23:28", "between a quarter past and half past eleven", "zwischen Viertel nach elf und halb zwölf"),
        ("22:45", "22:45", "around a quarter to eleven", "gegen Viertel vor elf"),
        ("23:50", "24:10", "between a quarter to midnight and a quarter past midnight",
         "zwischen Viertel vor zwölf und Viertel nach zwölf"),
        ("06:01", "06:20", "between six and half past six", "zwischen sechs und halb sieben"),
        ("11:50", "12:00", "between a quarter to noon and noon", "zwischen Viertel vor zwölf und zwölf"),
        ("24:00", "24:00", "around midnight", "gegen Mitternacht"),
    ],
)  # fmt: skip
def test_clock_ranges_are_said_as_people_say_them(low: str, high: str, en: str, de: str) -> None:
    ends = [int(text[:2]) * 3600.0 + int(text[3:]) * 60.0 for text in (low, high)]
    assert clock_range(ends[0], ends[1], "en") == en
    assert clock_range(ends[0], ends[1], "de-AT") == de


@pytest.mark.parametrize(
    ("low", "high", "en", "de"),
    [
        (
            395,
            440,
            "between six and a half and seven and a half hours",
            "zwischen sechseinhalb und siebeneinhalb Stunden",
        ),
        (420, 420, "about seven hours", "etwa sieben Stunden"),
        (40, 80, "between half an hour and an hour and a half", "zwischen einer halben Stunde und anderthalb Stunden"),
        (0, 20, "half an hour at the most", "höchstens eine halbe Stunde"),
        (690, 730, "eleven and a half hours or more", "elfeinhalb Stunden oder mehr"),
        (800, 900, "more than twelve hours", "mehr als zwölf Stunden"),
    ],
)
def test_lengths_are_ranges_of_half_hours(low: float, high: float, en: str, de: str) -> None:
    assert length_range(low, high, "en") == en
    assert length_range(low, high, "de") == de


@given(st.integers(0, 2 * 1440), st.integers(0, 360))
def test_what_is_said_is_never_surer_than_what_is_known(low_min: int, width_min: int) -> None:
    said = clock_range(low_min * 60.0, (low_min + width_min) * 60.0, "de")
    first, last = low_min // 15, -(-(low_min + width_min) // 15)
    ends = [clock_words(quarter * QUARTER_S, "de") for quarter in (first, last)]
    assert said == (f"gegen {ends[0]}" if first == last else f"zwischen {ends[0]} und {ends[1]}")


# ---- a letter -------------------------------------------------------------------------------------------------------


def test_the_letter_tells_who_read_to_whom_when_sleep_came_and_went_and_what_is_not_known() -> None:
    evening, night, unknown = morning(KNOWN, "en")
    assert evening.startswith("Oma Lene told “The attic” to Mia, and ")
    assert "between a quarter to eleven and half past eleven" in evening
    assert "between six and a half and seven and a half hours" in night
    assert "between six and half past six" in night
    assert "I guess from pulse and movement" in unknown
    german = " ".join(morning(KNOWN, "de"))
    assert german.startswith("Oma Lene erzählte Mia „The attic“, und ")
    assert "zwischen Viertel vor elf und halb zwölf" in german


@given(FACTS)
def test_any_night_is_three_sentences_without_a_number_bigger_than_a_clock_time(facts: LetterFacts) -> None:
    for sentence in letters_of(facts):
        assert number_too_big(sentence) == ""
        plain = re.sub(r"[“„][^“”]*[“”]", "", sentence)
        assert re.fullmatch(r"[^.!?]+\.", plain), sentence
        assert sentence[0].isupper() or sentence[0] in "“„"
        assert "  " not in sentence
        assert "None" not in sentence
    assert list(letters_of(facts)) == list(letters_of(facts)), "one night, one letter"


def test_nights_are_told_in_different_words() -> None:
    nights = [f"2026-03-{day:02d}" for day in range(1, 31)]
    for language in LANGUAGES:
        said = {morning(replace(KNOWN, night_id=night), language) for night in nights}
        assert len(said) > 6


def test_a_night_of_which_little_is_known_says_so() -> None:
    _, night, unknown = morning(LetterFacts(NIGHT), "en")
    assert "nothing" in night or "past me" in night
    assert unknown == "Nothing was recorded, so this night belongs to memory alone."
    half = LetterFacts(NIGHT, onset=KNOWN.onset, waking=KNOWN.waking, sleep_min=KNOWN.sleep_min, recorded_min=480.0,
                       unknown_min=240.0)  # fmt: skip
    assert "set little store by this" in morning(half, "en")[2]
    assert "Eine Weile" in morning(LetterFacts(NIGHT, recorded_min=480.0, unknown_min=60.0), "de")[2]


@pytest.mark.parametrize("text", ["87 %", "slept 7.5 h", "a score of ninety", "½ the night", "12 times", "neunzig"])
def test_the_rule_of_numbers_finds_numbers(text: str) -> None:
    assert number_too_big(text)


def test_clock_times_and_titles_are_no_numbers() -> None:
    assert number_too_big("At 22:45 Oma told “The 3 bears”, and 6:05 was the end.") == ""


def test_two_stories_of_one_evening_are_both_thought_of() -> None:
    both = (Told(0.0, "A", "", "Mia"), Told(1.0, "B"))
    assert told_words(both, "en") == "Mia listened to “A” and another story"
    assert told_words(both[:1] * 2, "en") == "Mia listened to “A”"
    assert told_words((), "en") == ""


# ---- facts from a journal -------------------------------------------------------------------------------------------


def kept_night(wall_s: float) -> KeptNight:
    epochs, estimates = [], []
    for number in range(240):
        start_s = wall_s + number * 30.0
        sure = (0.97, 0.01, 0.01, 0.01) if number < 40 else (0.01, 0.97, 0.01, 0.01)
        epochs.append(replace(unknown_epoch(number, wall_s), presence=Presence.PULSE, in_bed=True))
        estimates.append(StageEstimate(number, start_s, Stage.AWAKE if number < 40 else Stage.LIGHT, sure))
    times = NightTimes(NIGHT, in_bed_s=wall_s)
    return KeptNight(times, wall_s, wall_s + 7200.0, tuple(epochs), tuple(estimates), (), ())


def test_facts_of_a_night_are_by_the_evenings_clock_also_after_midnight() -> None:
    evening_s = datetime.datetime(2026, 3, 14, 21, 30, tzinfo=datetime.UTC).timestamp()
    facts = letter_facts(kept_night(evening_s), 3600.0)
    assert facts.in_bed_s == 22.5 * HOUR_S
    assert facts.onset is not None
    assert facts.onset.low <= 22.5 * HOUR_S + 1200.0 <= facts.onset.high
    assert facts.sensed_onset_wall_s == evening_s + 1200.0
    late = letter_facts(kept_night(evening_s + 3 * HOUR_S), 3600.0)
    assert late.in_bed_s == 25.5 * HOUR_S


def test_what_was_learned_makes_the_range_of_the_onset_wider_on_that_side() -> None:
    night = kept_night(datetime.datetime(2026, 3, 14, 21, 30, tzinfo=datetime.UTC).timestamp())
    plain, back, on = (letter_facts(night, 0.0, Learned(shift_s)).onset for shift_s in (0.0, -240.0, 240.0))
    assert plain is not None
    assert back == Range(plain.low - 240.0, plain.high)
    assert on == Range(plain.low, plain.high + 240.0)


def test_the_journal_keeps_who_read_what_to_whom(tmp_path: Path) -> None:
    with box(tmp_path / "journal.db") as it:
        it.command("begin")
        it.live(90.0)
    journal = Journal(tmp_path / "journal.db")
    (told,) = journal.load(NIGHT).told
    journal.close()
    assert (told.title, told.listener) == ("The attic of old stories", "")
    assert told.teller == "Somnisphere"


# ---- where the telling and the sensor differ ------------------------------------------------------------------------


def test_a_difference_is_said_kindly_and_only_where_there_is_one() -> None:
    seen = Range(22.75 * HOUR_S, 23.25 * HOUR_S)
    assert difference(23.4 * HOUR_S, seen, "en") is None
    assert difference(None, seen, "en") is None
    assert difference(22.0 * HOUR_S, None, "en") is None
    earlier, later = difference(22.0 * HOUR_S, seen, "en"), difference(24.5 * HOUR_S, seen, "de")
    assert earlier is not None
    assert later is not None
    assert earlier.startswith("As it is remembered, sleep came around ten, before I saw it.")
    assert later.startswith("Erinnert wird der Schlaf gegen halb eins, später als ich ihn sah.")
    for said in (earlier, later, *(words.to(language) for words in LEARNED.values() for language in LANGUAGES)):
        assert number_too_big(said) == ""


# ---- a week ---------------------------------------------------------------------------------------------------------


def a_week() -> dict[str, LetterFacts]:
    return {f"2026-03-{day:02d}": LetterFacts(f"2026-03-{day:02d}", onset=KNOWN.onset, waking=KNOWN.waking,
                                              told=KNOWN.told if day == 10 else ()) for day in (9, 10, 13)}  # fmt: skip


def test_a_week_leaves_closed_and_blank_evenings_as_they_are() -> None:
    rows = evenings(MONDAY, a_week(), ["2026-03-11", "2026-03-11.2"])
    assert [row.state for row in rows] == ["open", "open", "closed", "blank", "open", "blank", "blank"]
    assert [row.words("en") for row in rows[2:4]] == ["closed", "blank"]
    said = week_words(rows, "en")
    assert said[0] == "Sleep came between a quarter to eleven and half past eleven."
    assert "Tuesday: Oma Lene told “The attic” to Mia." in said
    assert "What is still closed is not on this page." in said
    for language in LANGUAGES:
        for sentence in week_words(rows, language):
            assert number_too_big(sentence) == ""


def test_two_open_nights_have_no_usual_time() -> None:
    few = dict(list(a_week().items())[:2])
    assert not any("Sleep came" in sentence for sentence in week_words(evenings(MONDAY, few, []), "en"))


def test_weeks_begin_on_monday() -> None:
    assert monday_of(datetime.date(2026, 3, 15)) == MONDAY == monday_of(MONDAY)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_ribbon_says_all_it_shows(language: str) -> None:
    rows = evenings(MONDAY, a_week(), ["2026-03-11"])
    drawn = ElementTree.fromstring(ribbon(rows, language))
    space = "{http://www.w3.org/2000/svg}"
    texts = {element.get("id"): "".join(element.itertext()) for element in drawn}
    named = (drawn.get("aria-labelledby") or "").split()
    assert all(texts[name] for name in named)
    for row in rows:
        assert f"{row.weekday(language)}: {row.words(language)}" in texts["ribbon-words"]
    assert len(drawn.findall(f"{space}rect")) == 3 * 3, "a band with two soft ends for each open night, none for others"
    for element in drawn.iter():
        if element.tag != f"{space}desc" and element.text and element.text.strip():
            assert number_too_big(element.text) == ""


def test_a_ribbon_stays_inside_its_picture() -> None:
    far = LetterFacts(MONDAY.isoformat(), onset=Range(0.0, 3 * HOUR_S), waking=Range(40 * HOUR_S, 50 * HOUR_S))
    drawn = ElementTree.fromstring(ribbon(evenings(MONDAY, {MONDAY.isoformat(): far}, []), "en"))
    for rect in drawn.iter("{http://www.w3.org/2000/svg}rect"):
        assert 130 <= float(rect.get("x", "0")) <= float(rect.get("x", "0")) + float(rect.get("width", "0")) <= 690.1
