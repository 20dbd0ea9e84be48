"""Commands over files and journals as they really are: whole, broken, elsewhere, or not there at all."""

import csv
import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.box import box
from tests.cli_words import FS_HZ, SECONDS, Output, configured, error_of, rows_of, wave
from tests.pulse_waves import beat_times

from somnisphere.cli import main

# ---- recordings ------------------------------------------------------------------------------------------------------


def write_csv(path: Path, header: str, rows: NDArray[np.float64]) -> Path:
    np.savetxt(path, rows, delimiter=",", header=header, comments="", fmt="%.4f")
    return path


def test_beats_of_a_csv_file(tmp_path: Path, capsys: Output) -> None:
    ir = wave()
    path = write_csv(tmp_path / "pulse.csv", "time_s,ir", np.column_stack([np.arange(len(ir)) / FS_HZ, ir]))
    assert main(["beats", str(path)]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert abs(len(rows) - SECONDS) < 6
    assert set(rows[0]) == {"at_s", "ibi_s", "quality"}
    true_s = np.diff(beat_times(SECONDS, 60.0))
    assert np.median([row["ibi_s"] for row in rows if row["ibi_s"]]) == pytest.approx(np.median(true_s), abs=0.004)


@pytest.mark.parametrize("column", ["ir", "ppg"])
def test_stages_of_a_recording_in_csv(column: str, tmp_path: Path, capsys: Output) -> None:
    """The pulse goes through the senses first; the file is told from a night's by its columns."""
    ir = wave()
    path = write_csv(tmp_path / "pulse.csv", f"time_s,{column}", np.column_stack([np.arange(len(ir)) / FS_HZ, ir]))
    assert main(["stage", str(path), "--csv"]) == 0
    text = capsys.readouterr().out
    assert "\r" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["start_s"] for row in rows[:3]] == ["0.0", "30.0", "60.0"]
    assert "reference" not in rows[0]
    assert any(row["p_awake"] for row in rows)


def test_stages_of_a_night_in_csv(tmp_path: Path, capsys: Output) -> None:
    at_s = np.arange(0.0, 3600.0, 5.0)
    path = write_csv(tmp_path / "night.csv", "time_s,heart_bpm", np.column_stack([at_s, 60.0 + np.sin(at_s / 70.0)]))
    assert main(["stage", str(path)]) == 0
    assert len(rows_of(capsys.readouterr().out)) == 120


def test_the_live_answer_knows_no_future(tmp_path: Path, capsys: Output) -> None:
    hr_s = np.arange(0.0, 5400.0, 5.0)
    hr_bpm = 64.0 - 8.0 * (hr_s > 2000) + 2.0 * np.sin(hr_s / 60.0)
    answers: dict[str, list[dict[str, Any]]] = {}
    for name, until_s in (("whole", 5400.0), ("cut", 3600.0)):
        path = tmp_path / f"{name}.npz"
        known = hr_s < until_s
        np.savez(
            path,
            hr_time_s=hr_s[known],
            hr_bpm=hr_bpm[known],
            motion_time_s=np.arange(0.0, until_s, 15.0),
            motion_count=np.zeros(round(until_s / 15.0)),
        )
        for option in ("live", "overnight"):
            assert main(["stage", str(path), *(["--overnight"] if option == "overnight" else [])]) == 0
            answers[f"{name} {option}"] = rows_of(capsys.readouterr().out)
    assert answers["whole live"][:118] == answers["cut live"][:118]
    assert answers["whole overnight"][:118] != answers["cut overnight"][:118], "the morning looks back"


@pytest.mark.parametrize("command", ["beats", "stage", "replay"])
def test_a_recording_of_nothing_but_holes(command: str, tmp_path: Path, capsys: Output) -> None:
    """NaN is a missing sample: in a file of them nothing is known, and nothing can be played."""
    path = tmp_path / "holes.npz"
    np.savez(path, fs_hz=FS_HZ, polarity=-1, ppg=np.full(3000, np.nan))
    if command == "replay":
        assert main([command, str(path)]) == 2
        assert "holes cannot be played" in error_of(capsys)
        return
    assert main([command, str(path)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"ir": wave(), "red": np.full(round(SECONDS * FS_HZ), np.nan)}, "red holds 0 usable samples"),
        ({"ir": wave(), "red": wave(), "polarity": 1}, "raw light"),
        ({"ppg": wave(), "accel": np.full((7500, 3), np.nan)}, "accel holds 0 usable samples"),
    ],
)
def test_what_no_chip_could_have_seen_is_not_replayed(
    columns: dict[str, Any], words: str, tmp_path: Path, capsys: Output
) -> None:
    path = tmp_path / "odd.npz"
    np.savez(path, **({"fs_hz": FS_HZ, "polarity": -1} | columns))
    assert main(["replay", str(path)]) == 2
    line = error_of(capsys)
    assert "odd cannot be played" in line
    assert words in line


