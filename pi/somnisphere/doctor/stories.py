"""The shelf of stories, and the voice for those that are only words."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere.library import STARTER_FOLDER, scan


def check_stories(config: Config, _world: World = THIS_MACHINE) -> Iterator[Finding]:
    folder = Path(config.stories.folder) if config.stories.folder else STARTER_FOLDER
    stories, broken = scan(folder, Path(config.stories.cache) if config.stories.cache else None)
    verdict = f"{len(stories)} on the shelf {folder}"
    yield Finding("stories", bool(stories), verdict, "" if stories else "put one there: somnisphere story add FILE")
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
