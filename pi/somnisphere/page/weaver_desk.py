"""What all forms of the weaver's table need: the table as it lies there now, and a change of it kept."""

import threading

from starlette.exceptions import HTTPException

from somnisphere.page.forms import Form
from somnisphere.page.house import House
from somnisphere.weaver.store import Version, WeaverStore
from somnisphere.weaver.table import Table
from somnisphere.weaver.voices import Voice, Voices, voices_beside

MOST_NUMBER = 2**31


class WeaverDesk:
    """Several threads may use it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._changing = threading.Lock()
        self.store = WeaverStore(house.household)
        self.voices = Voices(voices_beside(house.household))

    def versions(self, number: str) -> list[Version]:
        """All of a table, the latest first; 404 when there is none."""
        whole = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
        if not (found := self.store.versions(whole)):
            raise HTTPException(404)
        return found

    def latest(self, number: str) -> Version:
        return self.versions(number)[0]

    def of(self, form: Form) -> Version:
        return self.latest(str(form.whole("n", 1, MOST_NUMBER)))

    def keep(self, form: Form, changed: Table, voice: Voice | None = None) -> bool:
        """As the version after the one that was seen. False: somebody else changed it meanwhile. ``voice``: a new one
        that is on ``changed``; what is on no table any more is deleted."""
        seen = form.whole("seen", 0, MOST_NUMBER)
        with self._changing:
            latest = self.of(form)
            if changed == latest.table:
                return True
            if seen != latest.number:
                return False
            if voice is not None:
                self.voices.keep(voice)
            kept = self.store.keep(latest.weaving, latest.number, changed, self._house.now_s())
            self._sweep()
        return kept

    def clear(self, form: Form) -> None:
        with self._changing:
            self.store.clear(self.of(form).weaving)
            self._sweep()

    def _sweep(self) -> None:
        self.voices.only(frozenset().union(*(version.table.voices for version in self.store.latest())))


def address(version: Version) -> str:
    return f"/weaver/table?n={version.weaving}"
