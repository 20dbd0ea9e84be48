"""The configuration: a TOML file, read strictly. Keys, ranges and meanings are declared in ``config_keys.py`` alone."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import Struct
from msgspec.inspect import is_struct_type

from somnisphere import listeners
from somnisphere.bedtime.fades import FadeSettings
from somnisphere.bedtime.state import RitualSettings, volume_gain_db
from somnisphere.comfort.ladder import LADDER, ComfortSettings, Step
from somnisphere.config_keys import (
    Box,
    Button,
    Cards,
    Circle,
    Comfort,
    Journal,
    Lamp,
    Listener,
    Mqtt,
    Ritual,
    Sensor,
    Sleeper,
    Speaker,
    Stories,
    Voice,
)
from somnisphere.config_keys_coach import Coach
from somnisphere.config_keys_home import HomeAssistant
from somnisphere.config_keys_page import Page
from somnisphere.config_together import disagreement
from somnisphere.errors import UserError
from somnisphere.home_facts import HomeQuestions

ENVIRONMENT = "SOMNISPHERE_CONFIG"
PLACES = (Path("/etc/somnisphere/somnisphere.toml"), Path("~/.config/somnisphere/somnisphere.toml"))
"""Where the file is looked for when neither the command line nor ``$SOMNISPHERE_CONFIG`` names one."""


class ConfigError(UserError):
    """The configuration cannot be used. The text names the file, the key, what was found and what is allowed."""


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    box: Box = Box()
    sleeper: Sleeper = Sleeper()
    sensor: Sensor = Sensor()
    lamp: Lamp = Lamp()
    button: Button = Button()
    cards: Cards = Cards()
    speaker: Speaker = Speaker()
    mqtt: Mqtt = Mqtt()
    ritual: Ritual = Ritual()
    comfort: Comfort = Comfort()
    stories: Stories = Stories()
    listener: tuple[Listener, ...] = ()
    voice: Voice = Voice()
    journal: Journal = Journal()
    circle: Circle = Circle()
    home_assistant: HomeAssistant = HomeAssistant()
    page: Page = Page()
    coach: Coach = Coach()

    @property
    def listeners(self) -> tuple[listeners.Listener, ...]:
        """Everybody who listens here; one without a name where none is named."""
        if not self.listener:
            return (listeners.Listener("", self.ritual_settings, "", _time_of_day_s(self.ritual.begin_at)),)
        return tuple(
            listeners.Listener(
                one.name,
                replace(
                    self.ritual_settings,
                    volume_pct=self.speaker.volume_pct if one.volume_pct is None else one.volume_pct,
                    volume_ceiling_pct=one.volume_ceiling_pct or self.speaker.volume_ceiling_pct,
                    story_limit_s=(one.story_limit_min or self.ritual.story_limit_min) * 60,
                ),
                one.folder,
                _time_of_day_s(one.begin_at or self.ritual.begin_at),
            )
            for one in self.listener
        )

    @property
    def begin_waits_s(self) -> float:
        return self.home_assistant.begin_waits_min * 60.0

    @property
    def home_questions(self) -> HomeQuestions:
        """What Home Assistant is asked about the house; nothing unless the household named entities."""
        home = self.home_assistant
        return HomeQuestions(home.still_up, home.bedroom_light_level, home.bedroom_lights, home.dark_below_lx)

    @property
    def comfort_settings(self) -> ComfortSettings:
        comfort = self.comfort
        wished = {
            Step.NOTE: True,
            Step.GLOW: comfort.glow_pct > 0,
            Step.SOUND: comfort.sound is not None,
            Step.WORD: comfort.quiet_word,
        }
        return ComfortSettings(
            steps=tuple(step for step in LADDER if wished[step]) if comfort.enabled else (),
            glow_pct=comfort.glow_pct,
            sound=Path(comfort.sound) if comfort.sound else None,
            sound_gain_db=volume_gain_db(min(comfort.sound_volume_pct, self.speaker.volume_ceiling_pct)),
        )

    @property
    def oxygen_calibrated(self) -> str:
        """Against what and when this unit's line was fitted; "" when there is no line."""
        if self.oxygen_curve is None:
            return ""
        return self.sensor.oxygen_calibrated or "by hand, against what is not said"

    @property
    def oxygen_curve(self) -> tuple[float, ...] | None:
        """The straight line of this unit as (slope, offset), None before it was calibrated."""
        sensor = self.sensor
        if sensor.oxygen_slope_pct is None or sensor.oxygen_offset_pct is None:
            return None
        return (sensor.oxygen_slope_pct, sensor.oxygen_offset_pct)

    @property
    def ritual_settings(self) -> RitualSettings:
        ritual, speaker = self.ritual, self.speaker
        return RitualSettings(
            wind_down_s=ritual.wind_down_min * 60,
            evening_lightness_pct=ritual.evening_light_pct,
            story_lightness_pct=ritual.story_light_pct,
            volume_pct=speaker.volume_pct,
            volume_floor_pct=speaker.volume_floor_pct,
            volume_ceiling_pct=speaker.volume_ceiling_pct,
            night_ceiling_pct=speaker.night_ceiling_pct,
            follow_sleep=ritual.follow_sleep,
            sentence_pause_s=ritual.sentence_pause_s,
            fade=FadeSettings(fade_s=ritual.fade_min * 60),
            sleep_timer_s=ritual.sleep_timer_min * 60,
            story_limit_s=ritual.story_limit_min * 60,
            one_more_page_s=ritual.one_more_page_min * 60,
            bookmark_margin_s=ritual.bookmark_margin_s,
        )


