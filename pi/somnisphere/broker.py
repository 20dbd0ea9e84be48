"""How this bedside is known to the home's broker, from the configuration."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from somnisphere.config import Config, ConfigError
from somnisphere_home.messages import Topics
from somnisphere_home.mqtt import BrokerSettings


def broker_settings(config: Config, place: tuple[str, int] | None = None) -> BrokerSettings:
    """``place``: another broker than the configured one. Raises ``ConfigError`` for a file that cannot be read."""
    mqtt = config.mqtt
    host, port = place or (mqtt.host, mqtt.port)
    settings = BrokerSettings(
        host=host,
        port=port,
        client_id=f"somnisphere_{config.box.node}",
        username=mqtt.username or None,
        password=secret(mqtt.password_file, "mqtt.password_file") or None,
        tls=mqtt.tls,
        ca_file=Path(mqtt.ca_file).expanduser() if mqtt.ca_file else None,
    )
    try:
        settings.tls_context()
    except ValueError as problem:
        raise ConfigError(f"key 'mqtt.ca_file': {problem}. Check the path and its rights.") from problem
    return settings


def coach_broker_settings(config: Config) -> BrokerSettings:
    """Where summaries for the coach go. Raises ``ConfigError`` for a file that cannot be read."""
    coach = config.coach
    client_id = f"somnisphere_post_{secrets.token_hex(6)}"  # tells nobody which bedside it is
    if not coach.host:
        return replace(broker_settings(config), client_id=client_id)
    settings = BrokerSettings(
        host=coach.host,
        port=coach.port,
        client_id=client_id,
        username=coach.username or None,
        password=secret(coach.password_file, "coach.password_file") or None,
        tls=coach.tls,
        ca_file=Path(coach.ca_file).expanduser() if coach.ca_file else None,
    )
    try:
        settings.tls_context()
    except ValueError as problem:
        raise ConfigError(f"key 'coach.ca_file': {problem}. Check the path and its rights.") from problem
    return settings


def secret(path: str | None, key: str, environment: Mapping[str, str] = os.environ) -> str:
    """The one line of a secret's file; "" when there is none.

    What the service manager lends for this key comes first (systemd's LoadCredential; ``mqtt.password_file`` is lent as
    ``mqtt-password``): the file that the configuration names may be root's alone, then.
    """
    if folder := environment.get("CREDENTIALS_DIRECTORY"):
        lent = Path(folder) / key.removesuffix("_file").replace(".", "-").replace("_", "-")
        if lent.exists() and (line := _line(lent, key)):
            return line
    return _line(Path(path).expanduser(), key) if path else ""


def _line(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"key {key!r}: {path} cannot be read ({problem}). Check the path and its rights.") from None


def topics_of(config: Config) -> Topics:
    return Topics(config.box.node, config.mqtt.discovery_prefix)
