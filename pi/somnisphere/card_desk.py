"""All of the cards that the daemon holds: the table that decides, the file that remembers, the home's message."""

from somnisphere.bedtime.phases import Phase
from somnisphere.card_file import CardFile
from somnisphere.cards import CardDeed, CardTable, StoryMeant
from somnisphere.events import CardLaid, CardLinked, Say
from somnisphere_hardware.card_reader import CardSign
from somnisphere_home.discovery import DeviceInfo
from somnisphere_home.messages import Message, Topics
from somnisphere_home.tags import scan_message, tag_message


class CardDesk:
    """``CardTable`` with its file kept up to date: what is linked here or by ``somnisphere card`` holds at once. Deeds
    are to be done by the caller: wishes and presses go to the core, ``Say`` to the log, ``CardLaid`` to the home."""

    def __init__(self, file: CardFile, table: CardTable, topics: Topics, device: DeviceInfo) -> None:
        self._file = file
        self._table = table
        self._topics = topics
        self._device = device
        self._told = ""
        table.book = file.book

    def receive(self, sign: CardSign, phase: Phase, *, playing: bool) -> list[CardDeed]:
        """The reader said something."""
        if self._file.refresh():
            self._table.book = self._file.book
        return [*self._trouble(), *self._table.receive(sign, phase, playing=playing)]

    def tick(self, at_s: float, *, playing: bool) -> list[CardDeed]:
        """Time passes; to be called about twice a second."""
        return self._table.tick(at_s, playing=playing)

    def story_chosen(self, at_s: float, key_or_title: str) -> list[CardDeed]:
        """The home chose a story; a card that waited for one is linked to it and kept."""
        deeds = self._table.story_chosen(at_s, key_or_title)
        for deed in deeds:
            if isinstance(deed, CardLinked):
                self._file.link(deed.card_id, StoryMeant(deed.story_key))
                self._table.book = self._file.book
        return [*deeds, *self._trouble()]

    @property
    def discovery(self) -> Message:
        """Makes the reader known to the home; to be published at each connection."""
        return tag_message(self._topics, self._device)

    def scan(self, laid: CardLaid, at: str) -> Message:
        """A card for the home. ``at``: ISO time with its offset."""
        meaning = self._table.book.meaning(laid.card_id)
        story = meaning.key if isinstance(meaning, StoryMeant) else None
        return scan_message(self._topics, laid.card_id, at, story)

    def _trouble(self) -> list[CardDeed]:
        """What is wrong with the file, said once."""
        trouble = self._file.problem or self._file.mended
        was, self._told = self._told, trouble
        return [Say(trouble, "warning")] if trouble and trouble != was else []
