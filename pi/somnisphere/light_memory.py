"""What the pulse sensor has learned of bright and dark, kept over restarts: one small JSON file beside the journal.

Written whole into a second file that then takes the first one's place, so a cut leaves the old or the new one; written
seldom, to spare the SD card. A file that cannot be understood is put aside and learning begins anew: an evening in bed
and an hour of an empty one teach everything again.
"""

import json
import os
from pathlib import Path

from somnisphere.sleep.learned_light import LearnedLight

VERSION = 1
EVERY_S = 3600.0
FILE_SUFFIX = ".light.json"
LARGEST_BYTES = 100_000
"""A full file has a third of that."""


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
            self.light = _understood(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            self.problem = f"{path} cannot be read: {error.strerror or error}. What it held is learned anew."
        except (ValueError, RecursionError) as error:
            self._put_aside(error)
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
            _write(self.path, json.dumps({"version": VERSION, "led_ma": learned}, indent=1))
        except OSError as error:
            self.problem = f"{self.path} cannot be written: {error.strerror or error}. Check the disk and its rights."
            return False
        self._kept, self.problem = learned, ""
        return True

    def _put_aside(self, error: Exception) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.broken-{number}")).exists():
            number += 1
        try:
            self.path.rename(aside)
        except OSError as second:
            self.problem = f"{self.path} is broken ({error}) and cannot be put aside: {second.strerror or second}."
            return
        self.mended = f"{self.path} was broken ({error}); it is kept as {aside.name}, and bright and dark learned anew."


def _understood(path: Path) -> LearnedLight:
    with path.open("rb") as file:
        text = file.read(LARGEST_BYTES + 1)
    if len(text) > LARGEST_BYTES:
        raise ValueError(f"more than {LARGEST_BYTES} bytes")
    kept = json.loads(text)
    if not isinstance(kept, dict) or kept.get("version") != VERSION or not isinstance(kept.get("led_ma"), dict):
        raise ValueError(f"not version {VERSION} of this file")
    return LearnedLight.from_dict(kept["led_ma"])


def _write(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
