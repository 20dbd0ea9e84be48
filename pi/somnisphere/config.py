"""The configuration: one TOML file, checked whole. The only file that imports msgspec.

Every key has a default, so no file is needed to begin. An error names the file, the key, what was found, what is
allowed, and the nearest key there is.
"""

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Percent = Annotated[float, Meta(ge=0, le=100)]
Minutes = Annotated[float, Meta(gt=0, le=600)]
Pin = Annotated[int, Meta(ge=0, le=27)]
ClockTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

PLACES = (Path("/etc/somnisphere/somnisphere.toml"), Path("~/.config/somnisphere/somnisphere.toml"))
ENVIRONMENT = "SOMNISPHERE_CONFIG"


class ConfigError(Exception):
    """A configuration that cannot be used; the text names file, key and mend."""


class Box(Struct, frozen=True, forbid_unknown_fields=True):
    node: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]+$")] = "bedside"
    """Names the box on the broker: letters, digits, '_' and '-'."""
    name: str = "Bedside"
    """What people read in their home."""


class Sensor(Struct, frozen=True, forbid_unknown_fields=True):
    bus: Annotated[int, Meta(ge=0)] = 1
    """The I2C bus: /dev/i2c-<bus>."""
    pulse_rate_hz: Literal[25, 50, 100] = 50
    motion_rate_hz: Literal[25, 50] = 25
    led_cap_ma: Annotated[float, Meta(ge=1, le=50)] = 25.0
    """The light never gets stronger than this; 50 mA all night is a warm sensor on skin."""
    swap_leds: bool = False
    """For boards whose red and infrared LEDs are exchanged; `somnisphere doctor` tells."""


class Lamp(Struct, frozen=True, forbid_unknown_fields=True):
    pin: Pin | None = None
    """GPIO number of the lamp; leave out for a box without a lamp."""
    hardware_pwm: bool = False
    """The kernel's PWM in place of software pulses: no flicker near darkness. Needs dtoverlay=pwm."""


class Button(Struct, frozen=True, forbid_unknown_fields=True):
    pin: Pin | None = None
    """GPIO number of a button to ground; leave out for none."""


class Speaker(Struct, frozen=True, forbid_unknown_fields=True):
    ao: str = "alsa"
    """mpv's audio output: alsa, pulse, pipewire, null."""
    device: str = ""
    """mpv's audio device, such as alsa/plughw:CARD=Headphones; empty for the default."""
    volume_pct: Percent = 50.0
    volume_ceiling_pct: Percent = 80.0
    volume_floor_pct: Percent = 5.0


