"""The unit files as systemd reads them: no mistake, and little that a broken daemon could touch."""

import shutil
import subprocess
from pathlib import Path

import pytest

from somnisphere.cli import build_parser

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = DEPLOY / "somnisphere.service"
UNITS = sorted(DEPLOY.glob("*.service"))
STEMS = [path.stem for path in UNITS]
PROGRAM = "/opt/somnisphere/bin/somnisphere"
MOST_EXPOSURE = 20
"""Of 100, as ``systemd-analyze security`` counts: 2.0 of 10."""


def analyze(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: apt install systemd"
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture(params=UNITS, ids=STEMS)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """With a program that exists on every machine in the place of ours."""
    text = request.param.read_text()
    assert f"\nExecStart={PROGRAM} " in text
    path = tmp_path / str(request.param.name)
    path.write_text(text.replace(PROGRAM, shutil.which("true") or ""))
    return path


def test_there_are_three() -> None:
    assert sorted(STEMS) == ["somnisphere", "somnisphere-circle", "somnisphere-page"]


def test_systemd_finds_no_mistake(unit: Path) -> None:
    done = analyze("verify", "--man=no", unit)
    ours = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, ours) == (0, [])


def test_only_the_daemon_itself_is_asked_to_end() -> None:
    assert "\nKillMode=mixed\n" in UNIT.read_text(), "its helpers must not fail before it knows that it ends"


def test_a_planted_mistake_is_found(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("\nType=", "\nType=un"))
    assert "unnotify" in (said := analyze("verify", "--man=no", unit).stderr) or "unexec" in said


def test_they_are_exposed_little(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", unit)
    assert done.returncode == 0, done.stdout[-600:]
    unit.write_text(unit.read_text().replace("SystemCallFilter=", "#").replace("ProtectSystem=strict", ""))
    assert analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", unit).returncode != 0


@pytest.mark.parametrize("path", UNITS, ids=STEMS)
def test_every_command_and_every_secret_is_one_of_ours(path: Path) -> None:
    """A secret's name is what ``broker.secret`` looks for; one that is missing must stop nobody."""
    lent, missing_is_fine = set(), set()
    for line in path.read_text().splitlines():
        name, _, value = line.partition("=")
        if name in ("ExecStart", "ExecStopPost"):
            build_parser().parse_args(value.lstrip("-").split()[1:])
        if name == "LoadCredential":
            assert value == f"{value.partition(':')[0]}:/etc/somnisphere/{value.partition(':')[0]}"
            lent.add(value.partition(":")[0])
        if name == "SetCredential":
            assert value.endswith(":\\n"), "blank, yet not nothing: systemd refuses that"
            missing_is_fine.add(value.partition(":")[0])
    assert lent == missing_is_fine >= {"mqtt-password"}
    assert lent <= {"mqtt-password", "home-assistant-token", "coach-password"}


@pytest.mark.parametrize("path", UNITS, ids=STEMS)
def test_what_reads_the_shelf_may_be_nice(path: Path) -> None:
    filters = [line for line in path.read_text().splitlines() if line.startswith("SystemCallFilter=")]
    assert filters == ["SystemCallFilter=@system-service", "SystemCallFilter=~@privileged"]


def settings() -> dict[str, str]:
    lines = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_it_waits_for_nobody() -> None:
    """A night must not depend on a broker, a network or a clock that is late."""
    found = settings()
    assert not found.keys() & {"Requires", "BindsTo", "Requisite", "PartOf"}
    assert "time-sync" not in found["After"]
    assert {"WatchdogSec", "Restart", "StateDirectory", "UMask"} <= found.keys()


def test_what_bus_and_pins_need_is_left_open() -> None:
    """lgpio writes into its working folder when it is loaded; gpiozero reads /proc/cpuinfo; the bus is a device."""
    found = settings()
    assert not found.keys() & {"PrivateDevices", "ProcSubset"}
    assert found["WorkingDirectory"] == "/run/somnisphere" == f"/run/{found['RuntimeDirectory']}"
    assert found["Environment"] == "LG_WD=/run/somnisphere"
