"""Covers of stories, asked of the box once and kept for a while."""

import asyncio
import base64
import binascii
import logging
from typing import NamedTuple

from homeassistant.exceptions import HomeAssistantError

from .box import Box

_LOGGER = logging.getLogger(__name__)

MOST_KEPT = 64
AT_ONCE = 2
"""The box opens a file for each, one after the other, and lets few wait."""


class Picture(NamedTuple):
    data: bytes | None
    content_type: str | None


NO_PICTURE = Picture(None, None)


class Covers:
    """They are forgotten when the shelf has other stories: one may have a new cover."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._kept: dict[str, Picture] = {}
        self._keys: frozenset[str] = frozenset()
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def of(self, key: str) -> Picture:
        """``NO_PICTURE`` while the box cannot be asked."""
        keys = frozenset(story.key for story in self._box.shelf.stories)
        if keys != self._keys:
            self._keys = keys
            self._kept.clear()
        if (kept := self._kept.get(key)) is not None:
            return kept
        async with self._turn:
            try:
                answer = await self._box.ask("cover", key=key)
                made = Picture(base64.b64decode(answer["data"], validate=True), str(answer["content_type"]))
            except (HomeAssistantError, KeyError, TypeError, binascii.Error) as problem:
                _LOGGER.debug("No cover of %s: %s", key, problem)
                return NO_PICTURE
        if len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = made
        return made
