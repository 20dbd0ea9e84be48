"""The weaver's table: lines in turn, cards, a helper that asks, versions that are never lost, and the story of it."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.library.reading import read
from somnisphere.story import Book, Consent
from somnisphere.weaver.binding import NotBoundError, bind
from somnisphere.weaver.cards import CARDS, KINDS, draw
from somnisphere.weaver.helper import _ASK, _WRITE, EARLY_LINES, LATE_LINES, line_when_told, question, untold
from somnisphere.weaver.store import MOST_TABLES, MOST_VERSIONS, WeaverStore
from somnisphere.weaver.table import MOST_CHARS, MOST_LINES, Table, TableError

ROUND = Table("The lantern", "en", ("Mira", "Oma", "Ben"))


def told(table: Table, *texts: str) -> Table:
    for text in texts:
        table = table.added(table.turn, text)
    return table


# ---- the table ------------------------------------------------------------------------------------------------------


def test_a_line_each_in_turn_and_whoever_comes_late_sits_down_too() -> None:
    table = told(ROUND, "One.", "Two.", "Three.", "Four.")
    assert [line.teller for line in table.lines] == ["Mira", "Oma", "Ben", "Mira"]
    table = table.joined("Lila").joined("Lila").joined("")
    assert table.tellers == ("Mira", "Oma", "Ben", "Lila")
    assert told(table, "5", "6", "7", "8").lines[-1].teller == "Mira"
    assert table.added("a guest", "Out of turn.").turn == "Oma", "a guest changes nobody's turn"


def test_a_line_is_changed_and_taken_out_and_a_voice_goes_with_its_words() -> None:
    table = told(ROUND, "One.", "Two.").recorded(0, "a.webm", 2.0).recorded(1, "b.webm", 1.0)
    assert table.is_recorded
    assert table.changed(0, " One. ") == table
    changed = table.changed(0, "First.")
    assert (changed.lines[0].text, changed.lines[0].recording, changed.is_recorded) == ("First.", "", False)
    assert [line.text for line in table.taken_out(0).lines] == ["Two."]
    assert not Table("empty").is_recorded


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda t: t.added("x", "  "), "empty"),
        (lambda t: t.added("x", "a" * (MOST_CHARS + 1)), "long"),
        (lambda t: t.changed(9, "x"), "gone"),
        (lambda t: t.taken_out(-1), "gone"),
        (lambda _: told(Table("t"), *["x"] * (MOST_LINES + 1)), "full"),
    ],
)
def test_what_cannot_be_is_said(act, why: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TableError, match=why):
        act(ROUND)


# ---- cards and helper -----------------------------------------------------------------------------------------------


def test_a_draw_has_one_card_of_each_kind_and_is_the_same_for_the_same_seed() -> None:
    assert len({draw(seed) for seed in range(50)}) > 40
    for seed in range(50):
        assert tuple(CARDS[key].kind for key in draw(seed)) == KINDS
        assert draw(seed) == draw(seed)
    assert len(CARDS) == 36, "no card has another one's name"


def test_both_languages_ask_and_write_alike() -> None:
    for texts in (_ASK, _WRITE):
        assert texts["en"].keys() == texts["de"].keys()
        for slot in texts["en"]:
            assert len(texts["en"][slot]) == len(texts["de"][slot])


@given(
    st.lists(st.text(min_size=1, max_size=40).filter(str.strip), max_size=20), st.integers(0, 30), st.integers(0, 99)
)
def test_the_helper_asks_and_never_writes_on_the_table(texts: list[str], nth: int, seed: int) -> None:
    table = told(Table("A story", "de", ("Mira",), cards=draw(seed)), *texts)
    asked = question(table, nth)
    assert asked.endswith("?")
    assert asked in {*sum(_ASK["de"].values(), ())} | {
        _ASK["de"]["card"][0].format(card=CARDS[key].words["de"]) for key in table.cards
    }
    before = table
    line = line_when_told(table, nth)
    assert table == before
    assert line.endswith(".")
    assert "{" not in line
    assert table.added("", line).lines[-1].text == line, "it fits on the table when somebody wants it there"


def test_it_asks_for_what_the_story_needs_next() -> None:
    def stage(lines: int) -> set[str]:
        table = told(Table("A story"), *(f"Line {n}." for n in range(lines)))
        return {question(table, nth) for nth in range(10)}

    assert stage(0) == set(_ASK["en"]["begin"])
    assert stage(1) == set(_ASK["en"]["early"])
    assert stage(EARLY_LINES) == set(_ASK["en"]["middle"])
    assert stage(LATE_LINES) == set(_ASK["en"]["late"])


def test_a_card_that_was_taken_up_is_not_asked_for_again() -> None:
    table = Table("A story", cards=("otter", "lantern"))
    assert untold(table) == ["otter", "lantern"]
    table = table.added("", "The otter sat down.")
    assert untold(table) == ["lantern"]
    assert any("lantern that burns backwards" in question(table, nth) for nth in range(5))
    assert "lantern that burns backwards" in line_when_told(table)
    assert "{" not in line_when_told(table.added("", "It had a lantern."))


# ---- versions -------------------------------------------------------------------------------------------------------


def test_every_version_is_kept_and_two_who_write_at_once_do_not_overwrite_each_other(tmp_path: Path) -> None:
    store = WeaverStore(tmp_path / "household.db")
    number = store.new(ROUND, 1.0)
    first, other = told(ROUND, "One."), told(ROUND, "Another one.")
    assert store.keep(number, 1, first, 2.0)
    assert not store.keep(number, 1, other, 2.1), "the second one is told, and looks again"
    assert store.keep(number, 2, first.changed(0, "Uno."), 3.0)
    assert [version.number for version in store.versions(number)] == [3, 2, 1]
    assert store.versions(number)[1].table == first
    assert store.keep(number, 3, first, 4.0), "going back is a new version"
    assert store.latest()[0].table == first
    assert len(store.versions(number)) == 4
    store.clear(number)
    assert store.latest() == store.versions(number) == []
    assert not store.keep(number, 4, first, 5.0)


def test_there_is_room_for_so_many_tables_and_a_cleared_one_makes_room(tmp_path: Path) -> None:
    store = WeaverStore(tmp_path / "household.db")
    numbers = [store.new(ROUND, float(n)) for n in range(MOST_TABLES)]
    with pytest.raises(TableError, match="tables"):
        store.new(ROUND, 99.0)
    assert [version.weaving for version in store.latest()] == numbers[::-1]
    store.clear(numbers[0])
    assert store.new(ROUND, 100.0) not in numbers


def test_versions_without_end_do_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("somnisphere.weaver.store.MOST_VERSIONS", 5)
    store = WeaverStore(tmp_path / "household.db")
    number = store.new(ROUND, 0.0)
    for after in range(1, 20):
        assert store.keep(number, after, ROUND, float(after))
    assert [version.number for version in store.versions(number)] == [20, 19, 18, 17, 16]
    assert MOST_VERSIONS >= 500


# ---- the story ------------------------------------------------------------------------------------------------------


def read_back(path: Path, tmp_path: Path) -> Book:
    book = read(path, path.parent, tmp_path / "cache")
    assert isinstance(book, Book), book
    return book


def test_a_table_becomes_a_story_of_the_shelf_with_a_teller_for_each_sentence(tmp_path: Path) -> None:
    table = told(ROUND, "Once there was an otter. It could not swim.", "But it could sing.")
    path = bind(table, tmp_path, {})
    assert path.name == "the-lantern.story"
    book = read_back(path, tmp_path)
    assert [(sentence.text, sentence.teller) for sentence in book.sentences] == [
        ("Once there was an otter.", "Mira"),
        ("It could not swim.", "Mira"),
        ("But it could sing.", "Oma"),
    ]
    assert (book.title, book.teller, book.language, book.recordings) == ("The lantern", "Mira, Oma", "en", ())
    with pytest.raises(NotBoundError, match="another title"):
        bind(table, tmp_path, {})
    with pytest.raises(NotBoundError, match="no line"):
        bind(ROUND, tmp_path, {})
    with pytest.raises(NotBoundError, match="cannot be written"):
        bind(table, tmp_path / "nowhere", {})


def voice(path: Path, seconds: float, pitch_hz: int) -> Path:
    source = f"sine=frequency={pitch_hz}:duration={seconds}"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, str(path)], check=True)
    return path


def test_voices_of_every_line_become_one_recording_with_marks(tmp_path: Path) -> None:
    table = told(ROUND, "One. Two, which is longer.", "Three.").recorded(0, "a", 3.0).recorded(1, "b", 1.5)
    voices = {"a": voice(tmp_path / "a.ogg", 3.0, 300), "b": voice(tmp_path / "b.wav", 1.5, 500)}
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with pytest.raises(NotBoundError, match="record that line again"):
        bind(table, shelf, {"a": voices["a"]})
    (recording,) = read_back(bind(table, shelf, voices), tmp_path).recordings
    assert recording.duration_s == pytest.approx(4.5, abs=0.2)
    assert recording.consent is None, "nobody was asked"
    assert [mark.sentence_id for mark in recording.marks] == ["s1", "s2", "s3"]
    assert recording.marks[0].begin_s == 0.0
    assert recording.marks[0].end_s < 1.0
    assert recording.marks[1].end_s == pytest.approx(3.0)
    assert recording.marks[2].end_s == pytest.approx(4.5)
    assert list(shelf.iterdir()) == [shelf / "the-lantern.story"]


def test_what_the_tellers_allowed_goes_with_their_voices(tmp_path: Path) -> None:
    voices = {"a": voice(tmp_path / "a.ogg", 1.0, 300), "b": voice(tmp_path / "b.ogg", 1.0, 500)}
    for circle in (True, False):
        table = told(ROUND, "One.", "Two.").recorded(0, "a", 1.0, on="2026-03-14", circle=True)
        table = table.recorded(1, "b", 1.0, on="2026-03-15", circle=circle)
        shelf = tmp_path / f"shelf {circle}"
        shelf.mkdir()
        (recording,) = read_back(bind(table, shelf, voices), tmp_path).recordings
        assert recording.consent == Consent("Mira, Oma", "2026-03-15", circle), "all of them, or it stays in the house"
