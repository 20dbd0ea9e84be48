"""Where a box speaks and listens on the broker. Pure.

The folder is installed by itself, so it cannot import ``somnisphere_home``; a test holds these against the box's own.
"""

import re
from dataclasses import dataclass

ONLINE = "online"
EVERY_STATUS = "somnisphere/+/status"
"""As in ``manifest.json``: whoever says something there is a box."""

_STATUS = re.compile(r"somnisphere/([a-zA-Z0-9_-]+)/status")
_NO_BOX = "house"
"""What all bedsides share goes by this name."""


def node_of(status_topic: str) -> str | None:
    """The box that speaks at this topic, None: no box does."""
    found = _STATUS.fullmatch(status_topic)
    return found[1] if found is not None and found[1] != _NO_BOX else None


@dataclass(frozen=True, slots=True)
class Topics:
    """Of one box."""

    node: str

    @property
    def base(self) -> str:
        return f"somnisphere/{self.node}"

    @property
    def status(self) -> str:
        return f"{self.base}/status"

    @property
    def player_status(self) -> str:
        return f"{self.base}/player/status"

    @property
    def story(self) -> str:
        return f"{self.base}/story"

    @property
    def ritual(self) -> str:
        return f"{self.base}/ritual"

    @property
    def shelf(self) -> str:
        return f"{self.base}/shelf"

    @property
    def command_results(self) -> str:
        return f"{self.base}/+/result"

    @property
    def answers(self) -> str:
        return f"{self.base}/ask/+/result"

    def command(self, key: str) -> str:
        return f"{self.base}/{key}/set"

    def ask(self, name: str) -> str:
        return f"{self.base}/ask/{name}"

    def result_key(self, topic: str) -> str:
        """Which command or question is answered at this topic."""
        return topic.split("/")[-2]

    @property
    def device_identifier(self) -> tuple[str, str]:
        """Of the device that the box announces to Home Assistant's MQTT integration."""
        return ("mqtt", f"somnisphere_{self.node}")
