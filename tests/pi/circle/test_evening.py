"""The community evening: the ring, the turns, and a story that goes home with everybody."""

import io
import subprocess
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somnisphere.circle import evening as ring
from somnisphere.circle.evening import Evening, Passage, Refusal, RefusedStepError
from somnisphere.circle.evening_store import Evenings
from somnisphere.circle.manifest import refuse_unwilling
from somnisphere.config import Config
from somnisphere.library import read
from somnisphere.library.sent_sound import NotSoundError
from somnisphere.story import Book
from somnisphere.telling.voices import choose

TODAY = date(2026, 11, 28)


def an_evening(*names: str) -> Evening:
    evening = ring.begin("lusab-babad-gutih-tugad-mibik", "The whale", "en", "CC0-1.0", TODAY)
    for name in names:
        evening = ring.sit_down(evening, name)
    return evening


def told(evening: Evening, text: str) -> Evening:
    return ring.tell(evening, Passage(evening.whose_turn, text), allowed=True)


def test_the_story_goes_round_the_ring() -> None:
    evening = an_evening("Ilse", "Kofi", "Mia")
    for text in ("Once there was a whale.", "It could not sleep.", "So it sang.", "And we slept."):
        evening = told(evening, text)
    assert [passage.teller for passage in evening.passages] == ["Ilse", "Kofi", "Mia", "Ilse"]
    assert evening.whose_turn == "Kofi"
    assert evening.last_words == "And we slept."
    assert [(one.text, one.teller) for one in ring.sentences_of(evening)][1] == ("It could not sleep.", "Kofi")
    assert ring.consent_of(evening).by == "Ilse, Kofi, Mia"


def refused(step: "ring.Passage | str", evening: Evening, *, allowed: bool = True) -> Refusal:
    with pytest.raises(RefusedStepError) as caught:
        ring.sit_down(evening, step) if isinstance(step, str) else ring.tell(evening, step, allowed=allowed)
    return caught.value.why


def test_what_is_not_taken_and_why() -> None:
    evening = an_evening("Ilse", "Kofi")
    assert refused(" \n", evening) is Refusal.NO_NAME
    assert refused("ILSE", evening) is Refusal.TAKEN
    assert refused(Passage("Kofi", "me first"), evening) is Refusal.NOT_THEIRS
    assert refused(Passage("Ilse", " "), evening) is Refusal.EMPTY
    assert refused(Passage("Ilse", "x"), evening, allowed=False) is Refusal.NOT_ALLOWED
    assert refused(Passage("Ilse", "x" * 4001), evening) is Refusal.TOO_LONG
    assert refused(Passage("", "x"), an_evening()) is Refusal.NOBODY
    full = an_evening(*(f"Teller {n}" for n in range(24)))
    assert refused("One more", full) is Refusal.FULL
    with pytest.raises(RefusedStepError):
        ring.end(evening)  # nothing was told
    over = ring.end(told(evening, "The end."))
    for step in (ring.pass_on, ring.end, lambda one: ring.sit_down(one, "x"), lambda one: ring.stand_up(one, "Ilse")):
        with pytest.raises(RefusedStepError, match="over"):
            step(over)


@given(st.lists(st.sampled_from(["tell", "pass", "sit", "leave 0", "leave 1", "leave 2"]), max_size=40))
def test_the_turn_is_always_somebody_s_who_sits_there(steps: list[str]) -> None:
    evening, newcomers = an_evening("A", "B", "C"), iter(f"N{n}" for n in range(99))
    for step in steps:
        before = evening
        try:
            match step.split():
                case ["tell"]:
                    evening = told(evening, "x")
                    assert evening.passages[-1].teller == before.whose_turn
                case ["pass"]:
                    evening = ring.pass_on(evening)
                case ["sit"]:
                    evening = ring.sit_down(evening, next(newcomers))
                    assert evening.whose_turn == before.whose_turn or not before.tellers
                case ["leave", place]:
                    who = evening.tellers[int(place) % max(1, len(evening.tellers))] if evening.tellers else "nobody"
                    evening = ring.stand_up(evening, who)
                    assert who == before.whose_turn or evening.whose_turn == before.whose_turn
                    assert evening.passages == before.passages
        except RefusedStepError:
            assert not before.tellers or len(before.tellers) >= 24
            assert evening == before
        assert (evening.whose_turn in evening.tellers) or not evening.tellers


