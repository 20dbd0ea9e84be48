"""Story cards: what a card means, and what is to be done when one is laid on the reader. Pure.

A card means a story or one word to the evening (begin, stop, one more page). A blank card offers itself: the next story
that the home chooses within ``LINK_S`` becomes its own.

    laid     a card seen; not one seen within ``SAME_S`` of its last sign, and not one that lay there already when the
             reader came up: a box that starts anew at night must not begin an evening
    lifted   gone for ``SAME_S``
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from somnisphere.bedtime.phases import Phase
from somnisphere.events import ButtonPressed, CardLaid, CardLifted, CardLinked, CommandReceived, Press, Say
from somnisphere.story import Story
from somnisphere_hardware.card_reader import CardGone, CardSeen, CardSign, ReaderState

SAME_S = 3.0
LINK_S = 120.0
_LAY_THERE_S = 0.5
_ID = re.compile(r"[0-9A-F]{4,32}")
_KEY_LENGTH = 1000
_WITH_STORY = frozenset({Phase.STORY, Phase.DRIFTING, Phase.ASLEEP, Phase.STIRRING})

Word = Literal["begin", "stop", "one_more_page"]
WORDS: tuple[Word, ...] = get_args(Word)


@dataclass(frozen=True, slots=True)
class StoryMeant:
    key: str


@dataclass(frozen=True, slots=True)
class WordMeant:
    word: Word


Meaning = StoryMeant | WordMeant

CardDeed = CardLaid | CardLifted | CardLinked | CommandReceived | ButtonPressed | Say
"""What comes of a card: wishes and presses for the core, words for the log, links to keep, the card for the home."""


def card_id_of(text: str) -> str | None:
    """A card's number as a person may write it (``04:a2:b3 c4``), None when it cannot be one."""
    card_id = re.sub(r"[\s:-]", "", text).upper()
    return card_id if _ID.fullmatch(card_id) else None


def is_random(card_id: str) -> bool:
    """Four bytes that begin with 08 are made up anew each time (ISO/IEC 14443-3): telephones and passports."""
    return len(card_id) == 8 and card_id.startswith("08")


class CardBook:
    """Which card means what."""

    def __init__(self, links: Mapping[str, Meaning] | None = None) -> None:
        self._links = dict(links or {})

    @property
    def links(self) -> dict[str, Meaning]:
        return dict(self._links)

    def meaning(self, card_id: str) -> Meaning | None:
        return self._links.get(card_id)

    def link(self, card_id: str, meaning: Meaning) -> None:
        self._links[card_id] = meaning

    def unlink(self, card_id: str) -> bool:
        """False when the card meant nothing."""
        return self._links.pop(card_id, None) is not None

    def to_dict(self) -> dict[str, Any]:
        return {
            card_id: {"story": meaning.key} if isinstance(meaning, StoryMeant) else {"word": meaning.word}
            for card_id, meaning in sorted(self._links.items())
        }

    @classmethod
    def from_dict(cls, kept: Mapping[Any, Any]) -> "CardBook":
        """``ValueError`` for anything that ``to_dict`` does not write."""
        return cls({_known_id(card_id): _meaning_of(card_id, meaning) for card_id, meaning in kept.items()})


def _known_id(card_id: Any) -> str:
    if not isinstance(card_id, str) or not _ID.fullmatch(card_id):
        raise ValueError(f"{card_id!r} is no card's number")
    return card_id


def _meaning_of(card_id: str, kept: Any) -> Meaning:
    match kept:
        case {"story": str(key)} if len(kept) == 1 and 0 < len(key) <= _KEY_LENGTH:
            return StoryMeant(key)
        case {"word": "begin" | "stop" | "one_more_page" as word} if len(kept) == 1:
            return WordMeant(word)
    raise ValueError(f"card {card_id} means {kept!r}")


