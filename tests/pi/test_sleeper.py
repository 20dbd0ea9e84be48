"""What is claimed of whom."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.box import box
from tests.cli_words import Output, configured, error_of
from tests.core_bedside import Bedside, of, somebody
from tests.pi.test_overnight import night

from somnisphere.cli import main
from somnisphere.config import ConfigError, load
from somnisphere.events import KeepEpoch
from somnisphere.night import Presence
from somnisphere.sleep.overnight import revise
from somnisphere.sleeper import CHILD, ELDER, INFANT, Sleeper, claim

AT_S = datetime(2026, 3, 14, 22, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("born", "said"),
    [
        ("2026-02", INFANT),
        ("2026-12", INFANT),  # not born yet, by a clock that may be wrong
        ("2025-04", INFANT),
        ("2025-03", CHILD),
        ("2008-04", CHILD),
        ("2008-03", ""),
        ("1966-03", ""),
        ("1966-02", ELDER),
        ("", ""),
    ],
)
def test_what_is_said_of_each_age(born: str, said: str) -> None:
    assert claim(born, AT_S) == said


def test_of_an_infant_no_stage_is_guessed_neither_live_nor_in_the_morning() -> None:
    epochs = night(np.random.default_rng(1))
    sleeper = Sleeper("2026-01")
    stager = sleeper.stager(AT_S)
    for estimates in ([stager.step(epoch) for epoch in epochs], sleeper.revise(epochs)):
        assert {(e.stage, e.probabilities, e.drowsiness) for e in estimates} == {(None, None, None)}
        assert estimates[-1].reason == INFANT


def test_who_turns_one_is_staged_from_the_next_night_on() -> None:
    epochs = night(np.random.default_rng(1))
    sleeper = Sleeper("2025-04")
    sleeper.stager(AT_S)
    assert {e.reason for e in sleeper.revise(epochs)} == {INFANT}
    sleeper.stager(AT_S + 20 * 86400.0)
    assert CHILD in {e.reason for e in sleeper.revise(epochs)}


def test_a_childs_stages_are_those_of_anyone_with_a_word_of_caution() -> None:
    epochs = night(np.random.default_rng(1))
    sleeper, adult = Sleeper("2019-05"), Sleeper()
    live, base = sleeper.stager(AT_S), adult.stager(AT_S)
    for epoch in epochs:
        mine, theirs = live.step(epoch), base.step(epoch)
        assert (mine.stage, mine.probabilities, mine.drowsiness) == (
            theirs.stage,
            theirs.probabilities,
            theirs.drowsiness,
        )
        assert mine.reason == (theirs.reason if theirs.stage is None else CHILD)
    assert adult.revise(epochs) == revise(epochs)


def test_an_infant_in_bed_is_sensed_and_not_staged() -> None:
    bed = Bedside(born="2026-01")
    bed.feel(somebody(160.0, start_s=0.0))
    kept = of(KeepEpoch, bed.done)
    assert kept[-1].epoch.presence is Presence.PULSE
    assert (kept[-1].estimate.stage, kept[-1].estimate.reason) == (None, INFANT)
    shown = bed.core.snapshot()
    assert shown.heart_bpm is not None
    assert (shown.stage, shown.stage_reason) == (None, INFANT)


def test_a_month_of_birth_is_read_strictly(tmp_path: Path) -> None:
    assert load(configured(tmp_path, '[sleeper]\nborn = "2019-05"\n')).sleeper.born == "2019-05"
    for wrong in ("2019", "2019-13", "19-05", "May 2019"):
        with pytest.raises(ConfigError, match=r'sleeper\.born.* allowed is a year and month such as "2019-05"'):
            load(configured(tmp_path, f'[sleeper]\nborn = "{wrong}"\n'))


def test_there_is_nothing_to_explain_about_an_infant(tmp_path: Path, capsys: Output) -> None:
    with box(tmp_path / "journal.db") as it:
        it.command("begin")
        it.live(600.0, step_s=10.0)
    journal = f'[journal]\npath = "{tmp_path}/journal.db"\n'
    config = configured(tmp_path, f'[sleeper]\nborn = "2026-01"\n{journal}')
    assert main(["--config", str(config), "explain", "2026-03-14", "+00:05"]) == 2
    assert INFANT in error_of(capsys)
