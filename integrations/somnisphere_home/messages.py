"""What goes over the wire, and where to: an MQTT message and the topics of one device."""

import re
from dataclasses import dataclass
from typing import Protocol

ONLINE = b"online"
OFFLINE = b"offline"

_SAFE = re.compile(r"[a-zA-Z0-9_-]+")
_SHARED = ("house", "coach")


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message. ``expiry_s``: how long a broker may keep it, ``correlation``: which request it answers (both
    MQTT 5; unused on 3.1.1)."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 0
    expiry_s: int | None = None
    correlation: bytes | None = None

    @property
    def may_wait(self) -> bool:
        """For a broker that is away: what is said once, and is worth something later."""
        return self.qos > 0 and not self.retain


@dataclass(frozen=True, slots=True)
class Reply:
    """Where the sender of a message wants its answer, and what marks it as theirs (MQTT 5, 4.10)."""

    topic: str
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic of one device. ``node`` names it on the broker; ``prefix`` is Home Assistant's discovery prefix."""

    node: str
    prefix: str = "homeassistant"

    def __post_init__(self) -> None:
        if not _SAFE.fullmatch(self.node):
            raise ValueError(f"node {self.node!r}: only letters without accents, digits, '_' and '-' may be used")
        if self.node in _SHARED:
            raise ValueError(f"node {self.node!r}: that name is for what all bedsides share; take another")
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

    def result(self, key: str) -> str:
        """Whether a command was obeyed, when its sender named no response topic; never retained."""
        return f"{self.base}/{key}/result"

    @property
    def asks(self) -> str:
        """Subscription that takes in every question."""
        return f"{self.base}/ask/+"

    def ask_name(self, topic: str) -> str | None:
        """The question a topic asks, or None for any other topic."""
        head = self.asks.removesuffix("+")
        name = topic.removeprefix(head)
        return name if topic.startswith(head) and name and "/" not in name else None

    def ask_result(self, name: str) -> str:
        """The answer to a question whose sender named no response topic; never retained."""
        return f"{self.base}/ask/{name}/result"

    @property
    def shelf(self) -> str:
        """The stories there are, retained."""
        return f"{self.base}/shelf"

    def may_be_answered_at(self, topic: str) -> bool:
        """Whether an answer may go there: a topic, and none at which we would take it for a wish of somebody."""
        wild = not topic or any(sign in topic for sign in "+#\0")
        return not wild and self.command_key(topic) is None and self.ask_name(topic) is None

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
        return self.discovery_of("")

    def discovery_of(self, suffix: str) -> str:
        """Where one of our devices is announced whole; ``suffix`` as in ``DeviceInfo``."""
        return f"{self.prefix}/device/{self.device_id}{suffix}/config"

    def single_discovery(self, platform: str, key: str) -> str:
        """Where one entity is announced by itself."""
        return f"{self.prefix}/{platform}/{self.device_id}/{key}/config"


class _HasTopic(Protocol):
    @property
    def topic(self) -> str: ...


def is_text(message: _HasTopic) -> bool:
    """Whether the topic of a message that came is UTF-8, as MQTT wants it. paho hands over any, raises when it is
    asked for, and its thread ends with what we let through."""
    try:
        return bool(message.topic)
    except UnicodeDecodeError:
        return False


def printable(text: str, most: int = 300) -> str:
    """What came over the wire as a log may hold it: one line that moves nobody's cursor."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:most])
