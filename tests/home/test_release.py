"""The choice of a Home Assistant, and what the newer one's installer says where it cannot work."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.home import release

INSTALLER = "tests/home/install_2026.sh"


def test_the_usual_one_is_taken_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for named, version in (("", "2025.4"), ("2025.4", "2025.4"), ("2026.11", "2026.11")):
        monkeypatch.setenv(release.CHOICE, named)
        assert release.chosen().version == version


def test_an_unknown_one_is_refused_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(release.CHOICE, "2031.1")
    with pytest.raises(ValueError, match=r"2031\.1.*2025\.4 and 2026\.11"):
        release.chosen()


@pytest.mark.parametrize("version", release.RELEASES)
def test_what_is_pinned_is_what_is_named(version: str) -> None:
    one = release.RELEASES[version]
    pinned = (release.ROOT / one.installer).with_name(
        "requirements-home-2026.txt" if "2026" in one.installer else "requirements-home.txt"
    )
    assert f"\nhomeassistant=={version}." in pinned.read_text()


@pytest.mark.parametrize(
    ("programs", "words"),
    [
        ({"id": "echo 1000"}, "needs root"),
        ({"id": "echo 0", "debootstrap": "true", "unshare": "false"}, "unshare --mount"),
        ({"id": "echo 0", "debootstrap": "true", "unshare": "true", "apt-get": "false"}, "no mirror of Debian"),
        (
            {
                "id": "echo 0",
                "debootstrap": "true",
                "unshare": '[ "$2" = true ] || { echo not there; false; }',
                "apt-get": "echo http://a.mirror/debian/",
            },
            "debootstrap failed: not there",
        ),
    ],
    ids=["not root", "no mounts of its own", "no mirror", "no Debian"],
)
def test_the_installer_says_what_is_missing(programs: dict[str, str], words: str, tmp_path: Path) -> None:
    """It ends with its own exit code, says why, and leaves nothing half done."""
    for source in (INSTALLER, "tests/home/requirements-home-2026.txt", "deploy/environment.sh"):
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(release.ROOT / source, tmp_path / source)
    found = tmp_path / "bin"
    found.mkdir()
    for name, does in programs.items():
        (found / name).write_text(f"#!/bin/bash\n{does}\n")
        (found / name).chmod(0o755)
    for tool in ("bash", "dirname", "cmp", "rm", "mkdir", "mktemp", "tail"):
        (found / tool).symlink_to(shutil.which(tool) or tool)
    done = subprocess.run(
        ["bash", tmp_path / INSTALLER],
        env={"PATH": str(found), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 69, done.stderr
    assert words in done.stderr
    assert not list(tmp_path.glob(".venv-home-2026*/*"))
