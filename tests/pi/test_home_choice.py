"""Which speaker and lamp a configuration gets."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from somnisphere.cli_daemon import evening_lamp, evening_speaker
from somnisphere.config import Config, ConfigError, load
from somnisphere.errors import UserError
from somnisphere.home_lamp import HomeLamp
from somnisphere.home_player import HomePlayer
from somnisphere_hardware.lamp import Lamp
from somnisphere_hardware.mpv_speaker import MpvSpeaker


def written(folder: Path, port: int, home: str) -> Path:
    (folder / "token").write_text("good")
    path = folder / "somnisphere.toml"
    path.write_text(
        f'[speaker]\nhome_player = "media_player.x"\n[lamp]\nhome_light = "light.x"\n'
        f'[stories]\nserve_host = "127.0.0.1"\nserve_port = {port}\n{home}'
    )
    return path


def test_the_homes_own(tmp_path: Path) -> None:
    home = f'[home_assistant]\nurl = "http://127.0.0.1:1"\ntoken_file = "{tmp_path / "token"}"\n'
    with ExitStack() as stack:
        speaker = evening_speaker(load(written(tmp_path, 0, home)), stack, lambda: None)
        assert isinstance(speaker, HomePlayer)
    assert isinstance(evening_lamp(load(written(tmp_path, 0, home)))[0], HomeLamp)
    with socket.create_server(("127.0.0.1", 0)) as taken, ExitStack() as stack:
        config = load(written(tmp_path, taken.getsockname()[1], home))
        with pytest.raises(UserError, match=r"another stories\.serve_port"):
            evening_speaker(config, stack, lambda: None)


def test_it_needs_a_home(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"need home_assistant\.url"):
        load(written(tmp_path, 0, ""))


def test_without_it_the_boxs_own() -> None:
    with ExitStack() as stack:
        speaker = evening_speaker(Config(), stack, lambda: None)
        assert isinstance(speaker, MpvSpeaker)
        speaker.close()
    assert isinstance(evening_lamp(Config())[0], Lamp)
