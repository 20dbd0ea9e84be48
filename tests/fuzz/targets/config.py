"""The configuration: any bytes are a configuration or a ``ConfigError``; what is shown of one reads as the same."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.dough import Dough
from tests.fuzz.room import room
from tests.fuzz.target import Target, sentence

from somnisphere import config, config_edit, config_text
from somnisphere.config import Config
from somnisphere_home.messages import Topics

_PUT_IN: dict[str, float | str] = {"oxygen_slope_pct": -25.5, "oxygen_calibrated": 'a "b" \\ é'}


def one(data: bytes) -> None:
    """The bytes are a file; or, behind a zero byte, choices of sections, keys and values."""
    if data[:1] == b"\0":
        data = _built(Dough(data[1:]))
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


def _built(dough: Dough) -> bytes:
    """Keys of ours with values of any kind."""
    lines: list[str] = []
    for section in dict.fromkeys(dough.choice(_SECTIONS) for _ in range(1 + dough.number(3))):
        lines.append(f"[[{section}]]" if section == "listener" else f"[{section}]")
        keys = _KEYS[section]
        chosen = dict.fromkeys(dough.choice(keys) for _ in range(1 + dough.number(4)))
        lines += [f"{key} = {_value(dough) if dough.byte() % 4 == 1 else _GOOD[section, key]}" for key in chosen]
    return "\n".join(lines).encode()


def _value(dough: Dough) -> str:
    match dough.number(6):
        case 0:
            return str(dough.number(300) - 20)
        case 1:
            return repr(dough.float_())
        case 2:
            return json.dumps(dough.text(12))
        case 3:
            return dough.choice(_VALUES)
        case 4:
            return "[" + ", ".join(json.dumps(dough.choice(_WORDS)) for _ in range(dough.number(3))) + "]"
        case 5:
            return json.dumps(dough.choice(_WORDS))
        case _:
            return dough.text(20)


_SECTIONS = tuple(Config.__struct_fields__)
_KEYS = {name: config._keys([name]) for name in _SECTIONS}
_WORDS = (
    "light.a",
    "media_player.b",
    "tts.piper",
    "binary_sensor.c",
    "20:00",
    "2019-05",
    "none",
    "a",
    "~/x",
    "http://x",
)
_VALUES = ("true", "false", "inf", "nan", "1979-05-27", "1_0", "0x1f", "{a = 1}", "1e300", "9" * 30, '"""a\nb"""')


def _good_values() -> dict[tuple[str, str], str]:
    """As the example has them, by section and key."""
    found, section = {}, ""
    for line in _with_all_keys().splitlines():
        section = line.strip("#[] ") if re.match(r"#?\[+\w", line) else section
        if " = " in line and not line.startswith("#"):
            key, _, value = line.partition(" = ")
            found[section, key] = value
    return found


_GOOD = _good_values()


def seeds() -> Iterator[bytes]:
    yield config_text.example().encode()
    for k in range(12):
        yield bytes([0, 2, *((k * 31 + n * 17) % 256 for n in range(60))])
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
