"""What the dialogue has decided so far, above the configuration that was found. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from somnisphere.config import Config
from somnisphere.config_edit import Value

SECRETS = {"mqtt.password": "mqtt.password_file", "home_assistant.token": "home_assistant.token_file"}
"""What is kept in a file of its own, and the key that names the file."""


@dataclass(frozen=True, slots=True)
class Present:
    """How it stands before. ``named``: the keys that the file itself names, dotted; ``secrets``: by the keys of
    ``SECRETS``, those that there are."""

    config: Config
    named: frozenset[str] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    has_file: bool = False


class Draft:
    """Values by dotted key; None takes the key out of the file."""

    def __init__(self, present: Present) -> None:
        self.present = present
        self._values: dict[str, Value | None] = {}
        self._secrets: dict[str, str] = {}

    def get(self, key: str) -> Any:
        """As it will be."""
        if key in self._values:
            return self._values[key]
        return self.before(key)

    def before(self, key: str) -> Any:
        section, _, name = key.partition(".")
        return getattr(getattr(self.present.config, section), name)

    def put(self, key: str, value: Value | None) -> None:
        self._values[key] = value

    def secret(self, key: str) -> str:
        return self._secrets.get(key, self.present.secrets.get(key, ""))

    def put_secret(self, key: str, text: str) -> None:
        self._secrets[key] = text

    @property
    def new_secrets(self) -> dict[str, str]:
        return {key: text for key, text in self._secrets.items() if text and text != self.present.secrets.get(key)}

    def changes(self) -> dict[str, dict[str, Value | None]]:
        """What differs from the configuration that was found, by section and key."""
        changed: dict[str, dict[str, Value | None]] = {}
        for key, value in self._values.items():
            if value != self.before(key):
                section, _, name = key.partition(".")
                changed.setdefault(section, {})[name] = value
        return changed