class Mqtt(Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "localhost"
    port: Annotated[int, Meta(ge=1, le=65535)] = 1883
    username: str = ""
    password_file: str = ""
    """A file that holds the password alone; never the password itself in this file."""
    tls: bool = False
    ca_file: str = ""
    """The certificate authority to trust; empty for those of the system."""
    discovery_prefix: str = "homeassistant"


class Evening(Struct, frozen=True, forbid_unknown_fields=True):
    begin_at: ClockTime | None = None
    """The evening begins by itself at this time, such as "20:15"; leave out to begin by hand."""
    wind_down_min: Minutes = 5.0
    evening_lightness_pct: Percent = 45.0
    story_lightness_pct: Percent = 20.0
    fade_min: Minutes = 10.0
    """How long the story takes at the least to fade from its full volume."""
    sleep_timer_min: Minutes = 30.0
    """Ends the story when nothing is known about sleep."""
    story_limit_min: Minutes = 60.0
    """As much story is heard in one night, whatever is pressed."""
    one_more_page_min: Minutes = 10.0


class Stories(Struct, frozen=True, forbid_unknown_fields=True):
    folder: str = ""
    """A folder of audio files; empty for the stories that come along."""


class JournalPlace(Struct, frozen=True, forbid_unknown_fields=True):
    path: str = "~/.local/share/somnisphere/journal.sqlite"


class HomeAssistant(Struct, frozen=True, forbid_unknown_fields=True):
    url: str = ""
    """Such as http://homeassistant.local:8123; only for what MQTT cannot tell. Empty: not asked."""
    token_file: str = ""
    """A file that holds a long-lived access token alone."""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    box: Box = Box()
    sensor: Sensor = Sensor()
    lamp: Lamp = Lamp()
    button: Button = Button()
    speaker: Speaker = Speaker()
    mqtt: Mqtt = Mqtt()
    evening: Evening = Evening()
    stories: Stories = Stories()
    journal: JournalPlace = JournalPlace()
    home_assistant: HomeAssistant = HomeAssistant()


def load(path: Path | None = None) -> Config:
    """The configuration of ``path``, else of ``$SOMNISPHERE_CONFIG``, else of the first usual place, else the defaults.

    Raises ``ConfigError``.
    """
    if path is None and (named := os.environ.get(ENVIRONMENT)):
        path = Path(named)
    if path is None:
        path = next((place.expanduser() for place in PLACES if place.expanduser().is_file()), None)
    return Config() if path is None else _read(path)


def _read(path: Path) -> Config:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such file. Make one with: somnisphere config --example > {path}"
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(
            f"{path}: it cannot be read ({problem}). Check its rights and that it is UTF-8 text."
        ) from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{path}: it is not TOML: {problem}. Mend that line.") from None
    try:
        return msgspec.convert(table, Config)
    except msgspec.ValidationError as problem:
        raise ConfigError(f"{path}: {_explain(str(problem), table)}") from None


def _explain(problem: str, table: dict[str, Any]) -> str:
    """msgspec's words, with the dotted key, what was found and the nearest key there is."""
    what, _, where = problem.partition(" - at `$")
    key = where.rstrip("`").lstrip(".").replace("[...]", "")
    unknown = re.search(r"unknown field `([^`]*)`", what)
    if unknown:
        dotted = ".".join(filter(None, (key, unknown[1])))
        there = keys_of(key)
        near = difflib.get_close_matches(unknown[1], there, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(there)}."
        return f"there is no key {dotted!r}. {hint}"
    found: Any = table
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return f"key {key!r} is {found!r}: {what}. Change it, or leave it out for the default."


def keys_of(section: str) -> list[str]:
    """The keys of a section; of "" the sections."""
    kind: Any = Config
    for part in filter(None, section.split(".")):
        kind = type(getattr(kind(), part))
    return [field.name for field in msgspec.structs.fields(kind)]


def show(config: Config) -> str:
    """The configuration in force as TOML; keys without a value are left out."""
    lines: list[str] = []
    for section, values in msgspec.to_builtins(config).items():
        lines += [
            f"[{section}]",
            *(f"{key} = {_toml(value)}" for key, value in values.items() if value is not None),
            "",
        ]
    return "\n".join(lines)


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()  # strings, numbers and booleans are written alike in both


def example() -> str:
    """Every key with its default and what it is for, commented out."""
    lines = ["# Somnisphere. Every key is optional; these are the defaults.", ""]
    config = Config()
    for section in keys_of(""):
        part = getattr(config, section)
        notes = _notes(type(part))
        lines.append(f"[{section}]")
        for key, value in msgspec.to_builtins(part).items():
            lines += [f"# {note}" for note in notes.get(key, ())]
            lines.append(f"# {key} =" if value is None else f"# {key} = {_toml(value)}")
        lines.append("")
    return "\n".join(lines)


def _notes(kind: type[Struct]) -> dict[str, list[str]]:
    """The text under each field, read from this file: what a key means is said in one place."""
    source = Path(__file__).read_text(encoding="utf-8")
    body = source.split(f"class {kind.__name__}(Struct", 1)[1].split("\n\n\n", 1)[0]
    pairs = re.findall(r'^    (\w+): [^\n]*\n    """(.*?)"""', body, re.M | re.S)
    return {key: [" ".join(text.split())] for key, text in pairs}
