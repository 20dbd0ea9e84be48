"""The stories that come with the project: each has its text, its recording, and says whose it is."""

from pathlib import Path

import mutagen
import pytest

import somnisphere

FOLDER = Path(somnisphere.__file__).parent / "stories"
TEXTS = sorted(FOLDER.glob("*.md"))


def read(text: Path) -> tuple[dict[str, str], str]:
    """Front matter and body."""
    _, head, body = text.read_text().split("---\n", 2)
    return dict(line.split(": ", 1) for line in head.splitlines()), body


def test_there_are_stories_and_each_is_recorded() -> None:
    assert len(TEXTS) >= 2
    assert sorted(path.stem for path in FOLDER.glob("*.opus")) == [text.stem for text in TEXTS]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_a_story_is_told_calmly(text: Path) -> None:
    head, body = read(text)
    words = len(body.split())
    assert 900 <= words <= 1200
    assert body.rstrip().endswith("Good night.")
    recording = text.with_suffix(".opus")
    assert recording.stat().st_size < 1_200_000
    audio = mutagen.File(recording)
    assert audio["title"] == [head["title"]]
    assert audio["artist"] == [head["teller"]]
    assert audio["license"] == [head["licence"]]
    words_per_minute = words / audio.info.length * 60.0
    assert 105 <= words_per_minute <= 125
