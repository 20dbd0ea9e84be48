"""Where sentences lie in a recording, against recordings whose sentences' places are known to the sample."""

import shutil
import subprocess
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from somnisphere.library import ffmpeg, scan, scan_books
from somnisphere.library.alignment import align
from somnisphere.library.marks import find_marks, known_marks, with_marks
from somnisphere.library.pauses import LEAST_PAUSE_S, Loudness, speech
from somnisphere.library.sentences import split
from somnisphere.story import Book, Mark, Recording, Sentence

TEXT = """Far out at sea, where the maps are only blue, there lived a whale. She was old, and she was slow.

Every evening she swam to the same rock, and put her chin upon it; then she breathed. Up. And down. The gulls, who had
talked all day about nothing but herring, became quiet, one after the other, and tucked in their heads. Are you asleep?
asked the smallest gull. Nearly, said the whale.

The moon came. It laid a path over the water, from one side to the other, so that anybody who was still awake could have
walked home on it. Nobody was. The rock was warm from the day. Good night, said the sea. Good night."""
SENTENCES = split(TEXT, "en")
FS_HZ = 22050
INTRO = "The whale and the moon. A story for the evening."


@dataclass(frozen=True)
class Take:
    """A recording, and where each of its sentences truly is."""

    path: Path
    truth: tuple[tuple[float, float], ...]


def spoken(words: str, path: Path) -> NDArray[np.float64]:
    """(n,) from the first loud sample to the last."""
    assert shutil.which("espeak-ng"), "espeak-ng is needed: sudo apt install espeak-ng"
    subprocess.run(["espeak-ng", "-v", "en", "-s", "150", "-w", str(path), words], check=True, timeout=60)
    with wave.open(str(path)) as file:
        assert file.getframerate() == FS_HZ
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)
    loud = np.flatnonzero(np.abs(samples) > 200)
    return samples[loud[0] : loud[-1] + 1]


