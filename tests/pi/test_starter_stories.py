"""The stories that come with the project: calm to hear, whole, and each says whose it is."""

import json
import re
import tomllib
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import mutagen
import pytest

import somnisphere

FOLDER = Path(somnisphere.__file__).parent / "stories"
STORIES = sorted(FOLDER.glob("*.story"))
KEYS = {"format", "title", "teller", "language", "licence", "ages", "cover", "text"}
LONGEST_SENTENCE_WORDS = 41
"""The last breath of the attic; all others stay below it."""
FORBIDDEN = re.compile(r"\b(scor(e[ds]?|ing)|goals?|streaks?|percent\w*|prozent\w*|punktzahl|rekord\w*)\b|%", re.I)

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)


def about(story: Path) -> dict[str, object]:
    return tomllib.loads((story / "story.toml").read_text(encoding="utf-8"))


def told(story: Path) -> list[tuple[str, str, str]]:
    """Teller, id and words of every sentence."""
    sentences, teller = [], ""
    for line in (story / "text.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            teller = line[1:-1]
        elif line and not line.startswith("#"):
            sentence_id, words = line.split(" ", 1)
            sentences.append((teller, sentence_id, words))
    return sentences


def tellers(story: Path) -> list[str]:
    """In the order of their first turn; "" is the story's own teller."""
    return list(dict.fromkeys(teller for teller, _, _ in told(story)))


def test_the_shelf_is_worth_a_week() -> None:
    assert len(STORIES) >= 6
    assert {"de", "en"} <= {about(story)["language"] for story in STORIES}
    assert any("attic" in str(about(story)["title"]) for story in STORIES)
    assert sum(len(tellers(story)) >= 2 for story in STORIES) >= 2
    assert len({about(story)["title"] for story in STORIES}) == len(STORIES)
    assert [path for path in FOLDER.iterdir() if path not in STORIES] == []


@each_story
def test_a_story_says_what_it_is(story: Path) -> None:
    said = about(story)
    assert set(said) - {"recording"} == KEYS
    assert said["format"] == 1
    assert said["licence"] == "CC-BY-SA-4.0"
    assert (said["text"], said["cover"]) == ("text.txt", "cover.svg")
    assert all(isinstance(said[key], str) and said[key] for key in KEYS - {"format"})
    if len(tellers(story)) > 1:
        *first, last = tellers(story)
        assert said["teller"] == f"{', '.join(first)} and {last}"
    files = {"story.toml", "text.txt", "cover.svg"} | (
        {"recording.opus", "marks.json"} if "recording" in said else set()
    )
    assert {path.name for path in story.iterdir()} == files


@each_story
def test_a_story_is_told_calmly(story: Path) -> None:
    sentences = told(story)
    assert [sentence_id for _, sentence_id, _ in sentences] == [f"s{n}" for n in range(1, len(sentences) + 1)]
    assert 800 <= sum(len(words.split()) for _, _, words in sentences) <= 1500
    for _, _, words in sentences:
        assert len(words.split()) <= LONGEST_SENTENCE_WORDS, words
        assert words == " ".join(words.split()), words
        assert words[0].isupper() or words[0].isdigit(), words
        assert words[-1] in ".?", words
        assert not re.search(r"[.?] +[A-ZÄÖÜ]", words), f"two sentences in one line: {words}"
        assert re.fullmatch(r"[\w ,.?'-]+", words), f"punctuation a voice stumbles over: {words}"
        assert not FORBIDDEN.search(words), words


@each_story
def test_every_turn_is_somebodys(story: Path) -> None:
    """Where a story is told in turns, no sentence is left without a teller, and each has several turns."""
    turns = [line for line in (story / "text.txt").read_text(encoding="utf-8").splitlines() if line.startswith("[")]
    assert all(turn != following for turn, following in pairwise(turns))
    if turns:
        assert "" not in tellers(story)
        assert all(turns.count(f"[{teller}]") >= 3 for teller in tellers(story))


@each_story
def test_a_cover_is_a_picture_and_nothing_else(story: Path) -> None:
    file = story / "cover.svg"
    assert file.stat().st_size < 3000
    root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") == "0 0 400 400"
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        assert name in {"svg", "title", "g", "path", "rect", "circle", "ellipse"}, name
        for key, value in element.attrib.items():
            assert not key.rpartition("}")[2].startswith(("on", "href", "style", "src")), key
            assert not re.search(r"url\(|:", value), value


def test_two_are_recorded() -> None:
    recorded = [story for story in STORIES if "recording" in about(story)]
    assert [story.stem for story in recorded] == ["the-attic-of-old-stories", "the-lamp-that-learned-to-land"]
    for story in recorded:
        said = about(story)
        assert said["recording"] == [{"audio": "recording.opus", "marks": "marks.json", "teller": "Somnisphere"}]
        marks = json.loads((story / "marks.json").read_text())
        assert [mark["id"] for mark in marks] == [sentence_id for _, sentence_id, _ in told(story)]
        recording = story / "recording.opus"
        assert recording.stat().st_size < 1_200_000
        audio = mutagen.File(recording)
        assert audio["title"] == [said["title"]]
        assert audio["artist"] == [said["teller"]]
        assert audio["license"] == [said["licence"]]
        words_per_minute = sum(len(words.split()) for _, _, words in told(story)) / audio.info.length * 60.0
        assert 105 <= words_per_minute <= 125
