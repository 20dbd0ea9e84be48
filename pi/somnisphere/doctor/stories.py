"""The shelf of stories, and the voice for those that are only words."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere.library import STARTER_FOLDER, Broken, books_of

MOST_S = 8.0
"""So long a shelf is read at most."""


def check_stories(config: Config, _world: World = THIS_MACHINE) -> Iterator[Finding]:
    """What is worked out of stories is not kept: the daemon's cache may be another user's."""
    folder = Path(config.stories.folder) if config.stories.folder else STARTER_FOLDER
    count, broken, until_s, left = 0, list[Broken](), time.monotonic() + MOST_S, ""
    with TemporaryDirectory(prefix="somnisphere-doctor-") as cache:
        for found in books_of(folder, Path(cache)):
            if isinstance(found, Broken):
                broken.append(found)
            else:
                count += 1
            if time.monotonic() > until_s:
                left = f" (of a shelf that was not looked at to its end in {MOST_S:g} s)"
                break
    mend = "" if count else "put one there: somnisphere story add FILE"
    yield Finding("stories", bool(count), f"{count} on the shelf {folder}{left}", mend)
    for file in broken:
        yield Finding("story", False, f"{file.path}: {file.reason}", "replace or remove it; the others are told")


def check_voice(config: Config, _world: World = THIS_MACHINE) -> Iterator[Finding]:
    voice = config.voice
    if voice.piper_voice:
        gone = [path for path in (voice.piper_voice, f"{voice.piper_voice}.json") if not Path(path).is_file()]
        if gone:
            mend = "correct voice.piper_voice, or put the voice there; espeak-ng speaks meanwhile"
            yield Finding("voice", False, f"{gone[0]} is not there", mend)
    if shutil.which("espeak-ng") is None:
        mend = "sudo apt install espeak-ng"
        yield Finding("voice", False, "espeak-ng is not installed: stories of words alone cannot be told", mend)
        return
    yield Finding("voice", True, "espeak-ng speaks where no other voice does")
