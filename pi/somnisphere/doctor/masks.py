"""What of a household's own words may not leave the box in a support bundle, and the words that stand for them.

Allowed is what is named here; everything else that somebody wrote into the configuration is masked, so that a key made
tomorrow is masked, too.
"""

import getpass
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from somnisphere.broker import secret
from somnisphere.config import Config
from somnisphere.config_text import show
from somnisphere.errors import UserError
from somnisphere.library.reading import stories_below

SHOWN_TEXTS = frozenset({"box.language", "speaker.ao", "speaker.device", "mqtt.discovery", "voice.engine"})
SHOWN_PATHS = frozenset(
    {
        *("mqtt.password_file", "mqtt.ca_file", "home_assistant.token_file", "coach.password_file", "coach.ca_file"),
        "journal.path",
    }
)
"""Where things are, not what is in them. A home folder's owner is masked."""
HIDDEN_NUMBERS = frozenset({"page.latitude", "page.longitude", "sensor.oxygen_offset_pct", "sensor.oxygen_slope_pct"})
"""Where the house is, and what was measured on somebody."""
NEVER_DEFAULT = frozenset({"listener.name"})
"""Their default is an example, and may be somebody's name."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NOBODY = frozenset({"root", "pi", "somnisphere", *LOOPBACK})
"""Users and hosts that tell of nobody, and stand in sentences of ours."""
MOST_STORIES = 5000
_SECRETS = (("mqtt", "password_file"), ("coach", "password_file"), ("home_assistant", "token_file"))


def masked_configuration(config: Config) -> str:
    """The configuration in force as TOML, with a word such as ``<mqtt.host>`` for each thing that is masked."""
    sections: dict[str, Any] = {}
    for section in msgspec.structs.fields(config):
        part = getattr(config, section.name)
        several = part if isinstance(part, tuple) else (part,)
        masked = [
            msgspec.structs.replace(one, **{name: masked for name, _, masked in _masked(section.name, one)})
            for one in several
        ]
        sections[section.name] = tuple(masked) if isinstance(part, tuple) else masked[0]
    return without_homes(show(msgspec.structs.replace(config, **sections)))


def _masked(section: str, part: msgspec.Struct) -> Iterator[tuple[str, Any, Any]]:
    """(key, its value, what stands for it) of what is masked in one section."""
    for field in msgspec.structs.fields(part):
        value, key = getattr(part, field.name), f"{section}.{field.name}"
        if value in ("", None, ()) or (value == field.default and key not in NEVER_DEFAULT):
            continue
        word = f"<{key}>"
        if isinstance(value, tuple):
            yield field.name, value, (word,) * len(value)
        elif isinstance(value, str):
            if key not in SHOWN_TEXTS | SHOWN_PATHS and value not in LOOPBACK:
                yield field.name, value, word
        elif key in HIDDEN_NUMBERS:
            yield field.name, value, word


class Masks:
    """``over`` a text: what is the household's own is gone from it."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = {said.casefold(): mask for said, mask in words.items() if said.strip()}
        longest_first = sorted(self._words, key=len, reverse=True)
        found = "|".join(re.escape(said) for said in longest_first)
        self._pattern = re.compile(rf"(?<!\w)(?:{found})(?!\w)", re.IGNORECASE) if found else None

    def over(self, text: str) -> str:
        if self._pattern is not None:
            text = self._pattern.sub(lambda match: self._words[match[0].casefold()], text)
        return without_homes(text)


def masks_of(config: Config) -> Masks:
    words: dict[str, str] = {}
    for section in msgspec.structs.fields(config):
        part = getattr(config, section.name)
        for one in part if isinstance(part, tuple) else (part,):
            for name, value, _ in _masked(section.name, one):
                for said in value if isinstance(value, tuple) else (value,):
                    words[str(said)] = f"<{section.name}.{name}>"
                    if host := _host_of(str(said)):
                        words[host] = f"<{section.name}.{name}>"
    words |= dict.fromkeys(_titles(config), "<story>")
    words |= dict.fromkeys(_secrets(config), "<secret>")
    with suppress(KeyError, OSError):  # a user without a name
        words[getpass.getuser()] = "<user>"
    words[socket.gethostname()] = "<this box>"
    return Masks({said: mask for said, mask in words.items() if said not in NOBODY})


def _host_of(text: str) -> str:
    with suppress(ValueError):
        return urlsplit(text).hostname or ""
    return ""


def _titles(config: Config) -> Iterable[str]:
    if config.stories.folder:
        with suppress(OSError):
            for number, path in enumerate(stories_below(Path(config.stories.folder))):
                if number >= MOST_STORIES:
                    return
                yield from (path.name, path.stem)


def _secrets(config: Config) -> Iterator[str]:
    """None of them is ever said; if one were, this is the last wall."""
    for section, key in _SECRETS:
        with suppress(UserError):
            yield secret(getattr(getattr(config, section), key), f"{section}.{key}")


def without_homes(text: str) -> str:
    """Home folders without their owners."""
    return re.sub(r"/home/[^/\s\"']+", "/home/<user>", text)


def without_values(text: str) -> str:
    """A complaint about a configuration that cannot be read, without what it quotes."""
    text = re.sub(r"found .*?, allowed", "found <a value>, allowed", text, flags=re.DOTALL)
    return without_homes(re.sub(r"“[^”]*”|'[^']*'|\"[^\"]*\"", "<a value>", text))
