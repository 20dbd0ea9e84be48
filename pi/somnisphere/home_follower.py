"""Turns what Home Assistant says of the household's entities into events of the core: only when a fact changed.

All of it happens on the listener's thread; a busy light sensor costs the night nothing.
"""

import logging
from collections.abc import Callable, Iterable

from somnisphere.events import HomeReported
from somnisphere.home_facts import HomeQuestions
from somnisphere_home.rest import HomeRefused, HomeUnreachable
from somnisphere_home.rest_listener import States

log = logging.getLogger(__name__)


class HomeFollower:
    """``put`` takes events from any thread; ``now_s``: monotonic seconds."""

    def __init__(
        self, questions: HomeQuestions, put: Callable[[HomeReported], None], now_s: Callable[[], float]
    ) -> None:
        self._questions = questions
        self._put = put
        self._now_s = now_s
        self._known: tuple[bool | None, bool | None] | None = None
        self._troubled = False
        self._missing: set[str] = set()

    def hear(self, news: States | HomeUnreachable | HomeRefused) -> None:
        if isinstance(news, HomeUnreachable | HomeRefused):
            if not self._troubled or isinstance(news, HomeRefused):
                log.warning("What Home Assistant knows of the house is not to be had: %s", news.reason)
            self._troubled, self._known = True, None
            self._put(HomeReported(self._now_s(), reached=False))
            return
        if self._troubled:
            log.info("Home Assistant tells of the house again.")
            self._troubled = False
        self._say_missing(entity_id for entity_id, state in news.items() if state is None)
        was_dark = self._known[1] if self._known is not None else None
        known = (self._questions.someone_up(news), self._questions.bedroom_dark(news, was_dark))
        if known != self._known:
            self._known = known
            self._put(HomeReported(self._now_s(), True, *known))

    def _say_missing(self, missing: Iterable[str]) -> None:
        """Once each: while Home Assistant starts, many are not there yet."""
        for entity_id in sorted(set(missing) - self._missing):
            self._missing.add(entity_id)
            log.warning("There is no %s in Home Assistant so far; check [home_assistant] if it stays so.", entity_id)
