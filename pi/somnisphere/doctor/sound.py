"""What plays the stories."""

import shutil
from collections.abc import Iterator

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding


def check_sound(_config: Config) -> Iterator[Finding]:
    mpv = shutil.which("mpv")
    yield Finding("player", mpv is not None, mpv or "mpv is not installed", "" if mpv else "sudo apt install mpv")
