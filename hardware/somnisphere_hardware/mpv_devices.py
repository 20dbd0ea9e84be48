"""Which audio devices mpv knows on this box, asked of mpv itself (manual, ``--audio-device=help``)."""

import re
import subprocess
from dataclasses import dataclass

PATIENCE_S = 20.0
"""A Pi Zero may take seconds to load mpv from its card."""

_LINE = re.compile(r"^\s*'(?P<name>.+)' \((?P<words>.*)\)$")


@dataclass(frozen=True, slots=True)
class AudioDevice:
    """``name`` is for ``--audio-device``; ``words`` for a person."""

    name: str
    words: str


def audio_devices(program: str = "mpv") -> list[AudioDevice]:
    """``OSError`` where mpv cannot be asked."""
    try:
        done = subprocess.run(
            [program, "--no-config", "--audio-device=help"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"{program} does not say within {PATIENCE_S:g} s which audio devices there are") from None
    return devices_in(done.stdout.decode(errors="replace"))


def devices_in(text: str) -> list[AudioDevice]:
    """Of what mpv prints."""
    found = [_LINE.match(line) for line in text.splitlines()]
    return [AudioDevice(one["name"], one["words"]) for one in found if one is not None]
