"""espeak-ng: small, plain and always there. One process a sentence; the text goes to its standard input."""

import shutil
import subprocess
from dataclasses import dataclass, replace
from functools import lru_cache

from somnisphere.telling.voices import Pcm, Silent, Voice, pcm_of, pieces, speakable

PROGRAM = "espeak-ng"
TIMEOUT_S = 60.0
"""For one piece of text; a Pi Zero needs about a second."""

TELLERS = (("", 38), ("+f2", 35), ("+m3", 20), ("+f5", 45))
"""Variant and pitch (0 to 99) of each teller. The first is the plain voice, somewhat lower than its 50."""

_HEADER_BYTES = 44
"""espeak-ng writes the plain WAV header of 44 bytes, with lengths it cannot know yet."""


@dataclass(frozen=True, slots=True)
class Espeak:
    """``words_per_minute``: espeak-ng's own pace is 175."""

    words_per_minute: float = 125.0
    turn: int = 0

    @property
    def name(self) -> str:
        variant, pitch = TELLERS[self.turn % len(TELLERS)]
        return f"espeak-ng{variant} {self.words_per_minute:g} wpm pitch {pitch}"

    def turned(self, turn: int) -> Voice:
        return replace(self, turn=turn)

    def speak(self, text: str, language: str) -> Pcm | Silent:
        program = shutil.which(PROGRAM)
        if program is None:
            return Silent("There is no espeak-ng on this box to speak with; install it: sudo apt install espeak-ng.")
        variant, pitch = TELLERS[self.turn % len(TELLERS)]
        voice = voice_for(language, _voices(program)) + variant
        command = [program, "--stdin", "--stdout", "-b", "1", "-z", "-v", voice]
        command += ["-s", f"{self.words_per_minute:.0f}", "-p", str(pitch)]
        spoken, rate_hz = b"", 22050
        for piece in pieces(speakable(text)):
            try:
                done = subprocess.run(
                    command, input=piece.encode() + b"\n", capture_output=True, timeout=TIMEOUT_S, check=False
                )
            except subprocess.TimeoutExpired:
                return Silent(f"espeak-ng did not finish a sentence within {TIMEOUT_S:.0f} s.")
            except OSError as error:
                return Silent(f"espeak-ng cannot be started: {error.strerror or error}.")
            if done.returncode != 0:
                said = " ".join(done.stderr.decode(errors="replace").split())[:200]
                return Silent(f"espeak-ng failed: {said or f'it ended with {done.returncode}'}.")
            if len(done.stdout) >= _HEADER_BYTES and done.stdout[:4] == b"RIFF":
                rate_hz = int.from_bytes(done.stdout[24:28], "little")
                spoken += done.stdout[_HEADER_BYTES:]
        return pcm_of(spoken, rate_hz)


@dataclass(frozen=True, slots=True)
class Known:
    """One line of ``espeak-ng --voices``: a language it speaks, how near (less is nearer), and the voice's file.

    Voices are asked for by file: a variant such as +f2 is silently ignored behind some names (en-gb in 1.51).
    """

    language: str
    rank: int
    file: str


def voice_for(language: str, known: tuple[Known, ...]) -> str:
    """The voice of a BCP 47 tag: the tag itself, else ever less of it; English when nothing fits."""
    nearest: dict[str, Known] = {}
    for voice in known:
        if voice.language not in nearest or voice.rank < nearest[voice.language].rank:
            nearest[voice.language] = voice
    parts = [part for part in language.strip().lower().replace("_", "-").split("-") if part]
    while parts:
        if found := nearest.get("-".join(parts)):
            return found.file
        parts.pop()
    return nearest["en"].file if "en" in nearest else "en"


@lru_cache(maxsize=4)
def _voices(program: str) -> tuple[Known, ...]:
    """Its columns: rank, language, age/gender, name, file, and other languages as ``(zh-cmn 5)(zh 5)``."""
    try:
        done = subprocess.run([program, "--voices"], capture_output=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = []
    for line in done.stdout.decode(errors="replace").splitlines()[1:]:
        columns = line.split()
        if len(columns) < 5 or not columns[0].isdecimal():
            continue
        found.append(Known(columns[1].lower(), int(columns[0]), columns[4]))
        for other in " ".join(columns[5:]).replace(")", " ").split("("):
            words = other.split()
            if len(words) == 2 and words[1].isdecimal():
                found.append(Known(words[0].lower(), int(words[1]), columns[4]))
    return tuple(found)
