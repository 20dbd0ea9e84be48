"""Voices of the table: what its tellers recorded of their lines, evened, in a folder beside the household's file.

A voice goes with its line: what no table has on it any more is deleted. Only the household's user can read the folder.
"""

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from somnisphere.library.sent_sound import NotSoundError, length_s, take_sound
from somnisphere.telling import encoding
from somnisphere.telling.loudness import SILENCE_LUFS, Unmeasured, evened

LARGEST_SOUND_BYTES = 8_000_000
"""Of one line: more than ten minutes as a telephone records, a minute and a half as a WAV file."""
MOST_S = 600.0
LEAST_S = 0.2
BUSY_S = 60.0
LEFT_OVER_S = 3600.0
"""What lies in the folder half done for so long was left by somebody who was killed."""
MEDIA_TYPES = {".opus": "audio/ogg", ".flac": "audio/flac"}


@dataclass(frozen=True, slots=True)
class Voice:
    """A recording that is ready and not kept yet. ``duration_s``: of its sound."""

    path: Path
    name: str
    duration_s: float


def voices_beside(household: Path) -> Path:
    return household.with_name(f"{household.stem}-voices")


class Voices:
    """``folder`` is made when the first voice comes. Methods raise ``OSError``. Several threads may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def there(self) -> frozenset[str]:
        with suppress(FileNotFoundError):
            return frozenset(path.name for path in self._folder.iterdir() if path.suffix in MEDIA_TYPES)
        return frozenset()

    def files(self) -> Mapping[str, Path]:
        """By name, as ``binding.bind`` wants them."""
        return {name: self._folder / name for name in self.there()}

    def ready(self, sound: BinaryIO, title: str, teller: str) -> Voice:
        """What was sent as a recording of this house: looked at, evened, and not kept yet. Blocks for seconds. Raises
        ``NotSoundError``; ``encoding.FfmpegError`` where there is no ffmpeg."""
        suffix = encoding.suffix()
        if not self._lock.acquire(timeout=BUSY_S):
            raise NotSoundError("busy")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            room = Path(tempfile.mkdtemp(dir=self._folder))
            try:
                return self._evened(sound, room, f"{secrets.token_hex(8)}{suffix}", title, teller)
            except BaseException:
                shutil.rmtree(room, ignore_errors=True)
                raise
        finally:
            self._lock.release()

    def _evened(self, sound: BinaryIO, room: Path, name: str, title: str, teller: str) -> Voice:
        sent = take_sound(sound, room, "sent", LARGEST_SOUND_BYTES)
        if length_s(sent, MOST_S) < LEAST_S:
            raise NotSoundError("silent")
        found = evened(sent, room / name, title=title, teller=teller)
        if isinstance(found, Unmeasured):
            raise NotSoundError("kind")
        if found.integrated_lufs <= SILENCE_LUFS:
            raise NotSoundError("silent")
        (room / name).chmod(0o600)
        return Voice(room / name, name, length_s(room / name, MOST_S + 1.0))

    def keep(self, voice: Voice) -> None:
        os.replace(voice.path, self._folder / voice.name)
        self.let_go(voice)

    def let_go(self, voice: Voice) -> None:
        """What is not kept of it goes."""
        shutil.rmtree(voice.path.parent, ignore_errors=True)

    def only(self, names: Collection[str]) -> None:
        """Whatever else lies there is deleted."""
        for name in self.there() - frozenset(names):
            (self._folder / name).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            for room in self._folder.iterdir():
                if room.is_dir() and time.time() - room.stat().st_mtime > LEFT_OVER_S:
                    shutil.rmtree(room, ignore_errors=True)