def take(
    path: Path,
    voices: list[NDArray[np.float64]],
    pause_s: Callable[[int], float],
    noise: float = 0.0,
    gain: Callable[[int], float] = lambda _: 1.0,
    intro: NDArray[np.float64] | None = None,
) -> Take:
    """``noise``: standard deviation in counts of 16 bits; speech has some 3000."""
    parts, truth, at = [np.zeros(FS_HZ // 2)], [], FS_HZ // 2
    if intro is not None:
        parts += [intro, np.zeros(FS_HZ)]
        at += len(intro) + FS_HZ
    for n, voice in enumerate(voices):
        gap = round(pause_s(n) * FS_HZ)
        parts += [voice * gain(n), np.zeros(gap)]
        truth.append((at / FS_HZ, (at + len(voice)) / FS_HZ))
        at += len(voice) + gap
    whole = np.concatenate(parts)
    whole += np.random.default_rng(1).normal(0, noise, len(whole)) if noise else 0.0
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(FS_HZ)
        out.writeframes(np.clip(whole, -32767, 32767).astype("<i2").tobytes())
    return Take(path, tuple(truth))


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> list[NDArray[np.float64]]:
    path = tmp_path_factory.mktemp("voice") / "one.wav"
    return [spoken(one.text, path) for one in SENTENCES] + [spoken(INTRO, path)]


def by_paragraph(n: int) -> float:
    return 1.2 if SENTENCES[n].ends_paragraph else 0.6


@dataclass(frozen=True)
class Teller:
    """How a recording is made of the same voice."""

    noise: float = 0.0
    pause_s: Callable[[int], float] = field(default=by_paragraph)
    gain: Callable[[int], float] = field(default=lambda _: 1.0)
    says_title: bool = False


TELLERS = {
    "in a studio": Teller(),
    "on a hissing tape": Teller(noise=150.0),
    "who drops their voice": Teller(noise=10.0, gain=lambda n: 0.15 if n >= 7 else 1.0),
    "who says the title first": Teller(says_title=True),
    "in a hurry": Teller(pause_s=lambda _: 0.42),
}


@pytest.mark.parametrize("kind", TELLERS)
def test_sentences_are_found_by_their_pauses(tmp_path: Path, voices: list[NDArray[np.float64]], kind: str) -> None:
    how = TELLERS[kind]
    intro = voices[-1] if how.says_title else None
    made = take(tmp_path / "x.wav", voices[:-1], how.pause_s, how.noise, how.gain, intro)
    found = find_marks(made.path, SENTENCES)
    assert found.problem == ""
    assert [mark.sentence_id for mark in found.marks] == [one.id for one in SENTENCES]
    for mark, (begin_s, end_s) in zip(found.marks, made.truth, strict=True):
        assert mark.begin_s == pytest.approx(begin_s, abs=0.3)
        assert mark.end_s == pytest.approx(end_s, abs=0.3)
    in_order(found.marks)


def in_order(marks: tuple[Mark, ...]) -> None:
    assert all(mark.begin_s < mark.end_s for mark in marks)
    assert all(one.end_s <= two.begin_s + 1e-9 for one, two in pairwise(marks))


def test_sentences_told_in_one_breath_share_it(tmp_path: Path, voices: list[NDArray[np.float64]]) -> None:
    made = take(tmp_path / "x.wav", voices[:-1], lambda n: 0.1 if n in (0, 5, 9) else by_paragraph(n))
    found = find_marks(made.path, SENTENCES).marks
    assert [mark.sentence_id for mark in found] == [one.id for one in SENTENCES]
    in_order(found)
    off_s = [abs(mark.begin_s - begin_s) for mark, (begin_s, _) in zip(found, made.truth, strict=True)]
    assert sorted(off_s)[len(off_s) * 3 // 4] < 0.3
    assert max(off_s) < 2.5


def test_without_a_text_pauses_alone_are_known(tmp_path: Path, voices: list[NDArray[np.float64]]) -> None:
    made = take(tmp_path / "x.wav", voices[:-1], by_paragraph)
    found = find_marks(made.path).marks
    assert {mark.sentence_id for mark in found} == {""}
    in_order(found)
    ends = [mark.end_s for mark in found]
    assert all(min(abs(end_s - one) for one in ends) < 0.25 for _, end_s in made.truth)
    parted = [two.begin_s - one.end_s for one, two in pairwise(found)]
    assert min(parted) >= LEAST_PAUSE_S - 0.02


@pytest.mark.parametrize("kind", ["opus", "mp3"])
def test_marks_are_kept_and_a_shelf_knows_them(
    tmp_path: Path, voices: list[NDArray[np.float64]], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = take(tmp_path / "x.wav", voices[:-1], by_paragraph)
    shelf, cache = tmp_path / "shelf", tmp_path / "cache"
    shelf.mkdir()
    path = shelf / f"whale.{kind}"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(made.path), "-b:a", "48k", str(path)]
    subprocess.run(command, check=True, timeout=60)
    path.with_suffix(".txt").write_text(TEXT)
    (book,), _ = scan_books(shelf, cache)
    assert book.recordings[0].marks == ()
    assert known_marks(path, book.sentences, cache) is None
    marked, problem = with_marks(book, cache)
    marks = marked.recordings[0].marks
    assert problem == ""
    assert [mark.sentence_id for mark in marks] == [one.id for one in SENTENCES]
    for mark, (begin_s, end_s) in zip(marks, made.truth, strict=True):
        assert mark.begin_s == pytest.approx(begin_s, abs=0.35)
        assert mark.end_s == pytest.approx(end_s, abs=0.35)
    with monkeypatch.context() as patch:
        patch.setattr(ffmpeg, "decode", None)  # nothing is decoded a second time
        (story,), _ = scan(shelf, cache)
        assert story.marks == marks
        assert find_marks(path, book.sentences, cache).marks == marks
    path.with_suffix(".txt").write_text(TEXT + " Good night, whale.")
    (story,), _ = scan(shelf, cache)
    assert story.marks == (), "another text has other marks"


def test_what_has_no_pauses_is_said(tmp_path: Path) -> None:
    path = tmp_path / "hum.wav"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=duration=20", str(path)]
    subprocess.run(command, check=True, timeout=30)
    found = find_marks(path)
    assert found.marks == ()
    assert "No pauses can be heard" in found.problem


def test_without_ffmpeg_there_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_marks(tmp_path / "x.wav")
    assert (found.marks, found.problem) == ((), ffmpeg.MISSING)


def test_what_is_no_audio_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_text("Once upon a time")
    assert find_marks(path).problem == "ffmpeg cannot read x.mp3 as audio."
    assert find_marks(tmp_path / "gone.mp3").problem == "ffmpeg cannot read gone.mp3 as audio."
    book = Book("x", "x", path, recordings=(Recording(path),))
    assert with_marks(book, tmp_path)[1] == "ffmpeg cannot read x.mp3 as audio."


def test_loudness_does_not_depend_on_the_blocks() -> None:
    samples = np.random.default_rng(0).normal(0, 3000, 50_000).astype(np.int16)
    whole, cut = Loudness(8000), Loudness(8000)
    whole.add(samples)
    for begin in range(0, len(samples), 777):
        cut.add(samples[begin : begin + 777])
    np.testing.assert_allclose(whole.levels_db(), cut.levels_db(), atol=1e-3)


@pytest.mark.parametrize("levels", [[], [-90.0] * 500, [-20.0] * 500])
def test_silence_and_noise_alone_are_not_told_apart(levels: list[float]) -> None:
    assert speech(np.array(levels, dtype=np.float32)) == []


def talk(pause_db: float, *voice_db: float, sentences: int) -> NDArray[np.float32]:
    """Levels of sentences of 2 s, each followed by a pause of 1 s."""
    sentence = np.concatenate([np.full(100 // len(voice_db), level_db) for level_db in voice_db])
    return np.tile(np.concatenate((sentence, np.full(50, pause_db))), sentences).astype(np.float32)


def test_one_who_grows_soft_is_heard_and_hiss_alone_is_not() -> None:
    """Each half minute has its own limit, but none so low that a long silence becomes speech."""
    soft = talk(-56.0, -42.0, -48.0, sentences=20)
    found = speech(np.concatenate((talk(-70.0, -25.0, sentences=20), soft)))
    assert len(found) == 40
    assert all(end_s - begin_s == pytest.approx(2.0, abs=0.1) for begin_s, end_s in found)
    hiss = np.random.default_rng(0).normal(-60.0, 1.0, 3000).astype(np.float32)
    assert len(speech(np.concatenate((talk(-60.0, -25.0, sentences=20), hiss)))) == 20


def test_a_click_in_a_pause_is_no_speech() -> None:
    levels = np.full(600, -70.0, dtype=np.float32)
    levels[50:200] = levels[300:500] = -25.0
    levels[250:252] = -20.0
    assert speech(levels) == [pytest.approx((1.0, 4.0)), pytest.approx((6.0, 10.0))]


@given(
    st.lists(st.tuples(st.floats(0.05, 9), st.floats(0.35, 4)), max_size=40),
    st.lists(st.text(alphabet="abc ., 鯨", min_size=1, max_size=200), max_size=30),
)
def test_any_speech_and_any_text_give_marks_in_order(lengths: list[tuple[float, float]], texts: list[str]) -> None:
    stretches, at_s = [], 0.0
    for spoken_s, pause_s in lengths:
        stretches.append((at_s, at_s + spoken_s))
        at_s += spoken_s + pause_s
    sentences = [Sentence(f"s{n}", text) for n, text in enumerate(texts)]
    marks = align(stretches, sentences)
    if marks:
        assert [mark.sentence_id for mark in marks] == [one.id for one in sentences]
        assert marks[0].begin_s >= 0.0
        assert marks[-1].end_s <= stretches[-1][1] + 1e-9
        assert all(mark.begin_s <= mark.end_s for mark in marks)
        assert all(one.end_s <= two.begin_s + 1e-9 for one, two in pairwise(marks))


@pytest.mark.timeout(60)
def test_a_long_book_is_aligned_in_little_memory() -> None:
    """Five hours; a table of all sentences by all stretches would need a hundred megabytes."""
    import tracemalloc

    rng = np.random.default_rng(3)
    sentences = [Sentence(f"s{n}", "a" * int(rng.integers(10, 120))) for n in range(3000)]
    stretches, truth, at_s = [], [], 0.0
    for one in sentences:
        truth.append(at_s)
        for share in (0.4, 0.6) if len(one.text) > 60 else (1.0,):
            spoken_s = len(one.text) * 0.08 * share * float(rng.uniform(0.85, 1.15))
            stretches.append((at_s, at_s + spoken_s))
            at_s += spoken_s + (0.4 if share == 0.4 else 0.8)
    tracemalloc.start()
    marks = align(stretches, sentences)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert at_s > 4.5 * 3600
    assert peak_bytes < 20e6
    off_s = np.array([mark.begin_s - begin_s for mark, begin_s in zip(marks, truth, strict=True)])
    assert np.mean(np.abs(off_s) < 0.3) > 0.98
