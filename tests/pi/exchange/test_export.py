"""Nights half minute by half minute as CSV and JSON lines; sealed nights stay closed."""

import csv
import json
from pathlib import Path

import pytest
from tests.cli_words import Output, configured, error_of
from tests.pi.safekeeping.lived_in import DATES, EPOCHS, an_epoch, an_estimate, keep_night

from somnisphere.cli import main
from somnisphere.diary.seal import Step
from somnisphere.diary.store import Diary
from somnisphere.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    for night in DATES:
        keep_night(journal, night)
    journal.open_night("2026-03-20", 1e9)
    journal.close()
    return path


def config(folder: Path, more: str = "") -> str:
    return str(configured(folder, f'[journal]\npath = "{folder}/journal.db"\n{more}'))


def test_csv_and_json_say_the_same(journal: Path, tmp_path: Path, capsys: Output) -> None:
    for form in ("csv", "json"):
        assert main(["--config", config(tmp_path), "export", f"--{form}", str(tmp_path / form)]) == 0
        assert f"nights in {tmp_path / form}" in capsys.readouterr().out
    assert journal.exists()
    with (tmp_path / "csv" / f"somnisphere-{DATES[0]}.csv").open() as file:
        rows = list(csv.DictReader(file))
    lines = (tmp_path / "json" / f"somnisphere-{DATES[0]}.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines]
    assert len(rows) == len(said) == EPOCHS
    assert [{name: "" if v is None else str(v) for name, v in row.items()} for row in said] == rows
    for k, row in enumerate(said):
        epoch, estimate = an_epoch(k, 0.0), an_estimate(k, 0.0)
        assert (row["epoch"], row["stage"], row["reason"]) == (k, estimate.stage, estimate.reason)
        assert row["heart_bpm"] == (None if epoch.heart_bpm is None else round(epoch.heart_bpm, 2))
        assert (row["motion_counts_1"], row["motion_counts_2"]) == epoch.motion_counts
    assert said[2]["start"].startswith(f"{DATES[0]}T22:31:00.000")


def test_a_night_without_half_minutes_is_left_out(journal: Path, tmp_path: Path, capsys: Output) -> None:
    assert main(["--config", config(tmp_path), "export", "--csv", str(tmp_path / "c"), "--since", "2026-03-20"]) == 0
    assert "Left out: 2026-03-20 (nothing was recorded in it)." in capsys.readouterr().err
    assert journal.exists()


def test_sealed_nights_stay_closed(journal: Path, tmp_path: Path, capsys: Output) -> None:
    configuration = config(tmp_path, "[sleeper]\ntell_first = true\n")
    Diary(journal.with_name("household.db")).step(DATES[1], Step.SHOW, 0.0)
    base = ["--config", configuration, "export", "--json", str(tmp_path / "j"), "--until", DATES[2]]
    assert main(base) == 0
    said = capsys.readouterr()
    assert f"Left out: {DATES[0]} is sealed until it is told" in said.err
    assert [path.name for path in (tmp_path / "j").iterdir()] == [f"somnisphere-{DATES[1]}.jsonl"]
    assert main([*base, "--open", "--replace"]) == 0
    assert len(list((tmp_path / "j").iterdir())) == 3


def test_errors_name_the_mend(journal: Path, tmp_path: Path, capsys: Output) -> None:
    base = ["--config", config(tmp_path), "export"]
    assert main([*base, "--csv", str(tmp_path), "--since", "2030-01-01"]) == 2
    assert "no night is kept there in that time" in error_of(capsys)
    assert main([*base, "--csv", str(tmp_path), "--name", "Ida"]) == 2
    assert "--name is for --edf" in error_of(capsys)
    assert main([*base, "--csv", str(journal)]) == 2
    assert "cannot be written" in error_of(capsys)
    assert main([*base, "--csv", str(tmp_path), "--journal", str(tmp_path / "none.db")]) == 2
    assert "no journal there yet" in error_of(capsys)
