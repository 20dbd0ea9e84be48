"""A voice of the household's Home Assistant tells a story; when it cannot, the next one does."""

import io
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from somnisphere.assemble import home_speech
from somnisphere.config import Config, load
from somnisphere.config_keys import Voice as VoiceSettings
from somnisphere.errors import UserError
from somnisphere.story import Book, Recording, Sentence
from somnisphere.telling.home_assistant import HomeVoice
from somnisphere.telling.spoken import tell
from somnisphere.telling.voices import Chain, Pcm, Silent, alternatives, choose
from somnisphere_home.rest import HomeRefused, HomeUnreachable

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed (apt install ffmpeg)")


def sound(seconds: float, rate_hz: int = 44100) -> bytes:
    """A tone as a WAV file of another rate than ours."""
    tone = 8000 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * rate_hz)) / rate_hz)
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(tone.astype("<i2").tobytes())
    return made.getvalue()


class Home:
    """Speaks as long as it is told to, and remembers what it was asked."""

    def __init__(self, answer: bytes | HomeUnreachable | HomeRefused) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, str]] = []

    def speak(self, engine: str, text: str, language: str) -> bytes | HomeUnreachable | HomeRefused:
        self.asked.append((engine, text, language))
        return self.answer


@needs_ffmpeg
def test_whatever_format_it_speaks_in_is_heard() -> None:
    home = Home(sound(0.5))
    spoken = HomeVoice(home, "tts.piper").speak("Good night.", "en")
    assert isinstance(spoken, Pcm)
    assert len(spoken.samples) / spoken.rate_hz == pytest.approx(0.5, abs=0.02)
    assert np.abs(spoken.samples).max() == pytest.approx(8000, rel=0.05)
    assert home.asked == [("tts.piper", "Good night.", "en")]


def test_nothing_to_say_is_no_question() -> None:
    home = Home(HomeUnreachable("away"))
    spoken = HomeVoice(home, "tts.piper").speak("...", "en")
    assert isinstance(spoken, Pcm)
    assert len(spoken.samples) == 0
    assert home.asked == []


@needs_ffmpeg
@pytest.mark.parametrize("answer", [HomeUnreachable("it is away"), HomeRefused("it will not"), b"<html>", b""])
def test_when_it_cannot_speak_it_says_why(answer: bytes | HomeUnreachable | HomeRefused) -> None:
    spoken = HomeVoice(Home(answer), "tts.piper").speak("Good night.", "en")
    assert isinstance(spoken, Silent)
    assert "tts.piper" in spoken.reason
    if not isinstance(answer, bytes):
        assert answer.reason in spoken.reason


@needs_ffmpeg
def test_a_book_is_told_by_the_next_voice_when_the_home_is_away(tmp_path: Path) -> None:
    book = Book("a", "A", Path("a"), sentences=(Sentence("a", "One."), Sentence("b", "Two.")))
    away, here = HomeVoice(Home(HomeUnreachable("away")), "tts.away"), HomeVoice(Home(sound(0.5)), "tts.here")
    told = tell(book, Chain((away, here)), tmp_path)
    assert isinstance(told, Recording), told
    assert [mark.end_s - mark.begin_s for mark in told.marks] == pytest.approx([0.5, 0.5], abs=0.02)


def test_the_configuration_chooses_it(tmp_path: Path) -> None:
    home = Home(b"")
    both = VoiceSettings(wyoming_host="home", home_engine="tts.piper", piper_voice="/v/a.onnx")
    names = [voice.name for voice in alternatives(choose(both, home))]
    assert [name.split()[0] for name in names] == ["wyoming", "home_assistant", "piper", "espeak-ng"]
    assert names[1] == "home_assistant tts.piper"
    only = VoiceSettings(engine="home_assistant", wyoming_host="home", home_engine="tts.piper")
    assert [voice.name.split()[0] for voice in alternatives(choose(only, home))] == ["home_assistant", "espeak-ng"]
    assert home_speech(Config()) is None
    (tmp_path / "token").write_text("good")
    path = tmp_path / "c.toml"
    path.write_text('[voice]\nhome_engine = "tts.piper"\n')
    with pytest.raises(UserError, match=r"voice\.home_engine, need home_assistant\.url"):
        load(path)
    path.write_text(
        f'[voice]\nhome_engine = "tts.piper"\n[home_assistant]\nurl = "http://x"\ntoken_file = "{tmp_path}/token"\n'
    )
    assert home_speech(load(path)) is not None
