"""Who sleeps here: how old, and so what is claimed of their sleep; and what their earlier nights taught.

The stager learned from 34 nights of adults of 19 to 56 years (sleep-accel: 19 to 55, slpdb: 32 to 56). Below one year
sleep is scored by other rules with other stages (AASM manual, infants), so of an infant no stage is guessed at all:
neither at night nor in the morning, and no "fell asleep" follows. Of other ages the same stages are guessed, and each
says what to bear in mind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from somnisphere.night import Epoch, StageEstimate
from somnisphere.sleep.overnight import revise
from somnisphere.sleep.person import Person
from somnisphere.sleep.stager import SleepStager

INFANT_MONTHS = 12
LEARNED_MONTHS = (18 * 12, 60 * 12)
"""Ages near enough to those learned from that nothing is added."""
INFANT = "no stages are guessed below one year of age"
CHILD = "learned from adults: a child's stages may be further off"
ELDER = "learned from adults up to 56: at this age stages may be further off"


class Stager(Protocol):
    """What follows one night."""

    def step(self, epoch: Epoch) -> StageEstimate: ...


class Sleeper:
    """``born``: "2019-05", "" when nothing was said: then an adult's stages are shown as they are. ``learned``: what
    ``keep`` was last given, by an earlier run."""

    def __init__(
        self,
        born: str = "",
        learned: Mapping[str, Any] | None = None,
        keep: Callable[[Mapping[str, Any]], object] = lambda _: None,
    ) -> None:
        self._born = born
        self._claim = ""
        self.person = Person() if learned is None else Person.from_dict(learned)
        self._keep = keep

    def stager(self, wall_s: float) -> Stager:
        """For a night that begins at ``wall_s`` (Unix seconds)."""
        self._claim = claim(self._born, wall_s)
        return _Staged(SleepStager(shift=self.person.shift()), self._claim)

    def revise(self, epochs: Sequence[Epoch]) -> list[StageEstimate]:
        """The morning's answer about the night that the latest stager followed; what it teaches is kept."""
        estimates = revise(epochs)
        if self._claim != INFANT and (person := self.person.after(epochs, estimates)) is not self.person:
            self.person = person
            self._keep(person.to_dict())
        return [claimed(estimate, self._claim) for estimate in estimates]


class _Staged:
    def __init__(self, stager: Stager, claim: str) -> None:
        self._stager, self._claim = stager, claim

    def step(self, epoch: Epoch) -> StageEstimate:
        return claimed(self._stager.step(epoch), self._claim)


def claim(born: str, wall_s: float) -> str:
    """What is to be said of the stages of somebody born then; "" nothing, ``INFANT``: they are not shown."""
    if not born:
        return ""
    year, month = (int(part) for part in born.split("-"))
    at = datetime.fromtimestamp(wall_s, UTC)
    months = (at.year - year) * 12 + at.month - month
    if months < INFANT_MONTHS:
        return INFANT
    if months < LEARNED_MONTHS[0]:
        return CHILD
    return ELDER if months > LEARNED_MONTHS[1] else ""


def claimed(estimate: StageEstimate, claim: str) -> StageEstimate:
    """The estimate as far as it may be claimed."""
    if claim == INFANT:
        told = estimate.reason if estimate.probabilities is None else INFANT
        return StageEstimate(estimate.index, estimate.start_s, None, None, told)
    return replace(estimate, reason=claim) if claim and estimate.stage is not None else estimate
