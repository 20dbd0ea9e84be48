"""A book of words spoken into one recording, sentence by sentence, with the exact place of each.

The silence after a sentence is long enough for a player to pause in. Sentences are kept one by one: an edited book
only speaks what changed. One sentence is in memory at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from somnisphere.story import Book, Mark, Recording, Sentence
from somnisphere.telling import encoding
from somnisphere.telling.kept import SpokenCache, key_of
from somnisphere.telling.loudness import PEAK_DBTP, TARGET_LUFS, Loudness, Unmeasured, gain_db, measure_pcm
from somnisphere.telling.sound import at_rate, limited, trimmed
from somnisphere.telling.voices import Pcm, Silent, Voice, alternatives, speakable

LEAD_S = 0.3
SENTENCE_PAUSE_S = 0.6
PARAGRAPH_PAUSE_S = 1.3
MOST_LIMITED_DB = 6.0
CODEC_PEAK_DB = 1.0
"""What true peaks and the codec may add above the highest sample."""
CACHE_MB = 600.0
"""An hour of sentences is about 160 MB, an hour of Opus about 20."""

SUFFIXES = (".opus", ".flac")
_FORM = 1
"""Raised when the same words and voice would sound different than before."""


@dataclass(frozen=True, slots=True)
class Untellable:
    """``reason`` is for a person: why no voice can tell this now."""

    reason: str


Progress = Callable[[int, int], None]


def tell(
    book: Book,
    voice: Voice,
    cache: Path,
    *,
    limit_mb: float = CACHE_MB,
    progress: Progress = lambda _done, _all: None,
) -> Recording | Untellable:
    """Speak ``book`` or find it spoken in ``cache``. Blocks; minutes for a long book. ``progress`` gets sentences
    done and all. Sentences without a word have no mark. The whole book is told by one voice (and its turns)."""
    if not any(speakable(sentence.text) for sentence in book.sentences):
        return Untellable(f"{book.title}: there are no words in it to tell.")
    reasons = []
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        for single in alternatives(voice):
            told = _Telling(book, single, SpokenCache(cache), progress).recording(limit_mb)
            if isinstance(told, Recording):
                return told
            reasons.append(told.reason)
    except encoding.FfmpegError as problem:
        return Untellable(str(problem))
    except OSError as problem:
        return Untellable(f"{cache} cannot hold what is spoken: {problem.strerror or problem}.")
    return Untellable(" ".join(reasons))


def told_before(book: Book, voice: Voice, cache: Path) -> Recording | None:
    """What ``tell`` made of these words earlier, in any of the voices. Never speaks."""
    kept = (_Telling(book, single, SpokenCache(cache), lambda *_: None).kept() for single in alternatives(voice))
    return next((recording for recording in kept if recording is not None), None)


def forget(book: Book, voice: Voice, cache: Path) -> None:
    """What was spoken of these words in any of the voices is deleted, whole and by sentences. Raises ``OSError``."""
    for single in alternatives(voice):
        _Telling(book, single, SpokenCache(cache), lambda *_: None).forget()


class _Telling:
    def __init__(self, book: Book, voice: Voice, cache: SpokenCache, progress: Progress) -> None:
        self._book, self._cache, self._progress = book, cache, progress
        tellers = dict.fromkeys(sentence.teller for sentence in book.sentences)
        self._voices = {teller: voice.turned(turn) for turn, teller in enumerate(tellers)}

    def kept(self) -> Recording | None:
        if found := self._cache.recording(self._key(encoding.suffix())):
            path, duration_s, marks = found
            return Recording(path, self._book.teller, duration_s, marks)
        return None

    def forget(self) -> None:
        for key in (*map(self._key, SUFFIXES), *map(self._sentence_key, self._book.sentences)):
            self._cache.forget(key)

    def recording(self, limit_mb: float) -> Recording | Silent:
        if (kept := self.kept()) is not None:
            return kept
        suffix = encoding.suffix()
        key = self._key(suffix)
        spoken = self._speak_all()
        if isinstance(spoken, Silent):
            return spoken
        rate_hz, marks, duration_s = spoken
        try:
            loudness = measure_pcm(self._blocks(rate_hz), rate_hz)
            if isinstance(loudness, Unmeasured):
                return Silent(loudness.reason)
            gain, ceiling = _gain(loudness)
            path = self._cache.folder / f"{key}{suffix}"
            encoding.encode(
                encoding.pcm_input(rate_hz),
                path,
                gain_db=gain,
                title=self._book.title,
                teller=self._book.teller,
                blocks=self._blocks(rate_hz, ceiling),
            )
        except _StoppedError as stopped:
            return Silent(str(stopped))
        self._cache.keep_marks(key, path, duration_s, marks)
        self._cache.bound(limit_mb, key)
        return Recording(path, self._book.teller, duration_s, marks)

    def _key(self, suffix: str) -> str:
        words = [[s.id, s.text, self._voices[s.teller].name, s.ends_paragraph] for s in self._book.sentences]
        settings = [_FORM, LEAD_S, SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S, TARGET_LUFS, PEAK_DBTP, suffix]
        return key_of(settings, words, self._book.language, self._book.title, self._book.teller)

    def _sentence_key(self, sentence: Sentence) -> str:
        return key_of(_FORM, self._voices[sentence.teller].name, self._book.language, speakable(sentence.text))

    def _speak_all(self) -> tuple[int, tuple[Mark, ...], float] | Silent:
        """Every sentence into the cache; the rate of the whole in Hz, its marks and its duration in s."""
        rate_hz, at, marks = 0, 0, []
        count = len(self._book.sentences)
        for done, sentence in enumerate(self._book.sentences):
            sound = self._sound(sentence)
            if isinstance(sound, Silent):
                return sound
            if not rate_hz:
                rate_hz = sound.rate_hz
                at = round(LEAD_S * rate_hz)
            samples = at_rate(sound.samples, sound.rate_hz, rate_hz)
            if len(samples):
                marks.append(Mark(round(at / rate_hz, 6), round((at + len(samples)) / rate_hz, 6), sentence.id))
            at += len(samples) + _pause(sentence, len(samples), rate_hz)
            self._progress(done + 1, count)
        if not marks:
            return Silent(f"{self._book.title}: the voice “{next(iter(self._voices.values())).name}” said nothing.")
        return rate_hz, tuple(marks), round(at / rate_hz, 6)

    def _blocks(self, rate_hz: int, ceiling: float = 32768.0) -> Iterator[bytes]:
        yield bytes(2 * round(LEAD_S * rate_hz))
        for sentence in self._book.sentences:
            sound = self._sound(sentence)
            if isinstance(sound, Silent):
                raise _StoppedError(sound.reason)
            samples = at_rate(sound.samples, sound.rate_hz, rate_hz)
            yield limited(samples, rate_hz, ceiling).astype("<i2").tobytes()
            yield bytes(2 * _pause(sentence, len(samples), rate_hz))

    def _sound(self, sentence: Sentence) -> Pcm | Silent:
        voice, key = self._voices[sentence.teller], self._sentence_key(sentence)
        if kept := self._cache.sentence(key):
            return kept
        spoken = voice.speak(sentence.text, self._book.language)
        if isinstance(spoken, Silent):
            return spoken
        sound = Pcm(trimmed(spoken.samples, spoken.rate_hz), spoken.rate_hz)
        self._cache.keep_sentence(key, sound)
        return sound


class _StoppedError(Exception):
    """A sentence went from the cache while it was needed, and the voice fell silent."""


def _gain(loudness: Loudness) -> tuple[float, float]:
    """The gain in dB to the target, and the sample before it which may just pass: a synthetic voice has single peaks
    that would keep all of it too quiet, so they alone are lowered."""
    gain = gain_db(loudness, peak_dbtp=PEAK_DBTP + MOST_LIMITED_DB)
    return gain, 32768.0 * 10 ** ((PEAK_DBTP - CODEC_PEAK_DB - gain) / 20)


def _pause(sentence: Sentence, sound: int, rate_hz: int) -> int:
    """In samples. A wordless sentence, such as three stars, adds only what a new paragraph needs."""
    if sentence.ends_paragraph:
        return round(PARAGRAPH_PAUSE_S * rate_hz)
    return round(SENTENCE_PAUSE_S * rate_hz) if sound else 0
