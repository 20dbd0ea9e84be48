"""What is said of a file that cannot be told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that looks like a story and is none. ``reason`` is a sentence for a person."""

    path: Path
    reason: str


class UnreadableError(Exception):
    """A file cannot be told. The text says where in it, why, and how to mend it."""


def reason_of(problem: Exception) -> str:
    """An exception in words: the system's for a file, else its own, else its name."""
    words = problem.strerror if isinstance(problem, OSError) else str(problem)
    return " ".join(str(words or type(problem).__name__).split()).rstrip(".")
