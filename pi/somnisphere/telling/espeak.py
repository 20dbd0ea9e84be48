"""espeak-ng: small, plain and always there. One process a sentence; the text goes to its standard input."""

import shutil
import subprocess
from dataclasses import dataclass, replace
from functools import lru_cache

from somnisphere.telling.voices import Pcm, Silent, Voice, pcm_of, pieces, speakable

PROGRAM = "espeak-ng"
TIMEOUT_S = 60.0
"""For one piece of text; a Pi Zero needs about a second."""

TELLERS = (("", 38), ("+f2", 50), ("+m3", 20), ("+f5", 40))
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


def voice_for(language: str, known: tuple[tuple[str, int], ...]) -> str:
    """The espeak-ng voice of a BCP 47 tag: the tag itself, else ever less of it; English when nothing fits.

    ``known``: (language, rank) as ``espeak-ng --voices`` lists them; a smaller rank is nearer to the language.
    """
    wanted = language.strip().lower().replace("_", "-")
    ranks: dict[str, int] = {}
    for tag, rank in known:
        ranks[tag] = min(rank, ranks.get(tag, rank))
    parts = wanted.split("-") if wanted else []
    while parts:
        tag = "-".join(parts)
        if tag in ranks or tag in ("en", "fr", "es", "pt", "zh"):  # names that espeak-ng itself resolves
            return {"en": "en-gb", "zh": "cmn"}.get(tag, tag)
        parts.pop()
    return "en-gb"


@lru_cache(maxsize=4)
def _voices(program: str) -> tuple[tuple[str, int], ...]:
    """Languages of ``espeak-ng --voices``: its second column, and the ``(zh 5)`` of the last."""
    try:
        done = subprocess.run([program, "--voices"], capture_output=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found: list[tuple[str, int]] = []
    for line in done.stdout.decode(errors="replace").splitlines()[1:]:
        columns = line.split()
        if len(columns) >= 2 and columns[0].isdecimal():
            found.append((columns[1].lower(), int(columns[0])))
            others = line[line.index("(") :] if "(" in line else ""
            for other in others.replace(")", " ").split("("):
                name = other.split()
                if len(name) == 2 and name[1].isdecimal():
                    found.append((name[0].lower(), int(name[1])))
    return tuple(found)
