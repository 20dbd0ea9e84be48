"""What a voice is, and which of them speaks: the configured ones in turn, espeak-ng as the one that is always there."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from somnisphere.config_keys import Voice as VoiceSettings
    from somnisphere.telling.home_assistant import Speech

PIECE_CHARACTERS = 1500
"""A program is never asked for more at once; longer text is spoken in pieces."""

DEEPER = 0.88
"""The second teller of a voice that has one sound only: played so much slower, and therefore deeper."""


@dataclass(frozen=True, slots=True)
class Pcm:
    """Spoken sound, one channel. ``samples``: (n,) int16."""

    samples: NDArray[np.int16]
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A voice that could not speak. ``reason`` is a sentence for a person."""

    reason: str


class Voice(Protocol):
    @property
    def name(self) -> str:
        """Engine and everything that changes its sound; two voices of one name sound alike."""

    def speak(self, text: str, language: str) -> Pcm | Silent:
        """``language`` is BCP 47 or "". Text without a word is ``Pcm`` of no samples. Blocks until all is spoken."""

    def turned(self, turn: int) -> "Voice":
        """The voice of the ``turn``-th teller; 0 is this one."""


@dataclass(frozen=True, slots=True)
class Deeper:
    """A voice played slower by ``factor``: another teller out of a model that has only one."""

    voice: Voice
    factor: float = DEEPER

    @property
    def name(self) -> str:
        return f"{self.voice.name} deeper {self.factor:g}"

    def speak(self, text: str, language: str) -> Pcm | Silent:
        spoken = self.voice.speak(text, language)
        return spoken if isinstance(spoken, Silent) else replace(spoken, rate_hz=round(spoken.rate_hz * self.factor))

    def turned(self, turn: int) -> Voice:
        return self.voice.turned(turn)


@dataclass(frozen=True, slots=True)
class Chain:
    """Voices in the order of preference; the first that speaks is heard. At least one."""

    voices: tuple[Voice, ...]

    @property
    def name(self) -> str:
        return self.voices[0].name

    def speak(self, text: str, language: str) -> Pcm | Silent:
        reasons = []
        for voice in self.voices:
            spoken = voice.speak(text, language)
            if isinstance(spoken, Pcm):
                return spoken
            reasons.append(spoken.reason)
        return Silent(" ".join(reasons))

    def turned(self, turn: int) -> "Chain":
        return Chain(tuple(voice.turned(turn) for voice in self.voices))


def alternatives(voice: Voice) -> tuple[Voice, ...]:
    """The single voices behind one: a book is told by one of them from its first to its last sentence."""
    return voice.voices if isinstance(voice, Chain) else (voice,)


def choose(settings: "VoiceSettings", home: "Speech | None" = None) -> Voice:
    """The configured voices and what they fall back to: Piper over the network, a voice of Home Assistant's (``home``),
    Piper here, espeak-ng."""
    from somnisphere.telling.espeak import Espeak

    voices: list[Voice] = []
    if settings.engine in ("auto", "wyoming") and settings.wyoming_host:
        from somnisphere.telling.wyoming import Wyoming

        voices.append(Wyoming(settings.wyoming_host, settings.wyoming_port))
    if settings.engine in ("auto", "home_assistant") and settings.home_engine and home is not None:
        from somnisphere.telling.home_assistant import HomeVoice

        voices.append(HomeVoice(home, settings.home_engine))
    if settings.engine in ("auto", "piper") and settings.piper_voice:
        from somnisphere.telling.piper import Piper

        voices.append(Piper(settings.piper_voice, settings.words_per_minute))
    return Chain((*voices, Espeak(settings.words_per_minute)))


def speakable(text: str) -> str:
    """``text`` as any program may get it: no control characters, no pictures; "" when no word or number is in it.

    espeak-ng takes what stands in double square brackets for phonemes, so they are taken apart.
    """
    kept = "".join(" " if _unspoken(c) else c for c in unicodedata.normalize("NFC", text))
    kept = " ".join(re.sub(r"\[(?=\[)|\](?=\])", lambda bracket: bracket.group() + " ", kept).split())
    return kept if any(c.isalnum() for c in kept) else ""


def _unspoken(character: str) -> bool:
    """Controls, lone surrogates, private and unassigned characters; emoji and their modifiers.

    Joiners between letters and the marks of direction stay: Persian and the scripts of India need them.
    """
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Co", "Cn", "So", "Sk"):
        return True
    return character in "\ufe0f\u20e3" or "\U000e0000" <= character <= "\U000e007f"


def pieces(text: str, limit: int = PIECE_CHARACTERS) -> list[str]:
    """``text`` cut at spaces, else anywhere, into pieces of ``limit`` characters at the most."""
    found = []
    while len(text) > limit:
        cut = text.rfind(" ", limit // 2, limit)
        cut = limit if cut < 0 else cut
        found.append(text[:cut].strip())
        text = text[cut:].strip()
    return [*found, text] if text else found


def pcm_of(data: bytes, rate_hz: int, *, channels: int = 1) -> Pcm:
    """From little-endian 16-bit bytes; a half sample at the end is dropped, channels are averaged."""
    whole = len(data) - len(data) % (2 * channels)
    samples: NDArray[Any] = np.frombuffer(data[:whole], "<i2")
    if channels > 1:
        samples = samples.reshape(-1, channels).mean(axis=1)
    return Pcm(samples.astype(np.int16), rate_hz)
