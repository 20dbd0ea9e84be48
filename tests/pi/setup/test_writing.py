"""What the first run decided becomes files: all of them or none, with the rights they need."""

import grp
import os
import signal
import stat
import tomllib
from pathlib import Path

import pytest

from somnisphere.cli_setup import present_at
from somnisphere.config import load
from somnisphere.config_edit import edited, written_beside
from somnisphere.setup.draft import Draft
from somnisphere.setup.writing import Rights, rights_here, write

ME = os.geteuid(), os.getegid()
MINE = """# ours since May
[mqtt]
host = "hub"   # in the cellar
username = "bed"
[lamp]
pin = 18 # warm
"""


def rights(*, for_service: bool = False) -> Rights:
    """Of whoever runs this; ``for_service``: as root has them."""
    if for_service:
        return Rights(*ME, ME[1], 0o750, 0o640, for_service=True)
    return Rights(*ME, ME[1], 0o700, 0o600, for_service=False)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def draft_of(config: Path) -> Draft:
    return Draft(present_at(config))


def test_a_first_file_explains_every_key_and_is_private(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "somnisphere.toml"
    draft = draft_of(config)
    draft.put("mqtt.host", "hub")
    draft.put("mqtt.port", 8883)
    draft.put("mqtt.tls", True)
    draft.put("lamp.pin", 18)
    draft.put_secret("mqtt.password", "sesame")
    written = write(draft, config, rights())
    secret = config.parent / "mqtt-password"
    assert (written.problem, written.files) == ("", (secret, config))
    assert secret.read_text() == "sesame\n"
    assert [mode(path) for path in (config.parent, config, secret)] == [0o700, 0o600, 0o600]
    loaded = load(config)
    assert (loaded.mqtt.host, loaded.mqtt.port, loaded.mqtt.tls, loaded.lamp.pin) == ("hub", 8883, True, 18)
    assert loaded.mqtt.password_file == str(secret)
    text = config.read_text()
    assert "# GPIO number (BCM); without it there is no lamp.\n#pin = 18\npin = 18\n" in text
    assert "sesame" not in text
    assert present_at(config).secrets == {"mqtt.password": "sesame"}


def test_lines_and_comments_of_a_person_stay(tmp_path: Path) -> None:
    config = tmp_path / "somnisphere.toml"
    config.write_text(MINE)
    config.chmod(0o644)
    draft = draft_of(config)
    draft.put("mqtt.host", "attic")
    draft.put("lamp.pin", None)
    draft.put("mqtt.username", "bed")  # as it was
    assert write(draft, config, rights()).problem == ""
    text = MINE.replace('host = "hub"', 'host = "attic"').replace("pin = 18", "#pin = 18")
    assert config.read_text() == text
    assert mode(config) == 0o644, "a person's own rights stay"
    assert [path.name for path in tmp_path.iterdir()] == ["somnisphere.toml"]


def test_for_the_service_the_group_reads_the_configuration_and_no_secret(tmp_path: Path) -> None:
    config, ca = tmp_path / "etc" / "somnisphere.toml", tmp_path / "home" / "mine.crt"
    ca.parent.mkdir()
    ca.write_text("a certificate\n")
    draft = draft_of(config)
    draft.put("mqtt.ca_file", str(ca))
    draft.put("home_assistant.url", "http://hub:8123")
    draft.put_secret("home_assistant.token", "t")
    written = write(draft, config, rights(for_service=True))
    assert written.problem == ""
    token, copy = config.parent / "home-assistant-token", config.parent / "ca.crt"
    assert [mode(path) for path in (config.parent, config, token, copy)] == [0o750, 0o640, 0o600, 0o644]
    assert copy.read_text() == "a certificate\n"
    loaded = load(config)
    assert (loaded.mqtt.ca_file, loaded.home_assistant.token_file) == (str(copy), str(token))


def test_root_writes_for_the_service_and_others_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("somnisphere.setup.writing.os.geteuid", lambda: 0)
    monkeypatch.setattr("somnisphere.setup.writing.os.getegid", lambda: 0)
    somebody = grp.getgrall()[-1]
    assert rights_here(somebody.gr_name) == Rights(0, 0, somebody.gr_gid, 0o750, 0o640, for_service=True)
    assert rights_here("no-such-group").group == 0
    monkeypatch.setattr("somnisphere.setup.writing.os.geteuid", lambda: 1000)
    monkeypatch.setattr("somnisphere.setup.writing.os.getegid", lambda: 100)
    assert rights_here() == Rights(1000, 100, 100, 0o700, 0o600, for_service=False)


def test_a_secret_goes_where_the_configuration_keeps_it(tmp_path: Path) -> None:
    config, kept = tmp_path / "somnisphere.toml", tmp_path / "elsewhere"
    kept.write_text("old\n")
    kept.chmod(0o640)
    config.write_text(f'[mqtt]\nusername = "bed"\npassword_file = "{kept}"\n')
    draft = draft_of(config)
    assert draft.secret("mqtt.password") == "old"
    draft.put_secret("mqtt.password", "new")
    assert write(draft, config, rights()).problem == ""
    assert (kept.read_text(), mode(kept)) == ("new\n", 0o640)
    assert "password_file" not in draft.changes().get("mqtt", {})


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, secret = tmp_path / "somnisphere.toml", tmp_path / "mqtt-password"
    secret.write_text("old\n")
    config.write_text(f'[mqtt]\npassword_file = "{secret}"\n')
    before, written = {path.name: path.read_text() for path in tmp_path.iterdir()}, []
    real = os.fsync

    def full(number: int) -> None:
        written.append(number)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        real(number)

    monkeypatch.setattr("somnisphere.config_edit.os.fsync", full)
    draft = draft_of(config)
    draft.put("mqtt.username", "bed")
    draft.put_secret("mqtt.password", "new")
    answer = write(draft, config, rights())
    assert "No space left on device. Nothing was written" in answer.problem
    assert len(written) == 2
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_what_cannot_be_edited_safely_is_left_with_the_lines_to_paste(tmp_path: Path) -> None:
    config = tmp_path / "somnisphere.toml"
    config.write_text('mqtt = {host = "hub"}\n')
    draft = draft_of(config)
    draft.put("mqtt.host", "attic")
    draft.put("mqtt.tls", True)
    answer = write(draft, config, rights())
    assert answer.by_hand == ("[mqtt]", 'host = "attic"', "tls = true")
    assert config.read_text() == 'mqtt = {host = "hub"}\n'


def test_what_the_daemon_would_refuse_is_not_written(tmp_path: Path) -> None:
    config = tmp_path / "somnisphere.toml"
    config.write_text("[button]\npin = 17\n")
    draft = draft_of(config)
    draft.put("lamp.pin", 17)
    answer = write(draft, config, rights())
    assert answer.problem == (
        f"{config}: lamp.pin and button.pin are both 17; give each a GPIO of its own. Nothing was written."
    )
    assert config.read_text() == "[button]\npin = 17\n"


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = write(draft_of(tmp_path / "file" / "c.toml"), tmp_path / "file" / "c.toml", rights())
    assert "Nothing was written" in answer.problem


def test_ctrl_c_waits_until_all_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "somnisphere.toml"
    real = written_beside
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored

    def interrupted(path: Path, text: str, its_mode: int, owner: tuple[int, int]) -> Path:
        signal.raise_signal(signal.SIGINT)
        return real(path, text, its_mode, owner)

    monkeypatch.setattr("somnisphere.setup.writing.written_beside", interrupted)
    draft = draft_of(config)
    draft.put("box.name", "Mia")
    try:
        with pytest.raises(KeyboardInterrupt):
            write(draft, config, rights())
    finally:
        signal.signal(signal.SIGINT, before)
    assert load(config).box.name == "Mia"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[s]\na = 1 # one\nb = 2\n", "[s]\n#a = 1 # one\nb = 2\n"),
        ("[s]\na = 1\n", "[s]\n#a = 1\n"),
        ("[t]\na = 1\n", "[t]\na = 1\n"),
        ("[s]\nb = 2\n", "[s]\nb = 2\n"),
        ('[s]\na = """\nlong"""\n', None),
    ],
)
def test_a_value_is_taken_out(text: str, expected: str | None) -> None:
    assert edited(text, "s", {"a": None}) == expected


def test_true_is_true_and_not_one() -> None:
    new = edited("[s]\nc = false\n", "s", {"c": True, "d": False})
    assert new is not None
    assert tomllib.loads(new)["s"] == {"c": True, "d": False}
    assert "c = true" in new
