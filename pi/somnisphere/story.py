"""The vocabulary of stories: what a file of the shelf holds, and what of it an evening can play. Frozen; pure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a story's text. ``id`` is stable: what a bookmark and a recording's marks refer to."""

    id: str
    text: str
    teller: str = ""
    """Who tells it, where a story is told in turns; "" is the story's own teller."""
    ends_paragraph: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Where one sentence lies in a recording: spoken from ``begin_s`` to ``end_s``. Marks are in order and do not
    overlap; the silence between two belongs to neither. ``sentence_id`` is "" where only silences are known."""

    begin_s: float
    end_s: float
    sentence_id: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    begin_s: float


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture; ``media_type`` as in MIME: image/jpeg, image/png, image/svg+xml."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person who is heard in a recording allowed, and when: ``on`` is an ISO date. ``circle``: it may go to
    other households; else it stays in this house. ``by`` is another name where a parent speaks for a child."""

    by: str
    on: str
    circle: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """An audio file that tells a whole story. ``marks`` empty: not known (yet)."""

    path: Path
    teller: str = ""
    duration_s: float | None = None
    marks: tuple[Mark, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    consent: Consent | None = None
    """None: nobody was asked, so it stays in this house."""


@dataclass(frozen=True, slots=True)
class Book:
    """What a file or folder of the shelf holds: words, recordings, or both."""

    key: str
    """Its path below the shelf's folder, which stays."""
    title: str
    path: Path
    teller: str = ""
    language: str = ""
    """BCP 47, such as ``en`` or ``he``; "" when nobody said."""
    licence: str = ""
    ages: str = ""
    sentences: tuple[Sentence, ...] = ()
    recordings: tuple[Recording, ...] = ()
    cover: Cover | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One story that can be played now. ``key`` is stable (the path below the shelf's folder); ``title`` is for
    people."""

    key: str
    title: str
    path: Path
    duration_s: float | None = None
    teller: str = ""
    language: str = ""
    marks: tuple[Mark, ...] = ()
    evened_db: float = 0.0
    """What brings this recording to the loudness of the others; 0 as long as that is not known."""
