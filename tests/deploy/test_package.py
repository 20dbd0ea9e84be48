"""The Debian package: what is in it, and that it does by the same steps what install.sh does."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.deploy.scratch import DEPLOY, Scratch

from somnisphere import __version__

CONTENTS = {
    "./usr/bin/somnisphere": "-rwxr-xr-x",
    "./usr/lib/modules-load.d/somnisphere.conf": "-rw-r--r--",
    "./usr/lib/systemd/system/somnisphere-circle.service": "-rw-r--r--",
    "./usr/lib/systemd/system/somnisphere-page.service": "-rw-r--r--",
    "./usr/lib/systemd/system/somnisphere.service": "-rw-r--r--",
    "./usr/lib/udev/rules.d/60-somnisphere.rules": "-rw-r--r--",
    "./usr/share/doc/somnisphere/README.md": "-rw-r--r--",
    "./usr/share/doc/somnisphere/changelog.gz": "-rw-r--r--",
    "./usr/share/doc/somnisphere/copyright": "-rw-r--r--",
    "./usr/share/somnisphere/somnisphere.toml.example": "-rw-r--r--",
}
"""Beside the wheels."""

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is missing: this is no Debian")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / f"somnisphere-{__version__}-py3-none-any.whl"
    path.write_text("stands for the wheel")
    return path


def build(scratch: Scratch, *arguments: str | Path) -> Path:
    done = scratch.run("bash", DEPLOY / "build-deb.sh", "--out", scratch.root, *arguments)
    assert done.returncode == 0, done.stderr
    (package,) = scratch.root.glob("*.deb")
    return package


def told(*command: str | Path) -> str:
    return subprocess.run(["dpkg-deb", *command], capture_output=True, text=True, check=True, timeout=60).stdout


def contents(package: Path) -> dict[str, str]:
    rows = [line.split() for line in told("--contents", package).splitlines()]
    assert {row[1] for row in rows} == {"root/root"}
    return {row[5]: row[0] for row in rows if not row[0].startswith("d")}


def test_the_package_for_every_machine(tmp_path: Path, wheel: Path) -> None:
    package = build(Scratch(tmp_path), "--wheel", wheel)
    assert package.name == f"somnisphere_{__version__}_all.deb"
    assert contents(package) == {**CONTENTS, f"./usr/share/somnisphere/wheels/{wheel.name}": "-rw-r--r--"}
    needed = told("--field", package, "Depends")
    assert {"python3-venv", "mpv", "ffmpeg", "espeak-ng"} <= set(needed.split(", "))
    assert "lgpio" not in needed  # Debian itself has none


def test_the_package_with_all_wheels_is_for_one_python_and_machine(tmp_path: Path, wheel: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel.rename(wheels / wheel.name)
    (wheels / "other-1.0-cp311-cp311-manylinux_2_28_aarch64.whl").write_text("")
    scratch = Scratch(tmp_path)
    assert scratch.run("bash", DEPLOY / "build-deb.sh", "--wheels", wheels).returncode == 1  # for which Python?
    (wheels / "made-for").write_text("3.11 arm64\n")
    package = build(scratch, "--wheels", wheels)
    assert package.name == f"somnisphere_{__version__}_arm64.deb"
    assert {f"./usr/share/somnisphere/wheels/{path.name}" for path in wheels.iterdir()} < contents(package).keys()
    assert "python3 (>= 3.11), python3 (<< 3.12)" in told("--field", package, "Depends")


def test_its_scripts_are_the_installers_steps(tmp_path: Path, wheel: Path) -> None:
    package = build(Scratch(tmp_path), "--wheel", wheel)
    told("--control", package, tmp_path / "control")
    steps = (DEPLOY / "steps.sh").read_text()
    for name in ("postinst", "prerm", "postrm"):
        script = tmp_path / "control" / name
        assert steps in script.read_text()
        assert script.stat().st_mode & 0o777 == 0o755
        done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "control" / "conffiles").exists()  # dpkg never asks about the household's configuration


@pytest.mark.parametrize(("how", "left"), [("remove", {"settings", "nights"}), ("purge", set[str]())])
def test_only_a_purge_takes_the_nights(tmp_path: Path, wheel: Path, how: str, left: set[str]) -> None:
    scratch = Scratch(tmp_path)
    package = build(scratch, "--wheel", wheel)
    told("--control", package, tmp_path / "control")
    package.unlink()
    scratch.stub("getent", "exit 2")
    scratch.stub("systemctl", "exit 0")
    scratch.stub("udevadm", "exit 1")
    places = {
        "settings": scratch.root / "etc" / "somnisphere" / "somnisphere.toml",
        "nights": scratch.root / "var" / "lib" / "somnisphere" / "journal.db",
        "environment": scratch.root / "opt" / "somnisphere.a" / "bin" / "somnisphere",
    }
    for path in places.values():
        path.parent.mkdir(parents=True)
        path.write_text("")
    done = scratch.run("bash", tmp_path / "control" / "postrm", how)
    assert done.returncode == 0, done.stderr
    assert {name for name, path in places.items() if path.exists()} == left
