"""A voice of the household's own: any text-to-speech engine that its Home Assistant has, ``tts.piper`` for one."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from somnisphere.library.broken import UnreadableError
from somnisphere.library.ffmpeg import decode
from somnisphere.telling.voices import Deeper, Pcm, Silent, Voice, pieces, speakable
from somnisphere_home.rest import HomeRefused, HomeUnreachable

RATE_HZ = 22050


class Speech(Protocol):
    def speak(self, engine: str, text: str, language: str) -> bytes | HomeUnreachable | HomeRefused:
        """The bytes of an audio file."""


@dataclass(frozen=True, slots=True)
class HomeVoice:
    speech: Speech
    engine: str

    @property
    def name(self) -> str:
        return f"home_assistant {self.engine}"

    def turned(self, turn: int) -> Voice:
        return Deeper(self) if turn % 2 else self

    def speak(self, text: str, language: str) -> Pcm | Silent:
        spoken = [np.zeros(0, np.int16)]
        for piece in pieces(speakable(text)):
            sound = self.speech.speak(self.engine, piece, language)
            if isinstance(sound, HomeUnreachable | HomeRefused):
                return Silent(f"The voice {self.engine} of Home Assistant cannot be had: {sound.reason}.")
            try:
                spoken += _decoded(sound)
            except UnreadableError as problem:
                return Silent(f"What the voice {self.engine} of Home Assistant said cannot be read: {problem}")
        return Pcm(np.concatenate(spoken), RATE_HZ)


def _decoded(sound: bytes) -> "list[np.ndarray[tuple[int], np.dtype[np.int16]]]":
    """Whatever format the engine speaks in."""
    with tempfile.NamedTemporaryFile(prefix="somnisphere-", suffix=".audio") as file:
        file.write(sound)
        file.flush()
        return list(decode(Path(file.name), RATE_HZ))
