"""The household's voice for its shelf: words told now, or as they were told before."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from somnisphere.story import Book, Recording

if TYPE_CHECKING:
    from somnisphere.config_keys import Voice as VoiceSettings
    from somnisphere.telling.home_assistant import Speech

log = logging.getLogger(__name__)


class HouseholdTeller:
    """``cache``: where spoken sound is kept; ``home``: asks Home Assistant to speak. Voices are set up only when there
    are words to tell."""

    def __init__(self, settings: "VoiceSettings", cache: Path, home: "Speech | None" = None) -> None:
        self._settings = settings
        self._cache = cache
        self._home = home

    def tell(self, book: Book) -> Recording | None:
        """Blocks for as long as it takes; None, and a line in the log, where no voice can."""
        from somnisphere.telling.spoken import Untellable, tell
        from somnisphere.telling.voices import choose

        told = tell(book, choose(self._settings, self._home), self._cache)
        if isinstance(told, Untellable):
            log.warning("%s cannot be told: %s", book.title, told.reason)
            return None
        return told

    def told(self, book: Book) -> Recording | None:
        """What was told before; quick."""
        from somnisphere.telling.encoding import FfmpegError
        from somnisphere.telling.spoken import told_before
        from somnisphere.telling.voices import choose

        try:
            return told_before(book, choose(self._settings, self._home), self._cache)
        except (FfmpegError, OSError):
            return None  # ``tell`` will say what is wrong
