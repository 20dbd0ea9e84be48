"""Output that cannot be written and files of somebody else's are said in a sentence, never in a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli_words import Output, configured, error_of

from somnisphere.cli import main
from somnisphere.config import load
from somnisphere.doctor.journal import check_journal
from somnisphere.library.kept import forget_gone
from somnisphere.own_files import tighten

FULL = "what was to be said cannot be written: No space left on device. Make room, or name another place."


@pytest.mark.parametrize("command", ["config --example", "reference"])
@pytest.mark.parametrize(("to", "status", "said"), [(">/dev/full", 2, f"somnisphere: {FULL}\n"), (">&-", 0, "")])
def test_output_that_goes_nowhere(command: str, to: str, status: int, said: str) -> None:
    line = f'exec "{sys.executable}" -m somnisphere {command} {to}'
    done = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, said)


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of another user's: nothing in it can be looked at. (For root nothing is locked; so it is played.)"""
    folder = tmp_path / "locked"
    folder.mkdir()

    def refused(real: object) -> object:
        def look(path: Path, *more: object, **further: object) -> object:
            if folder in path.parents:
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *more, **further)  # type: ignore[operator]

        return look

    for name in ("exists", "is_dir", "stat", "lstat"):
        monkeypatch.setattr(Path, name, refused(getattr(Path, name)))
    return folder


def test_the_doctor_names_a_folder_of_somebody_elses(locked: Path, tmp_path: Path) -> None:
    config = load(configured(tmp_path, f'[journal]\npath = "{locked}/journal.db"\n'))
    found = list(check_journal(config))
    assert [finding.part for finding in found] == ["journal", "household"]
    assert not any(finding.ok for finding in found)
    assert all(str(locked) in finding.verdict and finding.mend for finding in found)


def test_folders_of_somebody_elses_stop_neither_start_nor_shelf(locked: Path, tmp_path: Path) -> None:
    tighten(locked / "journal.db", locked / "cache")
    assert forget_gone(locked / "cache", tmp_path) == 0


def test_an_import_goes_beside_a_journal_alone(tmp_path: Path, capsys: Output) -> None:
    story, nights = tmp_path / "fox.txt", tmp_path / "p.csv"
    story.write_text("Once there was a fox.")
    nights.write_text("")
    for place in (story, tmp_path, tmp_path / "nowhere" / "x.db"):
        before = sorted(tmp_path.rglob("*"))
        assert main(["import", str(nights), "--journal", str(place)]) == 2
        assert str(place) in error_of(capsys)
        assert sorted(tmp_path.rglob("*")) == before


def test_a_backup_is_written_over_a_backup_alone(tmp_path: Path, capsys: Output) -> None:
    story = tmp_path / "fox.txt"
    story.write_text("Once there was a fox.")
    config = configured(tmp_path, f'[journal]\npath = "{tmp_path}/journal.db"\n')
    assert main(["--config", str(config), "backup", str(story)]) == 2
    assert "a file that is no backup" in error_of(capsys)
    assert story.read_text() == "Once there was a fox."
