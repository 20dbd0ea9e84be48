"""What the pulse sensor has learned of bright and dark, kept over restarts: one small JSON file beside the journal.

Written whole into a second file that then takes the first one's place, so a cut leaves the old or the new one; written
seldom, to spare the SD card. A file that cannot be understood is put aside and learning begins anew: an evening in bed
and an hour of an empty one teach everything again.
"""

import logging
from pathlib import Path

from somnisphere.sleep.learned_light import LearnedLight
from somnisphere.small_file import put_aside, read_small, write_small

log = logging.getLogger(__name__)

VERSION = 1
EVERY_S = 3600.0
FILE_SUFFIX = ".light.json"


def beside(journal_path: Path) -> Path:
    """Where the memory of the box with this journal is."""
    return journal_path.with_name(journal_path.stem + FILE_SUFFIX)


class LightMemory:
    """``light`` is what the file held, else empty. Never raises for trouble with disk or file: ``problem`` says it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self.mended = ""
        """A sentence when a broken file was put aside, else ""."""
        self.light = LearnedLight()
        self._due_s: float | None = None
        try:
            self.light = LearnedLight.from_dict(read_small(path, VERSION, "led_ma"))
        except FileNotFoundError:
            pass
        except OSError as error:
            self.problem = f"{path} cannot be read: {error.strerror or error}. What it held is learned anew."
        except (ValueError, RecursionError) as error:
            self.mended, self.problem = put_aside(path, error, "bright and dark learned anew")
        self._kept = self.light.to_dict()

    def keep(self, at_s: float, *, now: bool = False) -> bool:
        """Write what was learned since, once an hour at most or ``now``. True when it was written."""
        if self._due_s is None:
            self._due_s = at_s + EVERY_S
        if at_s < self._due_s and not now:
            return False
        self._due_s = at_s + EVERY_S
        learned = self.light.to_dict()
        if learned == self._kept:
            return False
        try:
            write_small(self.path, VERSION, "led_ma", learned)
        except OSError as error:
            was, self.problem = (
                self.problem,
                f"{self.path} cannot be written: {error.strerror or error}. Check the disk.",
            )
            if self.problem != was:
                log.warning("%s", self.problem)
            return False
        self._kept, self.problem = learned, ""
        return True
