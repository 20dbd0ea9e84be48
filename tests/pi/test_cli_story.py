"""`somnisphere story` from end to end: files from real programs go onto a shelf and come off it again."""

import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from somnisphere import cli, cli_story
from somnisphere.journal import Journal
from somnisphere.library import STARTER_FOLDER, read
from somnisphere.story import Book

Output = pytest.CaptureFixture[str]
TEXT = "---\ntitle: Der Wal\nlanguage: de\n---\n\nEs war einmal ein Wal. Er war müde.\n"


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two spoken sentences with a pause between."""
    folder = tmp_path_factory.mktemp("spoken")
    for name, words in (("one", "Once there was a whale, who swam in the sea."), ("two", "It was tired and slept.")):
        subprocess.run(["espeak-ng", "-w", str(folder / f"{name}.wav"), words], check=True, timeout=30)
    path = folder / "whale.opus"
    files = [word for name in ("one", "two") for word in ("-i", str(folder / f"{name}.wav"))]
    join = "[0:a]apad=pad_dur=1[a];[a][1:a]concat=n=2:v=0:a=1"
    tags = ["-metadata", "title=The whale", "-metadata", "artist=Jo"]
    command = ["ffmpeg", "-nostdin", "-v", "error", *files, "-filter_complex", join, *tags, str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


class Household:
    """A configuration whose shelf and cache are folders here."""

    def __init__(self, folder: Path, output: Output) -> None:
        self.shelf, self.cache = folder / "shelf", folder / "cache"
        self.shelf.mkdir()
        self.config = folder / "somnisphere.toml"
        self.config.write_text(f'[stories]\nfolder = "{self.shelf}"\ncache = "{self.cache}"\n')
        self._output = output

    def run(self, *words: str | Path) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        status = cli.main(["--config", str(self.config), "story", *map(str, words)])
        said = self._output.readouterr()
        assert "Traceback" not in said.err
        return status, said.out, said.err

    @property
    def files(self) -> list[str]:
        return sorted(path.relative_to(self.shelf).as_posix() for path in self.shelf.rglob("*") if path.is_file())


@pytest.fixture
def household(tmp_path: Path, capsys: Output) -> Household:
    return Household(tmp_path, capsys)


def test_the_whole_way_of_a_story(household: Household, recording: Path, tmp_path: Path) -> None:
    bought = tmp_path / "bought"
    bought.mkdir()
    shutil.copy(recording, bought / "whale.opus")
    (bought / "whale.txt").write_text("Once there was a whale, who swam in the sea. It was tired and slept.")
    status, out, _ = household.run("add", bought / "whale.opus")
    assert status == 0
    assert out == f"The whale: now in {household.shelf}, a recording and 15 words.\n"
    assert household.files == ["whale.opus", "whale.txt"]

    assert household.run("mark") == (0, "The whale: 2 sentences found.\n", "")
    status, out, _ = household.run("list")
    assert status == 0
    assert out == "The whale\n    whale.opus\n    Jo, 0.1 min, a recording (with marks) and 15 words\n"

    packed = tmp_path / "packed.story"
    assert household.run("export", "the WHALE", "--to", packed)[0] == 0
    assert sorted(zipfile.ZipFile(packed).namelist()) == ["marks.json", "recording.opus", "story.toml", "text.txt"]
    status, _, err = household.run("export", "whale.opus", "--to", packed)
    assert (status, "--replace" in err) == (2, True)
    assert household.run("export", "whale.opus", "--to", packed, "--replace")[0] == 0

    assert household.run("import", packed)[0] == 0
    inside = [f"packed.story/{name}" for name in ("marks.json", "recording.opus", "story.toml", "text.txt")]
    assert household.files == [*inside, "whale.opus", "whale.txt"]
    status, _, err = household.run("import", packed)
    assert (status, "--replace" in err) == (2, True)
    assert household.run("import", packed, "--replace")[0] == 0
    status, _, err = household.run("remove", "The whale", "--yes")
    assert status == 2
    assert "several stories have this title" in err

    assert household.run("remove", "whale.opus", "--yes") == (0, "Removed whale.opus, whale.txt.\n", "")
    assert household.files == inside
    back = read(household.shelf / "packed.story", household.shelf, household.cache)
    assert isinstance(back, Book)
    assert [mark.sentence_id for mark in back.recordings[0].marks] == ["s1", "s2"]
    assert back.recordings[0].path.read_bytes() == recording.read_bytes()
    assert household.run("remove", "The whale", "--yes")[0] == 0
    assert list(household.shelf.iterdir()) == []


def test_the_list_for_scripts_and_its_broken_files(household: Household) -> None:
    (household.shelf / "wal.md").write_text(TEXT)
    (household.shelf / "letter.mp3").write_text("Dear Santa")
    status, out, err = household.run("list", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    (story,) = told["stories"]
    assert (story["key"], story["title"], story["language"]) == ("wal.md", "Der Wal", "de")
    assert (story["minutes"], story["words"], story["sentences"], story["recordings"]) == (None, 8, 2, 0)
    (broken,) = told["broken"]
    assert broken["path"].endswith("letter.mp3")
    status, out, _ = household.run("list")
    assert "de, 8 words" in out
    assert f"BAD {household.shelf}/letter.mp3\n    {broken['reason']}\n" in out
    assert household.run("remove", "letter.mp3", "--yes")[0] == 0
    assert household.files == ["wal.md"]


def test_one_broken_file_keeps_no_other_from_its_place(household: Household, tmp_path: Path) -> None:
    (tmp_path / "wal.md").write_text(TEXT)
    (tmp_path / "void.mp3").touch()
    (tmp_path / "picture.jpg").write_bytes(b"x")
    names = ("void.mp3", "gone.mp3", "picture.jpg", "wal.md")
    status, out, err = household.run("add", *(tmp_path / name for name in names))
    assert status == 2
    assert out.startswith("Der Wal: now in ")
    assert [line.partition(": ")[2] for line in err.splitlines()] == [
        f"{tmp_path}/void.mp3: The file is empty.",
        f"{tmp_path}/gone.mp3: there is no such file. Check its name.",
        f"{tmp_path}/picture.jpg: Nothing here reads .jpg.",
    ]
    assert household.files == ["wal.md"]
    status, _, err = household.run("add", tmp_path / "wal.md")
    assert (status, "say --replace" in err) == (2, True)
    (tmp_path / "wal.md").write_text(TEXT.replace("müde", "wach"))
    assert household.run("add", tmp_path / "wal.md", "--replace")[0] == 0
    assert "wach" in (household.shelf / "wal.md").read_text()
    status, _, err = household.run("add", household.shelf / "wal.md")
    assert (status, "in the story folder already" in err) == (2, True)


def test_a_text_that_is_in_the_way_keeps_its_audio_out(household: Household, recording: Path, tmp_path: Path) -> None:
    shutil.copy(recording, tmp_path / "whale.opus")
    (tmp_path / "whale.txt").write_text("Once there was a whale.")
    (household.shelf / "whale.txt").write_text("Mine.")
    status, _, err = household.run("add", tmp_path / "whale.opus")
    assert (status, "whale.txt: there is such a story" in err) == (2, True)
    assert household.files == ["whale.txt"]
    assert not list(household.shelf.glob(".*")), "what was needed for checking is gone"


def test_a_copy_that_fails_leaves_nothing_behind(
    household: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wal.md").write_text(TEXT)
    (household.shelf / "wal.md").write_text("Old.")

    def full(source: Path, to: Path) -> None:
        Path(to).write_bytes(Path(source).read_bytes()[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    status, _, err = household.run("add", tmp_path / "wal.md", "--replace")
    assert status == 2
    assert "No space left on device" in err
    assert [path.name for path in household.shelf.iterdir()] == ["wal.md"]
    assert (household.shelf / "wal.md").read_text() == "Old."


def test_a_story_folder_is_added_whole(household: Household, tmp_path: Path) -> None:
    folder = tmp_path / "new.story"
    folder.mkdir()
    (folder / "story.toml").write_text('format = 1\ntitle = "New"\ntext = "text.txt"\n')
    (folder / "text.txt").write_text("s1 Once.\n")
    assert household.run("add", folder)[0] == 0
    assert household.run("add", folder, "--replace")[0] == 0
    assert household.files == ["new.story/story.toml", "new.story/text.txt"]


def test_a_hostile_story_is_not_imported(household: Household, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.story", "w") as packed:
        packed.writestr("../../evil", "x")
    status, _, err = household.run("import", tmp_path / "bad.story")
    assert status == 2
    assert "would lie outside of it" in err
    assert list(household.shelf.iterdir()) == []
    status, _, err = household.run("import", tmp_path / "gone.story")
    assert (status, list(household.shelf.iterdir())) == (2, [])
    status, _, err = household.run("import", tmp_path / "x.mp3")
    assert "somnisphere story add" in err


def test_removing_asks(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    (household.shelf / "wal.md").write_text(TEXT)
    status, _, err = household.run("remove", "Der Wal")
    assert (status, "Say --yes" in err) == (2, True)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for answer, left in (("\n", ["wal.md"]), ("n\n", ["wal.md"]), ("y\n", [])):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        household.run("remove", "Der Wal")
        assert household.files == left
    status, _, err = household.run("remove", "Der Wal", "--yes")
    assert status == 2
    assert "there is no story 'Der Wal'" in err


@pytest.mark.parametrize("words", [("add", "x.mp3"), ("import", "x.story"), ("remove", "x", "--yes")])
def test_without_a_folder_of_its_own_nothing_is_changed(tmp_path: Path, capsys: Output, words: tuple[str, ...]) -> None:
    config = tmp_path / "somnisphere.toml"
    config.write_text("")
    assert cli.main(["--config", str(config), "story", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("somnisphere: no story folder is configured: put folder = ")
    assert str(config) in said
    config.write_text(f'[stories]\nfolder = "{tmp_path}/gone"\n')
    assert cli.main(["--config", str(config), "story", *words]) == 2
    assert "mkdir -p" in capsys.readouterr().err


def test_starter_stories_are_listed_when_there_is_no_folder(tmp_path: Path, capsys: Output) -> None:
    config = tmp_path / "somnisphere.toml"
    config.write_text(f'[stories]\ncache = "{tmp_path}/cache"\n')
    assert cli.main(["--config", str(config), "story", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(STARTER_FOLDER)
    assert len(told["stories"]) >= 2
    assert all(story["words"] > 500 for story in told["stories"])
    assert told["broken"] == []


def test_an_empty_shelf_says_what_to_do(household: Household) -> None:
    status, out, _ = household.run("list")
    assert (status, "somnisphere story add FILE" in out) == (0, True)


def test_every_subcommand_has_its_function(capsys: Output) -> None:
    with pytest.raises(SystemExit):
        cli.main(["story", "--help"])
    said = capsys.readouterr().out
    for name in ("list", "add", "mark", "export", "import", "remove"):
        assert f"\n    {name} " in said
    assert cli_story.list_stories.__module__ == "somnisphere.cli_story"


def test_show_tells_what_a_story_holds_and_where_it_was_left(
    household: Household, recording: Path, tmp_path: Path
) -> None:
    with household.config.open("a") as config:
        config.write(f'[journal]\npath = "{tmp_path}/journal.db"\n')
    text = tmp_path / "wal.md"
    text.write_text(TEXT, encoding="utf-8")
    assert household.run("add", recording, text)[0] == 0
    status, said, _ = household.run("show", "the WHALE")
    assert status == 0
    assert "teller: Jo" in said
    assert "recording, 0:0" in said
    assert "begins next" not in said, "nobody was told it yet"
    journal = Journal(tmp_path / "journal.db")
    journal.save_bookmark("whale.opus", 3.4, "Ada")
    journal.save_bookmark("whale.opus", 3605.0)
    journal.close()
    _, said, _ = household.run("show", "whale.opus")
    assert "begins next at 0:03 for Ada" in said
    assert "begins next at 1:00:05\n" in said
    _, said, _ = household.run("show", "Der Wal", "--words")
    assert "language: de" in said
    assert "s2 Er war müde." in said
    assert household.run("show", "no such story")[0] == 2
