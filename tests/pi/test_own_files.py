"""What the box keeps can be read by nobody else of the machine, whoever started it and however wide their umask."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.box import box

from somnisphere.cli import main
from somnisphere.config_keys import Cards
from somnisphere.library.text_adder import add_text
from somnisphere.own_files import as_is_due, tighten


@pytest.fixture(autouse=True)
def _wide() -> Iterator[None]:
    """As on a usual desk: everybody may read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_to_others(folder: Path) -> list[str]:
    return [f"{path.name} {mode(path):o}" for path in sorted(folder.rglob("*")) if mode(path) & 0o077]


def test_an_evening_with_cards_and_a_voice_off_leaves_nothing_open(tmp_path: Path) -> None:
    journal = tmp_path / "state" / "journal.db"
    journal.parent.mkdir(mode=0o700)
    with box(journal, cards=Cards(reader="pn532")) as it:
        it.command("begin")
        it.live(120.0)
        it.command("sensing", "OFF")
        it.live(3.0)
    assert {"journal.db", "journal.db.evening", "journal.sensing-off"} <= {
        path.name for path in journal.parent.iterdir()
    }
    assert open_to_others(tmp_path) == []


def test_commands_that_keep_something_keep_it_to_themselves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "somnisphere.toml"
    state = tmp_path / "state"
    config.write_text(f'[journal]\npath = "{state}/journal.db"\n[stories]\ncache = "{tmp_path}/cache"\n')
    config.chmod(0o600)
    assert main(["--config", str(config), "circle", "new", "Birch Street", "--household", "No. 7"]) == 0
    assert main(["--config", str(config), "card", "link", "04A1B2C3", "begin"]) == 0
    assert {"household.db", "circle", "journal.cards.json"} <= {path.name for path in state.iterdir()}
    assert open_to_others(tmp_path) == []
    assert os.umask(0o022) == 0o022, "and the caller's own files go on as before"
    capsys.readouterr()


@pytest.mark.parametrize(("command", "expected"), [("run", 0o600), ("page", 0o600), ("night", 0o644), ("story", 0o644)])
def test_what_a_person_asks_for_goes_by_their_own_umask(tmp_path: Path, command: str, expected: int) -> None:
    with as_is_due(command):
        (tmp_path / "it").touch()
    assert mode(tmp_path / "it") == expected


@pytest.mark.parametrize(("folder_mode", "story_mode"), [(0o755, 0o644), (0o775, 0o664), (0o700, 0o600)])
def test_a_story_may_be_read_by_whoever_may_read_its_shelf(tmp_path: Path, folder_mode: int, story_mode: int) -> None:
    shelf = tmp_path / "stories"
    shelf.mkdir()
    shelf.chmod(folder_mode)
    os.umask(0o077)  # as the service has it
    add_text(shelf, "The lighthouse", "There was a lighthouse. It stood on a rock.", "Ines", "en")
    (story,) = shelf.iterdir()
    assert mode(story) == story_mode


def test_files_that_earlier_versions_left_open_are_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state, cache, other = tmp_path / "state", tmp_path / "cache", tmp_path / "other"
    names = (
        "journal.db",
        "journal.db-wal",
        "journal.light.json",
        "household.db",
        "household-voices/a.opus",
        "circle/household.key",
    )
    for path in (*(state / name for name in names), cache / "spoken" / "dream.opus", other, state / "neighbours.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (state / "household.link").symlink_to(other)
    tighten(state / "journal.db", cache)
    assert [f"{name} {mode(state / name):o}" for name in names] == [f"{name} 600" for name in names]
    assert (mode(cache), mode(cache / "spoken" / "dream.opus")) == (0o700, 0o600)
    assert mode(state / "household-voices") == mode(state / "circle") == 0o700
    assert (mode(other), mode(state / "neighbours.txt")) == (0o644, 0o644), "not ours"
    assert not caplog.records


def test_a_file_of_somebody_else_is_named_with_the_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "journal.db").write_text("x")

    def refuses(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuses)
    tighten(tmp_path / "journal.db")
    assert f"Mend: chmod go= {tmp_path}/journal.db" in caplog.text


def test_the_daemon_itself_closes_them(tmp_path: Path) -> None:
    """A real one, started by hand on a machine without chips; it ends at once, for its broker's password is missing."""
    journal = tmp_path / "journal.db"
    journal.touch(0o644)
    config = tmp_path / "somnisphere.toml"
    config.write_text(
        f'[journal]\npath = "{journal}"\n[stories]\ncache = "{tmp_path}/cache"\n[mqtt]\npassword_file = "/none"\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "somnisphere", "--config", str(config), "run"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "mqtt.password_file" in done.stderr
    assert mode(journal) == 0o600
