"""A person's configuration is edited as a person would: in place, and not at all where that is not safe."""

import tomllib
from pathlib import Path

import pytest

from somnisphere.config_edit import edited, write_values

VALUES: dict[str, float | str] = {"a": 1.5, "b": 'x "y"'}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '[s]\na = 1.5\nb = "x \\"y\\""\n'),
        ("[t]\nc = 1", '[t]\nc = 1\n\n[s]\na = 1.5\nb = "x \\"y\\""\n'),
        ("[s]", '[s]\na = 1.5\nb = "x \\"y\\""\n'),
        ("[s] # mine\nc = 1\n[t]\na = 7\n", '[s] # mine\na = 1.5\nb = "x \\"y\\""\nc = 1\n[t]\na = 7\n'),
        (
            "[s]\n  a=3  # was three\nc = 1\nb = 'old # one'# end\n",
            '[s]\na = 1.5  # was three\nc = 1\nb = "x \\"y\\""# end\n',
        ),
        ("[s]\n# what b is\n#b = 2\nc = 1\n", '[s]\na = 1.5\n# what b is\n#b = 2\nb = "x \\"y\\""\nc = 1\n'),
        ("[s]\r\nc = 1\r\n", '[s]\r\na = 1.5\r\nb = "x \\"y\\""\r\nc = 1\r\n'),
        ("[s]\n#a = 1\n#b = 1", '[s]\n#a = 1\na = 1.5\n#b = 1\nb = "x \\"y\\""\n'),
    ],
)
def test_values_find_their_place_and_the_rest_stays(text: str, expected: str) -> None:
    assert edited(text, "s", VALUES) == expected
    assert tomllib.loads(expected)["s"]["b"] == 'x "y"'


@pytest.mark.parametrize(
    "text",
    [
        "s = {a = 1}\n",
        "s.a = 1\n",
        "s = 3\n",
        '[s]\na = """\nmany\nlines"""\n',
        '[t]\nc = """\n[s]\n"""\n',
        "[[s]]\na = 1\n",
        "[s]\na = [\n 1,\n]\n",
        "this is not TOML",
    ],
)
def test_what_cannot_be_edited_safely_is_not(tmp_path: Path, text: str) -> None:
    assert edited(text, "s", VALUES) is None
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert write_values(path, "s", VALUES) is False
    assert path.read_text() == text


def test_a_link_stays_a_link_and_no_file_is_no_harm(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("[s]\n")
    link.symlink_to(real)
    assert write_values(link, "s", VALUES) is True
    assert link.is_symlink()
    assert tomllib.loads(real.read_text())["s"]["a"] == 1.5
    assert write_values(tmp_path / "none.toml", "s", VALUES) is False
    assert not (tmp_path / "none.toml").exists()


def test_a_cut_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[s]\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("somnisphere.config_edit.os.fsync", full)
    assert write_values(path, "s", VALUES) is False
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("config.toml", "[s]\n")]
