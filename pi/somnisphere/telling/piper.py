"""Piper in this process: a neural voice from an .onnx file. Imports piper, a heavy library, only when it speaks."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from somnisphere.telling.voices import Deeper, Pcm, Silent, Voice, pcm_of, pieces, speakable

PLAIN_WORDS_PER_MINUTE = 165.0
"""About the pace of Piper's voices at a length scale of 1."""


@dataclass(frozen=True, slots=True)
class Piper:
    """``model``: a Piper voice, its ``.onnx.json`` beside it. Loaded once, at the first word."""

    model: str
    words_per_minute: float = 125.0
    _loaded: list[Any] = field(default_factory=list, repr=False, compare=False)

    @property
    def name(self) -> str:
        return f"piper {Path(self.model).stem} {self.words_per_minute:g} wpm"

    def turned(self, turn: int) -> Voice:
        return Deeper(self) if turn % 2 else self

    def speak(self, text: str, language: str) -> Pcm | Silent:  # noqa: ARG002 - a model has one language
        model = Path(self.model)
        for needed in (model, Path(f"{model}.json")):
            if not needed.is_file():
                return Silent(
                    f"The Piper voice {needed} is not there; put it there, or change piper_voice in section [voice]."
                )
        try:
            from piper import PiperVoice, SynthesisConfig
        except ImportError:
            return Silent("Piper is not installed here: pip install 'somnisphere[piper]'.")
        try:
            if not self._loaded:
                self._loaded.append(PiperVoice.load(model))
            voice = self._loaded[0]
            pace = SynthesisConfig(length_scale=PLAIN_WORDS_PER_MINUTE / self.words_per_minute)
            spoken, rate_hz = b"", int(voice.config.sample_rate)
            for piece in pieces(speakable(text)):
                for chunk in voice.synthesize(piece, syn_config=pace):
                    spoken += chunk.audio_int16_bytes
        except Exception as problem:  # onnxruntime's own errors share no base but Exception; the model is a user's file
            said = " ".join(str(problem).split())[:200]
            return Silent(f"Piper cannot speak with {model.name}: {said.rstrip('.') or type(problem).__name__}.")
        return pcm_of(spoken, rate_hz)
