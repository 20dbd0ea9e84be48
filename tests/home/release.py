"""Which Home Assistant the tests run against, and all that differs between releases for whoever starts and asks it.

``SOMNISPHERE_HOME_ASSISTANT=2026.11`` chooses another than the usual one.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

CHOICE = "SOMNISPHERE_HOME_ASSISTANT"
LISTENS_ON = "127.0.0.1"

IN_BOTH = (
    # of the stand-in that the tests themselves bring
    "We found a custom integration bedroom_stand_in which has not been tested by Home Assistant",
    # of the way the tests start it
    "Skipping pip installation of required modules",
    # of this machine: optional libraries that Home Assistant does without
    "zlib_ng and isal are not available",
    "Error loading libturbojpeg",
    # of its own bookkeeping: said of device triggers when MQTT is loaded again (an entity was enabled) and the device
    # then goes; nothing that a device sends causes or avoids it
    "Unable to remove unknown dispatcher",
    "No device components to cleanup",
)


@dataclass(frozen=True, slots=True)
class Release:
    """``installed``: its installer's last mark; ``start`` gets the configuration folder behind it."""

    version: str
    installed: Path
    installer: str
    start: tuple[str, ...]
    http_yaml: str
    """Address and port in ``configuration.yaml``; "" where they are read from ``.storage`` alone."""
    storage: Callable[[int], Mapping[str, Mapping[str, Any]]]
    """Files to lay in ``.storage`` before the first start, by name; of the port."""
    mqtt_form: Mapping[str, Any]
    """What the form of the MQTT integration asks for beside broker and port."""
    expected_in_log: tuple[str, ...]
    """The only warnings that it writes without our doing; see ``test_harness.py``."""
    expected_issues: tuple[tuple[str, str], ...] = ()
    """Domain and id of what its page "Repairs" shows without our doing."""

    @property
    def missing(self) -> str:
        """What is not installed, or ""."""
        if self.installed.exists():
            return ""
        return f"Home Assistant {self.version} in {self.installed.parent.name}"


def _onboarding(_port: int) -> dict[str, dict[str, Any]]:
    """Done but for the owner: the other steps want the internet."""
    done = {"done": ["core_config", "analytics", "integration"]}
    return {"onboarding": {"version": 4, "minor_version": 1, "key": "onboarding", "data": done}}


def _onboarding_and_http(port: int) -> dict[str, dict[str, Any]]:
    """A port in YAML is tried for five minutes and given up, unless a person confirms it; so: confirmed."""
    confirmed = {
        "server_host": [LISTENS_ON],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-11-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    http = {"stable": confirmed, "pending": None, "yaml_migration_done": True}
    return {**_onboarding(port), "http": {"version": 3, "minor_version": 1, "key": "http", "data": http}}


_IN_VENV = ROOT / ".venv-home"
_IN_ROOT = ROOT / ".venv-home-2026"

RELEASES = {
    "2025.4": Release(
        version="2025.4",
        installed=_IN_VENV / ".installed",
        installer="tests/home/install.sh",
        start=(str(_IN_VENV / "bin" / "python"), "-m", "homeassistant", "--skip-pip", "--config"),
        http_yaml=f"http:\n  server_host: {LISTENS_ON}\n  server_port: {{port}}\n",
        storage=_onboarding,
        mqtt_form={},
        expected_in_log=IN_BOTH,
    ),
    "2026.11": Release(
        version="2026.11",
        installed=_IN_ROOT / ".installed",
        installer="tests/home/install_2026.sh",
        start=("bash", str(HERE / "start_2026.sh"), str(_IN_ROOT)),
        http_yaml="",
        storage=_onboarding_and_http,
        mqtt_form={
            "protocol": "5",
            "other_settings": {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"},
        },
        expected_in_log=(
            *IN_BOTH,
            # of this machine: it looks for a program that nothing of the tests needs, and goes on without it
            "FFmpeg fails [Errno 2] No such file or directory: 'ffmpeg'",
            "Error starting FFmpeg.",
        ),
        # it is to be run as Home Assistant OS or in a container: of the installation, not of what runs in it
        expected_issues=(("homeassistant", "deprecated_method"),),
    ),
}


def chosen() -> Release:
    name = os.environ.get(CHOICE, "") or "2025.4"
    if name not in RELEASES:
        raise ValueError(f"{CHOICE}={name}: the tests know {' and '.join(RELEASES)}")
    return RELEASES[name]


RELEASE = chosen()