class CardTable:
    """Follows what lies on the reader. ``find_story``: by key or title, as ``Shelf.find``. ``book`` may be exchanged at
    any time (its file was read again)."""

    def __init__(
        self,
        book: CardBook,
        find_story: Callable[[str], Story | None],
        *,
        story_begins: bool = True,
        lift_pauses: bool = False,
    ) -> None:
        self.book = book
        self._find_story = find_story
        self._story_begins = story_begins
        self._lift_pauses = lift_pauses
        self._last_id = ""
        self._last_s = 0.0
        self._gone_s: float | None = None  # the last card is off, and not yet said to be
        self._reader_up_s: float | None = None
        self._offered: tuple[str, float] | None = None  # a blank card, and until when it waits for a story
        self.problem = ""
        """A sentence for a person while the reader is in trouble, else ""."""

    def receive(self, sign: CardSign, phase: Phase, *, playing: bool) -> list[CardDeed]:
        """What the reader said. ``phase`` and ``playing``: where the evening is."""
        deeds = self.tick(sign.at_s, playing=playing)
        playing = playing and not any(isinstance(deed, ButtonPressed) for deed in deeds)  # that press pauses
        match sign:
            case ReaderState():
                was, self.problem = self.problem, "" if sign.ok else sign.problem
                self._reader_up_s = sign.at_s if sign.ok else None
                if not sign.ok:
                    deeds.append(Say(sign.problem, "warning"))
                elif was:
                    deeds.append(Say("The card reader answers again."))
            case CardGone():
                if sign.card_id == self._last_id:
                    self._last_s = self._gone_s = sign.at_s
            case CardSeen():
                deeds += self._seen(sign, phase, playing)
        return deeds

    def tick(self, at_s: float, *, playing: bool) -> list[CardDeed]:
        """Time passes; to be called about twice a second."""
        deeds: list[CardDeed] = []
        if self._offered is not None and at_s > self._offered[1]:
            deeds.append(Say(f"No story was chosen for the card {self._offered[0]}; it stays blank."))
            self._offered = None
        if self._gone_s is not None and at_s - self._gone_s >= SAME_S:
            self._gone_s = None
            deeds.append(CardLifted(at_s, self._last_id))
            if self._lift_pauses and playing and isinstance(self.book.meaning(self._last_id), StoryMeant):
                deeds.append(ButtonPressed(at_s, Press.DOUBLE))
        return deeds

    def story_chosen(self, at_s: float, key_or_title: str) -> list[CardDeed]:
        """The home chose a story: a blank card that waits for one is to be linked to it (``CardFile.link``)."""
        if self._offered is None or at_s > self._offered[1]:
            return []
        story = self._find_story(key_or_title)
        if story is None:
            return []
        card_id, self._offered = self._offered[0], None
        return [CardLinked(at_s, card_id, story.key), Say(f"The card {card_id} now means “{story.title}”.")]

    def _seen(self, sign: CardSeen, phase: Phase, playing: bool) -> list[CardDeed]:
        at_s, card_id = sign.at_s, sign.card_id
        since_up_s = None if self._reader_up_s is None else at_s - self._reader_up_s
        self._reader_up_s = None
        same = card_id == self._last_id and at_s - self._last_s < SAME_S
        self._last_id, self._last_s, self._gone_s = card_id, at_s, None
        if same:
            return []
        if since_up_s is not None and since_up_s < _LAY_THERE_S:
            return [Say(f"The card {card_id} lay there already; lift it and lay it on again to use it.")]
        return [CardLaid(at_s, card_id), *self._meant(at_s, card_id, phase, playing)]

    def _meant(self, at_s: float, card_id: str, phase: Phase, playing: bool) -> list[CardDeed]:
        meaning = self.book.meaning(card_id)
        if meaning is None:
            return self._offer(at_s, card_id)
        self._offered = None
        if isinstance(meaning, WordMeant):
            return [CommandReceived(at_s, meaning.word, True)]
        story = self._find_story(meaning.key)
        if story is None:
            return [
                Say(
                    f"The card {card_id} means the story {meaning.key}, which is not on the shelf. Put it back, or "
                    f"link the card anew: somnisphere card link {card_id} STORY",
                    "warning",
                )
            ]
        deeds: list[CardDeed] = [CommandReceived(at_s, "story", meaning.key)]
        if phase in (Phase.IDLE, Phase.MORNING) and self._story_begins:
            deeds.append(CommandReceived(at_s, "begin", True))
        elif phase in _WITH_STORY and not playing:
            deeds.append(CommandReceived(at_s, "one_more_page", True))
        return deeds

    def _offer(self, at_s: float, card_id: str) -> list[CardDeed]:
        if is_random(card_id):
            return [
                Say(f"The card {card_id} shows another number each time (a telephone does); it cannot mean a story.")
            ]
        self._offered = (card_id, at_s + LINK_S)
        return [
            Say(
                f"The card {card_id} is blank. The next story chosen in the home within {LINK_S / 60:.0f} minutes will "
                f"be its own; or: somnisphere card link {card_id} STORY"
            )
        ]
