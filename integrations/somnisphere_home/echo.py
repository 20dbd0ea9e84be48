"""What the broker lets us do, found out by hearing ourselves. Pure.

A broker with an access list may drop what it forbids without a word: on MQTT 3.1.1 everything, on MQTT 5 what is said
at QoS 0; and mosquitto takes subscriptions that its list forbids, and hands nothing over. So a box listens to itself:
its first word on each topic after connecting must come back. One word goes to a topic of commands, for that is where
the home is heard. Whether the home's own birth and the house's topics are handed over cannot be found out this way.
"""

from somnisphere_home.messages import Message, Topics

PATIENCE_S = 30.0
"""A word that others overtook by so much is not coming any more."""
SILENCE_S = 120.0
"""When nothing at all comes back. Longer than it takes to notice a connection that is only half there."""
AGAIN_S = 300.0
"""While something is dropped, all is said anew so often: whoever mends the list need not restart the box."""
MOST_WAITING = 200
_SAID_ONCE = ("/event", "/trigger", "/scan")
PROBE_KEY = "echo"
"""Of the command that is none: it is only there to be heard by ourselves."""


class Echo:
    """``filters``: what is subscribed to anyway and takes in words of our own. Without ``topics`` it listens to nothing
    and finds nothing: for a rehearsal, whose time is not the broker's."""

    def __init__(self, topics: Topics | None = None, filters: tuple[str, ...] = ()) -> None:
        self._listens = topics is not None
        topics = topics or Topics("nobody")
        self._topics = topics
        self._probe = Message(topics.command(PROBE_KEY), b"")
        base = topics.base
        own = (f"{base}/+", *(f"{base}/+/{kind}" for kind in ("status", "event", "trigger", "image")))
        self.subscriptions = own if self._listens else ()
        """To be taken in beside the commands: they overlap with none, so that no command arrives twice."""
        self._own = (*self.subscriptions, *filters)
        self._audible = self._own
        self._connected = False
        self._tried_s = 0.0
        self._waiting: dict[str, float] = {}
        self._back: set[str] = set()
        self._newest_back_s: float | None = None
        self._forbidden: dict[str, str] = {}
        self._lost: frozenset[str] = frozenset()
        self._told = (False, False)

    def connected(self, at_s: float) -> list[Message]:
        """All begins anew. The message is to be said when everything was subscribed to."""
        if not self._listens:
            return []
        self._connected, self._audible = True, self._own
        self._waiting, self._back, self._forbidden = {}, set(), {}
        self._newest_back_s, self._lost = None, frozenset()
        self._waiting[self._probe.topic] = self._tried_s = at_s
        return [self._probe]

    def again(self, at_s: float) -> list[Message]:
        """Now and then while something is dropped: a message, and then all there is to say is to be said anew."""
        if not self._connected or at_s - self._tried_s < AGAIN_S or not any(self._found(at_s)):
            return []
        self._tried_s = at_s
        return [self._probe]

    def disconnected(self) -> None:
        """That the broker is away is said by the link; what it allows is not known."""
        self._connected = False

    def said(self, message: Message, at_s: float) -> None:
        """A message leaves."""
        topic = message.topic
        if not self._connected or topic in self._back or topic in self._waiting or len(self._waiting) >= MOST_WAITING:
            return
        if any(matches(one, topic) for one in self._audible):
            self._waiting[topic] = at_s

    def heard(self, topic: str, *, retained: bool) -> bool:
        """A message of the broker; True: it was of ourselves, and means nothing further."""
        if not retained and (since_s := self._waiting.pop(topic, None)) is not None:
            self._back.add(topic)
            self._forbidden.pop(topic, None)
            if topic in self._lost:  # the list was mended: of what is said once in a night nothing is known now
                self._waiting = {it: s for it, s in self._waiting.items() if not it.endswith(_SAID_ONCE)}
            self._newest_back_s = max(since_s, self._newest_back_s or since_s)
        return topic == self._probe.topic or any(matches(one, topic) for one in self.subscriptions)

    def forbidden(self, deed: str, topic: str) -> None:
        """The broker said so. Where it does not let us hear ourselves, nothing is found out, and nothing is wrong."""
        if deed == "read" and topic in self.subscriptions:
            self._audible = tuple(one for one in self._audible if one != topic)
            self._waiting = {it: s for it, s in self._waiting.items() if not matches(topic, it)}
        else:
            self._forbidden[topic] = deed
            self._waiting.pop(topic, None)

    def problem(self, at_s: float) -> str:
        """A sentence for a person, "" when nothing is wrong or nothing is known."""
        dumb, deaf = self._found(at_s)
        told = []
        if dumb:
            more = f" and on {len(dumb) - 1} more topics" if len(dumb) > 1 else ""
            told.append(f"drops what this box says on {dumb[0]}{more}")
        if deaf:
            told.append(f"does not hand over what is said on {deaf}")
        mend = f"Mend its access list: deploy/broker/new-box.sh {self._topics.node}"
        return f"The MQTT broker {' and '.join(told)}. {mend}" if told else ""

    def news(self, at_s: float) -> str | None:
        """The problem when it is one of another kind than before ("": it is mended), else None. A connection that was
        lost leaves open whether it is mended."""
        dumb, deaf = self._found(at_s)
        self._lost = frozenset(topic for topic, since_s in self._waiting.items() if self._is_lost(since_s, at_s))
        kinds = bool(dumb), bool(deaf)
        if not self._connected or kinds == self._told or (not any(kinds) and self._waiting):
            return None
        self._told = kinds
        return self.problem(at_s)

    def _found(self, at_s: float) -> tuple[list[str], str]:
        """Topics that we cannot write, and one that we cannot hear."""
        if not self._connected:
            return [], ""
        lost = {topic for topic, since_s in self._waiting.items() if self._is_lost(since_s, at_s)}
        refused = next((topic for topic, deed in self._forbidden.items() if deed == "read"), "")
        dumb = {*lost, *(topic for topic, deed in self._forbidden.items() if deed == "write")} - {self._probe.topic}
        return sorted(dumb), refused or (self._topics.commands if self._probe.topic in lost else "")

    def _is_lost(self, since_s: float, at_s: float) -> bool:
        overtaken = self._newest_back_s is not None and self._newest_back_s >= since_s and at_s - since_s > PATIENCE_S
        return overtaken or at_s - since_s > SILENCE_S


def matches(pattern: str, topic: str) -> bool:
    """Whether a subscription takes in a topic (MQTT 4.7). ``#`` stands for nothing below here, too."""
    wanted, found = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        found = found[: len(wanted)]
    return len(wanted) == len(found) and all(want in ("+", have) for want, have in zip(wanted, found, strict=True))
