"""Whether this bed may be sensed: a person's choice, which must outlive restarts and broken files.

A marker file beside the journal says *off*. It is no row of the journal: a journal that broke and was begun anew must
not turn the lights on again.
"""

import logging
from pathlib import Path

log = logging.getLogger(__name__)

FILE_SUFFIX = ".sensing-off"


class SensingSwitch:
    """``problem``: a sentence for a person while the choice cannot be kept, else ""."""

    def __init__(self, journal_path: Path) -> None:
        self._marker = journal_path.with_name(journal_path.stem + FILE_SUFFIX)
        self.on = not self._marker.exists()
        self.problem = ""

    def set(self, on: bool) -> None:
        self.on, self.problem = on, ""
        try:
            if on:
                self._marker.unlink(missing_ok=True)
            else:
                self._marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._marker.touch(0o600)
        except OSError as error:
            word = "on" if on else "off"
            self.problem = (
                f"Sensing is {word}, but {self._marker} cannot be written ({error.strerror or error}): "
                "after a restart it would be as before."
            )
            log.warning("%s", self.problem)
