"""The nights of the journal as the Morning room needs them. What takes long is worked out once and kept."""

import datetime
import threading
from collections import OrderedDict
from dataclasses import dataclass

from somnisphere.diary.learning import Learned
from somnisphere.journal import KeptNight
from somnisphere.journal_reader import JournalReader
from somnisphere.letter.night_facts import LetterFacts, letter_facts
from somnisphere.page.house import House
from somnisphere.sleep.facts import summarize

DAY_S = 86400.0
MOST_KEPT = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """The night that is talked about. ``is_kept``: the sensor kept something of it."""

    night_id: str
    is_kept: bool

    @property
    def evening(self) -> datetime.date:
        return datetime.date.fromisoformat(self.night_id[:10])


class Nights:
    def __init__(self, house: House) -> None:
        self._house = house
        self._facts: OrderedDict[tuple[str, float], LetterFacts] = OrderedDict()
        self._lock = threading.Lock()
        """One night is worked out at a time: each takes some tenths of a second and 20 MB."""

    def past(self) -> list[str]:
        """Nights that are over, oldest first."""
        if not self._house.journal.exists():
            return []
        journal = JournalReader(self._house.journal)
        try:
            return journal.past_nights()
        finally:
            journal.close()

    def latest(self) -> Asked:
        """Last night: as the sensor kept it, else only its evening's date."""
        now = self._house.moment(self._house.now_s())
        evening = (now - datetime.timedelta(hours=12)).date()
        last_evening = evening if now.hour < 12 else evening - datetime.timedelta(days=1)
        past = [night for night in self.past() if night[:10] >= last_evening.isoformat()]
        return Asked(past[-1], True) if past else Asked(last_evening.isoformat(), False)

    def find(self, night_id: str) -> Asked | None:
        """A night by its name; None: there is none of it."""
        if not night_id:
            return self.latest()
        if night_id in self.past():
            return Asked(night_id, True)
        return latest if (latest := self.latest()).night_id == night_id else None

    def load(self, night_id: str) -> KeptNight | None:
        journal = JournalReader(self._house.journal)
        try:
            return journal.load(night_id)
        except KeyError:
            return None
        finally:
            journal.close()

    def utc_offset_s(self, night_id: str) -> float:
        """The household's clock in the evening of that night."""
        day = datetime.date.fromisoformat(night_id[:10])
        return self._house.utc_offset_s((day - datetime.date(1970, 1, 1)).days * DAY_S + 0.9 * DAY_S)

    def sensed_onset_s(self, night_id: str) -> float | None:
        """When the sensor saw sleep come, Unix seconds."""
        kept = self.load(night_id)
        return None if kept is None else summarize(kept.estimates).onset_s

    def facts(self, night_id: str, learned: Learned) -> LetterFacts | None:
        """To be asked only of a night that was opened."""
        key = (night_id, learned.shift_s)
        with self._lock:
            if key not in self._facts:
                kept = self.load(night_id)
                if kept is None:
                    return None
                self._facts[key] = letter_facts(kept, self.utc_offset_s(night_id), learned)
                while len(self._facts) > MOST_KEPT:
                    self._facts.popitem(last=False)
            return self._facts[key]
