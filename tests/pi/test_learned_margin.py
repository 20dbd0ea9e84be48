"""What tellings teach moves the bookmark: read when sleep is dated, bounded, and said in the log."""

from pathlib import Path

import pytest
from tests.box import EVENING_S, box
from tests.number_bedside import LONG, NumberBedside

from somnisphere.diary.learning import FEWEST
from somnisphere.diary.store import Diary
from somnisphere.diary.telling import read_telling

TELLING = read_telling("adult", {"tried": "22:00", "latency_min": "10"})


def margin_s(further_back_s: float) -> float:
    """How far before the onset the bookmark lies."""
    bed = NumberBedside()
    bed.ritual.learned.further_back_s = further_back_s
    bed.begin()
    bed.live(600, 0.5)
    bed.do(bed.ritual.slept(bed.at_s, bed.at_s))
    return bed.position_s - bed.bookmarks[LONG.key]


def test_the_bookmark_goes_as_much_further_back_and_never_past_the_onset() -> None:
    assert margin_s(0.0) == pytest.approx(30.0, abs=2.0)
    assert margin_s(200.0) == pytest.approx(230.0, abs=2.0)
    assert margin_s(-20.0) == pytest.approx(10.0, abs=2.0)
    assert margin_s(-300.0) == pytest.approx(0.0, abs=2.0)


@pytest.mark.parametrize(("later_s", "back_s", "words"), [(-280.0, 280.0, "a little further back"),
                                                          (900.0, -300.0, "not quite so far back")])  # fmt: skip
def test_a_running_daemon_learns_from_tellings_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, later_s: float, back_s: float, words: str
) -> None:
    caplog.set_level("INFO")
    diary = Diary(tmp_path / "household.db")
    with box(tmp_path / "journal.db") as it:
        learned = it.daemon._core._ritual.learned
        for day in range(FEWEST):
            assert learned.further_back_s == 0.0
            diary.tell(f"2026-03-{day + 1:02d}", TELLING, EVENING_S, later_s)
            it.live(1.0)
        assert learned.further_back_s == back_s
        it.live(60.0, step_s=10.0)
    assert [record.message for record in caplog.records if "stories now begin" in record.message] == [
        f"From how nights were told, stories now begin {words}."
    ]
    with box(tmp_path / "journal.db") as it:
        assert it.daemon._core._ritual.learned.further_back_s == back_s, "from the start on"
        for day in range(FEWEST):
            diary.forget(f"2026-03-{day + 1:02d}")
        it.live(1.0)
        assert it.daemon._core._ritual.learned.further_back_s == 0.0, "what is taken back teaches nothing"
