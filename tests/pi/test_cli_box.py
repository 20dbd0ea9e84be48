"""Commands about a box: recording its chips, its doctor, its configuration, a rehearsal, a stranger on the shelf."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.box import box
from tests.brokers import free_port, mosquitto
from tests.cli_words import FS_HZ, SECONDS, Output, configured, error_of, rows_of, wave
from tests.living_bus import living_chips
from tests.pulse_waves import lying_still

from somnisphere.cli import main
from somnisphere.config import load
from somnisphere.doctor.world import World
from somnisphere.library import STARTER_FOLDER

BUS = 79


@pytest.fixture
def chips() -> Iterator[int]:
    with living_chips(BUS):
        yield BUS


def test_what_is_recorded_can_be_read(chips: int, tmp_path: Path, capsys: Output) -> None:
    config = configured(tmp_path, f"[sensor]\nbus = {chips}\n")
    path = tmp_path / "bed.jsonl.gz"
    assert main(["--config", str(config), "record", str(path), "--minutes", "0.03"]) == 0
    assert "somnisphere beats" in capsys.readouterr().out
    assert main(["--config", str(config), "record", str(path), "--minutes", "0.05"]) == 0, "it is continued"
    capsys.readouterr()
    for command in ("beats", "stage", "replay"):
        assert main([command, str(path)]) == 0
        rows_of(capsys.readouterr().out)


def test_a_recording_ended_by_hand_is_kept(chips: int, tmp_path: Path, capsys: Output) -> None:
    config = configured(tmp_path, f"[sensor]\nbus = {chips}\n")
    path = tmp_path / "bed.jsonl.gz"

    def press_control_c() -> None:
        while not path.exists():
            time.sleep(0.01)
        time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    threading.Thread(target=press_control_c, daemon=True).start()
    assert main(["--config", str(config), "record", str(path), "--minutes", "60"]) == 0
    assert "Recorded" in capsys.readouterr().out
    assert main(["beats", str(path)]) == 0


def test_a_box_without_chips_records_nothing_and_says_so(tmp_path: Path, capsys: Output) -> None:
    config = configured(tmp_path, "[sensor]\nbus = 250\n")
    path = tmp_path / "bed.jsonl.gz"
    assert main(["--config", str(config), "record", str(path), "--minutes", "0.002"]) == 2
    assert "somnisphere doctor" in error_of(capsys)
    for wrong in (tmp_path / "bed.npz", tmp_path / "no" / "bed.jsonl.gz"):
        assert main(["--config", str(config), "record", str(wrong), "--minutes", "0.002"]) == 2
        assert str(wrong) in error_of(capsys)
        assert not wrong.exists()
    path.write_bytes(b"a letter to a friend")
    assert main(["--config", str(config), "record", str(path), "--minutes", "0.002"]) == 2
    assert "no recording" in error_of(capsys)
    assert path.read_bytes() == b"a letter to a friend"


# ---- the rehearsal ---------------------------------------------------------------------------------------------------


@pytest.mark.broker
def test_a_short_rehearsal_without_a_terminal(tmp_path: Path, capsys: Output) -> None:
    with mosquitto() as (host, port):
        arguments = ["rehearse", "--hours", "0.2", "--speed", "0", "--broker", f"{host}:{port}", "--out", str(tmp_path)]
        assert main(["--config", str(configured(tmp_path)), *arguments]) == 0
    said = capsys.readouterr().out
    assert f"mosquitto_sub -h {host} -p {port} -v -t 'somnisphere/bedside/#'" in said
    assert "Night of " in said
    assert str(tmp_path / "night.svg") in said
    assert "Deep" in (tmp_path / "night.svg").read_text()
    assert (tmp_path / "night.png").read_bytes().startswith(b"\x89PNG")
    phases = [line.split()[1] for line in said.splitlines() if line[2:3] == ":"]
    assert phases[0] == "idle"
    assert {"wind_down", "story"} <= set(phases)


def test_a_rehearsal_into_a_file(tmp_path: Path, capsys: Output) -> None:
    config = configured(tmp_path)
    assert main(["--config", str(config), "rehearse", "--out", str(config), "--broker", "127.0.0.1"]) == 2
    assert f"{config}: cannot be written" in error_of(capsys)


@pytest.mark.parametrize(("library", "extra"), [("rich.console", "view"), ("PIL", "view")])
def test_what_is_not_installed_is_named_with_its_extra(
    library: str, extra: str, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("somnisphere.view", "somnisphere.picture_png"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    assert main(["--config", str(configured(tmp_path)), "rehearse", "--out", str(tmp_path)]) == 2
    assert f"pip install 'somnisphere[{extra}]'" in error_of(capsys)


def test_completion_that_is_not_installed(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'somnisphere[completion]'" in error_of(capsys)


# ---- the doctor ------------------------------------------------------------------------------------------------------


def test_the_doctor_on_a_computer_that_is_no_bedside(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test's daemon may be running on this machine.
    monkeypatch.setattr("somnisphere.cli_doctor.THIS_MACHINE", World(root=tmp_path / "machine"))
    stories = tmp_path / "stories"
    stories.mkdir()
    (stories / "letter.mp3").write_text("Dear friend")
    text = (
        f"[sensor]\nbus = 250\n[lamp]\npin = 18\n[button]\npin = 17\n[mqtt]\nport = {free_port()}\n"
        f'[stories]\nfolder = "{stories}"\n[journal]\npath = "{tmp_path}/somnisphere.toml/j.db"\n'
        f'[home_assistant]\nurl = "http://127.0.0.1:{free_port()}"\ntoken_file = "/no/token"\n'
    )
    assert main(["--config", str(configured(tmp_path, text)), "doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    bad = [line.split()[1] for line in lines if line.startswith("BAD")]
    assert bad[:3] == ["I2C", "lamp", "button"]
    assert {"stories", "story", "broker", "home", "disk"} <= set(bad)
    mends = [line for line in lines if line.strip().startswith("mend: ")]
    assert len(mends) == len(bad)
    assert "raspi-config nonint do_i2c 0" in mends[0]
    assert lines[0] == f"ok   config      {tmp_path}/somnisphere.toml"


@pytest.mark.broker
def test_the_doctor_is_refused_by_the_broker(tmp_path: Path, capsys: Output) -> None:
    with mosquitto(extra_config="allow_anonymous false") as (host, port):
        text = f'[mqtt]\nhost = "{host}"\nport = {port}\n[journal]\npath = "{tmp_path}/j.db"\n[sensor]\nbus = 250\n'
        config = configured(tmp_path, text)
        assert main(["--config", str(config), "doctor"]) == 1
    said = capsys.readouterr().out
    assert "check the user name and password" in said


def test_the_doctor_of_a_faulty_configuration(tmp_path: Path, capsys: Output) -> None:
    assert main(["--config", str(configured(tmp_path, "[mqtt]\nhots = 1\n")), "doctor"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("BAD  config")
    assert "mqtt.hots" in said


# ---- the configuration and what is generated -------------------------------------------------------------------------


def test_the_configuration_in_force_can_be_read_back(tmp_path: Path, capsys: Output) -> None:
    config = configured(tmp_path, '[ritual]\nbegin_at = "20:15"\n[lamp]\npin = 12\n')
    assert main(["--config", str(config), "config"]) == 0
    again = tmp_path / "again.toml"
    again.write_text(capsys.readouterr().out)
    assert load(again) == load(config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[mqtt]\nhots = "x"\n', ["mqtt.hots", "did you mean “host”?"]),
        ("[mqtt]\nport = 99999\n", ["mqtt.port", "99999", "1 to 65535"]),
        ('[ritual]\nbegin_at = "8pm"\n', ["ritual.begin_at", "20:00"]),
        ("[lamp]\npin = 17\n[button]\npin = 17\n", ["lamp.pin", "button.pin"]),
        ("port = \n", ["TOML"]),
    ],
)
@pytest.mark.parametrize("command", ["config", "run", "reference", "night"])
def test_a_faulty_configuration_names_file_key_and_mend(
    command: str, text: str, words: list[str], tmp_path: Path, capsys: Output
) -> None:
    config = configured(tmp_path, text)
    assert main(["--config", str(config), command]) == 2
    line = error_of(capsys)
    assert str(config) in line
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[mqtt]\npassword_file = "/no/such/file"\n', "mqtt.password_file"),
        ('[mqtt]\ntls = true\nca_file = "/no/such/file"\n', "mqtt.ca_file"),
    ],
)
def test_a_secret_that_cannot_be_read_names_its_key(text: str, key: str, tmp_path: Path, capsys: Output) -> None:
    text += f'[journal]\npath = "{tmp_path}/j.db"\n[sensor]\nbus = 250\n'
    assert main(["--config", str(configured(tmp_path, text)), "run"]) == 2
    said = capsys.readouterr().err
    assert key in said
    assert "/no/such/file" in said


def test_the_reference_is_written_between_its_markers(tmp_path: Path, capsys: Output) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Before\n<!-- entities -->\nold\n<!-- /entities -->\nafter ✓\n", encoding="utf-8")
    assert main(["reference", "--write", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Before\n<!-- entities -->\n\n| Entity ")
    assert text.endswith(" |\n\n<!-- /entities -->\nafter ✓\n")
    assert "old" not in text
    assert main(["reference", "--write", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == text
    page.write_text("<!-- /entities --> the wrong way round <!-- entities -->")
    assert main(["reference", "--write", str(page)]) == 2
    assert "markers" in error_of(capsys)
    assert main(["reference", "--write", str(tmp_path / "none.md")]) == 2
    assert "none.md" in error_of(capsys)


@pytest.mark.parametrize("command", ["reference", "config"])
def test_a_reader_that_leaves_early_is_no_fault(command: str, tmp_path: Path) -> None:
    """Output that fits into the buffer meets the closed pipe only at the very end."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "somnisphere", "--config", str(configured(tmp_path)), command],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert (done.stderr, done.returncode) == ("", 141)


# ---- a shelf with a stranger on it -----------------------------------------------------------------------------------


def test_a_file_that_is_no_audio_is_a_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    shutil.copy(next(STARTER_FOLDER.rglob("*.opus")), folder / "good.opus")
    (folder / "bad.mp3").write_text("this is a letter")
    (folder / "empty.flac").write_bytes(b"")
    with box(tmp_path / "j.db", stories=folder) as it:
        assert len(it.daemon.snapshot().story_titles) == 1
        it.command("one_more_page")
        it.live(2.0)
        assert it.daemon.snapshot().story_playing
    lines = [line for line in caplog.messages if "Not on the shelf" in line]
    assert len(lines) == 2
    assert str(folder / "bad.mp3") in lines[0]


def test_lying_still_is_not_needed_to_be_read(tmp_path: Path, capsys: Output) -> None:
    """A recording with movement in it, in another unit."""
    path = tmp_path / "moving.npz"
    np.savez(
        path, fs_hz=FS_HZ, polarity=-1, ppg=wave(), accel=lying_still(SECONDS, FS_HZ) * 9.80665, accel_unit="m/s^2"
    )
    assert main(["beats", str(path)]) == 0
    assert len(rows_of(capsys.readouterr().out)) > 130
