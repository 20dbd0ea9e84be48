"""Telling a night: the questions, what is understood of the answers, the seal, and what tellings teach."""

import re
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.diary.door import Door
from somnisphere.diary.learning import FEWEST, MOST_S, learn
from somnisphere.diary.questions import ADULT, CHILD, DONT_KNOW, FORMS, Form
from somnisphere.diary.seal import TRANSITIONS, Seal, Step, after, asks, diagram, lets_through
from somnisphere.diary.store import Diary, DiaryError
from somnisphere.diary.telling import NotUnderstoodError, Telling, clock_wall_s, read_telling, told_onset_s

NIGHT = "2026-03-14"
TOLD = {"tried": "22:30", "latency_min": "20", "wakings": "once", "felt": "plain"}


def wall_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# ---- questions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_the_nine_things_of_the_sleep_diary_are_asked_once_each(form: Form) -> None:
    keys = [question.key for question in FORMS[form]]
    assert len(keys) == len(set(keys)) == 9
    both = {question.key for question in ADULT} & {question.key for question in CHILD}
    assert both == {"into_bed", "tried", "wakings", "woke", "got_up", "felt", "words"}


def test_a_child_meets_pictures_with_words_and_no_number() -> None:
    for question in CHILD:
        assert question.kind in ("choice", "text")
        for words in (question.words, *(choice.words for choice in question.choices)):
            assert not re.search(r"\d", words.en + words.de)
        assert all(choice.picture and choice.words.en and choice.words.de for choice in question.choices)
        assert max(Counter(choice.picture for choice in question.choices).values(), default=1) == 1


# ---- tellings -------------------------------------------------------------------------------------------------------


def test_a_telling_keeps_what_was_said_and_leaves_the_rest_blank() -> None:
    told = read_telling("adult", TOLD | {"woke": " 6:05 ", "awake_min": DONT_KNOW, "into_bed": "", "else": "x"})
    assert told.answers == {
        "tried": "22:30", "latency_min": 20, "wakings": "once", "felt": "plain", "woke": "06:05",
        "awake_min": DONT_KNOW,
    }  # fmt: skip
    assert told.known("awake_min") is None
    assert told.known("into_bed") is None
    assert read_telling("adult", {}).answers == {}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("tried", "24:00"), ("tried", "half ten"), ("latency_min", "-5"), ("latency_min", "1e9"),
        ("latency_min", "961"), ("latency_min", "٣"), ("wakings", "sometimes"), ("words", "x" * 2001),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_by_its_question(key: str, text: str) -> None:
    with pytest.raises(NotUnderstoodError) as refused:
        read_telling("adult", TOLD | {key: text})
    assert list(refused.value.wrong) == [key]


@given(st.sampled_from(list(FORMS)), st.dictionaries(st.sampled_from([q.key for q in (*ADULT, *CHILD)]), st.text()))
def test_any_form_is_understood_or_refused_and_nothing_is_made_up(form: Form, said: dict[str, str]) -> None:
    wrong: set[str] = set()
    answered: set[str] = set()
    try:
        answered = set(read_telling(form, said).answers)
    except NotUnderstoodError as refused:
        wrong = set(refused.wrong)
    asked = {question.key for question in FORMS[form]}
    assert answered | wrong <= {key for key, text in said.items() if text.strip()} & asked


def test_clock_times_belong_to_the_evening_or_to_the_day_after() -> None:
    assert clock_wall_s(NIGHT, "22:30", 3600.0) == wall_s("2026-03-14T21:30")
    assert clock_wall_s(f"{NIGHT}.2", "00:10", 3600.0) == wall_s("2026-03-14T23:10")
    assert clock_wall_s(NIGHT, "11:59", 0.0) == wall_s("2026-03-15T11:59")


def test_sleep_is_dated_by_a_telling_only_where_both_times_were_told() -> None:
    told = read_telling("adult", TOLD)
    assert told_onset_s(told, NIGHT, 3600.0) == wall_s("2026-03-14T21:50")
    assert told_onset_s(Telling("adult", {"tried": "22:30", "latency_min": DONT_KNOW}), NIGHT, 0.0) is None
    assert told_onset_s(Telling("child", {"tried": "sleep"}), NIGHT, 0.0) is None


# ---- the seal -------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(list(Step))))
def test_only_a_person_who_wants_to_look_opens_a_night(steps: list[Step]) -> None:
    seal = Seal.SEALED
    for step in steps:
        was, seal = seal, after(seal, step)
        assert not lets_through(was) or lets_through(seal), "what was seen was seen"
        if lets_through(seal) and not lets_through(was):
            assert step is Step.SHOW or (step is Step.OPEN and was is Seal.TOLD)
        if step is Step.NOT_TODAY and not lets_through(was):
            assert not lets_through(seal)
            assert not asks(seal)


def test_the_diagram_is_drawn_from_the_table() -> None:
    assert diagram().count("-->") == len(TRANSITIONS) + 1
    assert "told --> opened: open" in diagram()


# ---- the household's file -------------------------------------------------------------------------------------------


