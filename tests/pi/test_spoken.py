"""Books spoken by the real espeak-ng and encoded by the real ffmpeg."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from somnisphere.story import Book, Recording, Sentence
from somnisphere.telling.espeak import Espeak, voice_for
from somnisphere.telling.loudness import Loudness, Unmeasured, evened, gain_db_to, measure
from somnisphere.telling.sound import at_rate, limited, trimmed
from somnisphere.telling.spoken import PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S, Untellable, tell
from somnisphere.telling.voices import Chain, Deeper, Pcm, Silent, Voice, pieces, speakable

WORDS = (
    ("a", "The owl looked out of the old tree.", False),
    ("b", "It was quiet below.", True),
    ("c", "Snow lay on every branch, and the wind had gone to sleep.", False),
    ("d", "Good night, said the owl.", True),
)


def book(*words: tuple[str, str, bool]) -> Book:
    return Book(
        key="owl",
        title="The owl",
        path=Path("owl.md"),
        teller="Box",
        language="en",
        sentences=tuple(Sentence(name, text, ends_paragraph=end) for name, text, end in words or WORDS),
    )


@dataclass
class Counting:
    """A real voice; what it is asked is kept."""

    voice: Voice = field(default_factory=Espeak)
    asked: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.voice.name

    def speak(self, text: str, language: str) -> Pcm | Silent:
        self.asked.append(text)
        return self.voice.speak(text, language)

    def turned(self, turn: int) -> Voice:
        return Counting(self.voice.turned(turn), self.asked)


@dataclass(frozen=True)
class Mute:
    name: str = "mute"

    def speak(self, text: str, language: str) -> Pcm | Silent:  # noqa: ARG002
        return Silent("The mute voice is mute.")

    def turned(self, turn: int) -> Voice:  # noqa: ARG002
        return self


def decoded(path: Path) -> tuple[NDArray[np.int16], int]:
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ac", "1", "-ar", "48000", "-"],
        capture_output=True,
        check=True,
    )
    return np.frombuffer(done.stdout, "<i2"), 48000


def level_dbfs(samples: NDArray[np.int16]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) / 32768 + 1e-9))


def pitch_hz(samples: NDArray[np.int16], rate_hz: int) -> float:
    """Median over frames of 40 ms of the first lag at which a frame is nearly as like itself as ever."""
    found = []
    size = rate_hz // 25
    low, high = rate_hz // 350, rate_hz // 60
    for begin in range(0, len(samples) - size, size):
        frame = samples[begin : begin + size].astype(float)
        alike = np.fft.irfft(np.abs(np.fft.rfft(frame, 2 * size)) ** 2)[: high + 1] / np.arange(
            size, size - high - 1, -1
        )
        best = alike[low:].max()
        if best > 0.6 * alike[0] > 0:
            peaks = [i for i in range(low, high) if alike[i] > 0.9 * best and alike[i - 1] <= alike[i] >= alike[i + 1]]
            found += [rate_hz / peaks[0]] if peaks else []
    return float(np.median(found))


def told(found: Recording | Untellable) -> Recording:
    assert isinstance(found, Recording), found
    return found


def test_every_mark_holds_its_sentence_and_the_gaps_are_silent(tmp_path: Path) -> None:
    recording = told(tell(book(), Espeak(), tmp_path))
    samples, rate_hz = decoded(recording.path)
    marks = recording.marks
    assert [mark.sentence_id for mark in marks] == ["a", "b", "c", "d"]
    assert recording.duration_s == pytest.approx(len(samples) / rate_hz, abs=0.03)
    for mark in marks:
        inside = samples[round(mark.begin_s * rate_hz) : round(mark.end_s * rate_hz)]
        assert level_dbfs(inside) > -32
        tenth = rate_hz // 10
        assert level_dbfs(inside[:tenth]) > -50, "the sentence begins where its mark does"
        assert level_dbfs(inside[-tenth:]) > -50, "and ends there"
    for before, after in pairwise(marks):
        gap = samples[round((before.end_s + 0.03) * rate_hz) : round((after.begin_s - 0.03) * rate_hz)]
        assert level_dbfs(gap) < -60
    gaps = [after.begin_s - before.end_s for before, after in pairwise(marks)]
    assert gaps == pytest.approx([SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S], abs=1e-3)


def test_what_is_spoken_is_as_loud_as_it_should_be(tmp_path: Path) -> None:
    found = measure(told(tell(book(), Espeak(), tmp_path)).path)
    assert isinstance(found, Loudness)
    assert found.integrated_lufs == pytest.approx(-20, abs=1.0)
    assert found.true_peak_dbtp <= -1.5


def test_nothing_is_spoken_twice_and_an_edit_speaks_one_sentence(tmp_path: Path) -> None:
    voice = Counting()
    first = told(tell(book(), voice, tmp_path))
    assert len(voice.asked) == 4
    voice.asked.clear()
    again = told(tell(book(), voice, tmp_path))
    assert (voice.asked, again) == ([], first)
    edited = book(*WORDS[:1], ("b", "It was very quiet below.", True), *WORDS[2:])
    other = told(tell(edited, voice, tmp_path))
    assert voice.asked == ["It was very quiet below."]
    assert other.path != first.path
    assert first.path.exists()


def test_damaged_entries_are_made_anew(tmp_path: Path) -> None:
    voice = Counting()
    first = told(tell(book(), voice, tmp_path))
    good = first.path.read_bytes()
    first.path.write_bytes(good[: len(good) // 2])
    voice.asked.clear()
    assert told(tell(book(), voice, tmp_path)).marks == first.marks
    assert len(first.path.read_bytes()) > 0.9 * len(good)
    assert voice.asked == [], "the sentences were whole"
    one = sorted(tmp_path.glob("*.pcm"))[0]
    one.write_bytes(one.read_bytes()[:-100])
    next(tmp_path.glob("*.marks.json")).write_text("{]")
    assert told(tell(book(), voice, tmp_path)).marks == first.marks
    assert len(voice.asked) == 1


def test_the_cache_is_bounded_and_lets_the_longest_unused_go(tmp_path: Path) -> None:
    old = told(tell(book(), Espeak(), tmp_path))
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    new = told(tell(book(("z", "A new book.", True)), Espeak(), tmp_path, limit_mb=0.15))
    assert new.path.exists()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 0.15e6
    assert not list(tmp_path.glob("*.part*"))
    assert told(tell(book(), Espeak(), tmp_path)).marks == old.marks


def test_two_tellers_sound_different(tmp_path: Path) -> None:
    text = "The same words are said by two of us, one after the other."
    turns = replace(book(), sentences=(Sentence("a", text, "Ann"), Sentence("b", text, "Ben")))
    recording = told(tell(turns, Espeak(), tmp_path))
    samples, rate_hz = decoded(recording.path)
    pitches = [
        pitch_hz(samples[round(mark.begin_s * rate_hz) : round(mark.end_s * rate_hz)], rate_hz)
        for mark in recording.marks
    ]
    assert max(pitches) / min(pitches) > 1.2, pitches


def test_a_voice_of_one_sound_has_a_deeper_second_teller() -> None:
    plain, deeper = Espeak(), Deeper(Espeak())
    a, b = plain.speak("Good night.", "en"), deeper.speak("Good night.", "en")
    assert isinstance(a, Pcm)
    assert isinstance(b, Pcm)
    assert len(b.samples) / b.rate_hz == pytest.approx(len(a.samples) / a.rate_hz / 0.88, rel=0.01)
    assert plain.name != deeper.name


def test_the_next_voice_tells_the_whole_book_when_the_first_is_silent(tmp_path: Path) -> None:
    recording = told(tell(book(), Chain((Mute(), Espeak())), tmp_path))
    assert len(recording.marks) == 4
    silent = tell(book(), Mute(), tmp_path)
    assert silent == Untellable("The mute voice is mute.")


def test_without_its_programs_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    found = tell(book(), Espeak(), tmp_path / "cache")
    assert isinstance(found, Untellable)
    assert "apt install ffmpeg" in found.reason
    monkeypatch.undo()
    (tools / "ffmpeg").symlink_to(shutil.which("ffmpeg") or "missing")
    monkeypatch.setenv("PATH", str(tools))
    found = tell(book(), Espeak(), tmp_path / "cache")
    assert isinstance(found, Untellable)
    assert "apt install espeak-ng" in found.reason


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = tell(book(), Espeak(), tmp_path / "file" / "cache")
    assert isinstance(found, Untellable)
    assert "cannot hold" in found.reason


def test_killed_while_it_speaks_it_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    many = [(f"s{i}", f"This is sentence number {i} of a long tale.", False) for i in range(60)]
    program = (
        "import sys, test_words\n"
        "from pathlib import Path\n"
        "from somnisphere.telling.spoken import tell\n"
        "from somnisphere.telling.espeak import Espeak\n"
        "tell(test_words.BOOK, Espeak(), Path(sys.argv[1]))\n"
    )
    cache = tmp_path / "cache"
    (tmp_path / "test_words.py").write_text(
        "from pathlib import Path\nfrom somnisphere.story import Book, Sentence\n"
        f"BOOK = Book('owl', 'The owl', Path('owl.md'), 'Box', 'en', sentences=tuple("
        f"Sentence(n, t, ends_paragraph=e) for n, t, e in {many!r}))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    process = subprocess.Popen([sys.executable, "-c", program, str(cache)], env=environment)
    deadline_s = time.monotonic() + 60
    while len(list(cache.glob("*.pcm"))) < 5 and time.monotonic() < deadline_s:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    begun = len(list(cache.glob("*.pcm")))
    assert 5 <= begun < 60
    assert not list(cache.glob("*.marks.json"))
    (cache / f".cut.{process.pid}.part.opus").write_bytes(b"half")
    voice = Counting()
    assert len(told(tell(book(*many), voice, cache)).marks) == 60
    assert len(voice.asked) == 60 - begun, "what was spoken before is not spoken again"
    assert not list(cache.glob(".*")), "what the killed one left is gone"


ODD = ["", "   ", "...", "* * *", "\x00", "-v evil --help", "🦉🌙", "<speak><break time='9s'/>x</speak>", "[[h@loU]]"]


@pytest.mark.parametrize("text", [*ODD, "\ud800 lone", "שלום לילה טוב", "月亮睡着了。", "word " * 900, "x" * 4000])
def test_odd_text_is_safe(text: str) -> None:
    spoken = Espeak(words_per_minute=220).speak(text, "en")
    assert isinstance(spoken, Pcm), spoken
    heard = len(trimmed(spoken.samples, spoken.rate_hz))
    assert bool(heard) == bool(speakable(text)), (heard, speakable(text))


def test_a_book_of_odd_text_marks_only_what_has_words(tmp_path: Path) -> None:
    recording = told(tell(book(("a", "Owl.", True), ("b", "* * *", True), ("c", "Moon.", True)), Espeak(), tmp_path))
    assert [mark.sentence_id for mark in recording.marks] == ["a", "c"]
    assert isinstance(tell(book(("b", "* * *", True)), Espeak(), tmp_path), Untellable)


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        *(("en", "gmw/en"), ("en-US", "gmw/en-US"), ("de_AT", "gmw/de"), ("he", "sem/he")),
        *(("", "gmw/en"), ("qq", "gmw/en"), ("zh", "sit/cmn"), ("pt", "roa/pt"), ("fr", "roa/fr")),
    ],
)
def test_a_language_finds_its_voice(language: str, voice: str) -> None:
    from somnisphere.telling import espeak

    program = shutil.which("espeak-ng")
    assert program is not None
    assert voice_for(language, espeak._voices(program)) == voice


def test_languages_sound_different() -> None:
    spoken = [Espeak().speak("Die Nacht ist still.", language) for language in ("de", "en")]
    a, b = (found.samples for found in spoken if isinstance(found, Pcm))
    assert len(a) != len(b)


def test_long_text_is_cut_at_spaces_and_nothing_is_lost() -> None:
    text = " ".join(f"word{i}" for i in range(2000))
    cut = pieces(text, 500)
    assert max(map(len, cut)) <= 500
    assert " ".join(cut) == text


def test_another_rate_keeps_tone_and_length() -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype(np.int16)
    other = at_rate(tone, 16000, 22050)
    assert len(other) == 22050
    assert int(np.argmax(np.abs(np.fft.rfft(other)))) == 440
    assert np.abs(other[2000:-2000]).max() == pytest.approx(8000, rel=0.02)


def test_the_limiter_lowers_peaks_alone() -> None:
    wave = (3000 * np.sin(2 * np.pi * 200 * np.arange(22050) / 22050)).astype(np.int16)
    wave[11000:11010] = 20000
    out = limited(wave, 22050, 6000)
    assert np.abs(out).max() <= 6000
    assert len(out) == len(wave)
    assert np.array_equal(out[:9000], wave[:9000])


def test_a_recording_is_evened_and_its_gain_is_kept(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet: tale.wav"
    tone = "sine=frequency=997:duration=5,volume=-10dB"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", tone, f"file:{quiet}"], check=True)
    before = measure(quiet)
    assert isinstance(before, Loudness)
    louder = tmp_path / "out.flac"
    assert evened(quiet, louder, title="Tone") == before
    after = measure(louder)
    assert isinstance(after, Loudness)
    assert after.integrated_lufs == pytest.approx(-20, abs=0.6) or after.true_peak_dbtp == pytest.approx(-2, abs=0.3)
    cache = tmp_path / "cache"
    gain_db = gain_db_to(quiet, cache)
    assert gain_db == pytest.approx(min(20, -20 - before.integrated_lufs), abs=0.11)
    entry = next(cache.glob("*.json"))
    kept = entry.read_text()
    entry.write_text(kept.replace(str(before.integrated_lufs), str(before.integrated_lufs + 3)))
    assert gain_db_to(quiet, cache) == pytest.approx(float(str(gain_db)) - 3, abs=0.11), "read, not measured again"
    os.utime(quiet, (5, 5))
    assert gain_db_to(quiet, cache) == gain_db, "a changed file is measured again"


def test_what_is_not_sound_has_no_loudness(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no sound" * 100)
    assert isinstance(measure(broken), Unmeasured)
    assert isinstance(gain_db_to(broken, tmp_path), Unmeasured)
    assert isinstance(gain_db_to(tmp_path / "missing.mp3", tmp_path), Unmeasured)
