"""The journal read by somebody beside the daemon: on a thread of its own, never written, never put aside."""

import sqlite3
from contextlib import suppress

from somnisphere.journal import Journal
from somnisphere.journal_schema import readable
from somnisphere.sqlite_file import CarefulConnection


class JournalReader(Journal):
    """Only its reading methods are of use. What was not written yet (a minute) is not seen."""

    def commit(self) -> bool:
        return True

    def _open(self) -> bool:
        try:
            place = f"{self.path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(place, uri=True, timeout=5.0, factory=CarefulConnection)
            self._db.text_factory = readable
        except sqlite3.Error as error:
            self._troubled(error)
        return self._db is not None

    def _troubled(self, error: Exception) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        self.problem = f"the journal cannot be read: {error}"