def test_holes_in_a_recording_stay_holes(tmp_path: Path, capsys: Output) -> None:
    ppg = wave()
    ppg[2000:3000] = np.nan  # 40 s to 60 s
    path = tmp_path / "holes.npz"
    np.savez(path, fs_hz=FS_HZ, polarity=-1, ppg=ppg)
    assert main(["beats", str(path)]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert len(rows) > 110
    assert not any(40.5 < row["at_s"] < 59.5 for row in rows)
    assert next(row for row in rows if row["at_s"] > 59.5)["ibi_s"] is None


@pytest.mark.parametrize("command", ["beats", "stage", "replay"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.csv", None),
        ("missing.csv.gz", None),
        ("missing.jsonl.gz", None),
        ("empty.csv", b""),
        ("empty.jsonl.gz", b""),
        ("plain.csv.gz", b"time_s,ir\n0,1\n"),
        ("plain.jsonl.gz", b'{"somnisphere_recording": 1}\n'),
        ("utf16.csv", "time_s,ir\n0,1\n".encode("utf-16")),
        ("text.csv", b"time_s,ir\n0.00,120000\n0.02,lots\n"),
        ("header.csv", b"when,what\n1,2\n"),
        ("backwards.csv", b"time_s,ir\n1,2\n0,3\n2,3\n"),
        ("song.mp3", b"ID3"),
        ("none", b""),
    ],
)
def test_what_is_no_recording_is_named_with_its_mend(
    command: str, name: str, content: bytes | None, tmp_path: Path, capsys: Output
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert main([command, str(path)]) == 2
    line = error_of(capsys)
    assert str(path) in line
    assert line.count(". ") >= 1, "what is wrong, and what to do"


@pytest.mark.parametrize("command", ["beats", "stage", "replay"])
def test_a_folder_is_no_recording(command: str, tmp_path: Path, capsys: Output) -> None:
    for name in ("folder", "folder.npz", "folder.csv", "folder.jsonl.gz"):
        (tmp_path / name).mkdir()
        assert main([command, str(tmp_path / name)]) == 2
        assert name in error_of(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["rehearse", "--hours", "-1"],
        ["rehearse", "--hours", "nan"],
        ["rehearse", "--hours", "1000"],
        ["rehearse", "--speed", "-2"],
        ["rehearse", "--speed", "fast"],
        ["rehearse", "--seed", "-1"],
        ["replay", "x.npz", "--every", "inf"],
        ["record", "x.jsonl.gz", "--minutes", "-5"],
        ["completion", "fish"],
        ["sleep"],
        [],
    ],
)
def test_options_that_make_no_sense(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["nowhere:99999", ":1883", "host:", "host:port"])
def test_a_broker_that_is_no_place(place: str, tmp_path: Path, capsys: Output) -> None:
    config = configured(tmp_path)
    assert main(["--config", str(config), "rehearse", "--out", str(tmp_path), "--broker", place]) == 2
    assert "HOST:PORT" in error_of(capsys)


# ---- the journal -----------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A configuration whose journal holds an hour of the evening of 14 March 2026."""
    with box(tmp_path / "journal.db") as it:
        it.command("begin")
        it.live(3600.0, step_s=10.0)
    return configured(tmp_path, f'[journal]\npath = "{tmp_path}/journal.db"\n')


def test_a_night_is_told_and_drawn(kept: Path, tmp_path: Path, capsys: Output) -> None:
    svg, png = tmp_path / "night.svg", tmp_path / "picture-without-a-suffix"
    assert main(["--config", str(kept), "night", "--svg", str(svg), "--png", str(png)]) == 0
    latest = capsys.readouterr().out
    assert latest.splitlines()[0] == "Night of 2026-03-14"
    assert "fell asleep about  not known" in latest
    assert "recorded           59 minutes, of which 59 could not be told" in latest
    assert "not a medical device" in latest
    assert any(element.text == "Night of 2026-03-14" for element in ElementTree.parse(svg).iter())
    with Image.open(png) as picture:
        assert picture.format == "PNG"
    assert main(["--config", str(kept), "night", "2026-03-14"]) == 0
    assert capsys.readouterr().out == latest


@pytest.mark.parametrize("date", ["2026-03-15", "yesterday", "2026-3-14"])
def test_a_night_that_was_not_kept(date: str, kept: Path, capsys: Output) -> None:
    assert main(["--config", str(kept), "night", date]) == 2
    line = error_of(capsys)
    assert f"no night of {date} is kept there" in line
    assert "2026-03-14" in line


@pytest.mark.parametrize("option", ["--svg", "--png"])
def test_a_picture_that_cannot_be_written(option: str, kept: Path, tmp_path: Path, capsys: Output) -> None:
    assert main(["--config", str(kept), "night", option, str(tmp_path / "no" / "night")]) == 2
    assert f"{tmp_path}/no/night: cannot be written" in capsys.readouterr().err


def test_a_journal_without_nights_or_none_at_all(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "journal.db"
    config = configured(tmp_path, f'[journal]\npath = "{path}"\n')
    assert main(["--config", str(config), "night"]) == 2
    assert "no journal there yet" in error_of(capsys)
    path.write_bytes(b"")
    assert main(["--config", str(config), "night"]) == 2
    assert "no night is kept there yet" in error_of(capsys)


def test_looking_for_a_night_touches_no_other_file(tmp_path: Path, capsys: Output) -> None:
    """The daemon puts a broken journal aside; whoever only looks, and named the wrong file, loses nothing."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff holidays")
    config = configured(tmp_path, f'[journal]\npath = "{photo}"\n')
    assert main(["--config", str(config), "night"]) == 2
    assert "this is no journal" in error_of(capsys)
    assert photo.read_bytes() == b"\xff\xd8\xff holidays"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.jpg", "somnisphere.toml"]