def _time_of_day_s(clock: str | None) -> float | None:
    """Seconds after local midnight of a time such as 20:00."""
    if clock is None:
        return None
    hours, minutes = clock.split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0


def find(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file in force when none is named: ``$SOMNISPHERE_CONFIG``, else the first of ``PLACES``, else none."""
    if named := environment.get(ENVIRONMENT):
        return Path(named)
    return next((place for place in map(Path.expanduser, PLACES) if os.path.exists(place)), None)


def load(path: Path | None = None) -> Config:
    """Read ``path``, else the file in force, else the defaults. ``ConfigError`` when it cannot be used."""
    path = path or find()
    if path is None:
        return _expanded(Config())
    try:
        found = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this is not text in UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: this is not TOML: {error}") from error
    except ValueError as error:  # int() takes so many digits and no more
        raise ConfigError(f"{path}: a number in it is endless. Write a shorter one.") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: it is nested too deep. No key of ours takes such a value.") from error
    if key := _with_control_characters(found):
        raise ConfigError(f"{path}: {key}: there is a line break or another control character in it. Take it out.")
    try:
        config = msgspec.convert(found, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(str(error), found)}") from error
    if problem := disagreement(config):
        raise ConfigError(f"{path}: {problem}")
    return _expanded(config)


def _with_control_characters(found: Mapping[str, Any]) -> str:
    """The first key whose text could not be a name, a path or a topic; a pattern's $ lets a last line break through."""
    waiting: list[tuple[str, Any]] = list(found.items())
    while waiting:
        key, value = waiting.pop(0)
        if isinstance(value, str) and any(ord(c) < 32 or ord(c) == 127 for c in value):
            return key[:80]
        if isinstance(value, Mapping):
            waiting += [(f"{key}.{name}", inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(key, inner) for inner in value]
    return ""


def _expanded(config: Config) -> Config:
    """Paths with ``~`` made whole."""
    folder, cache = config.stories.folder, config.stories.cache or cache_place()
    piper = config.voice.piper_voice
    return msgspec.structs.replace(
        config,
        journal=Journal(path=os.path.expanduser(config.journal.path or _journal_place())),
        stories=msgspec.structs.replace(
            config.stories,
            folder=None if folder is None else os.path.expanduser(folder),
            cache=os.path.expanduser(cache),
        ),
        voice=msgspec.structs.replace(config.voice, piper_voice=None if piper is None else os.path.expanduser(piper)),
    )


def _journal_place() -> str:
    """systemd names the state folder of a service (``StateDirectory=``); a person's is the XDG one."""
    folder = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return f"{folder or '~/.local/share/somnisphere'}/journal.db"


def cache_place() -> str:
    """The cache folder when none is named: systemd's (``CacheDirectory=``), else a person's."""
    folder = os.environ.get("CACHE_DIRECTORY", "").split(":")[0]
    return folder or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/somnisphere"


def _explain(message: str, found: Mapping[str, Any]) -> str:
    """msgspec's message as key, what was found and what is allowed."""
    message, _, place = message.partition(" - at `$")
    keys = [key for key in re.sub(r"\[[^]]*\]", "", place.rstrip("`")).split(".") if key]
    unknown = re.search(r"unknown field `(.*)`", message)
    if unknown:
        wrong = unknown.group(1)[:80]
        known = _keys(keys)
        near = difflib.get_close_matches(wrong, known, n=1)
        hint = f"; did you mean “{near[0]}”?" if near else ""
        return f"{'.'.join([*keys, wrong])}: there is no such key{hint} (known: {', '.join(known)})"
    value: Any = found
    for key in keys:
        if isinstance(value, list):  # one of several; msgspec does not say which
            value = next((one for one in value if isinstance(one, Mapping) and key in one), {})
        value = value.get(key) if isinstance(value, Mapping) else None
    return f"{'.'.join(keys)}: found {_short(value)}, allowed is {_allowed(keys)}"


def _short(value: Any) -> str:
    try:
        said = repr(value)
    except ValueError:  # a number of more digits than Python says
        said = "an endless number"
    return said if len(said) <= 100 else f"{said[:100]}…"


def declared(keys: list[str]) -> Any:
    """The annotation of a section or of one of its keys."""
    owner: Any = Config
    for key in keys[:2]:
        owner = next(field.type for field in msgspec.structs.fields(owner) if field.name == key)
        owner = next((kind for kind in get_args(owner) if is_struct_type(kind)), owner)  # one of a [[section]]
    return owner


def _keys(keys: list[str]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(declared(keys[:1]))]


def complaint(key: str, value: Any) -> str:
    """What the dotted ``key`` takes, in words, where it does not take ``value``; else ""."""
    keys = key.split(".")
    try:
        msgspec.convert(value, declared(keys))
    except msgspec.ValidationError:
        return f"{key}: found {value!r}, allowed is {_allowed(keys)}"
    return ""


def _allowed(keys: list[str]) -> str:
    """What a key takes, in words."""
    if len(keys) < 2:
        return f"a section: [{keys[0]}] and keys below it"
    kind = msgspec.inspect.type_info(declared(keys))
    kind = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(part for part in kind.types if not isinstance(part, msgspec.inspect.NoneType))
    match kind:
        case msgspec.inspect.LiteralType(values=values):
            return "one of " + ", ".join(str(value) for value in values)
        case msgspec.inspect.IntType(ge=least, le=most):
            return f"a whole number from {least} to {most}"
        case msgspec.inspect.FloatType(ge=least, le=most):
            return f"a number from {least} to {most}"
        case msgspec.inspect.BoolType():
            return "true or false"
    return _WORDS.get(keys[-1], "text that is not empty, in quotes")


_WORDS = {
    "begin_at": 'a time of day such as "20:00"',
    "born": 'a year and month such as "2019-05"',
    "node": "1 to 32 of a-z, 0-9 and _",
    "home_light": 'a light of Home Assistant such as "light.bedroom"',
    "home_player": 'a media player of Home Assistant such as "media_player.bedroom"',
    "still_up": "a list of Home Assistant's binary_sensor, input_boolean, light, media_player and switch entities",
    "bedroom_light_level": 'a sensor of Home Assistant such as "sensor.bedroom_illuminance"',
    "bedroom_lights": 'a list of Home Assistant\'s light and switch entities, such as ["light.ceiling"]',
    "home_engine": 'a voice of Home Assistant such as "tts.piper"',
    "name": "1 to 64 characters",
    "reader": '"none", "pn532" or the path of an input device, such as "/dev/input/by-id/usb-reader-event-kbd"',
    "discovery_prefix": 'a plain topic such as "homeassistant": letters without accents, digits, _ and -, parted by /',
}
