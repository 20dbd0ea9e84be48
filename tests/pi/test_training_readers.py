"""Public sets of scored nights, read in their publishers' forms from tiny files that are written here."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.public_sets import (
    annotation_bytes,
    dreamt_rows,
    shaken,
    write_dreamt,
    write_mesa,
    write_sleep_accel,
    write_slpdb,
)

from somnisphere.errors import UserError
from somnisphere.night import STAGES, Stage
from somnisphere.training.readers import dreamt, mesa, sleep_accel, slpdb
from somnisphere.training.readers.found import find_sets
from somnisphere.training.readers.mit_annotations import read_annotations
from somnisphere.training.readers.movement import MovementCounter

AWAKE, LIGHT, DEEP, REM = (STAGES.index(stage) for stage in (Stage.AWAKE, Stage.LIGHT, Stage.DEEP, Stage.REM))


# ---- raw movement --------------------------------------------------------------------------------------------------


def count_of(time_s: np.ndarray, accel_g: np.ndarray, steps: int, pieces: int = 1) -> np.ndarray:
    counter = MovementCounter(50.0)
    for at_s, g in zip(np.array_split(time_s, pieces), np.array_split(accel_g, pieces), strict=True):
        counter.add(at_s, g)
    return counter.counts(steps)


def test_counts_are_those_of_walch() -> None:
    """15 s of 0.5 g at 6 Hz: 13 steps of 5/128 g (12.8, one added) each second, less 18, times 3.07."""
    time_s = np.arange(-3.0, 60.0, 0.02)
    counts = count_of(time_s, shaken(time_s, 15.0, 30.0), 4)
    assert counts[1] == pytest.approx((15 * 13 - 18) * 3.07, rel=0.02)
    assert counts[3] == 0.0


def test_counts_do_not_depend_on_how_the_file_is_cut_or_on_jitter() -> None:
    rng = np.random.default_rng(1)
    time_s = np.arange(-3.0, 120.0, 0.02)
    whole = count_of(time_s, shaken(time_s, 20.0, 70.0), 8)
    np.testing.assert_array_equal(count_of(time_s, shaken(time_s, 20.0, 70.0), 8, pieces=37), whole)
    uneven_s = time_s + rng.uniform(-0.004, 0.004, len(time_s))
    np.testing.assert_allclose(count_of(uneven_s, shaken(uneven_s, 20.0, 70.0), 8), whole, rtol=0.1, atol=5.0)


def test_a_gap_is_not_known_and_moves_nothing_after_it() -> None:
    """Ten minutes are missing, longer than movement is remembered; the watch hangs otherwise afterwards."""
    time_s = np.concatenate((np.arange(0.0, 120.0, 0.02), np.arange(750.0, 810.0, 0.02)))
    accel_g = shaken(time_s, 105.0, 120.0)
    accel_g[time_s > 700] = (0.0, 0.0, -1.0)
    counts = count_of(time_s, accel_g, 54)
    assert np.isnan(counts[8:50]).all()
    assert counts[6] == 0.0
    assert counts[7] > 300
    np.testing.assert_array_equal(counts[50:], 0.0)


def test_samples_out_of_order_and_not_finite_are_left_out() -> None:
    time_s = np.arange(0.0, 60.0, 0.02)
    accel_g = shaken(time_s, 20.0, 40.0)
    whole = count_of(time_s, accel_g, 4)
    twice = np.repeat(np.arange(len(time_s)), 2)
    np.testing.assert_array_equal(count_of(time_s[twice], accel_g[twice], 4), whole)
    dirty_s, dirty_g = np.insert(time_s, 500, [1e12, np.nan]), np.insert(accel_g, 500, 9.0, axis=0)
    dirty_g = np.insert(dirty_g, 500, np.nan, axis=0)
    np.testing.assert_array_equal(count_of(dirty_s, dirty_g, 4), whole)


# ---- each set ------------------------------------------------------------------------------------------------------


def test_sleep_accel(tmp_path: Path) -> None:
    write_sleep_accel(tmp_path, "46343")
    night = sleep_accel.read(tmp_path, "46343")
    assert (night.dataset, night.subject) == ("walch", "46343")
    assert night.stage.tolist() == [AWAKE, LIGHT, LIGHT, DEEP, DEEP, REM, -1]
    assert night.heart_bpm.shape == (7, 6)
    # Each value is the mean of the readings of the ten seconds that end then; those at 30 s already say 61.
    np.testing.assert_allclose(night.heart_bpm[0], [60, 60, 60, 60, 60, 60.5])
    np.testing.assert_allclose(night.heart_bpm[3], [63, 63, 63, 63, 63, 63.5])
    assert night.counts[1, 0] == pytest.approx((15 * 13 - 18) * 3.07, rel=0.02)
    np.testing.assert_array_equal(night.counts[2:], 0.0)


def test_sleep_accel_is_not_scored_where_the_watch_says_nothing(tmp_path: Path) -> None:
    write_sleep_accel(tmp_path, "7", stages=(0, 1, 2, 3))
    heart, motion = tmp_path / "heart_rate" / "7_heartrate.txt", tmp_path / "motion" / "7_acceleration.txt"
    heart.write_text("".join(line + "\n" for line in heart.read_text().split() if float(line.split(",")[0]) < 55))
    motion.write_text("".join(line for line in motion.read_text().splitlines(True) if float(line.split()[0]) >= 30))
    night = sleep_accel.read(tmp_path, "7")
    assert night.stage.tolist() == [-1, LIGHT, -1, -1]


def test_annotations_far_apart_backwards_and_with_text(tmp_path: Path) -> None:
    written = [
        (5, 1, ""),
        (1028, 1, "odd"),
        (2052, 5, "even"),
        (9_000_000, 22, "far"),
        (8_999_000, 1, ""),
        (8_999_000, 28, "x"),
    ]
    path = tmp_path / "x.ecg"
    path.write_bytes(annotation_bytes(written))
    assert [(a.sample, a.code, a.text) for a in read_annotations(path)] == written
    # num, sub and chan lie between an annotation and the next; here with values that would be times.
    path.write_bytes(struct.pack("<HHHHHH", 1 << 10 | 7, 60 << 10 | 900, 61 << 10 | 3, 62 << 10 | 1, 1 << 10 | 10, 0))
    assert [a.sample for a in read_annotations(path)] == [7, 17]


def test_slpdb(tmp_path: Path) -> None:
    write_slpdb(tmp_path, "slp01a")
    night = slpdb.read(tmp_path, "slp01a")
    assert (night.dataset, night.subject) == ("slpdb", "slp01a")
    assert night.stage.tolist() == [AWAKE, LIGHT, LIGHT, DEEP, DEEP, REM, -1]
    assert np.isnan(night.counts).all()
    assert night.counts.shape == (7, 2)
    # The intervals to and from the premature beat, 0.6 and 1.4 s, are not taken; the noise breaks none.
    np.testing.assert_allclose(night.heart_bpm, 60.0)


@pytest.mark.parametrize("rate_hz", [64, 100])
def test_dreamt(tmp_path: Path, rate_hz: int) -> None:
    ending = "_whole_df.csv" if rate_hz == 64 else "_PSG_df_updated.csv"
    stages = ("W", "N1", "N2", "N3", "Missing", "R")
    write_dreamt(tmp_path / f"data_{rate_hz}Hz", "S002", dreamt_rows(rate_hz, stages), ending)
    (night_set,) = find_sets(tmp_path)
    assert (night_set.name, night_set.nights) == ("dreamt", ("S002",))
    night = night_set.read("S002")
    assert night.stage.tolist() == [AWAKE, LIGHT, LIGHT, DEEP, -1, REM]
    np.testing.assert_allclose(night.heart_bpm[1:, 2:5], 70.0 + np.arange(1, 6)[:, None] + np.zeros(3))
    assert night.counts[1, 0] == pytest.approx((15 * 13 - 18) * 3.07, rel=0.1)
    np.testing.assert_array_equal(night.counts[3:, 0], 0.0)


def test_dreamt_in_pieces_and_with_empty_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = dreamt_rows(64, ("W", "N2", "R"))
    whole = dreamt.read(write_dreamt(tmp_path, "S003", rows), "S003")
    monkeypatch.setattr(dreamt, "LINES_AT_ONCE", 777)
    pieces = dreamt.read(tmp_path / "S003_whole_df.csv", "S003")
    np.testing.assert_array_equal(pieces.counts, whole.counts)
    np.testing.assert_array_equal(pieces.heart_bpm, whole.heart_bpm)
    np.testing.assert_array_equal(pieces.stage, whole.stage)
    cells = [row.split(",") for row in rows]
    for at in range(64 * 12, 64 * 38):  # in the second epoch no acceleration; its last seconds are there again
        cells[at + 64 * 30][2] = ""
    missing = dreamt.read(write_dreamt(tmp_path, "S004", [",".join(row) for row in cells]), "S004")
    assert np.isnan(missing.counts[1]).all()
    np.testing.assert_array_equal(missing.heart_bpm, whole.heart_bpm)


def test_dreamt_at_64_hz_is_preferred(tmp_path: Path) -> None:
    for rate_hz, sids in ((64, ("S002",)), (100, ("S002", "S005"))):
        for sid in sids:
            write_dreamt(tmp_path / f"data_{rate_hz}Hz", sid, ["0,0,0,0,0,0,0,60,1,W,"])
    assert [(found.folder.name, found.nights) for found in find_sets(tmp_path)] == [
        ("data_100Hz", ("S005",)),
        ("data_64Hz", ("S002",)),
    ]


@pytest.mark.parametrize("profusion", [False, True])
def test_mesa(tmp_path: Path, profusion: bool) -> None:
    night = mesa.read(tmp_path, write_mesa(tmp_path, 12, profusion=profusion))
    assert (night.dataset, night.subject) == ("mesa", "mesa-sleep-0012")
    assert night.stage.tolist() == [AWAKE, AWAKE, LIGHT, DEEP, REM, -1]
    np.testing.assert_allclose(night.heart_bpm, 80.0)
    # Lines 101, 102, ...; 103 was off the wrist and 104 is empty; each 15 s get half.
    expected = np.array([50.5, 51.0, np.nan, np.nan, 52.5, 53.0])
    np.testing.assert_array_equal(night.counts, np.stack([expected, expected], axis=1))


def test_mesa_without_actigraphy_has_no_movement(tmp_path: Path) -> None:
    night = mesa.read(tmp_path, write_mesa(tmp_path, 12, actigraphy=False))
    assert np.isnan(night.counts).all()
    assert (night.stage >= 0).sum() == 5


# ---- what is broken ------------------------------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


@pytest.mark.parametrize(
    ("write", "broken", "harm", "words"),
    [
        (write_sleep_accel, "heart_rate/{}_heartrate.txt", "3.0,x\n", r"line 1: 'x' is not a number"),
        (write_sleep_accel, "motion/{}_acceleration.txt", "0 1 0 0\n0.02 1 0\n", r"line 2 has 3 numbers, not 4"),
        (write_sleep_accel, "motion/{}_acceleration.txt", None, r"there is no such file"),
        (write_sleep_accel, "labels/{}_labeled_sleep.txt", "\n", r"it is empty"),
        (write_sleep_accel, "labels/{}_labeled_sleep.txt", "-30 0\n", r"no label lies after the start"),
        (write_slpdb, "{}.ecg", cut, r"it is cut off"),
        (write_slpdb, "{}.st", b"\0\0", r"it holds no sleep stage"),
        (write_slpdb, "{}.hea", "slp 4 fast\n", r"does not say a rate"),
        (write_slpdb, "{}.hea", None, r"there is no such file"),
    ],
)
def test_what_is_broken_is_named_with_its_mend(
    tmp_path: Path,
    write: Callable[[Path, str], None],
    broken: str,
    harm: str | bytes | Callable[[Path], None] | None,
    words: str,
) -> None:
    write(tmp_path, "slp01a")
    path = tmp_path / broken.format("slp01a")
    if harm is None:
        path.unlink()
    elif isinstance(harm, str | bytes):
        path.write_bytes(harm if isinstance(harm, bytes) else harm.encode())
    else:
        harm(path)
    (night_set,) = find_sets(tmp_path)
    with pytest.raises(UserError, match=words) as problem:
        night_set.read("slp01a")
    assert str(path) in str(problem.value)
    assert str(problem.value).count(". ") >= 1, "what is wrong, then the mend"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["0,0,0,0,0,0,0,60,1,P,", "1,0,0"], r"line 3 is cut off"),
        (["0,0,0,0,0,0,0,60,1,W,", "1,0,0,zero,0,0,0,60,1,W,"], r"line 3: could not convert string to float: 'zero'"),
        (["0,0,0,0,0,0,0,60,1,P,"] * 3, r"column 'Sleep_Stage' holds no stage"),
    ],
)
def test_a_broken_dreamt_file_is_named_with_its_line(tmp_path: Path, rows: list[str], words: str) -> None:
    path = write_dreamt(tmp_path, "S002", rows)
    with pytest.raises(UserError, match=words) as problem:
        dreamt.read(path, "S002")
    assert str(path) in str(problem.value)


def test_a_dreamt_file_without_a_column(tmp_path: Path) -> None:
    path = write_dreamt(tmp_path, "S002", [])
    path.write_text("TIMESTAMP,BVP\n0,1\n")
    with pytest.raises(UserError, match="column 'ACC_X' is missing"):
        dreamt.read(path, "S002")


def test_what_is_broken_in_mesa(tmp_path: Path) -> None:
    night = write_mesa(tmp_path, 3)
    stages = tmp_path / "polysomnography" / "annotations-events-nsrr" / f"{night}-nsrr.xml"
    whole = stages.read_text()
    stages.write_text(whole[:-40])
    with pytest.raises(UserError, match="not readable XML"):
        mesa.read(tmp_path, night)
    stages.write_text(whole.replace("|3", "|deep"))
    with pytest.raises(UserError, match="a stage in it cannot be understood"):
        mesa.read(tmp_path, night)
    stages.write_text(whole.replace("<Start>90.0", "<Start>9e9"))
    with pytest.raises(UserError, match="an event from 9e"):
        mesa.read(tmp_path, night)
    stages.unlink()
    with pytest.raises(UserError, match="the stages of this night are missing"):
        mesa.read(tmp_path, night)
    stages.write_text(whole)
    (tmp_path / "overlap" / "mesa-actigraphy-psg-overlap.csv").unlink()
    mesa._first_lines.cache_clear()
    with pytest.raises(UserError, match="learn without movement"):
        mesa.read(tmp_path, night)
