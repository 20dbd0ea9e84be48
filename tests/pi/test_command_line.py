"""The command line as a person meets it: every command, and bad input with its clear error."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from somnisphere.cli import build_parser, main
from somnisphere.config import load
from somnisphere.entities import ENTITIES

FS_HZ = 50.0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two minutes of a pulse of 60 a minute, as light counts."""
    at_s = np.arange(int(120 * FS_HZ)) / FS_HZ
    wave = 120_000 - 1_200 * np.maximum(0.0, np.sin(2 * np.pi * at_s)) ** 2
    path = tmp_path / "pulse.npz"
    np.savez(path, fs_hz=FS_HZ, polarity=-1, ppg=wave)
    return path


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Two hours of a watch: heart rate each 5 s, motion each 15 s."""
    hr_s, motion_s = np.arange(0.0, 7200.0, 5.0), np.arange(0.0, 7200.0, 15.0)
    path = tmp_path / "night.npz"
    heart_bpm = 66.0 - 10.0 * (hr_s > 1800) + np.sin(hr_s / 90.0)
    np.savez(
        path,
        hr_time_s=hr_s,
        hr_bpm=heart_bpm,
        motion_time_s=motion_s,
        motion_count=np.where((motion_s < 1500) & (motion_s % 60 == 0), 60.0, 0.0),
        stage=np.where(np.arange(240) < 55, 0, 2).astype(np.int8),
    )
    return path


def test_the_help_waits_for_nothing_slow() -> None:
    """On a Pi Zero numpy alone takes a second or two."""
    ask = "import sys; from somnisphere.cli import build_parser; build_parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    assert "somnisphere.cli_keep" in loaded
    assert not set(loaded) & {"numpy", "msgspec", "sqlite3", "paho", "gpiozero", "starlette", "asyncio"}


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "rehearse",
        "replay",
        "record",
        "beats",
        "stage",
        "explain",
        "night",
        "nights",
        "doctor",
        "config",
        "reference",
        "completion",
    ],
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    assert "not a medical device" in " ".join(capsys.readouterr().out.split())


def test_beats_are_json_lines_or_csv(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["beats", str(recording)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 110 <= len(rows) <= 121
    assert np.median([row["ibi_s"] for row in rows if row["ibi_s"]]) == pytest.approx(1.0, abs=0.02)
    assert main(["beats", str(recording), "--csv"]) == 0
    text = capsys.readouterr().out
    assert "\r" not in text
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(rows)


def test_stages_live_and_overnight(night: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = {}
    for option in ([], ["--overnight"]):
        assert main(["stage", str(night), *option]) == 0
        answers[len(option)] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers[0]) == len(answers[1]) == 240
    assert answers[0] != answers[1]
    for row in answers[0]:
        assert row["stage"] in ("awake", "light", "deep", "rem", None)
        assert row["stage"] is not None or row["reason"]
        assert row["reference"] in ("awake", "light")
    assert sum(row["stage"] == "awake" for row in answers[0][10:50]) > 30
    assert sum(row["stage"] not in ("awake", None) for row in answers[0][120:]) > 90


def test_a_recording_is_replayed_through_the_chip(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recording)]) == 0
    rates = [json.loads(line)["heart_bpm"] for line in capsys.readouterr().out.splitlines()]
    assert rates[-1] == pytest.approx(60.0, abs=1.5)


@pytest.mark.parametrize("command", ["beats", "stage", "replay"])
@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut", "columns"])
def test_a_broken_recording_is_a_clear_error(
    command: str, kind: str, recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.npz"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("this is no recording")
    elif kind == "cut":
        path.write_bytes(recording.read_bytes()[:2000])
    elif kind == "columns":
        np.savez(path, weather=np.zeros(5))
    assert main([command, str(path)]) == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


def test_a_configuration_key_nobody_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "somnisphere.toml"
    path.write_text('[mqtt]\nhots = "broker"\n')
    assert main(["--config", str(path), "config"]) == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert "mqtt.hots" in said
    assert "host" in said


def test_the_example_configuration_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--example"]) == 0
    path = tmp_path / "example.toml"
    path.write_text(capsys.readouterr().out)
    assert load(path).mqtt.port == 1883


def test_the_readme_holds_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference"]) == 0
    table = capsys.readouterr().out.strip()
    assert all(entity.name in table for entity in ENTITIES)
    readme = Path(__file__).resolve().parents[2] / "integrations" / "README.md"
    assert table in readme.read_text(), "run: somnisphere reference --write integrations/README.md"


def test_a_night_that_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "somnisphere.toml"
    config.write_text(f'[journal]\npath = "{tmp_path}/journal.db"\n')
    assert main(["--config", str(config), "night", "2020-01-01"]) == 2
    assert "no journal there yet" in capsys.readouterr().err


def test_the_doctor_says_the_mend_of_each_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stories = tmp_path / "stories"
    stories.mkdir()
    (stories / "not-audio.mp3").write_text("once upon a time")
    config = tmp_path / "somnisphere.toml"
    config.write_text(
        f'[sensor]\nbus = 99\n[mqtt]\nport = 9\n[stories]\nfolder = "{stories}"\n[journal]\npath = "{tmp_path}/j.db"\n'
    )
    monkeypatch.setenv("PATH", "")
    assert main(["--config", str(config), "doctor"]) == 1
    said = capsys.readouterr().out
    for part in ("I2C bus", "stories", "player", "broker", "not-audio.mp3"):
        assert part in said
    assert said.count("mend:") >= 5


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab", reason="completion comes with the extra `completion`")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "rehearse" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_a_closed_pipe_is_no_fault(night: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "somnisphere", "stage", str(night)],
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write_end)
    assert b"Traceback" not in done.stderr
