"""The configuration: any bytes are a configuration or a ``ConfigError``; what is shown of one reads as the same."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.room import room
from tests.fuzz.target import Target, sentence

from somnisphere import config, config_edit, config_text
from somnisphere_home.messages import Topics

_PUT_IN: dict[str, float | str] = {"oxygen_slope_pct": -25.5, "oxygen_calibrated": 'a "b" \\ é'}


def one(data: bytes) -> None:
    with room() as folder:
        path = folder / "somnisphere.toml"
        path.write_bytes(data)
        try:
            found = config.load(path)
        except config.ConfigError as problem:
            sentence(problem)
            assert path.read_bytes() == data
            return
        assert found.listeners
        assert found.comfort_settings.steps is not None
        Topics(found.box.node, found.mqtt.discovery_prefix)
        path.write_text(config_text.show(found), encoding="utf-8")
        assert config.load(path) == found, "what is shown is not what is in force"
        _edited(data, path)


def _edited(data: bytes, path: Path) -> None:
    """A value put in is there, and all else is as it was."""
    path.write_bytes(data)
    before = tomllib.loads(data.decode())
    done = config_edit.write_values(path, "sensor", _PUT_IN)
    after = tomllib.loads(path.read_bytes().decode())
    if done:
        for key, value in _PUT_IN.items():
            assert after["sensor"].pop(key) == value
            before.get("sensor", {}).pop(key, None)
        before.setdefault("sensor", {})
    assert after == before


def _with_all_keys() -> str:
    lines = (line.removeprefix("#") if " = " in line else line for line in config_text.example().splitlines())
    return "\n".join(lines)


def seeds() -> Iterator[bytes]:
    yield config_text.example().encode()
    yield _with_all_keys().encode()
    yield b'[lamp]\npin = 18\n[[listener]]\nname = "Mia"\nbegin_at = "19:30"\n[speaker]\nvolume_pct = 40\n'
    yield b'[mqtt]\nhost = "x"\nport = 1883\n[sensor]\noxygen_offset_pct = 110.0\noxygen_slope_pct = -25\n'
    yield b"sensor = {oxygen_offset_pct = 110, oxygen_slope_pct = -25 }\n"
    yield b'[home_assistant]\nurl="http://x:8123"\ntoken_file="t"\nstill_up=["light.a"]\n[box]\nnode = "\\u0062"\n'


def _words() -> tuple[str, ...]:
    lines = _with_all_keys().splitlines()
    keys = {line.partition(" = ")[0] for line in lines if " = " in line}
    sections = {line for line in lines if line.startswith("[")}
    return (*sorted(keys), *sorted(sections), "[[listener]]", "inf", "nan", "1979-05-27", '"""', "\\u0000", "\\n")


TARGET = Target(one, seeds, words=_words(), longest_bytes=16_384)
