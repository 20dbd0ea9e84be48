"""What goes over the wire, and where to: an MQTT message and the topics of one device."""

import re
from dataclasses import dataclass

ONLINE = b"online"
OFFLINE = b"offline"

_SAFE = re.compile(r"[a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message. ``expiry_s``: how long a broker may keep it (MQTT 5; unused on 3.1.1)."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 0
    expiry_s: int | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic of one device. ``node`` names it on the broker; ``prefix`` is Home Assistant's discovery prefix."""

    node: str
    prefix: str = "homeassistant"

    def __post_init__(self) -> None:
        if not _SAFE.fullmatch(self.node):
            raise ValueError(f"node {self.node!r}: only letters without accents, digits, '_' and '-' may be used")
        if self.node == "house":
            raise ValueError("node 'house': that name is for what all bedsides share; take another")
        if not all(_SAFE.fullmatch(part) for part in self.prefix.split("/")):
            raise ValueError(f"discovery prefix {self.prefix!r}: a plain topic such as 'homeassistant' is needed")

    @property
    def base(self) -> str:
        return f"somnisphere/{self.node}"

    @property
    def status(self) -> str:
        """``online`` or ``offline``, retained; the last will."""
        return f"{self.base}/status"

    def part_status(self, part: str) -> str:
        """``online`` or ``offline`` of one part that can fail alone, retained."""
        return f"{self.base}/{part}/status"

    def state(self, group: str) -> str:
        """One retained JSON object for all entities of a group."""
        return f"{self.base}/{group}"

    def command(self, key: str) -> str:
        return f"{self.base}/{key}/set"

    def event(self, key: str) -> str:
        """Moments as JSON with ``event_type``; never retained."""
        return f"{self.base}/{key}/event"

    def trigger(self, key: str) -> str:
        """The same moments as a bare word, for device triggers; never retained."""
        return f"{self.base}/{key}/trigger"

    def image(self, key: str) -> str:
        """Raw bytes of a picture, retained."""
        return f"{self.base}/{key}/image"

    @property
    def commands(self) -> str:
        """Subscription that takes in every command."""
        return f"{self.base}/+/set"

    def command_key(self, topic: str) -> str | None:
        """The key a command topic names, or None for any other topic."""
        head, tail = f"{self.base}/", "/set"
        if not (topic.startswith(head) and topic.endswith(tail)):
            return None
        key = topic[len(head) : -len(tail)]
        return key if key and "/" not in key else None

    @property
    def quiet(self) -> str:
        """``ON`` while anybody in the house sleeps, retained; all bedsides share it."""
        return "somnisphere/house/quiet"

    def quiet_of(self, node: str) -> str:
        """``ON`` while the sleeper of one bedside sleeps, retained."""
        return f"{self.quiet}/{node}"

    @property
    def birth(self) -> str:
        """Where Home Assistant says ``online`` after it has started."""
        return f"{self.prefix}/status"

    @property
    def device_id(self) -> str:
        return f"somnisphere_{self.node}"

    @property
    def discovery(self) -> str:
        return f"{self.prefix}/device/{self.device_id}/config"