def test_a_night_that_nobody_told_is_sealed_and_blank(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "household.db")
    assert diary.seal(NIGHT) is Seal.SEALED
    assert diary.telling(NIGHT) is None
    assert diary.step(NIGHT, Step.OPEN, 1.0) is Seal.SEALED, "not told yet"
    assert diary.seals() == {}


def test_what_was_told_is_kept_and_may_be_mended_or_taken_back(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "household.db")
    assert diary.tell(NIGHT, read_telling("adult", TOLD | {"words": "Größe „x“"}), 1.0, 600.0) is Seal.TOLD
    assert diary.tell(NIGHT, read_telling("adult", TOLD | {"felt": "kind"}), 2.0, 300.0) is Seal.TOLD
    kept = Diary(diary.path).telling(NIGHT)
    assert kept is not None
    assert (kept.told_wall_s, kept.telling.answers["felt"]) == (2.0, "kind")
    assert diary.differences_s() == (300.0,)
    assert diary.step(NIGHT, Step.OPEN, 3.0) is Seal.OPENED
    diary.forget(NIGHT)
    assert diary.telling(NIGHT) is None
    assert diary.seal(NIGHT) is Seal.OPENED


def test_what_is_told_after_looking_teaches_nothing(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "household.db")
    diary.step(NIGHT, Step.SHOW, 1.0)
    assert diary.tell(NIGHT, read_telling("adult", TOLD), 2.0, 600.0) is Seal.OPENED
    assert diary.differences_s() == ()
    other = "2026-03-15"
    diary.tell(other, read_telling("adult", TOLD), 1.0, 600.0)
    diary.step(other, Step.OPEN, 2.0)
    diary.tell(other, read_telling("adult", TOLD), 3.0, -60.0)
    assert diary.differences_s() == (600.0,), "what was told before looking stays"


def test_a_file_that_is_no_database_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "household.db").write_text("no database, but long enough to be looked at by SQLite" * 20)
    with pytest.raises(DiaryError, match=r"household\.db: the household's words cannot be kept or read: .*not a data"):
        Diary(tmp_path / "household.db").seal(NIGHT)


# ---- the daemon's side ----------------------------------------------------------------------------------------------


def test_the_door_hears_of_every_change_and_asks_the_disk_for_nothing_else(tmp_path: Path) -> None:
    diary, door = Diary(tmp_path / "household.db"), Door(tmp_path / "household.db", tell_first=True)
    assert not door.look(), "nobody has said anything"
    assert not door.shows(NIGHT)
    assert not door.shows(None)
    for step, seen in ((Step.NOT_TODAY, False), (Step.TELL, False), (Step.OPEN, True)):
        diary.step(NIGHT, step, 1.0)
        assert door.look()
        assert door.shows(NIGHT) is seen
        read: list[str] = []
        assert door._db is not None
        door._db.set_trace_callback(read.append)
        assert not door.look()
        assert read == ["PRAGMA data_version"]
    door.close()


def test_without_tell_first_nothing_is_sealed_by_the_door(tmp_path: Path) -> None:
    door = Door(tmp_path / "household.db", tell_first=False)
    assert door.shows(NIGHT)
    assert door.shows(None)


def test_a_file_that_cannot_be_read_seals_everything_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    diary, door = Diary(path), Door(path, tell_first=True)
    diary.step(NIGHT, Step.SHOW, 1.0)
    assert door.look()
    kept = path.read_bytes()
    path.unlink()
    path.write_bytes(b"something else entirely" * 100)
    assert door.look()
    assert not door.shows(NIGHT)
    assert "nights stay sealed until it can" in door.problem
    path.unlink()
    path.write_bytes(kept)
    assert door.look()
    assert door.problem == ""
    path.unlink()
    assert door.look()
    assert not door.shows(NIGHT)
    door.close()


def test_a_household_file_without_a_diary_yet_seals_everything(tmp_path: Path) -> None:
    path = tmp_path / "household.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE dream (words TEXT)")
    db.commit()
    door = Door(path, tell_first=True)
    door.look()
    assert door.problem == ""
    assert not door.shows(NIGHT)
    door.close()
    db.close()


# ---- learning -------------------------------------------------------------------------------------------------------


def test_nothing_is_learned_from_few_nights_or_from_nights_that_disagree() -> None:
    assert learn([-900.0] * (FEWEST - 1)).direction is None
    assert learn([-900.0, 900.0] * 5).direction is None
    assert learn([-60.0] * 10).direction is None, "that is how people round"
    assert learn([-6 * 3600.0] * 10).direction is None, "that was another sleep"


def test_sleep_that_is_told_earlier_sends_the_bookmark_further_back() -> None:
    assert learn([-280.0, -270.0, -290.0, -280.0, 9000.0]).shift_s == -280.0
    assert learn([-280.0] * 6).direction == "back"
    assert learn([-290.0, -250.0, -270.0, -280.0, -260.0, -295.0]).shift_s == -275.0
    assert learn([600.0] * 6).direction == "on"


@given(st.lists(st.floats(-1e6, 1e6)))
def test_what_is_learned_is_bounded_and_no_single_night_decides(differences_s: list[float]) -> None:
    found = learn(differences_s)
    assert abs(found.shift_s) <= MOST_S
    if found.direction is not None:
        assert learn([*differences_s, *[0.0] * 14]).direction is None, "later nights that agree undo it"
