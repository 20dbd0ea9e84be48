"""Quiet while anybody sleeps: what each bedside of a house says, and what follows for all of them. Pure.

Each bedside keeps its own word, retained, on ``somnisphere/house/quiet/<node>``; whoever sees that the house's word on
``somnisphere/house/quiet`` should be another one says it. A bedside that vanished is forgotten when its word expires
(MQTT 5) or was not said again for ``EXPIRY_S``.
"""

from somnisphere_home.messages import Message, Topics

QUIET = b"ON"
NOT_QUIET = b"OFF"
SAY_AGAIN_S = 450.0
EXPIRY_S = 900
MOST_BEDSIDES = 64
"""More than that do not stand in one house: further ones are not heard, whatever somebody on the broker says."""


class House:
    """One bedside's part. ``quiet``: somebody in the house sleeps, as far as is known here."""

    def __init__(self, topics: Topics) -> None:
        self._own_topic = topics.quiet_of(topics.node)
        self._topic = topics.quiet
        self.subscription = topics.quiet_of("+")
        self._asleep: bool | None = None
        self._heard: dict[str, tuple[bool, float]] = {}
        self._said: bool | None = None
        self._said_s: float | None = None

    @property
    def quiet(self) -> bool:
        return bool(self._asleep) or any(asleep for asleep, _ in self._heard.values())

    def connected(self) -> None:
        """All is to be said anew."""
        self._said = self._said_s = None

    def heard(self, topic: str, payload: bytes, at_s: float) -> bool:
        """A message of the broker; True when it was of the house."""
        head = self.subscription.removesuffix("+")
        if not topic.startswith(head):
            return False
        if topic == self._own_topic:
            return True
        if payload in (QUIET, NOT_QUIET):
            if topic in self._heard or len(self._heard) < MOST_BEDSIDES:
                self._heard[topic] = (payload == QUIET, at_s)
        else:  # an empty word takes a bedside away
            self._heard.pop(topic, None)
        return True

    def update(self, asleep: bool, at_s: float) -> list[Message]:
        """What is to be said now; to be called every few seconds."""
        self._heard = {topic: word for topic, word in self._heard.items() if at_s - word[1] < EXPIRY_S}
        again = self._said_s is None or at_s - self._said_s >= SAY_AGAIN_S
        messages = []
        if again or asleep != self._asleep:
            self._asleep = asleep
            messages.append(_word(self._own_topic, asleep))
        if again or self.quiet != self._said:
            self._said = self.quiet
            messages.append(_word(self._topic, self.quiet))
        if again:
            self._said_s = at_s
        return messages


def _word(topic: str, quiet: bool) -> Message:
    return Message(topic, QUIET if quiet else NOT_QUIET, retain=True, qos=1, expiry_s=EXPIRY_S)