def sound(words: str, suffix: str, folder: Path) -> bytes:
    """Spoken words as a browser would record them."""
    spoken, packed = folder / "x.wav", folder / f"x{suffix}"
    subprocess.run(["espeak-ng", "-w", str(spoken), words], check=True, timeout=30)
    command = ["ffmpeg", "-nostdin", "-y", "-v", "error", "-i", str(spoken)]
    if suffix == ".webm":  # a live recording does not know its length
        command += ["-c:a", "libopus", "-f", "webm", "-live", "1"]
    subprocess.run([*command, str(packed)], check=True, timeout=30)
    return packed.read_bytes()


def test_spoken_and_typed_passages_become_one_story(tmp_path: Path) -> None:
    evenings = Evenings(tmp_path / "evenings")
    evening = evenings.begin("The whale", "en", "CC0-1.0", TODAY)
    for name in ("Ilse", "Kofi", "Mia"):
        evenings.change(evening.id, lambda one, name=name: ring.sit_down(one, name))  # type: ignore[misc]
    for data, text in (
        (sound("Once there was a whale who could not sleep.", ".webm", tmp_path), ""),
        (None, "It swam to the moon."),
        (sound("And then it slept.", ".ogg", tmp_path), ""),
    ):
        evenings.tell(
            evening.id,
            lambda one, name, text=text: ring.tell(one, Passage(one.whose_turn, text, name), allowed=True),  # type: ignore[misc]
            None if data is None else io.BytesIO(data),
        )
    ended = evenings.change(evening.id, ring.end)
    assert ended is not None
    assert evenings.find(evening.id) == ended
    path = evenings.make_story(ended, choose(Config().voice), tmp_path / "cache")
    book = read(path, path.parent, tmp_path / "cache")
    assert isinstance(book, Book), book
    assert book.title == "The whale"
    assert [(one.text, one.teller) for one in book.sentences] == [("It swam to the moon.", "Kofi")]
    (recording,) = book.recordings
    assert recording.duration_s is not None
    assert 4.0 < recording.duration_s < 12.0  # all three, one behind the other
    assert recording.consent == ring.consent_of(ended)
    refuse_unwilling(book)  # and may be offered to the circle


def test_what_is_no_sound_is_not_kept(tmp_path: Path) -> None:
    evenings = Evenings(tmp_path / "evenings")
    evening = evenings.begin("The whale", "en", "CC0-1.0", TODAY)
    evenings.change(evening.id, lambda one: ring.sit_down(one, "Ilse"))
    room = tmp_path / "evenings" / evening.id
    for data in (b"", b"<html>", b"OggS" + b"x" * 1000, b"\x1aE\xdf\xa3" + b"\0" * 1000):
        with pytest.raises(NotSoundError):
            evenings.tell(
                evening.id, lambda one, name: ring.tell(one, Passage("Ilse", "", name), allowed=True), io.BytesIO(data)
            )
    good = sound("Hello", ".ogg", tmp_path)
    with pytest.raises(RefusedStepError):  # a recording whose teller did not allow it is gone, too
        evenings.tell(
            evening.id, lambda one, name: ring.tell(one, Passage("Ilse", "", name), allowed=False), io.BytesIO(good)
        )
    assert [path.name for path in room.iterdir()] == ["evening.json"]


def test_only_its_five_words_find_an_evening(tmp_path: Path) -> None:
    evenings = Evenings(tmp_path / "evenings")
    assert evenings.all() == []
    evening = evenings.begin("The whale", "en", "CC0-1.0", TODAY)
    assert evenings.all() == [evening]
    for wrong in (
        "",
        "..",
        "../evenings",
        evening.id[:-1],
        evening.id.upper(),
        "lusab-babad-gutih-tugad-mibik",
        "x" * 5000,
    ):
        assert evenings.find(wrong) is None
    (tmp_path / "evenings" / evening.id / "evening.json").write_text("{broken")
    assert evenings.find(evening.id) is None
