"""A sound to try a speaker with: two soft notes, made here."""

import array
import math
import wave
from pathlib import Path

RATE_HZ = 44100
NOTES_HZ = (523.25, 659.26)
"""C and E."""
NOTE_S = 0.6
ATTACK_S = 0.02
LOUDNESS = 0.5


def write_chime(path: Path) -> None:
    samples = array.array("h")
    for note_hz in NOTES_HZ:
        for k in range(round(NOTE_S * RATE_HZ)):
            at_s = k / RATE_HZ
            envelope = min(at_s / ATTACK_S, 1.0) * math.exp(-6.0 * at_s) * min((NOTE_S - at_s) / ATTACK_S, 1.0)
            samples.append(round(32767 * LOUDNESS * envelope * math.sin(2 * math.pi * note_hz * at_s)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
