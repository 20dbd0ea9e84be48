"""The unit file as systemd reads it: no mistake, and little that a broken daemon could touch."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "somnisphere.service"
MOST_EXPOSURE = 20
"""Of 100, as ``systemd-analyze security`` counts: 2.0 of 10."""


def analyze(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: apt install systemd"
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """With a program that exists on every machine in the place of ours."""
    text = UNIT.read_text()
    assert text.count("/opt/somnisphere/bin/somnisphere run") == 1
    path = tmp_path / UNIT.name
    path.write_text(text.replace("/opt/somnisphere/bin/somnisphere run", shutil.which("true") or ""))
    return path


def test_systemd_finds_no_mistake(unit: Path) -> None:
    done = analyze("verify", "--man=no", unit)
    ours = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert (done.returncode, ours) == (0, [])


def test_a_planted_mistake_is_found(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("Type=notify", "Type=notified"))
    assert "notified" in analyze("verify", "--man=no", unit).stderr


def test_it_is_exposed_little(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", unit)
    assert done.returncode == 0, done.stdout[-600:]
    unit.write_text(unit.read_text().replace("SystemCallFilter=", "#").replace("ProtectSystem=strict", ""))
    assert analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", unit).returncode != 0


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
