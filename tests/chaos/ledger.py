"""Half minutes: which were told to the journal, which are on the disk, and which should be. And: are they true?"""

from collections.abc import Callable
from dataclasses import dataclass, field

from somnisphere.journal import KeptNight
from somnisphere.journal_rows import DECIMALS
from somnisphere.night import EPOCH_S, Epoch

MINUTE_S = 60.0
CLOSING_S = 45.0
"""An epoch is closed 11.5 s after its end, at the next tick."""
BPM_OFF = 10.0
"""The rate itself says of no more than three windows in four that it is right within 5 a minute."""


def _body(epoch: Epoch) -> tuple[object, ...]:
    """What an epoch that holds beats is known by, as finely as the journal keeps it; one without beats: nothing."""
    if epoch.beat_count == 0:
        return ()
    return (
        epoch.beat_count,
        *(None if it is None else round(it, DECIMALS) for it in (epoch.heart_bpm, epoch.pulse_quality)),
    )


@dataclass(frozen=True, slots=True)
class ToldEpoch:
    """``start_s`` is monotonic; ``life`` numbers the daemon that said it."""

    life: int
    night_id: str
    epoch: Epoch


@dataclass(slots=True)
class Life:
    """One run of the daemon. ``killed``: it had no time to write. ``unwritable_s``: since when the disk refused."""

    from_s: float
    until_s: float | None = None
    killed: bool = False
    unwritable_s: float | None = None
    opened_s: float | None = None
    closed_s: float | None = None
    """When a night was opened (carried on: at once) and closed in it."""


@dataclass(slots=True)
class Ledger:
    """One evening's. ``begun_s``: the hand that began it was heard; ``left_s``: the sleeper has left."""

    lives: list[Life] = field(default_factory=list)
    told: list[ToldEpoch] = field(default_factory=list)
    stood_still: list[tuple[float, float]] = field(default_factory=list)
    """Spans in which the process was not given any time."""

    def lost(self, kept: list[KeptNight]) -> tuple[int, int, list[str]]:
        """(half minutes that should be kept, those that are not but may be missing, sentences about the others)."""
        covered = self._covered(kept)
        due = excused = 0
        problems: list[str] = []
        for life in self.lives:
            if life.opened_s is None or life.until_s is None:
                continue
            from_s, until_s = life.opened_s + EPOCH_S, life.until_s - CLOSING_S
            if life.closed_s is not None:
                until_s = min(until_s, life.closed_s - CLOSING_S)
            at_s = from_s + EPOCH_S / 2
            while at_s < until_s:
                due += 1
                if not any(start_s <= at_s < end_s for start_s, end_s in covered):
                    last_s = life.until_s - CLOSING_S - MINUTE_S
                    if life.unwritable_s is not None:
                        last_s = min(last_s, life.unwritable_s - CLOSING_S - MINUTE_S)
                    if life.killed and at_s > last_s:
                        excused += 1
                    else:
                        problems.append(f"{at_s:.0f} s: the half minute is not in the journal")
                at_s += EPOCH_S
        return due, excused, problems

    def _covered(self, kept: list[KeptNight]) -> list[tuple[float, float]]:
        """Half minutes that were told and are on the disk. A clock that is set calls a night anew, may divide it where
        the daemon began, and numbers the parts anew: by how much, their epochs with beats tell."""
        shifts: dict[str, set[tuple[int, int]]] = {}
        for told in self.told:
            found = shifts.setdefault(told.night_id, {(k, 0) for k in range(len(kept))})
            if body := _body(told.epoch):
                found |= {
                    (k, told.epoch.index - epoch.index)
                    for k, night in enumerate(kept)
                    for epoch in night.epochs
                    if _body(epoch) == body
                }
        on_disk = {(k, epoch.index): _body(epoch) for k, night in enumerate(kept) for epoch in night.epochs}
        starts_s = sorted(
            told.epoch.start_s
            for told in self.told
            if any(on_disk.get((k, told.epoch.index - by)) == _body(told.epoch) for k, by in shifts[told.night_id])
        )
        return [(start_s, start_s + EPOCH_S) for start_s in starts_s]

    def untrue(
        self, bpm_at: Callable[[float], tuple[float, float] | None], blind: list[tuple[float, float]]
    ) -> list[str]:
        """Known heart rates that the body did not have, and knowledge out of a time in which there was none."""
        problems = []
        for told in self.told:
            epoch = told.epoch
            middle_s = epoch.start_s + EPOCH_S / 2
            if epoch.heart_bpm is not None:
                if any(from_s <= epoch.start_s and epoch.start_s + EPOCH_S <= until_s for from_s, until_s in blind):
                    problems.append(f"{middle_s:.0f} s: {epoch.heart_bpm:.0f} a minute, though no pulse could be seen")
                true = bpm_at(epoch.start_s)
                if true is None or not true[0] - BPM_OFF <= epoch.heart_bpm <= true[1] + BPM_OFF:
                    truth = "nobody was there" if true is None else f"it was {true[0]:.0f} to {true[1]:.0f}"
                    problems.append(f"{middle_s:.0f} s: {epoch.heart_bpm:.0f} a minute, but {truth}")
        return problems
