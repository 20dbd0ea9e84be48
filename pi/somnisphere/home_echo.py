"""The box listens to itself, where it is to find out what its broker drops (``somnisphere_home.echo``)."""

import logging

from somnisphere.parts import Publish
from somnisphere_home.echo import Echo
from somnisphere_home.messages import Message

log = logging.getLogger(__name__)


class HomeEcho:
    """Over an ``Echo``, or over none: then nothing is found out, and nothing more is subscribed to."""

    def __init__(self, echo: Echo | None) -> None:
        self._echo = echo
        self._now_s = 0.0

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return () if self._echo is None else self._echo.subscriptions

    def before(self, publish: Publish) -> Publish:
        """A way to publish that takes note of what leaves."""
        if (echo := self._echo) is None:
            return publish

        def say(message: Message) -> None:
            echo.said(message, self._now_s)
            publish(message)

        return say

    def tick(self, at_s: float) -> list[Message]:
        """What is to be said anew with everything else, because something was dropped."""
        self._now_s = at_s
        if self._echo is None:
            return []
        again = self._echo.again(at_s)
        if (news := self._echo.news(at_s)) is not None:
            log.warning("%s", news or "The MQTT broker takes and hands over everything again.")
        return again

    def connected(self, at_s: float) -> list[Message]:
        """What is to be said first."""
        self._now_s = at_s
        return [] if self._echo is None else self._echo.connected(at_s)

    def lost(self) -> None:
        """The broker is away."""
        if self._echo is not None:
            self._echo.disconnected()

    def forbidden(self, deed: str, topic: str) -> None:
        """The broker does not let us read or write there."""
        if self._echo is not None:
            self._echo.forbidden(deed, topic)

    def heard(self, topic: str, *, retained: bool) -> bool:
        """Whether a message of the broker was our own."""
        return self._echo is not None and self._echo.heard(topic, retained=retained)
