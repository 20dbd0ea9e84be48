"""What a card reader says, whatever its kind: a card was laid on it, a card was taken off, how the reader is."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card lies on the reader. ``card_id``: its number as the reader gives it, 0-9 and A-F; said once while it lies
    there."""

    at_s: float
    card_id: str


@dataclass(frozen=True, slots=True)
class CardGone:
    """A card was taken off. A reader that cannot see this (a keyboard) never says it."""

    at_s: float
    card_id: str


@dataclass(frozen=True, slots=True)
class ReaderState:
    """How the reader is, said when it changes. ``problem`` is a sentence for a person, "" when ``ok``."""

    at_s: float
    ok: bool
    reader: str = ""
    problem: str = ""


CardSign = CardSeen | CardGone | ReaderState


class CardReader(Protocol):
    """A reader that is polled. Nothing waits, and trouble in the world is a ``ReaderState``."""

    @property
    def due_s(self) -> float:
        """When ``poll`` wants to be called next; 0 means at once."""

    def poll(self, at_s: float) -> list[CardSign]:
        """What is new at ``at_s`` (monotonic seconds)."""

    def close(self) -> None: ...
